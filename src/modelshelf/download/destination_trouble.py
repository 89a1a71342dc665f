"""Turning what the operating system says of a destination into errors that a caller can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelshelf.download.room import free_space
from modelshelf.errors import DestinationUnusableError, DownloadBusyError, NotEnoughSpaceError

__all__ = ["destination_trouble"]

_FULL = {errno.ENOSPC, errno.EDQUOT}


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
            free = free_space(path.parent)
            raise NotEnoughSpaceError(path=str(path.parent), needed=needed, free=free) from error
        raise DestinationUnusableError(
            path=os.fsdecode(error.filename or path), reason=error.strerror or str(error)
        ) from error
