from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.file_name import checked_name
from modelshelf.errors import UnsafeListingError
from modelshelf.schema.listing import ListedFile, check_listed_names, safe_file_name

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
