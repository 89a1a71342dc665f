from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelshelf.errors import (
    DownloadForbiddenError,
    GatedRepositoryError,
    HubAnswerError,
    HubError,
    HubUnreachableError,
    NoModelFilesError,
    OfflineError,
    RateLimitedError,
    RepositoryDisabledError,
    RepositoryFileNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    SeveralModelsError,
    TokenRefusedError,
    UnsafeListingError,
)
from modelshelf.schema.hub_settings import HubSettings
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import HFModelSource
from modelshelf.schema.repo_metadata import HuggingFaceMetadata
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources import HuggingFaceSource, RequestsHubClient
from modelshelf.sources.fitting_names import fitting
from modelshelf.sources.hugging_face_selection import Selection
from modelshelf.testing import tiny
from tests.hubs import STRANGER, TOKEN, HuggingFaceHub, download_snapshot, hugging_face_hub

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "m"
    return tiny.pipeline(folder, base="sd-1", variant="both")


@pytest.fixture
def hub(model: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub(dreamland=model) as hub:
        yield hub


def _list(
    hub: HuggingFaceHub,
    repo_id: str = "acme/dreamland",
    settings: HubSettings | None = None,
    **fields: object,
) -> Listing:
    source = HFModelSource.model_validate({"repo_id": repo_id, **fields})
    settings = settings or HubSettings(endpoint=hub.url)
    with RequestsHubClient(pauses=()) as client:
        return HuggingFaceSource(client, settings, clock=lambda: _NOON).list(source)


def test_a_listing_is_what_the_commit_holds(hub: HuggingFaceHub, model: Path) -> None:
    """Each file of the wanted form with its size and its digest, at an address that names the commit."""
    commit = hub.repositories["acme/dreamland"].refs["main"]
    hosted = hub.repositories["acme/dreamland"].commits[commit]
    listing = _list(hub)
    assert (listing.name, listing.revision, listing.variant) == (
        "dreamland",
        commit,
        ModelRepoVariant.FP16,
    )
    for file in listing.files:
        expected = hosted[file.name]
        assert file.url == f"{hub.url}/acme/dreamland/resolve/{commit}/{file.name}"
        assert file.size == (model / file.name).stat().st_size
        assert file.sha256 == (expected.sha256 if expected.is_large else None)
        assert file.git_sha1 == (None if expected.is_large else expected.git_sha1)
        assert file.is_verifiable
    assert listing.size == sum(file.size or 0 for file in listing.files)
    assert "unet/diffusion_pytorch_model.safetensors" in listing.left_out
    assert "images/examples/a.png" in listing.left_out
    assert {file.name for file in listing.files} | set(listing.left_out) == set(hosted)
    assert hub.requests("", "/resolve/") == []


def test_a_listing_goes_on_over_pages(hub: HuggingFaceHub) -> None:
    """A mirror leaves the hub's own name in the link to the next page: it is asked at the endpoint."""
    whole = _list(hub)
    hub.page_size = 4
    hub.next_page_host = "https://huggingface.co"
    assert _list(hub).files == whole.files
    assert len(hub.requests("GET", "/tree/")) > 3


def test_the_hubs_words_come_along(hub: HuggingFaceHub) -> None:
    """As metadata, with the raw answer."""
    metadata = _list(hub).metadata
    assert isinstance(metadata, HuggingFaceMetadata)
    assert (metadata.id, metadata.author) == ("acme/dreamland", "acme")
    assert "diffusers" in metadata.tags
    assert metadata.tag_dict["license"] == "mit"
    assert Path("model_index.json") in metadata.files
    assert '"likes": 1' in (metadata.api_response or "")


def test_the_commit_may_move_afterwards(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """What is listed stays listed: every address names the commit."""
    listing = _list(hub)
    tiny.vae(tmp_path / "new" / "vae.safetensors")
    new = hub.repositories["acme/dreamland"].commit(tmp_path / "new")
    assert new not in str(listing)
    assert all(f"/resolve/{listing.revision}/" in file.url for file in listing.files)


def test_an_older_commit_and_a_branch_can_be_asked_for(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """By commit, and by a branch with a slash in its name."""
    old = hub.repositories["acme/dreamland"].refs["main"]
    tiny.vae(tmp_path / "new" / "vae.safetensors")
    branch = hub.repositories["acme/dreamland"].commit(tmp_path / "new", "refs/pr/3")
    assert _list(hub, revision=old).revision == old
    listing = _list(hub, revision="refs/pr/3")
    assert (listing.revision, listing.is_folder) == (branch, False)
    assert [file.name for file in listing.files] == ["vae.safetensors"]


def test_a_renamed_repository_is_listed_under_its_new_name(hub: HuggingFaceHub) -> None:
    """One redirect is followed; addresses name the present id."""
    hub.renamed["acme/former"] = "acme/dreamland"
    listing = _list(hub, "acme/former")
    assert listing.name == "dreamland"
    assert all("/acme/dreamland/resolve/" in file.url for file in listing.files)


def test_a_folder_and_a_file_can_be_meant(hub: HuggingFaceHub) -> None:
    """Names count from the folder; a file is one file."""
    vae = _list(hub, subfolder="vae")
    assert [file.name for file in vae.files] == [
        "config.json",
        "diffusion_pytorch_model.fp16.safetensors",
    ]
    assert vae.name == "dreamland_vae"
    one = _list(hub, subfolder="unet/diffusion_pytorch_model.safetensors")
    assert (one.is_folder, one.name) == (False, "diffusion_pytorch_model")
    assert [file.name for file in one.files] == ["diffusion_pytorch_model.safetensors"]


def test_folders_that_the_index_does_not_name_stay(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """An unusual folder with weights is looked up in `model_index.json`, once."""
    folder = tmp_path / "odd"
    tiny.pipeline(folder, base="sd-1", extras=False)
    tiny.vae(folder / "vae_1_0", folder=True)
    hub.add("acme/odd", folder)
    listing = _list(hub, "acme/odd")
    assert not any(file.name.startswith("vae_1_0/") for file in listing.files)
    assert "vae_1_0/config.json" in listing.left_out
    assert [one.path.rpartition("/")[2] for one in hub.requests("GET", "/resolve/")] == [
        "model_index.json"
    ]


@pytest.mark.parametrize(
    ("options", "token", "fields", "expected", "said"),
    [
        ({}, None, {"repo_id": "acme/none"}, RepositoryNotFoundError, "does not exist"),
        ({}, TOKEN, {"repo_id": "acme/none"}, RepositoryNotFoundError, "or is private"),
        ({"is_private": True}, STRANGER, {}, RepositoryNotFoundError, "or is private"),
        ({"gated": "manual"}, None, {}, GatedRepositoryError, "no token was given"),
        ({"gated": "auto"}, STRANGER, {}, GatedRepositoryError, "was not granted access"),
        ({"is_disabled": True}, TOKEN, {}, RepositoryDisabledError, "was disabled"),
        ({}, None, {"revision": "v9"}, RevisionNotFoundError, "no revision `v9`"),
        ({}, None, {"subfolder": "vea"}, RepositoryFileNotFoundError, "`vae/`"),
        ({}, "hf_old", {}, TokenRefusedError, "refuses the token"),
    ],
)
def test_each_refusal_is_an_error_of_its_own(
    hub: HuggingFaceHub,
    model: Path,
    options: dict[str, object],
    token: str | None,
    fields: dict[str, object],
    expected: type[HubError],
    said: str,
) -> None:
    """It says what to do next, and nothing of the token."""
    hub.add("acme/special", model, **options)
    with pytest.raises(expected) as caught:
        _list(hub, **{"repo_id": "acme/special", "access_token": token, **fields})  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert caught.value.advice
    assert token is None or token not in f"{caught.value} {caught.value.facts}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": '"api";r=0;t=55', "RateLimit-Policy": '"fixed window";"api";q=500'}, 55),
        ({"Retry-After": "40"}, 40),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "99999999999"}, 86_400),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_limit_says_when_it_ends(
    hub: HuggingFaceHub, headers: dict[str, str], seconds: int | None
) -> None:
    """In each form that the hub uses; a date counts from the clock."""
    hub.refuse_next(1, headers)
    with pytest.raises(RateLimitedError) as caught:
        _list(hub)
    assert caught.value.retry_after == seconds


