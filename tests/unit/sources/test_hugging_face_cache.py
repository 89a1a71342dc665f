from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from modelshelf.sources import HuggingFaceCache
from modelshelf.testing import tiny
from tests.hubs import download_snapshot, hugging_face_hub

_COMMIT = "ab" * 20


def test_what_the_official_client_downloaded_is_found(tmp_path: Path) -> None:
    """By branch and by commit; size and digest are those of the file."""
    model = tiny.pipeline(tmp_path / "m", base="sd-1")
    with hugging_face_hub(dreamland=model) as hub:
        done = download_snapshot(hub, tmp_path / "home", "acme/dreamland")
        assert done.returncode == 0, done.stderr
        hosted = hub.repositories["acme/dreamland"]
    cache = HuggingFaceCache(tmp_path / "home" / "hub")
    commit = cache.commit("acme/dreamland", "main")
    assert commit == hosted.refs["main"]
    found = {file.name: file for file in cache.files("acme/dreamland", "main")}
    assert found.keys() == hosted.commits[commit].keys()
    for name, file in found.items():
        expected = hosted.commits[commit][name]
        assert (file.size, file.path.read_bytes()) == (expected.size, expected.path.read_bytes())
        assert not file.path.is_symlink()
        assert file.sha256 == (expected.sha256 if expected.is_large else None)
        assert file.git_sha1 == (None if expected.is_large else expected.git_sha1)
        assert cache.find("acme/dreamland", commit, name) == file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "models--acme--lens"
    (root / "snapshots" / _COMMIT).mkdir(parents=True)
    (root / "blobs").mkdir()
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(_COMMIT)
    return root


def _link(repository: Path, name: str, target: Path) -> None:
    (repository / "snapshots" / _COMMIT / name).symlink_to(target)


def test_a_shared_blob_is_found_without_a_digest(tmp_path: Path, repository: Path) -> None:
    """It is called by its Xet hash, which says nothing about the bytes."""
    blob = tmp_path / "blobs" / "cd" / ("cd" * 32)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"shared")
    _link(repository, "x.safetensors", blob)
    found = HuggingFaceCache(tmp_path).find("acme/lens", "main", "x.safetensors")
    assert found is not None
    assert (found.path, found.size, found.sha256) == (blob, 6, None)


def test_a_file_without_links_is_found(tmp_path: Path, repository: Path) -> None:
    """As on systems where the client copies."""
    (repository / "snapshots" / _COMMIT / "x.json").write_bytes(b"{}")
    found = HuggingFaceCache(tmp_path).find("acme/lens", _COMMIT, "x.json")
    assert found is not None
    assert (found.size, found.git_sha1) == (2, None)


def test_what_leaves_the_cache_or_is_broken_is_not_there(tmp_path: Path, repository: Path) -> None:
    """A link to elsewhere, a dangling one, a loop, a folder; a name that climbs."""
    cache = tmp_path / "inner"
    cache.mkdir()
    repository.rename(cache / repository.name)
    repository = cache / repository.name
    (tmp_path / "secret").write_bytes(b"mine")
    _link(repository, "outside", tmp_path / "secret")
    _link(repository, "dangling", repository / "blobs" / "gone")
    _link(repository, "loop", repository / "snapshots" / _COMMIT / "loop")
    (repository / "snapshots" / _COMMIT / "folder").mkdir()
    for name in ("outside", "dangling", "loop", "folder", "../../refs/main", "missing", "", "\0"):
        assert HuggingFaceCache(cache).find("acme/lens", "main", name) is None
    assert list(HuggingFaceCache(cache).files("acme/lens", "main")) == []


@pytest.mark.parametrize("revision", ["v9", "../../x", "cd" * 20, ""])
def test_a_revision_that_is_not_there_is_none(
    tmp_path: Path, repository: Path, revision: str
) -> None:
    """Also one whose reference names no snapshot."""
    cache = HuggingFaceCache(tmp_path)
    assert cache.commit("acme/lens", revision) is None
    assert list(cache.files("acme/lens", revision)) == []
    (repository / "refs" / "main").write_text("cd" * 20)
    assert cache.commit("acme/lens", "main") is None
    assert cache.commit("../..", "main") is None


def test_nothing_is_changed_by_looking(tmp_path: Path, repository: Path) -> None:
    """Neither a byte nor a time of change."""
    blob = repository / "blobs" / hashlib.sha256(b"x").hexdigest()
    blob.write_bytes(b"x")
    _link(repository, "x.bin", blob)

    def seen() -> dict[Path, int]:
        return {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}

    before = seen()
    assert len(list(HuggingFaceCache(tmp_path).files("acme/lens", "main"))) == 1
    assert seen() == before
