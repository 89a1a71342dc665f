"""A file that is already where it should be needs no transfer, if it is what was announced."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection
from pathlib import Path

from modelshelf.download.destination_trouble import destination_trouble
from modelshelf.download.digest_work import FollowedDigests
from modelshelf.download.following import Follower
from modelshelf.download.owned_file import read_into
from modelshelf.download.spans import Spans
from modelshelf.schema.transfer import Downloaded, ExpectedContent, Verification

__all__ = ["checked_existing", "digests_agree", "hash_existing"]


def checked_existing(
    path: Path,
    expected: ExpectedContent,
    *,
    digests: Collection[str] = (),
    go_on: Callable[[], bool] = lambda: True,
) -> Downloaded | None:
    """Say whether the file at *path* is the one that was going to be fetched.

    It is when its size and a digest are what was announced; a size alone proves nothing.

    Args:
        path: The final name. Only a regular file counts: a link is not followed.
        expected: What was announced.
        digests: Of `sha256` and `blake3`, those to work out besides.
        go_on: Asked every few milliseconds; once it says False, the answer is None.

    Returns:
        The file as if it had just arrived, with nothing fetched; None where it is not there, is another one, or
        cannot be known.

    Raises:
        DestinationUnusableError: It is there and cannot be read.

    Example:
        >>> checked_existing(Path("no such file"), ExpectedContent(size=3)) is None
        True
    """
    if not expected.has_digest:
        return None
    wanted = {digest.algorithm.value for digest in (expected.sha256, expected.blake3) if digest}
    found = hash_existing(
        path,
        wanted.union(digests),
        size=expected.size,
        with_git=expected.git_sha1 is not None,
        go_on=go_on,
    )
    if found is None or not digests_agree(found, expected):
        return None
    return Downloaded(
        path=path,
        size=found.size,
        verification=Verification.DIGEST,
        sha256=found.sha256,
        blake3=found.blake3,
        fetched=0,
        etag=None,
        content_type=None,
    )


def digests_agree(found: FollowedDigests, expected: ExpectedContent) -> bool:
    """Say whether nothing of what was worked out differs from what was announced.

    What one of them does not know cannot differ.
    """
    pairs = (
        (found.size, expected.size),
        (found.sha256, expected.sha256),
        (found.blake3, expected.blake3),
        (found.git_sha1, expected.git_sha1),
    )
    return all(one is None or other is None or one == other for one, other in pairs)


def hash_existing(
    path: Path,
    digests: Collection[str],
    *,
    size: int | None = None,
    with_git: bool = False,
    go_on: Callable[[], bool] = lambda: True,
) -> FollowedDigests | None:
    """Work out the digests of a regular file.

    Args:
        path: The file. A link is not followed.
        digests: Of `sha256` and `blake3`.
        size: Bytes that it must have to be read at all.
        with_git: Whether git's SHA-1 is wanted too.
        go_on: Asked every few milliseconds; once it says False, the answer is None.

    Returns:
        What was asked for; None where no such file is, or it has another size.

    Raises:
        DestinationUnusableError: It is there and cannot be read.
    """
    with destination_trouble(path):
        try:
            # O_NONBLOCK: a named pipe in its place must not hang us.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            if path.is_symlink() or not path.exists():
                return None
            raise
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or (size is not None and status.st_size != size):
                return None
            git_size = status.st_size if with_git else None
            return _hash(_Reading(path, descriptor, go_on), digests, status.st_size, git_size)
        finally:
            os.close(descriptor)


class _StoppedError(Exception):
    """The caller does not want to know any more."""


class _Reading:
    """An open file, for as long as its reader wants to go on."""

    def __init__(self, final: Path, descriptor: int, go_on: Callable[[], bool]) -> None:
        self.final = final
        self._descriptor = descriptor
        self._go_on = go_on

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from *offset*."""
        if not self._go_on():
            raise _StoppedError
        with destination_trouble(self.final):
            return read_into(self._descriptor, buffer, offset)


def _hash(
    reading: _Reading, digests: Collection[str], size: int, git_size: int | None
) -> FollowedDigests | None:
    held = Spans([(0, size)])
    follower = Follower(digests, reading, git_size=git_size, held=held)
    try:
        return follower.digests(size)
    except _StoppedError:
        return None
    finally:
        follower.close()
