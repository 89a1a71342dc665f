from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from blake3 import blake3

from modelshelf.download.checked_existing import checked_existing, digests_agree, hash_existing
from modelshelf.download.digest_work import FollowedDigests
from modelshelf.errors import DestinationUnusableError
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import ExpectedContent, Verification

CONTENT = os.urandom(5 * 1024 * 1024 // 2)
SHA256 = Digest.sha256(hashlib.sha256(CONTENT).digest())
BLAKE3 = Digest.blake3(blake3(CONTENT).digest())
GIT = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that is there already."""
    path = tmp_path / "vae.safetensors"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize(
    "expected",
    [
        ExpectedContent(sha256=SHA256),
        ExpectedContent(blake3=BLAKE3),
        ExpectedContent(git_sha1=GIT),
        ExpectedContent(size=len(CONTENT), sha256=SHA256, blake3=BLAKE3, git_sha1=GIT),
    ],
)
def test_what_is_as_announced_is_downloaded(path: Path, expected: ExpectedContent) -> None:
    """Whichever digest was announced; nothing was fetched."""
    found = checked_existing(path, expected, digests={"sha256"})
    assert found is not None
    assert (found.path, found.size, found.fetched) == (path, len(CONTENT), 0)
    assert (found.verification, found.sha256) == (Verification.DIGEST, SHA256)
    assert found.blake3 == (BLAKE3 if expected.blake3 else None)


@pytest.mark.parametrize(
    "expected",
    [
        ExpectedContent(),
        ExpectedContent(size=len(CONTENT)),
        ExpectedContent(size=len(CONTENT) + 1, sha256=SHA256),
        ExpectedContent(sha256=Digest.parse("sha256:" + "0" * 64)),
        ExpectedContent(sha256=SHA256, blake3=Digest.parse("blake3:" + "0" * 64)),
        ExpectedContent(git_sha1="0" * 40),
    ],
)
def test_what_is_another_file_or_cannot_be_known_is_not(
    path: Path, expected: ExpectedContent
) -> None:
    """A size alone proves nothing."""
    assert checked_existing(path, expected) is None


def test_only_a_file_counts(path: Path) -> None:
    """Neither a link to the right one, nor a pipe, a folder or nothing."""
    expected = ExpectedContent(sha256=SHA256)
    link, pipe, folder = (path.with_name(name) for name in ("link", "pipe", "folder"))
    link.symlink_to(path)
    os.mkfifo(pipe)
    folder.mkdir()
    for other in (link, pipe, folder, path.with_name("nothing")):
        assert checked_existing(other, expected) is None


def test_what_is_there_and_cannot_be_read_is_told(tmp_path: Path) -> None:
    """It is nothing that one could download."""
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    with pytest.raises(DestinationUnusableError, match="socket"):
        checked_existing(tmp_path / "socket", ExpectedContent(sha256=SHA256))


def test_whoever_stops_waiting_gets_no_answer(path: Path) -> None:
    """After the bytes that were being read."""
    answers = iter([True, False])
    expected = ExpectedContent(sha256=SHA256)
    assert checked_existing(path, expected, go_on=lambda: next(answers)) is None


def test_a_file_of_another_size_is_not_read(path: Path) -> None:
    """It could be large."""
    assert hash_existing(path, {"sha256"}, size=3, go_on=lambda: pytest.fail("was read")) is None


def test_an_empty_file_has_digests(tmp_path: Path) -> None:
    """Those of nothing."""
    path = tmp_path / "empty"
    path.touch()
    found = hash_existing(path, {"sha256"})
    assert found == FollowedDigests(0, sha256=Digest.sha256(hashlib.sha256().digest()))


def test_what_nobody_knows_does_not_differ() -> None:
    """Only what both know can."""
    assert digests_agree(FollowedDigests(3), ExpectedContent(sha256=SHA256))
    assert digests_agree(FollowedDigests(3, sha256=SHA256), ExpectedContent(size=3))
    assert not digests_agree(FollowedDigests(3), ExpectedContent(size=4))