def test_a_hub_that_fails_or_is_away_is_unreachable(hub: HuggingFaceHub) -> None:
    """By its status, or because nobody answers."""
    hub.refuse_next(1, status=503)
    with pytest.raises(HubUnreachableError, match="status 503"):
        _list(hub)
    with pytest.raises(HubUnreachableError, match="no connection"):
        _list(hub, settings=HubSettings(endpoint="http://127.0.0.1:1"))


def test_a_refusal_that_nobody_foresaw_repeats_the_hubs_words(hub: HuggingFaceHub) -> None:
    """403 without a code: an account that was locked, a country."""
    hub.refuse_next(1, status=403)
    with pytest.raises(DownloadForbiddenError, match="You have been rate limited"):
        _list(hub)


def test_the_token_goes_to_the_hub_alone(hub: HuggingFaceHub, model: Path) -> None:
    """The settings' token where the source has none; the listing keeps it and does not show it."""
    hub.add("acme/gated", model, gated="auto")
    settings = HubSettings(endpoint=hub.url, token=TOKEN)
    listing = _list(hub, "acme/gated", settings)
    assert listing.access_token == TOKEN
    assert listing.origin == hub.url
    assert TOKEN not in f"{listing!r} {listing.model_dump_json()} {settings!r}"
    assert {one.credentials for one in hub.requests()} == {("authorization",)}
    assert hub.files.requests() == []
    explicit = _list(hub, "acme/gated", replace(settings, token=STRANGER), access_token=TOKEN)
    assert explicit.files == listing.files


