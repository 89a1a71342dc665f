"""Turning what the operating system says into errors that a caller can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelshelf.errors import NotEnoughSpaceError, StoreWriteError

__all__ = ["check_space", "free_space", "store_trouble"]

_RESERVE = 16 * 1024 * 1024
"""Bytes; on a small disk a fiftieth of what is free."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def store_trouble(path: Path, needed: int = 0) -> Iterator[None]:
    """Raise an `OSError` of the block as what it means for the store.

    Args:
        path: What is being written; where the error names a path, that one is reported.
        needed: Bytes that the operation writes, for the message of a full disk.

    Raises:
        NotEnoughSpaceError: The disk or the quota is full.
        StoreWriteError: Anything else that the system refused.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NotEnoughSpaceError(
                path=str(path), needed=needed, free=free_space(path)
            ) from error
        raise StoreWriteError(
            path=os.fsdecode(error.filename or path), reason=error.strerror or str(error)
        ) from error


def check_space(path: Path, needed: int) -> None:
    """Refuse, before the first byte is written, what the disk cannot hold.

    A little stays free, because deleting and collecting, which make room again, have to write a few
    pages of the database first.

    Raises:
        NotEnoughSpaceError: Less than *needed* bytes are free on the disk that holds *path*.
    """
    free = free_space(path)
    if needed and needed + min(_RESERVE, free // 50) > free:
        raise NotEnoughSpaceError(path=str(path), needed=needed, free=free)


def free_space(path: Path) -> int:
    """Return the bytes that an ordinary user can still write on the disk that holds *path*."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    status = os.statvfs(existing)
    return status.f_bavail * status.f_frsize
