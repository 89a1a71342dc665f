"""Removing folders of the store, and nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from modelshelf.protocols import Disk

__all__ = ["remove_tree", "scan"]


def remove_tree(path: Path, disk: Disk) -> int:
    """Remove a folder of the store, or a single file, never following a link.

    Returns:
        Bytes of files that were the last link to their content.
    """
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        disk.remove_file(path)
        return status.st_size if status.st_nlink == 1 else 0
    freed = sum(remove_tree(Path(entry.path), disk) for entry in scan(path))
    disk.remove_folder(path)
    return freed


def scan(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder, sorted; a folder that is not there has nothing in it."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
