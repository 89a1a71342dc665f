"""Removing what downloads left that nobody can go on with."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from modelshelf.download.journal import Journal
from modelshelf.download.owned_file import OwnedFile
from modelshelf.download.partial_file import PartialFile
from modelshelf.download.partial_names import PartialNames, find_partials
from modelshelf.errors import ModelshelfError
from modelshelf.protocols import Disk

__all__ = ["Orphans"]

_OLD = 60.0
"""Seconds since the last change: a file as young as that may be about to be locked by whoever made it."""

_OTHERS = 0o077


class Orphans:
    """Looks through each folder once, before the first download there.

    A process that is killed while it removes a cancelled download leaves bytes without a journal, or a journal
    without bytes or without a beginning. Those are removed; what can be gone on with stays, whoever left it.
    So does a journal that says that its file was published: who ordered that has not heard of it yet.
    A file that others may read, where nobody else says what it is, is taken for somebody's own.

    Args:
        disk: Through which to remove them.
        now: The time of day, in seconds since 1970.

    Example:
        >>> import os, tempfile
        >>> from modelshelf.disk import LocalDisk
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     left = Path(folder) / ".vae.safetensors.0123456789abcdef.part"
        ...     left.touch(0o600)
        ...     os.utime(left, (0, 0))
        ...     Orphans(LocalDisk()).sweep(Path(folder))
        ...     left.exists()
        False
    """

    def __init__(self, disk: Disk, *, now: Callable[[], float] = time.time) -> None:
        self._disk = disk
        self._now = now
        self._swept: set[Path] = set()
        self._sweeping = Lock()

    def sweep(self, folder: Path) -> None:
        """Remove the orphans in *folder*, unless that was done before; never fails.

        Who comes while another thread does so waits for it, or it could find locked what it begins with.
        """
        with self._sweeping:
            if folder in self._swept:
                return
            self._swept.add(folder)
            with suppress(OSError):
                for names in find_partials(folder):
                    with suppress(OSError, ModelshelfError):
                        self._look_at(names)

    def _look_at(self, names: PartialNames) -> None:
        if self._is_suspect(names) and not self._was_published(names):
            # Looked at once more under its lock: what can be gone on with is kept.
            PartialFile.open(names.final, names.key, self._disk).close()

    def _was_published(self, names: PartialNames) -> bool:
        """Say whether a process died after it gave the file its final name, and before it told anybody."""
        owned = OwnedFile.take(names.journal, self._disk)
        if owned is None:
            return False
        try:
            journal = Journal(owned)
            if journal.head is None:
                return False
            # The name in the names of parts may be shortened. What else stands in a journal leads nowhere.
            final = names.final.with_name(Path(journal.head.name).name or names.final.name)
            marks = {piece.offset for _, piece in journal.pieces() if not piece.length}
            with suppress(OSError):
                return final.lstat().st_ino in marks
            return False
        finally:
            owned.close()

    def _is_suspect(self, names: PartialNames) -> bool:
        """Say whether one of the two files is missing or without content, and they are old, and ours."""
        found = []
        for path in (names.journal, names.part):
            with suppress(FileNotFoundError):
                found.append(path.lstat())
        if any(self._now() - status.st_mtime < _OLD for status in found):
            return False
        is_broken = len(found) < len((names.part, names.journal)) or not all(
            status.st_size for status in found
        )
        # What is whole is made readable for others just before it is published; its journal never is.
        return is_broken and bool(found) and _is_private(found[0])


def _is_private(status: os.stat_result) -> bool:
    """Say whether a file is as a download makes its own: others' files may be called alike."""
    is_mine = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    return is_mine and not status.st_mode & _OTHERS
