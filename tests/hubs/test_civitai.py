from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from modelshelf.testing import tiny
from tests.hubs import (
    CivitaiSite,
    HostedModel,
    HostedModelFile,
    HostedVersion,
    civitai_site,
)

_DEADLINE = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.lora(tmp_path_factory.mktemp("model") / "ink.safetensors")


@pytest.fixture
def version(lora: Path) -> HostedVersion:
    return HostedVersion(11, [HostedModelFile(id=31, path=lora)])


@pytest.fixture
def site(version: HostedVersion) -> Iterator[CivitaiSite]:
    with civitai_site(HostedModel(1, "Ink", [version])) as site:
        yield site


def _get(url: str, **headers: str) -> requests.Response:
    agent = {"User-Agent": "modelshelf"}
    return requests.get(url, headers=agent | headers, timeout=10, allow_redirects=False)


def test_a_download_is_a_redirect_to_storage(site: CivitaiSite, lora: Path) -> None:
    """The signed URL brings the file and its name, and takes no token."""
    moved = _get(f"{site.url}/api/download/models/11?fileId=31")
    assert (moved.status_code, moved.headers["Cache-Control"]) == (307, "no-store")
    got = _get(moved.headers["Location"])
    assert got.content == lora.read_bytes()
    assert got.headers["Content-Disposition"] == 'attachment; filename="ink.safetensors"'
    refused = _get(moved.headers["Location"], Authorization=f"Bearer {site.token}")
    assert (refused.status_code, "InvalidRequest" in refused.text) == (400, True)


def test_a_word_that_contradicts_the_file_is_404(site: CivitaiSite) -> None:
    """`fileId` skips that check."""
    url = f"{site.url}/api/download/models/11?fp=fp32"
    assert _get(url).status_code == 404
    assert _get(f"{url}&fileId=31").status_code == 307


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"needs_login": True}, 401, {"error": "Unauthorized"}),
        ({"is_blocked": True}, 403, {"error": "Forbidden"}),
        ({"early_access_ends": _DEADLINE}, 403, {"deadline": "2099-01-01T00:00:00Z"}),
        ({"is_published": False}, 404, {"error": "Version not found"}),
        ({"is_archived": True}, 410, {"error": "Model archived, not available for download"}),
    ],
)
def test_each_refusal_has_its_status_and_body(
    site: CivitaiSite,
    version: HostedVersion,
    change: dict[str, object],
    status: int,
    told: dict[str, str],
) -> None:
    """As the site answers a client that is no browser."""
    for name, value in change.items():
        setattr(version, name, value)
    answer = _get(f"{site.url}/api/download/models/11?fileId=31")
    assert answer.status_code == status
    assert told.items() <= answer.json().items()


def test_a_token_opens_what_needs_a_login(site: CivitaiSite, version: HostedVersion) -> None:
    """As a header or in the query; the log tells which."""
    version.needs_login = True
    url = f"{site.url}/api/download/models/11?fileId=31"
    assert _get(url, Authorization=f"Bearer {site.token}").status_code == 307
    assert _get(f"{url}&token={site.token}").status_code == 307
    assert [one.credentials for one in site.requests()] == [("authorization",), ("token",)]


def test_a_browser_is_sent_to_the_login_page(site: CivitaiSite, version: HostedVersion) -> None:
    """A user agent that looks like one gets HTML with 200 in the end: fault 30."""
    version.needs_login = True
    url = f"{site.url}/api/download/models/11?fileId=31"
    answer = requests.get(url, headers={"User-Agent": "Mozilla/5.0"}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


def test_head_is_never_answered(site: CivitaiSite) -> None:
    """401 on the site even with a token, 403 at storage: signatures hold for GET."""
    url = f"{site.url}/api/download/models/11?fileId=31"
    authorized = {"Authorization": f"Bearer {site.token}"}
    assert requests.head(url, headers=authorized, timeout=10).status_code == 401
    signed = _get(url).headers["Location"]
    assert requests.head(signed, timeout=10).status_code == 403


def test_refusals_can_heal(site: CivitaiSite) -> None:
    """404 for a moment (fault 39), and a limit that says no `Retry-After`."""
    site.refuse_next(404, 429)
    url = f"{site.url}/api/download/models/11?fileId=31"
    answers = [_get(url) for _ in range(3)]
    assert [one.status_code for one in answers] == [404, 429, 307]
    assert "Retry-After" not in answers[1].headers


def test_a_version_is_found_by_any_of_its_hashes(site: CivitaiSite) -> None:
    """By path in either case, and many at once by POST."""
    root = f"{site.url}/api/v1/model-versions"
    version = requests.get(f"{root}/11", timeout=10).json()
    for text in version["files"][0]["hashes"].values():
        assert _get(f"{root}/by-hash/{text.lower()}").json() == version
    sha256 = version["files"][0]["hashes"]["SHA256"]
    found = requests.post(f"{root}/by-hash", json=[sha256, "0" * 64], timeout=10)
    assert found.json() == [version]
    assert _get(f"{root}/by-hash/{'0' * 64}").status_code == 404


def test_the_model_holds_its_versions(site: CivitaiSite, version: HostedVersion) -> None:
    """Without those that are not published, and without URLs once it is archived."""
    url = f"{site.url}/api/v1/models/1"
    assert [one["id"] for one in _get(url).json()["modelVersions"]] == [11]
    site.models[0].mode = "Archived"
    (shown,) = _get(url).json()["modelVersions"]
    assert "downloadUrl" not in shown
    assert "downloadUrl" not in shown["files"][0]
    version.is_published = False
    assert _get(url).json()["modelVersions"] == []


def test_a_file_may_have_no_hash_yet(site: CivitaiSite, version: HostedVersion) -> None:
    """Fault 32: an empty object."""
    version.files[0].hashes_are_known = False
    shown = _get(f"{site.url}/api/v1/model-versions/11").json()
    assert shown["files"][0]["hashes"] == {}


def test_previews_come_from_the_other_origin(lora: Path, tmp_path: Path) -> None:
    """Without a signature."""
    picture = tmp_path / "ink.png"
    picture.write_bytes(b"\x89PNG")
    version = HostedVersion(11, [HostedModelFile(31, lora)], previews=(picture,))
    with civitai_site(HostedModel(1, "Ink", [version])) as site:
        shown = _get(f"{site.url}/api/v1/model-versions/11").json()
        url = shown["images"][0]["url"]
        assert url.startswith(site.files.url)
        assert _get(url).content == b"\x89PNG"
