from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import InvalidOnnxError
from modelshelf.formats import read_onnx
from modelshelf.testing import tiny

pytestmark = pytest.mark.property

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
DTYPES = st.sampled_from(["F32", "F16", "BF16", "I64", "BOOL"])
TENSORS = st.dictionaries(NAMES, st.tuples(DTYPES, SHAPES), max_size=6)
SIDES = st.lists(st.integers(0, 2**40) | NAMES, max_size=4)
INPUTS = st.dictionaries(NAMES, SIDES, max_size=3)


class TestOnnx:
    """'typed error or honest `unknown`': what is valid is read as it is, all else is one error."""

    @given(TENSORS, INPUTS, st.none() | NAMES)
    def test_every_valid_file_is_read_as_it_is(
        self,
        tensors: dict[str, tuple[str, tuple[int, ...]]],
        inputs: dict[str, list[int | str]],
        external: str | None,
    ) -> None:
        """Names, types, shapes, order and inputs come back, wherever the weights lie."""
        with tempfile.TemporaryDirectory() as folder:
            path = tiny.write_onnx(
                Path(folder) / "m.onnx", tensors, inputs=inputs, external=external
            )
            index = read_onnx(path)
            size = path.stat().st_size
        found = [(name, one.dtype, one.shape) for name, one in index.tensors.items()]
        assert found == [(name, dtype, shape) for name, (dtype, shape) in tensors.items()]
        assert all(0 <= one.begin <= one.end <= size for one in index.tensors.values())
        for name in inputs.keys() - tensors.keys():
            sides = ", ".join(str(one) for one in inputs[name])
            assert index.metadata[f"input:{name}"] == f"[{sides}]"

    @given(TENSORS, INPUTS, st.data())
    def test_damage_is_a_typed_error_or_another_valid_file(
        self,
        tensors: dict[str, tuple[str, tuple[int, ...]]],
        inputs: dict[str, list[int | str]],
        data: st.DataObject,
    ) -> None:
        """Flipped, inserted, removed bytes anywhere: never another exception or a place outside."""
        with tempfile.TemporaryDirectory() as folder:
            path = tiny.write_onnx(Path(folder) / "m.onnx", tensors, inputs=inputs)
            raw = bytearray(path.read_bytes())
            for _ in range(data.draw(st.integers(1, 3))):
                at = data.draw(st.integers(0, len(raw)))
                raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
            path.write_bytes(raw)
            try:
                index = read_onnx(path)
            except InvalidOnnxError:
                return
        assert all(one.end <= len(raw) for one in index.tensors.values())

    @given(st.binary(max_size=200), st.sampled_from([b"", b"\x08\x08\x3a"]))
    def test_garbage_is_a_typed_error_or_a_graph(self, content: bytes, start: bytes) -> None:
        """Any bytes under the suffix, as a whole file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.onnx"
            path.write_bytes(start + content)
            try:
                read_onnx(path)
            except InvalidOnnxError:
                return
