from __future__ import annotations

import pytest

from modelshelf.records.yaml_edit import edit_record
from modelshelf.records.yaml_record import read_record
from modelshelf.records.yaml_text import Plain

ORDER = ("name", "path", "tags", "size", "vae")


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("  name: A  # c\n", {"name": "B"}, "  name: B  # c\n"),
        ("  name:   # c\n", {"name": "B"}, "  name: B   # c\n"),
        ("  name:\n", {"name": "B"}, "  name: B\n"),
        ("  name: 'A'\n", {"name": "it's"}, "  name: 'it''s'\n"),
        ('  name: "A"\n', {"name": 'a "b"'}, '  name: "a \\"b\\""\n'),
        ("  name: A\n", {"name": "A", "path": "p"}, "  name: A\n  path: p\n"),
        ("  path: p\n", {"name": "A", "path": "p"}, "  name: A\n  path: p\n"),
        ("  size: 1\n  # last\n", {"size": 1, "other": 2}, "  size: 1\n  other: 2\n  # last\n"),
        ("  name: A\n  size: 1 # gone\n", {"name": "A"}, "  name: A\n"),
        ("  tags: [a]  # c\n", {"tags": ["a", "b: c"]}, "  tags: [a, 'b: c']  # c\n"),
        ("  tags: []\n", {"tags": ["a"]}, "  tags: [a]\n"),
        ("  tags:  # c\n  - a\n  - b\n", {"tags": []}, "  tags: []  # c\n"),
        ("  tags:  # c\n  - a\n  - b\n", {"tags": "x"}, "  tags: x  # c\n"),
        (
            "  tags:\n  - a  # 1\n  # 2\n  - b\n",
            {"tags": ["c", "a"]},
            "  tags:\n  - c\n  - a  # 1\n  # 2\n",
        ),
        (
            "  tags:\n  -\n  # 2\n  name: x\n",
            {"tags": ["c"], "name": "x"},
            "  tags:\n    - c\n  # 2\n  name: x\n",
        ),
        ("  tags: x\n", {"tags": ["a"]}, "  tags:\n    - a\n"),
        ("  vae: |\n    a\n\n    # b\n\n  # c\n", {"vae": "x"}, "  vae: x\n\n  # c\n"),
        ("  vae: >-\n    a\n    b\n", {"vae": "a c\nd"}, "  vae: |-\n    a c\n    d\n"),
        ("  vae: a\n    b  # c\n", {"vae": "x"}, "  vae: x\n"),
        ("  vae: {a: 1, b: 2}\n", {"vae": {"a": 1}}, "  vae: {a: 1}\n"),
        ("  vae:\n    a: 1\n    b: 2 # c\n", {"vae": {"b": 3}}, "  vae:\n    b: 3 # c\n"),
        ("  vae:\n    a: 1\n", {"vae": {}}, "  vae: {}\n"),
    ],
)
def test_an_edit_writes_what_changes(before: str, wanted: dict[str, Plain], after: str) -> None:
    """And nothing beside it."""
    assert edit_record(f"k:\n{before}", wanted, ORDER) == f"k:\n{after}"


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("k: {name: A, size: 1}\n", {"name": "B: x", "size": 1}, "k: {name: 'B: x', size: 1}\n"),
        ("k: {name: A, # c\n size: 1}\n", {"size": 1, "vae": "v"}, "k: {size: 1, vae: v}\n"),
        ("k: {name: A, size: 1} # c\n", {"name": "A"}, "k: {name: A} # c\n"),
        ("k: {name: A, size: 1,}\n", {"name": "A", "vae": "x"}, "k: {name: A, vae: x,}\n"),
    ],
)
def test_a_record_in_brackets_is_edited_between_its_commas(
    before: str, wanted: dict[str, Plain], after: str
) -> None:
    """It stays in brackets; what is removed takes the comment behind its comma along."""
    assert edit_record(before, wanted, ORDER) == after


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("k:\n  # one\n  ? name\n  : A   # two\n  path: p\n", "# one"),
        ("k: {name, size: 1}\n", "k:"),
        ("k:\n  ? name\n  path: p # p\n", "k:"),
        ("k: {}\n", "k:"),
        ("k: {<<: {a: 1}, name}\n", "k:"),
    ],
)
def test_a_record_in_an_unusual_spelling_is_edited_too(before: str, kept: str) -> None:
    """By ruamel's round trip, or written anew where even that cannot follow."""
    wanted: dict[str, Plain] = {"name": "B", "vae": "v", "tags": ["a"]}
    edited = edit_record(before, wanted, ORDER)
    assert read_record(edited).fields == wanted
    assert kept in edited
