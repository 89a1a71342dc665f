from __future__ import annotations

import pytest
from pydantic import ValidationError

from modelshelf.errors import UnsafeListingError
from modelshelf.schema.listing import ListedFile, Listing, check_listed_names, unusable_names
from modelshelf.schema.model_source import HFModelSource

_HOSTILE = [
    "../x",
    "a/../x",
    "/etc/passwd",
    "a//b",
    "a/.",
    "",
    "a\\..\\b",
    "\\\\nas\\share\\x",
    "C:x",
    "C:/x",
    "a:stream",
    "a\0b",
    "a\nb",
    "a\x7f",
    "a\ud800",
    "NUL",
    "con.txt",
    "a/aux/b",
    "COM1.json",
    "lpt¹",
    "a.",
    "a ",
    "a./b",
    "x" * 256,
    "ä" * 128,
    "/".join("a" * 40),
    "/".join(["a" * 200] * 6),
]


@pytest.mark.parametrize("name", _HOSTILE, ids=ascii)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    """Under the rules of POSIX and of Windows, whichever this is."""
    with pytest.raises(UnsafeListingError):
        check_listed_names("acme/lens", [name])
    with pytest.raises(ValidationError):
        ListedFile(name=name, url="https://example.com/x")


@pytest.mark.parametrize(
    "name",
    ["a", "vae/config.json", ".x", "a b/c d.txt", "..a", "console", "com.json", "日本/é.json"],
)
def test_an_honest_name_is_taken(name: str) -> None:
    """Dots, spaces and letters of any script are no crime."""
    check_listed_names("acme/lens", [name])
    assert ListedFile(name=name, url="https://example.com/x").name == name


@pytest.mark.parametrize(
    "names",
    [
        ["a", "A"],
        ["a", "a"],
        ["a/x", "A/y"],
        ["a", "a/x"],
        ["a/x", "a"],
        ["straße", "STRASSE"],
        ["e\u0301", "\xe9"],
        ["\u0390", "\u03aa\u0301"],
    ],
)
def test_names_that_clash_on_some_file_system_are_refused(names: list[str]) -> None:
    """Two that differ in case alone, a file and a folder of one name, the same twice."""
    with pytest.raises(UnsafeListingError, match="another has that name"):
        check_listed_names("acme/lens", names)
    files = tuple(ListedFile(name=name, url="https://example.com/x") for name in names)
    with pytest.raises(ValidationError, match="another has that name"):
        Listing(
            source=HFModelSource(repo_id="acme/lens"),
            name="lens",
            files=files,
            is_folder=True,
            origin="https://example.com",
        )


def test_names_that_are_odd_and_honest_are_told_from_hostile_ones() -> None:
    """What a user of Linux calls a file is unusable at most; what would leave its folder is refused."""
    odd = ["at 10:30.txt", "readme.md", "nul", "end ", "x" * 256]
    assert [*unusable_names("acme/lens", ["README.md", *odd])] == odd
    for name in ("../x", "a\\b", "C:x", "a\x1b"):
        with pytest.raises(UnsafeListingError):
            unusable_names("acme/lens", ["README.md", name])


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([(1, None), (2, 9)], 3), ([(1, None), (None, 4)], 5), ([(None, None)], None)],
)
def test_the_total_is_known_where_each_size_is(
    sizes: list[tuple[int | None, int | None]], expected: int | None
) -> None:
    """A hint counts where nothing better is known."""
    files = tuple(
        ListedFile(name=str(number), url="https://example.com/x", size=size, size_hint=hint)
        for number, (size, hint) in enumerate(sizes)
    )
    listing = Listing(
        source=HFModelSource(repo_id="acme/lens"),
        name="lens",
        files=files,
        is_folder=True,
        origin="https://example.com",
    )
    assert listing.size == expected