def test_a_listing_survives_json(hub: HuggingFaceHub) -> None:
    """An install goes on after a crash without asking again."""
    listing = _list(hub, access_token=TOKEN)
    again = Listing.model_validate_json(listing.model_dump_json())
    assert again.files == listing.files
    assert again.metadata == listing.metadata
    assert (again.access_token, str(again.source)) == (None, str(listing.source))


def _name(hub: HuggingFaceHub, *names: str) -> None:
    """List the index of the pipeline under further names, too."""
    repository = hub.repositories["acme/dreamland"]
    files = repository.commits[repository.refs["main"]]
    hosted = files["model_index.json"]
    repository.commits[repository.refs["main"]] = {
        **files,
        **{name: replace(hosted, name=name) for name in names},
    }


@pytest.mark.parametrize(
    "name",
    [
        "x\\..\\y.json",
        "c:x.json",
        "README\n.json",
        "vae/nul/config.json",
        "vae/CONFIG.json/config.json",
    ],
)
def test_a_file_under_a_hostile_name_stops_the_listing(hub: HuggingFaceHub, name: str) -> None:
    """Where it belongs to the model, and was named to leave its folder, or is needed under that name."""
    _name(hub, name)
    with pytest.raises(UnsafeListingError):
        _list(hub)


def test_a_file_under_a_hostile_name_that_is_not_needed_does_not_matter(
    hub: HuggingFaceHub,
) -> None:
    """Nobody fetches it."""
    _name(hub, "x.json.", "..\\x.png", "a:b.jpg")
    assert {"x.json.", "..\\x.png", "a:b.jpg"} <= {*_list(hub).left_out}


def test_what_is_left_of_nothing_is_no_model(hub: HuggingFaceHub) -> None:
    """A folder of which all names are unusable is refused for its names."""
    _name(hub, "a/aux/b.json")
    with pytest.raises(UnsafeListingError, match="device"):
        _list(hub, subfolder="a")


