from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.file_name import checked_name
from modelshelf.errors import UnsafeListingError
from modelshelf.schema.listing import ListedFile, check_listed_names, safe_file_name, unusable_names
from modelshelf.sources.fitting_names import fitting
from modelshelf.sources.hugging_face_selection import Selection

pytestmark = pytest.mark.property

_pieces = st.sampled_from(
    [
        "/",
        "\\",
        ".",
        "..",
        ":",
        " ",
        "\0",
        "\n",
        "a",
        "A",
        "nul",
        "com1",
        "com¹",
        "clock$",
        "\u212a",
        "\xad",
        "\u3000",
        "e\u0301",
        "ß",
        "\ud800",
        "\x9b",
        "\u202e",
        "\u2028",
    ]
)
_names = st.text(max_size=20) | st.lists(_pieces, max_size=8).map("".join)


@given(_names)
def test_any_text_becomes_a_name_that_may_be_written(text: str) -> None:
    """One step, whatever a site calls its file; one that was good stays as it is."""
    name = safe_file_name(text)
    assert ListedFile(name=name, url="https://example.com/x").name == name
    assert "/" not in name
    assert safe_file_name(name) == name
    # What fetches it takes it as it is.
    assert checked_name(name) == name


@given(_names)
def test_a_name_that_is_accepted_stays_in_its_folder(name: str) -> None:
    """Joined to a folder under the rules of POSIX and of Windows it lies below that folder."""
    try:
        check_listed_names("acme/lens", [name])
    except UnsafeListingError:
        return
    steps = name.replace("\\", "/").split("/")
    assert not {"", ".", ".."} & set(steps)
    assert ":" not in name
    assert "\0" not in name


@given(st.lists(_names, min_size=1, max_size=4, unique=True))
def test_what_is_chosen_of_a_folder_can_be_fetched_or_is_refused(names: list[str]) -> None:
    """What stays has names that are taken as they are, and nothing is lost without a note."""
    try:
        found = fitting("acme/lens", Selection({one: one for one in names}, None, is_folder=True))
    except UnsafeListingError:
        return
    assert found.names
    _assert_fetchable([*found.names.values()])
    assert bool({*names} - {*found.names}) == bool(found.notes)


@given(_names.map(lambda name: name.replace("/", "")))
def test_a_single_file_is_fetched_whatever_it_is_called(name: str) -> None:
    """Unless its name means to leave the folder; a name that was good stays."""
    try:
        found = fitting("acme/lens", Selection({name: name}, None, is_folder=False))
    except UnsafeListingError:
        return
    _assert_fetchable([*found.names.values()])
    if not unusable_names("acme/lens", [name]):
        assert found.names == {name: name}


def _assert_fetchable(names: list[str]) -> None:
    check_listed_names("acme/lens", names)
    for name in names:
        assert [checked_name(step) for step in name.split("/")] == name.split("/")
