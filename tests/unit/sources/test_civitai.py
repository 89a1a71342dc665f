from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelshelf.errors import (
    CivitaiNotFoundError,
    DownloadForbiddenError,
    EarlyAccessError,
    HubError,
    HubUnreachableError,
    LoginRequiredError,
    ModelArchivedError,
    NoModelFilesError,
    OfflineError,
    RateLimitedError,
    TokenRefusedError,
)
from modelshelf.schema.hub_refusal import civitai_refusal
from modelshelf.schema.hub_settings import CivitaiSettings
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import CivitaiModelSource
from modelshelf.schema.repo_metadata import CivitaiMetadata
from modelshelf.sources import CivitaiSource, RequestsHubClient
from modelshelf.testing import tiny
from tests.hubs import (
    CivitaiSite,
    HostedModel,
    HostedModelFile,
    HostedVersion,
    civitai_site,
)

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("ink", "ink_small", "ink_old", "notes", "next")):
        tiny.lora(folder / f"{name}.safetensors", seed=seed, size=20_000)
    return folder


@pytest.fixture
def version(folder: Path) -> HostedVersion:
    names = [f"{name}.safetensors" for name in ("notes", "ink_old", "ink_small", "ink")]
    notes, old, small, ink = (folder / name for name in names)
    return HostedVersion(
        11,
        [
            HostedModelFile(30, notes, type="Training Data", format="Other"),
            HostedModelFile(31, old, format="PickleTensor", name="ink.ckpt", fp="fp32"),
            HostedModelFile(32, small, type="Pruned Model", size="pruned", primary=False),
            HostedModelFile(33, ink),
        ],
    )


@pytest.fixture
def site(folder: Path, version: HostedVersion) -> Iterator[CivitaiSite]:
    newest = HostedVersion(12, [HostedModelFile(40, folder / "next.safetensors")], name="v2.0")
    with civitai_site(HostedModel(1, "Ink", [newest, version])) as site:
        yield site


def _list(
    site: CivitaiSite, settings: CivitaiSettings | None = None, /, **fields: object
) -> Listing:
    source = CivitaiModelSource.model_validate(fields)
    settings = settings or CivitaiSettings(endpoint=site.url)
    with RequestsHubClient(pauses=()) as client:
        return CivitaiSource(client, settings, clock=lambda: _NOON).list(source)


def test_a_version_is_listed_with_its_hashes(site: CivitaiSite, version: HostedVersion) -> None:
    """The primary safetensors file, by its number, with what the site computed of it."""
    listing = _list(site, model_id=1, version_id=11)
    (file,) = listing.files
    hashes = version.files[3].hashes
    assert file.url == f"{site.url}/api/download/models/11?fileId=33"
    assert (file.name, file.sha256) == ("ink.safetensors", hashes["SHA256"].lower())
    assert (file.blake3, file.crc32) == (hashes["BLAKE3"].lower(), hashes["CRC32"].lower())
    assert file.size is None
    assert listing.size == file.size_hint == version.files[3].path.stat().st_size
    assert (listing.name, listing.revision, listing.is_folder) == ("Ink", "11", False)
    assert listing.left_out == ("ink.ckpt", "ink_small.safetensors", "notes.safetensors")
    assert listing.notes == ()


def test_the_sites_words_come_along(site: CivitaiSite, version: HostedVersion) -> None:
    """Trigger words, base, licence, creator, previews, and the raw answer."""
    version.previews = (version.files[0].path,)
    listing = _list(site, version_id=11)
    metadata = listing.metadata
    assert isinstance(metadata, CivitaiMetadata)
    assert (metadata.name, metadata.author, metadata.base_model) == ("Ink", "acme", "SD 1.5")
    assert (metadata.trained_words, metadata.tags) == (["tiny style"], {"style", "tiny"})
    assert metadata.allow_derivatives is False
    assert metadata.license == (
        "allowNoCredit=True allowDerivatives=False allowDifferentLicense=True"
        " allowCommercialUse=Image allowCommercialUse=Rent"
    )
    assert '"pickleScanResult"' in (metadata.api_response or "")
    (preview,) = listing.previews
    assert (preview.type, preview.nsfw_level, preview.width) == ("image", 1, 4)
    assert preview.url == str(metadata.previews[0])
    assert Listing.model_validate_json(listing.model_dump_json()) == listing


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model_id": 1}, 40),
        ({"model_id": 1, "version_id": 11}, 33),
        ({"version_id": 11}, 33),
        ({"version_id": 11, "file_id": 30}, 30),
        ({"version_id": 11, "format": "pickletensor"}, 31),
        ({"version_id": 11, "size": "pruned"}, 32),
        ({"version_id": 11, "precision": "fp32"}, 31),
    ],
)
def test_the_file_that_is_wanted_is_chosen(
    site: CivitaiSite, fields: dict[str, object], expected: int
) -> None:
    """The newest version where none is named; the wishes, in whatever case; else the best."""
    (file,) = _list(site, **fields).files
    assert file.url.endswith(f"?fileId={expected}")


def test_a_hash_finds_its_file(site: CivitaiSite, version: HostedVersion) -> None:
    """Whichever hash, and though it is not the file that would be chosen."""
    for file in version.files[1:]:
        for digits in file.hashes.values():
            (found,) = _list(site, hash=digits.lower()).files
            assert found.url.endswith(f"?fileId={file.id}")


