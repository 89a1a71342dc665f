from __future__ import annotations

import pytest

from modelshelf.identify.folding import fold, group_by_fold

ODD = {
    "words that differ everywhere": [
        f"{first}.x{number}.weight" for first in "abcdefgh" for number in range(8)
    ],
    "words behind numbers of two digits": [
        f"blocks.{block}.attn{number}" for block in (10, 11) for number in (1, 2)
    ],
    "words behind a number that somebody wrote as a sign": [
        f"blocks.#.{block}.attn{number}" for block in (10, 11) for number in (1, 2)
    ],
}


@pytest.mark.parametrize("names", ODD.values(), ids=ODD)
def test_groups_are_what_folding_each_name_gives(names: list[str]) -> None:
    """However a group of names is looked at."""
    expected: dict[str, list[str]] = {}
    for name, folded in zip(names, fold(names), strict=True):
        expected.setdefault(folded, []).append(name)
    assert group_by_fold(names) == expected


def test_names_that_are_too_long_are_left_out() -> None:
    """No rule knows them, and looking costs time."""
    names = ["a.0.weight", "b" * 40, "a.1.weight", "line\nend" * 9]
    assert group_by_fold(names, longest=39) == {"a.#.weight": ["a.0.weight", "a.1.weight"]}
