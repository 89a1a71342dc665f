"""Copying content into the store, hashed while it is written.

Large files are written past the page cache: that costs less processor time, pushes nothing of the
user's out of memory, and leaves nothing to wait for when the file is flushed.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress

from modelshelf.blobs.hashing import SMALL, Advance, Content, Hasher, hash_twice, hash_while
from modelshelf.protocols import Disk
from modelshelf.schema.digest import Digest, FileDigests

__all__ = ["copy_and_check", "copy_and_hash"]

_BLOCK = 4096
"""Offsets, lengths and memory of writes past the page cache are multiples of this."""
_DIRECT: int = getattr(os, "O_DIRECT", 0)
"""`open(2)`; 0 where the system has no such thing."""


def copy_and_hash(
    content: Content,
    writing: int,
    disk: Disk,
    *,
    advance: Advance | None = None,
    more: Sequence[Hasher] = (),
) -> FileDigests:
    """Copy content into an open file, digesting what is written: BLAKE3 and SHA-256 from one read.

    Args:
        content: What to read; what it raises is passed on.
        writing: Descriptor of the new file; not flushed and not closed here.
        disk: Through which to write.
        advance: Told of progress.
        more: Given every chunk too.

    Returns:
        Size and both digests of the bytes written.

    Raises:
        OSError: The system could not write.
    """
    target = _NewFile(disk, writing, direct=content.size > SMALL)
    return hash_twice(content, write=target.write, advance=advance, more=more)


def copy_and_check(
    content: Content, writing: int, disk: Disk, *, advance: Advance | None = None
) -> Digest:
    """Copy content into an open file that somebody is going to read next; digest what is written.

    Through the page cache, unlike `copy_and_hash`, and with BLAKE3 alone.
    """
    target = _NewFile(disk, writing, direct=False)
    return hash_while(content, target.write, advance=advance)


class _NewFile:
    """A new file that is written past the page cache for as long as the file system goes along."""

    def __init__(self, disk: Disk, descriptor: int, *, direct: bool) -> None:
        self._disk = disk
        self._descriptor = descriptor
        self._is_direct = False
        with suppress(OSError):
            self._set_direct(wanted=direct and _DIRECT != 0)

    def write(self, content: memoryview, offset: int) -> None:
        """Write all of *content*, which begins on a page, at *offset*."""
        while content:
            if self._is_direct and (offset | len(content)) % _BLOCK:
                # The end of the file, or what follows a short read or write.
                self._set_direct(wanted=False)
            try:
                written = self._disk.write(self._descriptor, content, offset)
            except OSError as error:
                if not self._is_direct or error.errno != errno.EINVAL:
                    raise
                # The file system promised more than it can do, or wants larger blocks.
                self._set_direct(wanted=False)
                continue
            offset, content = offset + written, content[written:]

    def _set_direct(self, *, wanted: bool) -> None:
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        flags = flags | _DIRECT if wanted else flags & ~_DIRECT
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags)
        self._is_direct = wanted
