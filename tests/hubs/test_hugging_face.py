from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from modelshelf.testing import tiny
from tests.hubs import (
    STRANGER,
    TOKEN,
    HostedFile,
    HuggingFaceHub,
    download_snapshot,
    hugging_face_hub,
    store_in_xet,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.pipeline(tmp_path_factory.mktemp("model") / "m", base="sd-1", variant="fp16")


@pytest.fixture
def hub(model: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub(dreamland=model) as hub:
        yield hub


def _content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("small_files_by_cache", [False, True])
def test_the_real_client_downloads_a_snapshot_through_it(
    hub: HuggingFaceHub,
    model: Path,
    tmp_path: Path,
    small_files_by_cache: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """`huggingface_hub` fetches every file, byte for byte, over pages of a tree and two origins."""
    hub.small_files_by_cache = small_files_by_cache
    hub.page_size = 5
    done = download_snapshot(hub, tmp_path, "acme/dreamland")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.name == hub.repositories["acme/dreamland"].refs["main"]
    assert _content(folder) == _content(model)
    large = model.rglob("*.safetensors")
    assert hub.files.bytes_sent.total() == sum(path.stat().st_size for path in large)


def test_the_real_client_follows_a_renamed_repository(
    hub: HuggingFaceHub, model: Path, tmp_path: Path
) -> None:
    """An old id answers with a relative redirect, to the API and to files."""
    hub.renamed["acme/former"] = "acme/dreamland"
    done = download_snapshot(hub, tmp_path, "acme/former")
    assert done.returncode == 0, done.stderr
    assert _content(Path(done.stdout.strip())) == _content(model)


@pytest.mark.parametrize(
    ("options", "token", "repo_id", "revision", "expected"),
    [
        ({}, None, "acme/nothing", "", "RepositoryNotFoundError"),
        ({}, TOKEN, "acme/nothing", "", "RepositoryNotFoundError"),
        ({}, None, "acme/special", "v9", "RevisionNotFoundError"),
        ({"is_private": True}, None, "acme/special", "", "RepositoryNotFoundError"),
        ({"gated": "manual"}, None, "acme/special", "", "GatedRepoError"),
        ({"gated": "auto"}, STRANGER, "acme/special", "", "GatedRepoError"),
        ({"is_disabled": True}, None, "acme/special", "", "DisabledRepoError"),
    ],
)
def test_the_real_client_understands_each_refusal(
    hub: HuggingFaceHub,
    model: Path,
    tmp_path: Path,
    options: dict[str, object],
    token: str | None,
    repo_id: str,
    revision: str,
    expected: str,
) -> None:
    """Each way in which a repository cannot be had is its own error of `huggingface_hub`."""
    hub.add("acme/special", model, **options)
    done = download_snapshot(
        hub, tmp_path, repo_id, revision, **({"HF_TOKEN": token} if token else {})
    )
    assert done.returncode != 0
    assert expected in done.stderr


def test_the_real_client_gets_a_gated_repository_with_a_token(
    hub: HuggingFaceHub, model: Path, tmp_path: Path
) -> None:
    """The token goes to the hub and never to the file host."""
    hub.add("acme/gated", model, gated="auto")
    done = download_snapshot(hub, tmp_path, "acme/gated", HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert {one.credentials for one in hub.requests()} == {("authorization",)}
    assert {one.credentials for one in hub.files.requests()} == {()}


def test_large_files_are_redirected_to_the_other_origin(hub: HuggingFaceHub) -> None:
    """The redirect names size and SHA-256 of the file; its own length and ETag are another's."""
    file = next(one for one in _files(hub) if one.is_large)
    url = f"{hub.url}/acme/dreamland/resolve/main/{file.name}"
    answer = requests.head(url, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert answer.headers["X-Linked-Size"] == str(file.size)
    assert answer.headers["X-Linked-Etag"] == f'"{file.sha256}"'
    assert answer.headers["Content-Length"] != str(file.size)
    assert file.sha256 not in answer.headers["ETag"]
    assert answer.headers["Location"].startswith(hub.files.url)


def _files(hub: HuggingFaceHub) -> list[HostedFile]:
    repository = hub.repositories["acme/dreamland"]
    return list(repository.commits[repository.refs["main"]].values())


def test_a_xet_repository_names_its_hash_and_its_token_route(
    hub: HuggingFaceHub, model: Path
) -> None:
    """The redirect has the two Xet headers, and the route answers in JSON and in headers."""
    hub.add("acme/xet", model, xet=True)
    url = f"{hub.url}/acme/xet/resolve/main/vae/diffusion_pytorch_model.fp16.safetensors"
    answer = requests.head(url, allow_redirects=False, timeout=10)
    assert len(answer.headers["X-Xet-Hash"]) == 64
    told = requests.get(answer.links["xet-auth"]["url"], timeout=10)
    assert told.headers["X-Xet-Access-Token"] == told.json()["accessToken"]


def test_the_real_client_downloads_through_xet(
    hub: HuggingFaceHub, model: Path, tmp_path: Path
) -> None:
    """Large files come from the store that the token names: not one byte from the file host."""
    hub.add("acme/xet", model, xet=True)
    store_in_xet(hub, "acme/xet", tmp_path / "cas")
    done = download_snapshot(hub, tmp_path / "home", "acme/xet", HF_HUB_DISABLE_XET="0")
    assert done.returncode == 0, done.stderr
    assert _content(Path(done.stdout.strip())) == _content(model)
    assert hub.requests("GET", "/xet-read-token/")
    assert hub.files.bytes_sent.total() == 0


def test_a_missing_file_still_names_the_commit(hub: HuggingFaceHub) -> None:
    """Clients remember by it that the file is not there."""
    url = f"{hub.url}/acme/dreamland/resolve/main/no.txt"
    answer = requests.head(url, timeout=10)
    assert answer.status_code == 404
    assert answer.headers["X-Error-Code"] == "EntryNotFound"
    assert answer.headers["X-Repo-Commit"] == hub.repositories["acme/dreamland"].refs["main"]


def test_paths_info_tells_what_the_tree_tells(hub: HuggingFaceHub) -> None:
    """The entries are equal; paths that do not exist are left out."""
    root = f"{hub.url}/api/models/acme/dreamland"
    tree = requests.get(f"{root}/tree/main?recursive=true", timeout=10).json()
    wanted = ["vae/config.json", "no.txt", "model_index.json"]
    told = requests.post(f"{root}/paths-info/main", data={"paths": wanted}, timeout=10).json()
    by_path = {entry["path"]: entry for entry in tree}
    assert told == [by_path["vae/config.json"], by_path["model_index.json"]]
    assert by_path["vae"]["type"] == "directory"


def test_text_is_compressed_unless_identity_is_asked_for(hub: HuggingFaceHub) -> None:
    """As on the real CDN a compressed answer has no length."""
    url = f"{hub.url}/acme/dreamland/resolve/main/README.md"
    packed = requests.get(url, timeout=10)
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert packed.content == plain.content
    assert "Content-Length" not in packed.headers
    assert plain.headers["Content-Length"] == str(len(plain.content))


def test_a_bad_token_is_refused_by_message(hub: HuggingFaceHub) -> None:
    """There is no error code: only the message tells it from a missing repository."""
    url = f"{hub.url}/api/models/acme/dreamland"
    answer = requests.get(url, headers={"Authorization": "Bearer hf_old"}, timeout=10)
    assert answer.status_code == 401
    assert "X-Error-Code" not in answer.headers
    assert answer.headers["X-Error-Message"].startswith("Invalid credentials")


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": '"api";r=0;t=55', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'},
        {"Retry-After": "55"},
        {"Retry-After": "Wed, 21 Oct 2037 07:28:00 GMT"},
    ],
)
def test_a_limit_is_told_in_any_of_its_forms(hub: HuggingFaceHub, headers: dict[str, str]) -> None:
    """The next requests get 429 with the headers; those after them are answered."""
    hub.refuse_next(1, headers, where="/api/")
    url = f"{hub.url}/api/models/acme/dreamland"
    refused, answered = (requests.get(url, timeout=10) for _ in range(2))
    assert (refused.status_code, answered.status_code) == (429, 200)
    assert headers.items() <= dict(refused.headers).items()


def test_a_commit_can_move(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """The branch means the new commit, the old one can still be asked for: fault 31."""
    repository = hub.repositories["acme/dreamland"]
    old = repository.refs["main"]
    tiny.vae(tmp_path / "new" / "vae.safetensors")
    new = repository.commit(tmp_path / "new")
    url = f"{hub.url}/api/models/acme/dreamland"
    assert requests.get(url, timeout=10).json()["sha"] == new != old
    assert requests.get(f"{url}/revision/{old}", timeout=10).json()["sha"] == old


def test_a_pointer_can_be_served_in_place_of_the_file(hub: HuggingFaceHub) -> None:
    """Fault 33: what comes is some hundred bytes that name the file's digest."""
    hub.repositories["acme/dreamland"].serves_pointers = True
    file = next(one for one in _files(hub) if one.is_large)
    got = requests.get(f"{hub.url}/acme/dreamland/resolve/main/{file.name}", timeout=10)
    assert got.content.startswith(b"version https://git-lfs")
    assert file.sha256.encode() in got.content