def test_a_hash_that_the_site_knows_and_does_not_show_finds_the_version(
    site: CivitaiSite, version: HostedVersion
) -> None:
    """The file is then chosen as if the version had been named."""
    digits = version.files[1].hashes["SHA256"]
    for file in version.files:
        file.hashes_are_known = False
    (found,) = _list(site, hash=digits).files
    assert found.url.endswith("?fileId=33")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model_id": 9}, "no published model 9"),
        ({"model_id": 1, "version_id": 99}, "no published version 99"),
        ({"version_id": 99}, "no published version 99"),
        ({"hash": "0123456789"}, "no published file with the hash 0123456789"),
        ({"version_id": 11, "file_id": 99}, "file with id 99 of version 11"),
        ({"version_id": 11, "precision": "fp8"}, "file with precision fp8 of version 11"),
    ],
)
def test_what_is_not_there_is_named(
    site: CivitaiSite, fields: dict[str, object], said: str
) -> None:
    """Model, version, hash or file."""
    with pytest.raises(CivitaiNotFoundError, match=said):
        _list(site, **fields)


def test_an_archived_model_is_told_before_anything_is_fetched(site: CivitaiSite) -> None:
    """Its page stays, its files do not."""
    site.models[0].mode = "Archived"
    with pytest.raises(ModelArchivedError):
        _list(site, model_id=1)


def test_a_version_without_files_is_told(site: CivitaiSite, version: HostedVersion) -> None:
    """There is nothing to choose."""
    version.files.clear()
    with pytest.raises(NoModelFilesError):
        _list(site, version_id=11)


def test_a_missing_hash_and_early_access_are_noted(
    site: CivitaiSite, version: HostedVersion
) -> None:
    """The download will check the length alone, or need access."""
    version.files[3].hashes_are_known = False
    version.early_access_ends = _LATER
    listing = _list(site, version_id=11)
    assert (listing.files[0].sha256, listing.files[0].is_verifiable) == (None, False)
    assert listing.notes == (
        "the site has not hashed it yet: only its length can be checked",
        "it is in early access until 2099-01-01T00:00",
    )


@pytest.mark.parametrize("name", ["../../x.safetensors", "C:\\x.safetensors", "nul", "a/b\0c.ckpt"])
def test_a_hostile_file_name_is_made_safe(
    site: CivitaiSite, version: HostedVersion, name: str
) -> None:
    """It is one step, in the model's own folder."""
    version.files[3].name = name
    (file,) = _list(site, version_id=11).files
    assert "/" not in file.name
    assert "\\" not in file.name
    assert not file.name.startswith("..")


def test_the_token_goes_to_the_site_alone(site: CivitaiSite) -> None:
    """As a header; the listing keeps it and does not show it."""
    settings = CivitaiSettings(endpoint=site.url, token=site.token)
    listing = _list(site, settings, version_id=11)
    assert listing.access_token == site.token
    assert {one.credentials for one in site.requests()} == {("authorization",)}
    assert site.files.requests() == []
    assert site.token not in f"{listing!r} {listing.model_dump_json()} {settings!r}"


def test_offline_nothing_is_asked(site: CivitaiSite) -> None:
    """There is no cache of Civitai's."""
    with pytest.raises(OfflineError):
        _list(site, CivitaiSettings(endpoint=site.url, offline=True), version_id=11)
    assert site.requests() == []


@pytest.mark.parametrize(
    ("change", "token", "expected", "said"),
    [
        ({"needs_login": True}, None, LoginRequiredError, "requires you to be logged in"),
        ({"needs_login": True}, "old", TokenRefusedError, "refuses the token"),
        ({"is_blocked": True}, None, DownloadForbiddenError, "Forbidden"),
        ({"early_access_ends": _LATER}, None, EarlyAccessError, "until 2099-01-01 00:00 UTC"),
        ({"is_archived": True}, None, ModelArchivedError, "archived"),
        ({"is_published": False}, None, CivitaiNotFoundError, "no published version 11"),
    ],
)
def test_each_refusal_of_a_download_is_an_error_of_its_own(
    site: CivitaiSite,
    version: HostedVersion,
    change: dict[str, object],
    token: str | None,
    expected: type[HubError],
    said: str,
) -> None:
    """As the site answers, read without a network; each says what to do."""
    for name, value in change.items():
        setattr(version, name, value)
    error = _refusal(site, token)
    assert type(error) is expected
    assert said in str(error)
    assert error.advice


def test_limits_and_failures_of_a_download_are_told(site: CivitaiSite) -> None:
    """The site does not say how long a limit lasts."""
    site.refuse_next(429, 500)
    limited, failed = _refusal(site, None), _refusal(site, None)
    assert isinstance(limited, RateLimitedError)
    assert limited.retry_after is None
    assert isinstance(failed, HubUnreachableError)


def _refusal(site: CivitaiSite, token: str | None) -> HubError:
    url = f"{site.url}/api/download/models/11?fileId=33"
    with RequestsHubClient(pauses=()) as client:
        answer = client.get_json(url, {"Authorization": f"Bearer {token}"} if token else None)
    return civitai_refusal(
        answer,
        source="civitai:1@11",
        hub=site.url,
        has_token=token is not None,
        now=_NOON,
        what="version 11",
    )
