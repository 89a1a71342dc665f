"""Turning what the operating system says of a destination into errors that a caller can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelshelf.errors import DestinationUnusableError, DownloadBusyError, NotEnoughSpaceError

__all__ = ["check_space", "destination_trouble"]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_SPARE = 20
"""A twentieth of what is going to be written stays free beside it."""


@contextmanager
def destination_trouble(path: Path, needed: int = 0) -> Iterator[None]:
    """Raise an `OSError` of the block as what it means for a download.

    Args:
        path: The final name of what is being written.
        needed: Bytes still to be written, for the message of a full disk.

    Raises:
        DownloadBusyError: Somebody else has the file locked.
        NotEnoughSpaceError: The disk or the quota is full.
        DestinationUnusableError: Anything else that the system refused.
    """
    try:
        yield
    except BlockingIOError as error:
        raise DownloadBusyError(url="", path=str(path)) from error
    except OSError as error:
        if error.errno in _FULL:
            free = _free_space(path.parent)
            raise NotEnoughSpaceError(path=str(path.parent), needed=needed, free=free) from error
        raise DestinationUnusableError(
            path=os.fsdecode(error.filename or path), reason=error.strerror or str(error)
        ) from error


def check_space(final: Path, needed: int) -> None:
    """Refuse, before the first byte is written, what the disk cannot hold.

    Args:
        final: The name of the file to be.
        needed: Bytes for which there is no room on the disk yet.

    Raises:
        NotEnoughSpaceError: Fewer than *needed* bytes and a twentieth of them are free.
        OSError: The folder is not there.
    """
    free = _free_space(final.parent)
    if needed > 0 and needed + needed // _SPARE > free:
        raise NotEnoughSpaceError(path=str(final.parent), needed=needed, free=free)


def _free_space(folder: Path) -> int:
    """Return the bytes that an ordinary user can still write."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
