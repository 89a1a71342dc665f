"""How much of unfinished downloads is on the disk, for who looks on from another program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelshelf.download.journal import Journal
from modelshelf.download.spans import Spans

if TYPE_CHECKING:
    from modelshelf.download.owned_file import OwnedFile

__all__ = ["bytes_held"]


class _SeenFile:
    """A file that another program writes; nothing is locked and nothing changed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.status = os.fstat(descriptor)

    def read(self, size: int, offset: int) -> bytes:
        return os.pread(self._descriptor, size, offset)


def bytes_held(folder: Path) -> int:
    """Return the bytes below *folder* that are there: of whole files all, of others what their journals say.

    What cannot be read counts as not there: it may have been finished or removed meanwhile.

    Example:
        >>> folder = getfixture("tmp_path") / "files"
        >>> folder.mkdir()
        >>> _ = (folder / "config.json").write_text("{}")
        >>> bytes_held(folder)
        2
    """
    return sum(_held(path) for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in names:
            if not (name.startswith(".") and name.endswith(".part")):
                yield Path(root, name)


def _held(path: Path) -> int:
    with suppress(OSError):
        if not (path.name.startswith(".") and path.name.endswith(".journal")):
            return path.lstat().st_size
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # Reading needs no owner, and a journal that is only read writes nothing.
            journal = Journal(cast("OwnedFile", _SeenFile(descriptor)))
            return _pieces(journal)
        finally:
            os.close(descriptor)
    return 0


def _pieces(journal: Journal) -> int:
    spans = ((piece.offset, piece.offset + piece.length) for _, piece in journal.pieces())
    return Spans(spans).total
