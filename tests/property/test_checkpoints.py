from __future__ import annotations

import pickle
import tempfile
from contextlib import suppress
from math import prod
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import read_checkpoint
from modelshelf.formats.pickle_reader import read_pickle
from modelshelf.formats.pickle_values import CheckpointFault
from modelshelf.testing.tiny import TorchTensor, write_torch
from modelshelf.testing.tiny.payload import Piece, numbers
from tests.unit.formats.test_pickle_reader import Bytes, plain

pytestmark = pytest.mark.property

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: (
        "." not in name
        and name
        not in {"params", "params_ema", "params-ema", "state_dict", "model_state_dict", "model"}
        and name not in {"module", "net", "network", "generator", "net_g", "netG", "weights"}
    )
)
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
DTYPES = st.sampled_from(["F64", "F32", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "U32"])
TENSORS = st.builds(
    TorchTensor, DTYPES, SHAPES, offset=st.integers(0, 3), is_parameter=st.booleans()
)
WORDS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
PAYLOADS = st.dictionaries(
    NAMES, TENSORS | WORDS | st.dictionaries(NAMES, TENSORS | WORDS, max_size=4), max_size=6
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def expected(payload: object, prefix: str = "") -> dict[str, TorchTensor]:
    found: dict[str, TorchTensor] = {}
    if isinstance(payload, dict):
        for name, value in payload.items():
            if isinstance(value, TorchTensor):
                found[prefix + name] = value
            else:
                found |= expected(value, f"{prefix}{name}.")
    return found


class TestCheckpoints:
    """'checks every storage (key, dtype, offset, stride, size) against the archive'."""

    @given(PAYLOADS, st.booleans())
    def test_what_is_written_is_read(self, payload: dict[str, object], legacy: bool) -> None:  # noqa: FBT001 - hypothesis passes it
        """Names, dtypes, shapes and order come back, and each place holds the tensor's numbers."""
        with tempfile.TemporaryDirectory() as folder:
            path = write_torch(Path(folder) / "m.ckpt", payload, seed=1, legacy=legacy)
            raw, index = path.read_bytes(), read_checkpoint(path)
        tensors = expected(payload)
        assert list(index.tensors) == list(tensors)
        for name, tensor in tensors.items():
            entry = index.tensors[name]
            count = prod(tensor.shape)
            piece = Piece(f"1:{name}", tensor.offset, tensor.offset + count)
            assert (entry.dtype, entry.shape) == (tensor.dtype, tensor.shape)
            assert raw[entry.begin : entry.end] == b"".join(numbers(piece, tensor.dtype))
        assert index.findings == ()

    @given(PAYLOADS, st.booleans(), st.data())
    def test_damage_is_one_typed_error_or_goes_unseen(
        self,
        payload: dict[str, object],
        legacy: bool,  # noqa: FBT001 - hypothesis passes it
        data: st.DataObject,
    ) -> None:
        """Cut off, flipped or overwritten anywhere: never another exception."""
        with tempfile.TemporaryDirectory() as folder:
            path = write_torch(Path(folder) / "m.ckpt", payload, legacy=legacy, hollow=True)
            raw = bytearray(path.read_bytes())
            for _ in range(data.draw(st.integers(1, 4))):
                place = data.draw(st.integers(0, len(raw) - 1))
                raw[place] = data.draw(st.integers(0, 255))
            path.write_bytes(raw[: data.draw(st.integers(0, len(raw)) | st.just(len(raw)))])
            with suppress(FormatError):
                read_checkpoint(path)


class TestPickles:
    """'Nothing is ever executed or imported on the file's say-so'."""

    @given(PLAIN, st.integers(0, 5))
    def test_plain_values_are_read_as_the_standard_library_reads_them(
        self, value: object, protocol: int
    ) -> None:
        """The machine agrees with the reference wherever nothing needs to be called."""
        assert plain(read_pickle(Bytes(pickle.dumps(value, protocol))).value) == value

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_value_or_one_error(self, raw: bytes) -> None:
        """Opcodes in any order, with any argument."""
        with suppress(CheckpointFault):
            read_pickle(Bytes(b"\x80\x02" + raw))
