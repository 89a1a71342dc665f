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
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(header: bytes, size: int) -> TensorIndex:
    with tempfile.TemporaryDirectory() as folder:
        return read_safetensors(write_raw(Path(folder) / "m.safetensors", header, size))


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
