from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import InvalidJsonError
from modelshelf.formats import read_json


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}),
        (b"[]", []),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        ('{"é": "\\n"}'.encode(), {"é": "\n"}),
    ],
)
def test_objects_and_arrays_are_read(tmp_path: Path, content: bytes, expected: object) -> None:
    """Of a key written twice the last counts, as for the programs that load these files."""
    assert read_json(write(tmp_path, content)) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expecting value at line 1 column 1"),
        (b'{"a": 1,}', "at line 1 column 9"),
        (b'"text"', "expected an object or array, got str"),
        (b"null", "expected an object or array, got NoneType"),
        (b'{"a": "\xff"}', "expected UTF-8, got byte 0xff at offset 7"),
        (b"[" * 101 + b"]" * 101, "nested deeper than 100 levels"),
        (b"[" * 100_000, "nested deeper than 100 levels"),
        (b"[" + b"9" * 5000 + b"]", "a number has too many digits"),
    ],
)
def test_anything_else_is_named_with_its_place(tmp_path: Path, content: bytes, words: str) -> None:
    """A typed error that names the file, whatever the bytes are."""
    path = write(tmp_path, content)
    with pytest.raises(InvalidJsonError) as caught:
        read_json(path)
    assert words in caught.value.problem
    assert str(path) in str(caught.value)


def test_a_hundred_levels_are_fine(tmp_path: Path) -> None:
    """No configuration comes near."""
    assert read_json(write(tmp_path, b"[" * 100 + b"]" * 100))


def test_length_is_bounded(tmp_path: Path) -> None:
    """A file of the right name and a wrong size is not swallowed whole."""
    path = write(tmp_path, b'{"a": "' + b"x" * 100 + b'"}')
    assert read_json(path, limit=109)
    with pytest.raises(InvalidJsonError, match="at most 108 bytes"):
        read_json(path, limit=108)


def test_all_text_can_be_written_as_utf_8(tmp_path: Path) -> None:
    """Programs cut texts in the middle of an emoji; a whole one is kept."""
    content = rb'{"a \ud83d\ude00": ["b \ud83d", {"\uDE00": 1e400}], "c": "\\ud800"}'
    expected = {"a \N{GRINNING FACE}": ["b ?", {"?": float("inf")}], "c": "\\ud800"}
    assert read_json(write(tmp_path, content)) == expected
