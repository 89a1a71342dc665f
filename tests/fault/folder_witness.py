"""Somebody who sees everything that happens to the names in a folder: inotify, asked afterwards."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["FolderWitness", "Seen"]

_IN_NONBLOCK, _IN_CLOEXEC = 0o4000, 0o2000000
_MODIFIED, _APPEARED, _GONE, _OVERFLOWED = 0x2, 0x100 | 0x80, 0x200 | 0x40, 0x4000
_HEAD = struct.Struct("iIII")


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that happened."""

    name: str
    mask: int

    @property
    def is_final(self) -> bool:
        """Whether it happened to a name that users see."""
        return not self.name.startswith(".")

    @property
    def is_change(self) -> bool:
        """Whether bytes or the length changed."""
        return bool(self.mask & _MODIFIED)

    @property
    def is_appearance(self) -> bool:
        """Whether the name was not there before, or meant another file."""
        return bool(self.mask & _APPEARED)


class FolderWitness:
    """Watches one folder from construction to `close`, without a thread: the system keeps the record.

    Example::

        with FolderWitness(folder) as witness:
            ...
        assert witness.broken_promises() == []
    """

    def __init__(self, folder: Path) -> None:
        """Begin to watch.

        Args:
            folder: An existing folder; what is below its own folders is not seen.

        Raises:
            OSError: This system has no inotify.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC)
        wanted = _MODIFIED | _APPEARED | _GONE
        if self._descriptor < 0 or (
            libc.inotify_add_watch(self._descriptor, os.fsencode(folder), wanted) < 0
        ):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._seen: list[Seen] = []

    def seen(self) -> list[Seen]:
        """Return all that happened so far, in order; the same change twice in a row is one."""
        while True:
            try:
                data = os.read(self._descriptor, 1 << 20)
            except BlockingIOError:
                return list(self._seen)
            at = 0
            while at < len(data):
                _, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                assert not mask & _OVERFLOWED, "too much happened to be told"
                name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
                self._seen.append(Seen(name, mask))
                at += length

    def broken_promises(self, planted: Collection[str] = ()) -> list[str]:
        """Say what happened to a final name before its file was whole, or to the file afterwards.

        Args:
            planted: Final names that the test itself has put something under.
        """
        seen = [one for one in self.seen() if one.name not in planted]
        broken = [f"{one.name} changed in place" for one in seen if one.is_final and one.is_change]
        for at, one in enumerate(seen):
            if one.is_final and one.is_appearance:
                broken += self._changes_of_its_part(one.name, seen[at + 1 :])
        return broken

    def _changes_of_its_part(self, name: str, later: Sequence[Seen]) -> Iterator[str]:
        """Yield changes of the partial file that is *name* now, until there is another one."""
        stem = f".{name}."[:60]
        for one in later:
            if one.name.startswith(stem) and one.name.endswith(".part"):
                if one.is_appearance:
                    return
                if one.is_change:
                    yield f"{one.name} changed after {name} stood there"

    def close(self) -> None:
        """Stop watching."""
        self.seen()
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
