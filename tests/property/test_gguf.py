from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import InvalidGgufError
from modelshelf.formats import read_gguf
from modelshelf.schema.tensor import TensorIndex
from modelshelf.testing import tiny

pytestmark = pytest.mark.property

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
KINDS = st.sampled_from(["F32", "F16", "BF16", "I32"])
TENSORS = st.dictionaries(NAMES, st.tuples(KINDS, SHAPES), max_size=6)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
VALUES = (
    WORDS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.lists(WORDS, max_size=3)
    | st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)
)
FIELDS = st.dictionaries(NAMES.filter(lambda name: "." not in name), VALUES, max_size=4)
FORMS = st.sampled_from([(1, "<"), (2, "<"), (3, "<"), (3, ">")])


def read(header: bytes, size: int) -> TensorIndex:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        path.write_bytes(header + b"\0" * size)
        return read_gguf(path)


class TestGguf:
    """'typed error or honest `unknown`': what is valid is read as it is, all else is one error."""

    @given(TENSORS, FIELDS, FORMS)
    def test_every_valid_header_is_read_as_it_is(
        self,
        tensors: dict[str, tuple[str, tuple[int, ...]]],
        fields: dict[str, tiny.Value],
        form: tuple[int, str],
    ) -> None:
        """Names, kinds, shapes and order come back from every version and byte order."""
        version, order = form
        index = read(*tiny.gguf_bytes(tensors, fields=fields, version=version, order=order))
        found = [(name, one.dtype, one.shape) for name, one in index.tensors.items()]
        assert found == [(name, kind, shape) for name, (kind, shape) in tensors.items()]
        texts = {key: value for key, value in fields.items() if isinstance(value, str)}
        assert {key: index.metadata[key] for key in texts} == texts

    @given(st.lists(WORDS, max_size=400), FORMS)
    def test_a_vocabulary_of_any_words_is_stepped_over(
        self, words: list[str], form: tuple[int, str]
    ) -> None:
        """The quick way over short strings ends where the slow one does."""
        version, order = form
        fields: dict[str, tiny.Value] = {"words": words, "after": "here"}
        index = read(*tiny.gguf_bytes({}, fields=fields, version=version, order=order))
        assert index.metadata == {"after": "here"}

    @given(TENSORS, FIELDS, FORMS, st.data())
    def test_damage_is_a_typed_error_or_another_valid_header(
        self,
        tensors: dict[str, tuple[str, tuple[int, ...]]],
        fields: dict[str, tiny.Value],
        form: tuple[int, str],
        data: st.DataObject,
    ) -> None:
        """Flipped, inserted, removed bytes anywhere: never another exception or a place outside."""
        header, size = tiny.gguf_bytes(tensors, fields=fields, version=form[0], order=form[1])
        raw = bytearray(header)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(raw)))
            raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        try:
            index = read(bytes(raw), size)
        except InvalidGgufError:
            return
        assert all(one.end <= len(raw) + size for one in index.tensors.values())

    @given(st.binary(max_size=200), st.sampled_from([b"", b"GGUF\3\0\0\0"]))
    def test_garbage_is_a_typed_error_or_a_header(self, content: bytes, start: bytes) -> None:
        """Any bytes under the suffix, as a whole file."""
        try:
            read(start + content, 0)
        except InvalidGgufError:
            return
        assert start
