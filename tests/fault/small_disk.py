"""A file system with little room, to be filled for real."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["small_file_system"]


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system in memory at *folder*, which is made; skips the test where nobody may mount."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root can mount a small disk, and not in every container")
    try:
        yield folder
    finally:
        # Lazily: a process of the test that is just ending may still have a file open there.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
