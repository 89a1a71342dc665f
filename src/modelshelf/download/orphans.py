"""Removing what downloads left that nobody can go on with."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from modelshelf.download.partial_file import PartialFile
from modelshelf.download.partial_names import PartialNames, find_partials
from modelshelf.errors import ModelshelfError
from modelshelf.protocols import Disk

__all__ = ["Orphans"]

_OLD = 60.0
"""Seconds since the last change: a file as young as that may be about to be locked by whoever made it."""


class Orphans:
    """Looks through each folder once, before the first download there.

    A process that is killed while it removes a cancelled download leaves bytes without a journal, or a journal
    without bytes or without a beginning. Those are removed; what can be gone on with stays, whoever left it.

    Args:
        disk: Through which to remove them.
        now: The time of day, in seconds since 1970.

    Example:
        >>> import os, tempfile
        >>> from modelshelf.disk import LocalDisk
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     left = Path(folder) / ".vae.safetensors.0123456789abcdef.part"
        ...     left.touch()
        ...     os.utime(left, (0, 0))
        ...     Orphans(LocalDisk()).sweep(Path(folder))
        ...     left.exists()
        False
    """

    def __init__(self, disk: Disk, *, now: Callable[[], float] = time.time) -> None:
        self._disk = disk
        self._now = now
        self._swept: set[Path] = set()

    def sweep(self, folder: Path) -> None:
        """Remove the orphans in *folder*, unless that was done before; never fails, and never waits."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        with suppress(OSError):
            for names in find_partials(folder):
                if self._is_suspect(names):
                    # Looked at once more under its lock: what can be gone on with is kept.
                    with suppress(ModelshelfError):
                        PartialFile.open(names.final, names.key, self._disk).close()

    def _is_suspect(self, names: PartialNames) -> bool:
        """Say whether one of the two files is missing or without content, and neither is young."""
        sizes = []
        for path in (names.part, names.journal):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if self._now() - status.st_mtime < _OLD:
                return False
            sizes.append(status.st_size)
        return len(sizes) < len((names.part, names.journal)) or 0 in sizes
