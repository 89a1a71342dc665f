"""Copying a file or folder so that it is known to be the same, and removing one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import DestinationUnusableError, SourceChangedError, UnsupportedEntryError
from modelshelf.protocols import Disk
from modelshelf.schema.transfer import StopKind

__all__ = ["TreeCopy", "TreeCopyStoppedError", "remove_tree", "tree_size"]

_CHUNK = 1024 * 1024


class TreeCopyStoppedError(Exception):
    """Somebody said stop. Never seen by a user."""

    def __init__(self, kind: StopKind) -> None:
        super().__init__(kind)
        self.kind = kind


class _Stamp(NamedTuple):
    """What changes when somebody writes a file."""

    size: int
    time: int
    number: int

    @classmethod
    def of(cls, status: os.stat_result) -> _Stamp:
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)

    def compare(self, path: Path, status: os.stat_result) -> None:
        now = _Stamp.of(status)
        if now != self:
            raise SourceChangedError(
                path=str(path),
                before=f"{self.size} bytes, {self.time}",
                after=f"{now.size} bytes, {now.time}",
            )


class TreeCopy:
    """Copies a file or folder, flushed and read back; links are copied as links, never followed."""

    def __init__(self, disk: Disk, stop: StopSignal, advance: Callable[[int], None]) -> None:
        """Hold what to copy with.

        Args:
            disk: Through which to write.
            stop: Ends the copying.
            advance: Told how many bytes are copied, all files together.
        """
        self._disk = disk
        self._stop = stop
        self._advance = advance
        self._done = 0
        self._copied: list[tuple[Path, _Stamp | None]] = []
        """What was copied, folders after what is in them; files with how they looked."""

    def copy(self, source: Path, target: Path) -> None:
        """Copy *source* to *target*, which must not exist.

        Raises:
            TreeCopyStoppedError: Somebody said stop.
            SourceChangedError: Somebody wrote to it meanwhile.
            UnsupportedEntryError: A pipe, socket or device is in it.
            DestinationUnusableError: The disk gave back other bytes than were written.
            OSError: The system refused.
        """
        status = os.lstat(source)
        if stat.S_ISLNK(status.st_mode):
            self._disk.symlink(source.readlink(), target)
            self._copied.append((source, None))
        elif stat.S_ISDIR(status.st_mode):
            self._disk.make_folder(target)
            for entry in sorted(source.iterdir()):
                self.copy(entry, target / entry.name)
            self._disk.sync_folder(target)
            self._copied.append((source, None))
        elif stat.S_ISREG(status.st_mode):
            self._copy_file(source, target, _Stamp.of(status))
        else:
            kind = "named pipe" if stat.S_ISFIFO(status.st_mode) else "device or socket"
            raise UnsupportedEntryError(path=str(source), kind=kind)

    def remove_source(self) -> None:
        """Remove what was copied, unless somebody wrote to it since.

        Raises:
            SourceChangedError: Somebody did; what is left of the source stays.
        """
        for path, stamp in self._copied:
            if stamp is not None:
                stamp.compare(path, os.lstat(path))
        for path, _ in self._copied:
            if path.is_dir() and not path.is_symlink():
                self._disk.remove_folder(path)
            else:
                self._disk.remove_file(path)

    def _copy_file(self, source: Path, target: Path, stamp: _Stamp) -> None:
        # O_NONBLOCK: a named pipe put in the place of the file must not hang us.
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            mode = stat.S_IMODE(os.fstat(reading).st_mode) & 0o777
            writing = self._disk.create(target, mode | 0o600)
            try:
                written = self._copy_bytes(reading, writing)
                self._disk.sync_file(writing)
                if self._digest(writing) != written:
                    raise DestinationUnusableError(
                        path=str(target), reason="it gives back other bytes than were written"
                    )
            finally:
                os.close(writing)
            stamp.compare(source, os.fstat(reading))
        finally:
            os.close(reading)
        self._copied.append((source, stamp))

    def _copy_bytes(self, reading: int, writing: int) -> bytes:
        hasher, offset = blake3(), 0
        while chunk := os.pread(reading, _CHUNK, offset):
            self._check_stop()
            hasher.update(chunk)
            rest = memoryview(chunk)
            while rest:
                count = self._disk.write(writing, rest, offset)
                offset, rest = offset + count, rest[count:]
            self._done += len(chunk)
            self._advance(self._done)
        return hasher.digest()

    def _digest(self, descriptor: int) -> bytes:
        hasher, offset = blake3(), 0
        while chunk := os.pread(descriptor, _CHUNK, offset):
            self._check_stop()
            hasher.update(chunk)
            offset += len(chunk)
        return hasher.digest()

    def _check_stop(self) -> None:
        if self._stop.kind is not None:
            raise TreeCopyStoppedError(self._stop.kind)


def tree_size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; links count nothing.

    Raises:
        OSError: It is not there, or cannot be looked at.
    """
    status = os.lstat(path)
    if stat.S_ISDIR(status.st_mode):
        return sum(map(tree_size, path.iterdir()))
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def remove_tree(disk: Disk, path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; nothing happens where nothing is.

    Raises:
        OSError: The system refused.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        for entry in list(path.iterdir()):
            remove_tree(disk, entry)
        disk.remove_folder(path)
    else:
        disk.remove_file(path)
