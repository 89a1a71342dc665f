"""The troubles of the world, as wrappers of a `Disk` that can be given to a library.

Each class plays one event: the disk fills up, the power goes, a file system has no links. Wrap the real
disk, give it to `manager.assembly.assemble(settings, clock=..., disk=...)`, and look at what is left.
Wrappers can be wrapped again, and threads may share them.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Lock
from typing import TypeVar

from modelshelf.protocols import Disk

__all__ = [
    "SPACELESS",
    "CountingDisk",
    "FailingDisk",
    "KillingDisk",
    "LinklessDisk",
    "ShortWritingDisk",
    "WrappedDisk",
    "flip_bit",
    "system_error",
]

_Result = TypeVar("_Result")

SPACELESS = frozenset({"remove_file", "remove_folder", "rename", "rename_new", "sync_folder"})
"""Operations that take no space, and that a full disk therefore still allows."""


class WrappedDisk:
    """Passes every operation on; a subclass says in `around` what happens before or instead.

    Operations are told by the name of the method and the path that changes, such as
    `rename /shelf/models/blob/…`; those of an open file have no path.
    """

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        """What is wrapped."""

    def around(self, operation: str, act: Callable[[], _Result]) -> _Result:
        """Carry out an operation.

        Args:
            operation: What it is.
            act: Does it; call it once, or raise `OSError` instead.
        """
        del operation
        return act()

    def make_folder(self, path: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"make_folder {path}", lambda: self.disk.make_folder(path))

    def create(self, path: Path, mode: int = 0o600) -> int:
        """See `protocols.Disk`."""
        return self.around(f"create {path}", lambda: self.disk.create(path, mode))

    def reopen(self, path: Path) -> int:
        """See `protocols.Disk`."""
        return self.around(f"reopen {path}", lambda: self.disk.reopen(path))

    def reserve(self, descriptor: int, size: int) -> None:
        """See `protocols.Disk`."""
        self.around("reserve", lambda: self.disk.reserve(descriptor, size))

    def truncate(self, descriptor: int, size: int) -> None:
        """See `protocols.Disk`."""
        self.around("truncate", lambda: self.disk.truncate(descriptor, size))

    def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        """See `protocols.Disk`."""
        return self.around("write", lambda: self.disk.write(descriptor, content, offset))

    def sync_file(self, descriptor: int) -> None:
        """See `protocols.Disk`."""
        self.around("sync_file", lambda: self.disk.sync_file(descriptor))

    def seal(self, descriptor: int) -> None:
        """See `protocols.Disk`."""
        self.around("seal", lambda: self.disk.seal(descriptor))

    def link(self, source: Path, target: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"link {target}", lambda: self.disk.link(source, target))

    def clone(self, source: Path, target: Path, mode: int = 0o600) -> None:
        """See `protocols.Disk`."""
        self.around(f"clone {target}", lambda: self.disk.clone(source, target, mode))

    def symlink(self, source: Path, target: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"symlink {target}", lambda: self.disk.symlink(source, target))

    def rename(self, source: Path, target: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"rename {target}", lambda: self.disk.rename(source, target))

    def rename_new(self, source: Path, target: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"rename_new {target}", lambda: self.disk.rename_new(source, target))

    def exchange(self, first: Path, second: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"exchange {second}", lambda: self.disk.exchange(first, second))

    def remove_file(self, path: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"remove_file {path}", lambda: self.disk.remove_file(path))

    def remove_folder(self, path: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"remove_folder {path}", lambda: self.disk.remove_folder(path))

    def sync_folder(self, path: Path) -> None:
        """See `protocols.Disk`."""
        self.around(f"sync_folder {path}", lambda: self.disk.sync_folder(path))


class CountingDisk(WrappedDisk):
    """A sound disk that remembers what it did: run a use case on it once, then break it at every step."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self.operations: list[str] = []
        """Every operation, in the order in which they began."""

    def around(self, operation: str, act: Callable[[], _Result]) -> _Result:
        """Note the operation, then let it happen."""
        self.operations.append(operation)
        return act()


