"""Room on the disk: whether there is enough, and having it promised."""

from __future__ import annotations

import os
from pathlib import Path

from modelshelf.download.owned_file import OwnedFile
from modelshelf.errors import NotEnoughSpaceError
from modelshelf.protocols import Disk

__all__ = ["check_space", "free_space", "reserve_room"]

_SPARE = 20
"""A twentieth of what is going to be written stays free beside it."""
_BLOCK = 512
"""Bytes of the unit in which systems count the room that a file takes."""


def check_space(final: Path, needed: int) -> None:
    """Refuse, before the first byte is written, what the disk cannot hold.

    Args:
        final: The name of the file to be.
        needed: Bytes for which there is no room on the disk yet.

    Raises:
        NotEnoughSpaceError: Fewer than *needed* bytes and a twentieth of them are free.
        OSError: The folder is not there.
    """
    free = free_space(final.parent)
    if needed > 0 and needed + needed // _SPARE > free:
        raise NotEnoughSpaceError(path=str(final.parent), needed=needed, free=free)


def reserve_room(file: OwnedFile, size: int, final: Path, disk: Disk) -> None:
    """Make a file *size* bytes long, with room for all of them where the system can promise it.

    What the file takes already is not free, and is not needed again.

    Args:
        file: The file; what is longer is cut.
        size: Bytes.
        final: The name of the file to be.
        disk: Through which to do it.

    Raises:
        NotEnoughSpaceError: There is not room for what is lacking.
        OSError: The system refused, which is how a quota is met.
    """
    status = file.status
    if status.st_size > size:
        file.truncate(size)
    if status.st_size < size:
        check_space(final, size - status.st_blocks * _BLOCK)
        disk.reserve(file.descriptor, size)


def free_space(folder: Path) -> int:
    """Return the bytes that an ordinary user can still write on the disk of a folder."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
