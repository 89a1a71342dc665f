"""Room on the disk: whether there is enough, and having it promised."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from modelshelf.download.owned_file import OwnedFile
from modelshelf.errors import NotEnoughSpaceError
from modelshelf.protocols import Disk

__all__ = ["can_promise_room", "check_space", "free_space", "reserve_room"]

_SPARE = 20
"""A twentieth of what is going to be written stays free beside it."""
_BLOCK = 512
"""Bytes of the unit in which systems count the room that a file takes."""
_STATUS_SIZE = 256
"""Bytes; more than `struct statfs` has anywhere. Its first field is the kind of the file system."""
_IN_MEMORY = frozenset({0x0102_1994, 0x8584_58F6})
"""tmpfs and ramfs, by `statfs(2)`."""
_UNABLE = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


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
        if can_promise_room(file.descriptor):
            disk.reserve(file.descriptor, size)
        else:
            file.truncate(size)


def can_promise_room(descriptor: int) -> bool:
    """Say whether the file system can reserve room without writing to it.

    Where it cannot, `posix_fallocate(3)` writes to every block in place of it: seconds for each GB, in which
    nobody can pause anything. FAT, ext2 and older NFS are such. One in memory would clear every page before
    it is written to, which costs as much as the writing.

    Args:
        descriptor: A file open for writing, which is a byte long at least when this returns True.
    """
    library = ctypes.CDLL(None, use_errno=True)
    status = ctypes.create_string_buffer(_STATUS_SIZE)
    if library.fstatfs(descriptor, status) == 0:
        kind = ctypes.c_long.from_buffer(status).value & 0xFFFF_FFFF
        if kind in _IN_MEMORY:
            return False
    # Of the two names a C library has at least one; with both, only the first takes 64 bits everywhere.
    call = getattr(library, "fallocate64", None) or library.fallocate
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return call(descriptor, 0, 0, 1) == 0 or ctypes.get_errno() not in _UNABLE


def free_space(folder: Path) -> int:
    """Return the bytes that an ordinary user can still write on the disk of a folder."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