def test_an_odd_name_of_a_text_loses_nobody_a_model(hub: HuggingFaceHub) -> None:
    """A colon, a blank at the end, another case: the file is left out, and the notes say so."""
    odd = ["at 10:30.txt", "readme.md", "unet/Config.json", "LICENSE ", "vae/nul.json"]
    before = _list(hub)
    _name(hub, *odd)
    listing = _list(hub)
    assert listing.files == before.files
    assert {*odd} <= {*listing.left_out}
    assert [note for note in listing.notes if "'LICENSE ' is left out" in note]
    assert listing.notes[-1] == "2 more files are left out for their names"


def test_a_name_without_end_takes_no_time_without_end() -> None:
    """Whoever looks for a name at its end looks at the last step; looked for anywhere, it took an hour."""
    name = "a" + "/_" * 300_000
    found = fitting("acme/ink", Selection({"a.bin": "a.bin", name: name}, None, is_folder=True))
    assert list(found.names) == ["a.bin"]


def test_a_model_of_one_file_is_called_otherwise_where_it_has_to_be(
    hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """Nothing refers to its name, and the suffix stays."""
    tiny.lora(tmp_path / "inks" / "ink 10:30.safetensors")
    hub.add("acme/inks", tmp_path / "inks")
    (file,) = _list(hub, "acme/inks").files
    assert file.name == "ink 10_30.safetensors"
    assert file.url.endswith("ink%2010%3A30.safetensors")
    tiny.lora(tmp_path / "devices" / "nul.safetensors")
    hub.add("acme/devices", tmp_path / "devices")
    (file,) = _list(hub, "acme/devices", subfolder="nul.safetensors").files
    assert file.name == "_nul.safetensors"


def test_what_is_no_model_is_said_to_be_none(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """An empty repository, and one with several models."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "README.md").write_text("soon")
    hub.add("acme/empty", tmp_path / "empty")
    with pytest.raises(NoModelFilesError):
        _list(hub, "acme/empty")
    for name in ("a", "b"):
        tiny.lora(tmp_path / "several" / f"{name}.safetensors")
    hub.add("acme/several", tmp_path / "several")
    with pytest.raises(SeveralModelsError) as caught:
        _list(hub, "acme/several")
    assert caught.value.advice == "name one of them: `acme/several::a.safetensors`"
    assert len(_list(hub, "acme/several", subfolder="b.safetensors").files) == 1


def test_what_is_no_answer_of_this_api_is_told(hub: HuggingFaceHub) -> None:
    """The page of a network that wants a login first; a commit that is none."""
    with pytest.raises(HubAnswerError, match="expected a JSON object"):
        _list(
            hub, settings=HubSettings(endpoint=f"{hub.url}/acme/dreamland/resolve/main/README.md?")
        )
    hub.repositories["acme/dreamland"].refs["odd"] = "not-a-commit"
    hub.repositories["acme/dreamland"].commits["not-a-commit"] = {}
    with pytest.raises(HubAnswerError, match="no commit"):
        _list(hub, revision="odd")


def test_offline_nothing_is_asked(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """Without a cache that has it, that is an error; with one, what it has is listed."""
    settings = HubSettings(endpoint=hub.url, offline=True, cache=tmp_path / "hub")
    with pytest.raises(OfflineError):
        _list(hub, settings=replace(settings, cache=None))
    with pytest.raises(OfflineError):
        _list(hub, settings=settings)
    assert hub.requests() == []
    online = _list(hub)
    done = download_snapshot(hub, tmp_path, "acme/dreamland")
    assert done.returncode == 0, done.stderr
    before = len(hub.requests())
    offline = _list(hub, settings=settings)
    assert offline.files == online.files
    assert offline.revision == online.revision
    assert "offline" in offline.notes[-1]
    assert len(hub.requests()) == before
