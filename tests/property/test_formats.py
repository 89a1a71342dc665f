from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import InvalidJsonError, InvalidSafetensorsError
from modelshelf.formats import read_json, read_safetensors
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.formats.headers import entries_of, write_raw

pytestmark = pytest.mark.property

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(
    lambda name: name != "__metadata__"
)
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
DTYPES = st.sampled_from(["F32", "F16", "BF16", "U8", "F8_E4M3", "I64"])
HEADERS = st.dictionaries(NAMES, SHAPES, max_size=8)
METADATA = st.none() | st.dictionaries(
    NAMES, st.text(st.characters(exclude_categories=["Cs"])), max_size=3
)
LONG = st.dictionaries(
    st.text("abc._0123", min_size=40, max_size=60), SHAPES, min_size=2, max_size=5
)
PIECES = st.sampled_from(
    [*'"{}[]:,\\ 0', '":{"dtype":"', '","shape":[', '],"data_offsets":[', ']},"', '":]},"', "]}}"]
)
"""What stands between what differs in a header, whole and in parts."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(header: bytes, size: int) -> TensorIndex:
    with tempfile.TemporaryDirectory() as folder:
        return read_safetensors(write_raw(Path(folder) / "m.safetensors", header, size))


def content_of(header: bytes, size: int) -> object:
    """Return all that a header says, or None where it is none."""
    try:
        index = read(header, size)
    except InvalidSafetensorsError:
        return None
    return list(index.tensors.items()), index.metadata


def places_in(entry: object) -> tuple[int, int]:
    assert isinstance(entry, dict)
    begin, end = entry["data_offsets"]
    return begin, end


class TestSafetensors:
    """'validated to the letter of the format': what is valid is read, all else is one typed error."""

    @given(HEADERS, DTYPES, METADATA, st.integers(0, 9))
    def test_every_valid_header_is_read_as_it_is(
        self,
        shapes: dict[str, tuple[int, ...]],
        dtype: str,
        metadata: dict[str, str] | None,
        pad: int,
    ) -> None:
        """Names, shapes, dtypes, metadata and order come back, places count from the file's start."""
        header, size = entries_of(shapes, dtype)
        document = header if metadata is None else {"__metadata__": metadata, **header}
        raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b" " * pad
        found = read(raw, size)
        start = 8 + len(raw)
        assert list(found.tensors) == list(shapes)
        assert found.metadata == (metadata or {})
        for name, entry in found.tensors.items():
            begin, end = places_in(header[name])
            assert entry == TensorEntry(dtype, shapes[name], start + begin, start + end)

    @given(HEADERS, DTYPES, METADATA)
    def test_spelling_makes_no_difference(
        self, shapes: dict[str, tuple[int, ...]], dtype: str, metadata: dict[str, str] | None
    ) -> None:
        """The fast way for usual headers gives what the full parser gives for the same content."""
        header, size = entries_of(shapes, dtype)
        document = header if metadata is None else {"__metadata__": metadata, **header}
        usual = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        # Spaces behind every colon and escapes for all beyond ASCII: legal, and nobody's usual way.
        spaced = json.dumps(document).encode()
        spaced += b" " * max(0, len(usual) - len(spaced))
        usual += b" " * max(0, len(spaced) - len(usual))
        assert read(usual, size) == read(spaced, size)

    @given(HEADERS, st.data())
    def test_damage_is_a_typed_error_or_another_valid_header(
        self, shapes: dict[str, tuple[int, ...]], data: st.DataObject
    ) -> None:
        """Flipped, inserted, removed bytes anywhere: never another exception, never a wrong sum."""
        header, size = entries_of(shapes)
        raw = bytearray(json.dumps(header, separators=(",", ":")).encode())
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(raw)))
            raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        try:
            found = read(bytes(raw), size)
        except InvalidSafetensorsError:
            return
        assert sum(entry.end - entry.begin for entry in found.tensors.values()) == size

    @given(HEADERS, st.data())
    def test_pieces_in_wrong_places_are_no_way_around_the_full_parser(
        self, shapes: dict[str, tuple[int, ...]], data: st.DataObject
    ) -> None:
        """What is moved, exchanged or added may make another header, or none: the same for both ways."""
        header, size = entries_of(shapes)
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
        for _ in range(data.draw(st.integers(1, 4))):
            start, length = data.draw(st.integers(1, len(text))), data.draw(st.integers(0, 60))
            moved, rest = text[start : start + length], text[:start] + text[start + length :]
            at = data.draw(st.integers(1, len(rest)))
            text = rest[:at] + data.draw(st.just("") | PIECES) + moved + rest[at:]
        # A blank behind the first brace is legal, and nobody's usual way.
        usual, unusual = f"{text} ".encode(), f"{{ {text[1:]}".encode()
        assert content_of(usual, size) == content_of(unusual, size)

    @given(LONG, st.integers(1, 800), METADATA)
    def test_long_headers_are_read_as_short_ones(
        self,
        shapes: dict[str, tuple[int, ...]],
        copies: int,
        metadata: dict[str, str] | None,
    ) -> None:
        """Nothing is lost where a header of many entries is cut."""
        many = {f"{copy}.{name}": shape for copy in range(copies) for name, shape in shapes.items()}
        header, size = entries_of(many)
        document = header if metadata is None else {"__metadata__": metadata, **header}
        raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        found = read(raw, size)
        start = 8 + len(raw)
        places = [(start + begin, start + end) for begin, end in map(places_in, header.values())]
        assert [(entry.begin, entry.end) for entry in found.tensors.values()] == places
        assert {name: entry.shape for name, entry in found.tensors.items()} == many
        assert found.metadata == (metadata or {})

    @given(st.binary(max_size=300))
    def test_garbage_is_a_typed_error(self, content: bytes) -> None:
        """Any bytes under the suffix, as a whole file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.safetensors"
            path.write_bytes(content)
            if content[:10] == b"\2\0\0\0\0\0\0\0{}":
                return
            with pytest.raises(InvalidSafetensorsError):
                read_safetensors(path)

    @given(HEADERS.filter(bool), st.data())
    def test_every_truncation_is_found(
        self, shapes: dict[str, tuple[int, ...]], data: st.DataObject
    ) -> None:
        """Wherever a download stopped."""
        header, size = entries_of(shapes)
        with tempfile.TemporaryDirectory() as folder:
            path = write_raw(Path(folder) / "m.safetensors", json.dumps(header).encode(), size)
            with path.open("r+b") as stream:
                stream.truncate(data.draw(st.integers(0, path.stat().st_size - 1)))
            with pytest.raises(InvalidSafetensorsError):
                read_safetensors(path)

    @given(st.dictionaries(st.sampled_from(["a", "b", "__metadata__"]), JSON))
    def test_any_json_is_a_header_or_a_typed_error(self, document: dict[str, object]) -> None:
        """Wrong types in every place."""
        try:
            read(json.dumps(document).encode(), 0)
        except InvalidSafetensorsError:
            return


class TestJson:
    """'Bad input always ends in a clear error naming the file'."""

    @given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
    def test_any_bytes_are_a_document_or_a_typed_error(self, content: bytes) -> None:
        """Never another exception."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.json"
            path.write_bytes(content)
            try:
                document = read_json(path)
            except InvalidJsonError:
                return
        assert isinstance(document, dict | list)
