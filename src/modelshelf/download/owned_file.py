"""A file that belongs to one process at a time, and whose name is known to be its own."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from modelshelf.protocols import Disk

__all__ = ["OwnedFile", "read_into"]

_RACES = 100
"""How often somebody else may take the name away between two calls of ours."""


class OwnedFile:
    """An open, locked file. The system drops the lock when the owner dies, however it dies.

    Whoever has the lock *and* still finds the file under its name is the owner, and only the owner removes the
    name; so nobody ever removes, renames or writes to another one's file.
    """

    def __init__(self, path: Path, descriptor: int, disk: Disk) -> None:
        """Use `take`, `make` or `take_or_make`."""
        self.path = path
        """Its name."""
        self.descriptor = descriptor
        """Open for reading and writing."""
        self._disk = disk
        self._process = os.getpid()

    @classmethod
    def take(cls, path: Path, disk: Disk) -> Self | None:
        """Open and lock what is at *path*; None where nothing is.

        Raises:
            BlockingIOError: Somebody owns it.
            OSError: The system refused, or it is a link or no file.
        """
        for _ in range(_RACES):
            try:
                descriptor = disk.reopen(path)
            except FileNotFoundError:
                return None
            if owned := cls._lock(path, descriptor, disk):
                return owned
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))

    @classmethod
    def take_or_make(cls, path: Path, disk: Disk) -> Self:
        """Open and lock what is at *path*, or an empty file.

        Raises:
            BlockingIOError: Somebody owns it.
            OSError: The system refused, or it is a link or no file.
        """
        for _ in range(_RACES):
            if owned := cls.take(path, disk) or cls._try_to_make(path, disk):
                return owned
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))

    @classmethod
    def make(cls, path: Path, disk: Disk) -> Self:
        """Create and lock an empty file, in place of one that a dead owner left.

        Raises:
            BlockingIOError: Its owner is alive.
            OSError: The system refused, or a link or no file is there.
        """
        for _ in range(_RACES):
            if owned := cls._try_to_make(path, disk):
                return owned
            if leftover := cls.take(path, disk):
                try:
                    disk.remove_file(path)
                finally:
                    leftover.close()
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))

    @property
    def status(self) -> os.stat_result:
        """What the system says of it."""
        return os.fstat(self.descriptor)

    @property
    def has_its_name(self) -> bool:
        """Whether it is still found under its name."""
        try:
            return os.path.samestat(self.path.lstat(), self.status)
        except FileNotFoundError:
            return False

    @property
    def has_only_its_name(self) -> bool:
        """Whether it is found under its name, and has no other, such as the final one."""
        return self.has_its_name and self.status.st_nlink == 1

    def write(self, content: bytes | memoryview, offset: int) -> None:
        """Write all of *content* at *offset*, in as many goes as the system wants."""
        written = self._disk.write(self.descriptor, content, offset)
        while written < len(content):
            rest = memoryview(content)[written:]
            written += self._disk.write(self.descriptor, rest, offset + written)

    def truncate(self, size: int) -> None:
        """Make it exactly *size* bytes long."""
        self._disk.truncate(self.descriptor, size)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from *offset*; return how many bytes came, fewer only at the end."""
        return read_into(self.descriptor, buffer, offset)

    def read(self, length: int, offset: int) -> bytes:
        """Read *length* bytes from *offset*; fewer only at the end."""
        content = bytearray(length)
        return bytes(content[: self.read_into(memoryview(content), offset)])

    def remove(self) -> None:
        """Take its name away, if it still has it."""
        if self.has_its_name:
            self._disk.remove_file(self.path)

    def close(self) -> None:
        """Let go of the file and of the lock."""
        # A process that was forked off shares the lock: it must not hold on to it, nor undo its parent's.
        if os.getpid() == self._process:
            with suppress(OSError):
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)

    @classmethod
    def _try_to_make(cls, path: Path, disk: Disk) -> Self | None:
        try:
            descriptor = disk.create(path)
        except FileExistsError:
            return None
        return cls._lock(path, descriptor, disk)

    @classmethod
    def _lock(cls, path: Path, descriptor: int, disk: Disk) -> Self | None:
        """Own the open file; None where its last owner removed it before it was locked."""
        owned = cls(path, descriptor, disk)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if owned.has_its_name:
                return owned
        except BaseException:
            os.close(descriptor)
            raise
        owned.close()
        return None


def read_into(descriptor: int, buffer: memoryview, offset: int) -> int:
    """Fill *buffer* from *offset* of an open file; return how many bytes came, fewer only at the end."""
    done = 0
    while done < len(buffer):
        came = os.preadv(descriptor, [buffer[done:]], offset + done)
        if not came:
            break
        done += came
    return done
