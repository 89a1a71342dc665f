"""A file that people and several processes write: read at one moment, replaced at one moment.

    models.yaml         the records
    .models.yaml.lock   held by whoever writes
    .models.yaml.new    the next state, until it takes the file's name; a leftover of a crash is overwritten

Nobody waits for a lock to read: the file under the name is always a whole one.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from modelshelf.disk import LocalDisk
from modelshelf.errors import (
    NotEnoughSpaceError,
    StoreBusyError,
    StoreUnusableError,
    StoreWriteError,
)

__all__ = ["FileDisk", "YamlFile"]

_BUSY_SECONDS = 60.0
"""How long a writer waits for its turn; a write takes milliseconds."""
_SETTLED = 2_000_000_000
"""Nanoseconds after which a time of change is trusted: the coarsest clock of a file system is FAT's."""
_LONGEST = 64 * 1024 * 1024
"""Bytes; a person's file has some hundred thousand."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


class FileDisk(Protocol):
    """What a write needs of a disk; the part of `protocols.Disk` that these names have there."""

    def create(self, path: Path, mode: int = 0o600) -> int:
        """Create a file that must not exist."""

    def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        """Write at *offset*; return how many bytes were written, maybe fewer."""

    def sync_file(self, descriptor: int) -> None:
        """Return once the file's bytes survive a power cut."""

    def rename(self, source: Path, target: Path) -> None:
        """Let *source* take the name *target*."""

    def remove_file(self, path: Path) -> None:
        """Remove one file."""

    def sync_folder(self, path: Path) -> None:
        """Return once the names in *path* survive a power cut."""


class YamlFile:
    """One file, followed through symbolic links, so that a link stays one."""

    def __init__(
        self, path: Path, *, disk: FileDisk | None = None, patience: float = _BUSY_SECONDS
    ) -> None:
        """Name the file; nothing is opened yet.

        Args:
            path: Where it is or shall be.
            disk: What writes; None for the operating system.
            patience: Seconds that a writer waits for its turn.
        """
        self.path = path
        """As the caller names it."""
        self._disk = disk or LocalDisk()
        self._patience = patience
        self._seen: tuple[tuple[int, ...], bytes] | None = None

    def read(self) -> bytes | None:
        """Return the whole content at one moment; None where there is no file.

        The file is read again unless its inode, size and times are those of the last time and old enough to
        be trusted: two writes within one tick of the file system's clock look the same.

        Raises:
            StoreUnusableError: It cannot be read, is no file, or is far too long to be one of records.
        """
        try:
            # A named pipe put in the place of the file must not hang us.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(self._target(), flags), "rb") as file:
                status = os.fstat(file.fileno())
                sign = _sign(status)
                if self._seen is not None and self._seen[0] == sign:
                    return self._seen[1]
                is_usable = stat.S_ISREG(status.st_mode) and status.st_size <= _LONGEST
                content = file.read() if is_usable else b""
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnusableError(
                root=str(self.path), reason=error.strerror or str(error)
            ) from error
        if not is_usable:
            reason = f"expected a file of at most {_LONGEST} bytes, got something else"
            raise StoreUnusableError(root=str(self.path), reason=reason)
        is_settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED
        self._seen = (sign, content) if is_settled else None
        return content

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer out that asks for the lock, to the end of the block.

        Raises:
            StoreBusyError: Others kept writing for too long.
            StoreWriteError: The lock cannot be made.
        """
        target = self._target()
        lock = FileLock(self._beside(target, ".lock"), timeout=self._patience)
        with self._trouble(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout as error:
                raise StoreBusyError(what=str(self.path)) from error
        try:
            yield
        finally:
            lock.release()

    def replace(self, content: bytes, earlier: bytes | None) -> bool:
        """Let the file be *content*, durably, with the mode and owner that it has; hold the lock.

        A crash at any point leaves the old file or the new one.

        Args:
            content: All that shall stand in it.
            earlier: What *content* was made of; None where there is no file yet, or an empty one.

        Returns:
            False if something else stands there by now: an editor asks for no lock, and who saved since is
            not overwritten.

        Raises:
            NotEnoughSpaceError: The disk is full; the file is as it was.
            StoreWriteError: The system refused, or the file is write-protected; it is as it was.
        """
        target = self._target()
        new = self._beside(target, ".new")
        with self._trouble(target, len(content)):
            if len(content) > _LONGEST:
                raise OSError(errno.EFBIG, f"expected at most {_LONGEST} bytes, got {len(content)}")
            old = target.stat() if target.exists() else None
            # Renaming would not ask; a file that somebody protected stays as it is.
            if old is not None and not os.access(target, os.W_OK):
                raise OSError(errno.EACCES, "it is write-protected")
            if os.path.lexists(new):
                self._disk.remove_file(new)
            descriptor = self._disk.create(new, 0o666 if old is None else 0o600)
            try:
                try:
                    self._fill(descriptor, content, old)
                finally:
                    os.close(descriptor)
                # The last moment to look; what remains is the time between two calls of the system.
                if (self.read() or None) != earlier:
                    self._disk.remove_file(new)
                    return False
                self._disk.rename(new, target)
            except OSError:
                with suppress(OSError):
                    self._disk.remove_file(new)
                raise
            # The folder too, or a power cut can undo the rename.
            self._disk.sync_folder(target.parent)
        return True

    def _fill(self, descriptor: int, content: bytes, old: os.stat_result | None) -> None:
        if old is not None:
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):
                    os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        rest = memoryview(content)
        while rest:
            rest = rest[self._disk.write(descriptor, rest, len(content) - len(rest)) :]
        self._disk.sync_file(descriptor)

    def _target(self) -> Path:
        return Path(os.path.realpath(self.path))

    @staticmethod
    def _beside(target: Path, suffix: str) -> Path:
        return target.with_name(f".{target.name}{suffix}")

    @contextmanager
    def _trouble(self, target: Path, needed: int = 0) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                status = os.statvfs(target.parent)
                free = status.f_bavail * status.f_frsize
                raise NotEnoughSpaceError(path=str(target), needed=needed, free=free) from error
            raise StoreWriteError(
                path=str(self.path), reason=error.strerror or str(error)
            ) from error


def _sign(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
