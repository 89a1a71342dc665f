from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelshelf.schema.file_address import path_in


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///mnt/a.bin", b"/mnt/a.bin"),
        ("FILE://localhost/mnt/a.bin", b"/mnt/a.bin"),
        ("file:///mnt/a?b#c.bin", b"/mnt/a?b#c.bin"),
        ("file:///mnt/%e2%82%ac%ff", b"/mnt/\xe2\x82\xac\xff"),
        ("file:///mnt/a%252Fb.bin", b"/mnt/a%2Fb.bin"),
        ("file:///mnt/€\udcff", b"/mnt/\xe2\x82\xac\xff"),
    ],
)
def test_names_a_path_byte_for_byte(address: str, path: bytes) -> None:
    """What stands in a name stays in it, also what is no text."""
    assert path_in(address) == Path(os.fsdecode(path))


@pytest.mark.parametrize(
    "address",
    [
        *("file://nas/a.bin", "file://C:/a.bin", "file:///a%00", "file://", "file:///\ud800"),
        *("file:///mnt/a%2Fb.bin", "file:///mnt/..%2f..%2fb.bin"),
    ],
)
def test_refuses_what_is_no_path_of_this_machine(address: str) -> None:
    """A file of another one was once taken for one that is called the same here."""
    with pytest.raises(ValueError, match="expected `file:///` and a path"):
        path_in(address)


def test_shows_no_password_of_who_asks_another_machine() -> None:
    """What is refused is shown, and logged."""
    with pytest.raises(ValueError, match="got host `nas`"):
        path_in("file://me:secret@nas/a.bin")