class _NumberedDisk(WrappedDisk):
    """Gives each operation its number, counted from 1."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self._lock = Lock()
        self._number = 0

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number


class FailingDisk(_NumberedDisk):
    """The k-th operation fails: a full disk, a bad sector, a folder that somebody took away.

    With *lasting* every operation from the k-th on fails, as on a disk that stays full or has come loose.
    """

    def __init__(
        self,
        disk: Disk,
        at: int,
        error: OSError | None = None,
        *,
        lasting: bool = False,
        spared: Collection[str] = (),
    ) -> None:
        """Choose what fails.

        Args:
            disk: What to wrap.
            at: Number of the first operation that fails, counted from 1.
            error: What the system says; None for a full disk.
            lasting: Fail from then on, not only once.
            spared: Names of methods that never fail, such as `SPACELESS`.
        """
        super().__init__(disk)
        self._at = at
        self._error = error or system_error(errno.ENOSPC)
        self._lasting = lasting
        self._spared = spared
        self.has_failed = False
        """Whether anything failed: if not, *at* lay behind the last operation."""

    def around(self, operation: str, act: Callable[[], _Result]) -> _Result:
        """Fail, or let it happen."""
        number = self._next()
        due = number >= self._at if self._lasting else number == self._at
        if due and operation.partition(" ")[0] not in self._spared:
            self.has_failed = True
            raise system_error(self._error.errno or errno.EIO)
        return act()


class KillingDisk(_NumberedDisk):
    """The process dies with SIGKILL at the k-th operation: power cut, out of memory, `kill -9`."""

    def __init__(self, disk: Disk, at: int, *, after: bool = False) -> None:
        """Choose when.

        Args:
            disk: What to wrap.
            at: Number of the operation, counted from 1.
            after: Die when it is done rather than before it begins.
        """
        super().__init__(disk)
        self._at = at
        self._after = after

    def around(self, operation: str, act: Callable[[], _Result]) -> _Result:
        """Let it happen, or die; nothing is flushed, closed or caught."""
        del operation
        is_last = self._next() == self._at
        if is_last and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = act()
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class ShortWritingDisk(WrappedDisk):
    """Every write takes at most so many bytes, as the system may at any time."""

    def __init__(self, disk: Disk, at_most: int = 1) -> None:
        super().__init__(disk)
        self._at_most = at_most

    def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        """Write the beginning of *content* only."""
        return super().write(descriptor, content[: self._at_most], offset)


class LinklessDisk(WrappedDisk):
    """A file system without some kinds of links: FAT has none at all, a network share no reflinks.

    The error decides which: `EPERM` no such links, `EXDEV` another file system, `EMLINK` too many already.
    """

    def __init__(
        self,
        disk: Disk,
        kinds: Collection[str] = ("clone", "link", "symlink"),
        number: int = errno.EPERM,
    ) -> None:
        """Choose what it lacks.

        Args:
            disk: What to wrap.
            kinds: Those of `clone`, `link` and `symlink` that are refused.
            number: With which `errno`.
        """
        super().__init__(disk)
        self._kinds = kinds
        self._number = number

    def around(self, operation: str, act: Callable[[], _Result]) -> _Result:
        """Refuse the links that it lacks."""
        if operation.partition(" ")[0] in self._kinds:
            raise system_error(self._number)
        return act()


def system_error(number: int) -> OSError:
    """Return what the system raises for `errno` *number*."""
    return OSError(number, os.strerror(number))


def flip_bit(path: Path, bit: int) -> None:
    """Change one bit of a file where it lies, as a failing disk does: name, mode, times stay.

    All names of the file change, because they are one inode.

    Args:
        path: The file; may be read-only.
        bit: Counted from the first bit of the first byte.
    """
    status = path.stat()
    path.chmod(status.st_mode | stat.S_IWUSR)
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
