from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelshelf.download.umask import current_umask


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_it_is_told_with_and_without_the_help_of_linux(tmp_path: Path, umask: int) -> None:
    """And stays what it is."""
    old = os.umask(umask)
    try:
        found = [current_umask(), current_umask(tmp_path / "no such file"), current_umask()]
    finally:
        os.umask(old)
    assert found == [umask] * 3


def test_a_status_without_it_is_no_help(tmp_path: Path) -> None:
    """Old kernels do not tell."""
    status = tmp_path / "status"
    status.write_text("Name:\tpython\n")
    assert current_umask(status) == current_umask()
