from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.errors import InvalidJsonError, InvalidSafetensorsError
from modelshelf.formats import read_json, read_safetensors
from tests.unit.formats.headers import Shapes, entries_of, write_raw, write_safetensors

MANY = {
    "lists": "[" + "[]," * 700_000 + "[]]",
    "texts": "[" + '"",' * 700_000 + "0]",
    "members": "{" + ",".join(f'"{number}":0' for number in range(400_000)) + "}",
}


@pytest.mark.parametrize("kind", MANY)
def test_a_document_of_too_many_values_is_refused_before_it_is_built(
    tmp_path: Path, kind: str
) -> None:
    """Three bytes in the file are sixty-four in memory."""
    path = tmp_path / "config.json"
    path.write_text(MANY[kind], encoding="utf-8")
    with pytest.raises(InvalidJsonError, match="expected at most 600000 values, got more"):
        read_json(path)


@pytest.mark.parametrize("kind", MANY)
def test_a_header_of_too_many_values_is_refused_before_it_is_built(
    tmp_path: Path, kind: str
) -> None:
    """Wherever in the header they stand."""
    raw = f'{{"__metadata__":{MANY[kind]}}}'.encode()
    with pytest.raises(InvalidSafetensorsError, match="at most 600000 values in the header"):
        read_safetensors(write_raw(tmp_path / "m", raw, 0))


def test_tensors_are_no_values_where_a_header_is_spelt_as_usual(tmp_path: Path) -> None:
    """They are read without building any: of a hundred thousand names that takes a tenth of a second."""
    shapes = dict.fromkeys((f"experts.{number}.weight" for number in range(100_000)), (2, 2))
    index = read_safetensors(write_safetensors(tmp_path / "usual", shapes))
    assert len(index.tensors) == 100_000
    header, size = entries_of(shapes)
    with pytest.raises(InvalidSafetensorsError, match="at most 600000 values in the header"):
        read_safetensors(write_raw(tmp_path / "spaced", json.dumps(header).encode(), size))


def test_tensors_of_which_no_two_are_alike_are_values(tmp_path: Path) -> None:
    """Each would be a kind of its own, and as large as ten names; models have a few dozen kinds."""
    shapes = {f"{number}": (number,) for number in range(70_000)}
    with pytest.raises(InvalidSafetensorsError, match="at most 600000 values in the header"):
        read_safetensors(write_safetensors(tmp_path / "m", shapes))


def test_one_wide_character_widens_no_other_name(tmp_path: Path) -> None:
    """Names are kept one by one; where all are wide, a file is left alone."""
    names = [f"{number}" + "x" * 2_000 for number in range(3_000)]
    one = dict.fromkeys([*names, "\N{OPEN BOOK}"], (1,))
    assert len(read_safetensors(write_wide(tmp_path / "one", one)).tensors) == 3_001
    every = {f"{name}\N{OPEN BOOK}": (1,) for name in names}
    with pytest.raises(InvalidSafetensorsError, match="bytes as text; more than 20971520"):
        read_safetensors(write_wide(tmp_path / "every", every))


def write_wide(path: Path, shapes: Shapes) -> Path:
    """Write the header with its characters as they are, as the format's own writer does."""
    header, size = entries_of(shapes)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
    return write_raw(path, text.encode(), size)


def test_long_metadata_is_no_reason_to_refuse_a_file(tmp_path: Path) -> None:
    """Trainers write megabytes of JSON into one text, and its commas are no values."""
    tags = json.dumps({"tags": {f'tag "{number}"': number for number in range(80_000)}})
    path = write_safetensors(tmp_path / "m", {"a": (1,)}, metadata={"ss_tag_frequency": tags})
    assert path.stat().st_size > 1 << 20
    assert read_safetensors(path).metadata == {"ss_tag_frequency": tags}


def test_a_header_of_many_megabytes_is_left_alone(tmp_path: Path) -> None:
    """The format allows a hundred; no file has ten."""
    path = write_raw(tmp_path / "m", b"{}" + b" " * (17 << 20), 0)
    with pytest.raises(InvalidSafetensorsError, match="more than 12582912 are not read"):
        read_safetensors(path)


@pytest.mark.parametrize("text", ['\\"' * 1_000_000, "\\\\" * 1_000_000 + "\\"])
def test_a_text_that_nobody_ends_is_gone_through_once(tmp_path: Path, text: str) -> None:
    """Not from each quote in it to the end: that took hours, for three megabytes."""
    path = tmp_path / "config.json"
    path.write_text(f'{{"a": "{text}', encoding="utf-8")
    with pytest.raises(InvalidJsonError):
        read_json(path)
    raw = f'{{"__metadata__":{{"a":"{text}'.encode()
    with pytest.raises(InvalidSafetensorsError):
        read_safetensors(write_raw(tmp_path / "m", raw, 0))


@pytest.mark.parametrize("emoji", ["\N{GRINNING FACE}", r"\ud83d\ude00", r"\\\ud83d\ude00"])
def test_a_text_that_an_emoji_makes_four_times_as_large_is_refused(
    tmp_path: Path, emoji: str
) -> None:
    """Also where it is written by its number."""
    path = tmp_path / "config.json"
    path.write_text(f'{{"a": "{"b" * 6_000_000}{emoji}"}}', encoding="utf-8")
    with pytest.raises(InvalidJsonError, match="expected at most 20971520 bytes of text, got 24"):
        read_json(path)


@pytest.mark.parametrize("text", ["\N{LATIN SMALL LETTER E WITH ACUTE}", r"\\ud83d", r"\n"])
def test_a_text_that_only_looks_so_is_read(tmp_path: Path, text: str) -> None:
    """Documents inside of documents have backslashes of their own."""
    path = tmp_path / "config.json"
    path.write_text(f'{{"a": "{"b" * 6_000_000}{text}"}}', encoding="utf-8")
    assert len(read_json(path)) == 1
