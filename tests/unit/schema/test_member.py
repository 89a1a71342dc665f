from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import UnportableNameError
from modelshelf.schema.member import MemberPath, file_name_for


@pytest.mark.parametrize("name", ["a", "vae/config.json", "a b/ü\n/.hidden", "back\\slash", "..."])
def test_names_that_stay_inside_are_kept_as_they_are(name: str) -> None:
    """Spaces, newlines and dots are legal in names."""
    assert MemberPath.parse(name) == name


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\0b", "\udcff.bin"]
)
def test_names_that_leave_or_are_no_text_are_refused(name: str) -> None:
    """Absolute, climbing, empty, NUL and undecodable names never become a member."""
    with pytest.raises(UnportableNameError):
        MemberPath.parse(name)


def test_a_member_knows_its_steps() -> None:
    """Name, folder and top of a nested member."""
    member = MemberPath.parse("a/b/c.json")
    assert (member.name, member.folder, member.top) == ("c.json", "a/b", "a")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LoWRA", "LoWRA"),
        ("acme/lora", "acme_lora"),
        ("..", "_"),
        (".hidden", "_.hidden"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("a:b*c?", "a_b_c_"),
        ("tab\there", "tab_here"),
        (" spaced ", "spaced"),
    ],
)
def test_a_model_name_becomes_a_file_name_that_any_system_holds(name: str, expected: str) -> None:
    """Separators, device names, leading and trailing dots give way."""
    assert file_name_for(name) == expected


@given(st.text(min_size=1))
def test_any_name_gives_one_step_that_stays_inside(name: str) -> None:
    """Whatever a model is called, its file name is one legal member of at most 180 bytes."""
    made = file_name_for(name)
    assert MemberPath.parse(made).folder == ""
    assert len(made.encode()) <= 180
