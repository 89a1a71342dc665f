from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.download.room import check_space, free_space
from modelshelf.errors import NotEnoughSpaceError


def test_a_twentieth_more_than_what_is_needed_must_be_free(tmp_path: Path) -> None:
    """What would fill the disk to the brim is refused; others write there as well."""
    final = tmp_path / "model.bin"
    check_space(final, free_space(tmp_path) * 90 // 100)
    needed = free_space(tmp_path) * 98 // 100
    with pytest.raises(NotEnoughSpaceError) as full:
        check_space(final, needed)
    assert full.value.needed == needed < full.value.free


def test_who_needs_nothing_needs_no_room(tmp_path: Path) -> None:
    check_space(tmp_path / "model.bin", 0)
    check_space(tmp_path / "model.bin", -1)
