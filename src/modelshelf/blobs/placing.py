"""Putting a stored file somewhere without copying it: the cheapest link the file system has."""

from __future__ import annotations

import errno
import os
import stat
from enum import StrEnum
from pathlib import Path

from modelshelf.protocols import Disk

__all__ = ["Placement", "Placer", "is_same_file"]

_REFUSED = {
    errno.EOPNOTSUPP,
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOTTY,
    errno.ENOSYS,
    errno.EPERM,
    errno.EMLINK,
}
"""What a file system says of a kind of link that it does not have, or has no more of."""


class Placement(StrEnum):
    """How a file came to where it is, cheapest and safest first."""

    REFLINK = "reflink"
    """A file of its own that shares blocks; writing to it changes nothing in the store."""
    HARDLINK = "hardlink"
    """The stored file itself under a second name, read-only."""
    SYMLINK = "symlink"
    """A name that leads to the stored file."""
    COPY = "copy"
    """The bytes again."""


class Placer:
    """Places files by link, trying each kind until one works, and remembering what did.

    What works is learnt by doing it: neither equal device numbers nor the name of a file system prove
    that a link will be made.
    """

    def __init__(
        self,
        disk: Disk,
        kinds: tuple[Placement, ...],
        *,
        mode: int = 0o444,
        scratch: Path | None = None,
    ) -> None:
        """Hold what is allowed.

        Args:
            disk: Through which to link.
            kinds: Kinds of links that may be made, in the order to try them.
            mode: Permissions of a reflink, which is a file of its own; other links have the store's.
            scratch: Where to make a reflink before it gets its name, on the same file system: unlike
                other links it is made in two steps, between which it is an empty file. None where
                nobody looks at the target before all of it is done.
        """
        self._disk = disk
        self._kinds = list(kinds)
        self._mode = mode
        self._scratch = scratch

    def place(self, stored: Path, target: Path) -> Placement | None:
        """Make *target*, which must not exist, show the stored file.

        Returns:
            How; None where the file system has none of the allowed links, and nothing was made.

        Raises:
            FileExistsError: Something is at *target*.
            OSError: The system refused for a reason other than the kind of link.
        """
        for kind in tuple(self._kinds):
            try:
                self._make(kind, stored, target)
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise
                # One file may have all the links it can have; the next file can have more.
                if error.errno != errno.EMLINK:
                    self._kinds.remove(kind)
            else:
                return kind
        return None

    def forget_scratch(self) -> None:
        """Remove what an interrupted reflink left at *scratch*."""
        if self._scratch is not None and os.path.lexists(self._scratch):
            self._disk.remove_file(self._scratch)

    def _make(self, kind: Placement, stored: Path, target: Path) -> None:
        if kind is Placement.REFLINK and self._scratch is not None:
            self.forget_scratch()
            self._disk.clone(stored, self._scratch, self._mode)
            # Linked, not renamed: a rename would replace what somebody put there meanwhile.
            self._disk.link(self._scratch, target)
            self._disk.remove_file(self._scratch)
        elif kind is Placement.REFLINK:
            self._disk.clone(stored, target, self._mode)
        elif kind is Placement.HARDLINK:
            self._disk.link(stored, target)
        else:
            # Relative, so that a library that is moved keeps its views.
            self._disk.symlink(Path(os.path.relpath(stored, target.parent)), target)


def is_same_file(stored: Path, placed: Path, size: int) -> bool | None:
    """Say whether *placed* shows the stored file.

    Args:
        stored: Where the store has it; may be gone or damaged.
        placed: What to look at.
        size: Bytes that were stored.

    Returns:
        True for a hard or symbolic link to it, False for anything that cannot be it, None for another
        read-only file of that length, which a reflink is: only its content can tell.
    """
    here, there = _status(placed), _status(stored)
    if here is None:
        return False
    if stat.S_ISLNK(here.st_mode):
        return os.path.normpath(placed.parent / placed.readlink()) == str(stored)
    if not stat.S_ISREG(here.st_mode):
        return False
    if there is not None and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
        return True
    return None if here.st_size == size and not here.st_mode & 0o222 else False


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
