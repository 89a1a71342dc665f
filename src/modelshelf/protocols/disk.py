"""Every operation that changes a file system, one method each.

Whatever modelshelf writes, links, renames or removes on a local disk goes through this seam. That
makes each operation countable: the fault suite stops the program after the k-th one, for every k,
and looks at what is left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

__all__ = ["Disk"]


class Disk(Protocol):
    """A local file system. Every method raises `OSError` as the system does."""

    def make_folder(self, path: Path) -> None:
        """Make *path* and its missing parents; nothing happens when it is there."""

    def create(self, path: Path, mode: int = 0o600) -> int:
        """Create a file that must not exist, with *mode* narrowed by the process's umask.

        Returns:
            A file descriptor, open for reading and writing; the caller closes it with `os.close`.
        """

    def reopen(self, path: Path) -> int:
        """Open an existing regular file for reading and writing; a link there is `ELOOP`.

        Returns:
            A file descriptor; the caller closes it with `os.close`.
        """

    def reserve(self, descriptor: int, size: int) -> None:
        """Make the file at least *size* bytes long, with room on the disk where the system can promise it."""

    def truncate(self, descriptor: int, size: int) -> None:
        """Make the file exactly *size* bytes long."""

    def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        """Write *content* at byte *offset*; return how many bytes were written, maybe fewer."""

    def sync_file(self, descriptor: int) -> None:
        """Return once the file's bytes and length survive a power cut."""

    def seal(self, descriptor: int) -> None:
        """Make the open file read-only for everybody who can read it."""

    def link(self, source: Path, target: Path) -> None:
        """Give the file *source* a second name *target*, which must not exist."""

    def clone(self, source: Path, target: Path, mode: int = 0o600) -> None:
        """Make *target*, which must not exist, a file of its own that shares *source*'s blocks."""

    def symlink(self, source: Path, target: Path) -> None:
        """Make *target* a symbolic link to *source*."""

    def rename(self, source: Path, target: Path) -> None:
        """Move *source* to *target* at once, replacing a file (not a filled folder) there."""

    def rename_new(self, source: Path, target: Path) -> None:
        """Move *source* to *target*, which must not exist, at once: `FileExistsError` where it does."""

    def exchange(self, first: Path, second: Path) -> None:
        """Swap what two existing names mean, at once."""

    def remove_file(self, path: Path) -> None:
        """Remove one file or link."""

    def remove_folder(self, path: Path) -> None:
        """Remove one empty folder."""

    def sync_folder(self, path: Path) -> None:
        """Return once the names in the folder *path* survive a power cut."""
