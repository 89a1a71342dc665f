"""The local file system behind the `Disk` seam."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import stat
from pathlib import Path

__all__ = ["LocalDisk"]

_FICLONE = 0x40049409
"""`ioctl_ficlone(2)`: make the open target share all blocks of the source."""
_AT_FDCWD = -100
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
"""`renameat2(2)`."""


class LocalDisk:
    """The operating system's own calls. Keeps no state; see `protocols.Disk` for the promises."""

    def make_folder(self, path: Path) -> None:
        """Make *path* and its missing parents."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path, mode: int = 0o600) -> int:
        """Create *path*, which must not exist, and open it."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, mode)

    def reopen(self, path: Path) -> int:
        """Open *path*, which must be a regular file and no link."""
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        return descriptor

    def reserve(self, descriptor: int, size: int) -> None:
        """Allocate blocks; a file system that cannot do that gets a sparse file of that length."""
        if not size:
            return
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}:
                raise
            os.ftruncate(descriptor, size)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut or extend."""
        os.ftruncate(descriptor, size)

    def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        """Write at *offset*."""
        return os.pwrite(descriptor, content, offset)

    def sync_file(self, descriptor: int) -> None:
        """Flush data and length."""
        os.fsync(descriptor)

    def seal(self, descriptor: int) -> None:
        """Set mode 0444, narrowed by nothing: whoever may enter the folder may read."""
        os.fchmod(descriptor, 0o444)

    def link(self, source: Path, target: Path) -> None:
        """Hard-link *source* as *target*."""
        os.link(source, target, follow_symlinks=False)

    def clone(self, source: Path, target: Path, mode: int = 0o600) -> None:
        """Reflink; `OSError` with `EOPNOTSUPP`, `EXDEV` or `EINVAL` where blocks cannot be shared."""
        # O_NONBLOCK: a named pipe put in the place of the file must not hang us.
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            writing = self.create(target, mode)
            try:
                fcntl.ioctl(writing, _FICLONE, reading)
            except OSError:
                target.unlink()
                raise
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def symlink(self, source: Path, target: Path) -> None:
        """Make *target* point to *source*."""
        target.symlink_to(source)

    def rename(self, source: Path, target: Path) -> None:
        """Move, replacing a file."""
        source.rename(target)

    def rename_new(self, source: Path, target: Path) -> None:
        """Move to a name that must be free; `ENOSYS` or `EINVAL` where the system cannot promise that."""
        _renameat2(source, target, _RENAME_NOREPLACE)

    def exchange(self, first: Path, second: Path) -> None:
        """Swap two names; `ENOSYS` or `EINVAL` where the system cannot."""
        _renameat2(first, second, _RENAME_EXCHANGE)

    def remove_file(self, path: Path) -> None:
        """Unlink."""
        path.unlink()

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()

    def sync_folder(self, path: Path) -> None:
        """Flush the folder's entries."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _renameat2(source: Path, target: Path, flags: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    failed = library.renameat2(
        _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), flags
    )
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(source), None, str(target))
