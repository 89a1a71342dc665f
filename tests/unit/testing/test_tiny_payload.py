"""The safetensors files that the makers write."""

from __future__ import annotations

import ctypes
import json
import struct
from pathlib import Path
from typing import Any

import pytest
import safetensors

from modelshelf.testing.tiny import header_bytes, write_safetensors
from modelshelf.testing.tiny.payload import DTYPE_BYTES

REFERENCE_NAMES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}
MIXED = {f"{'za'[number % 2]}{dtype}": (dtype, (2, 3)) for number, dtype in enumerate(DTYPE_BYTES)}


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    """Split a file into the header's entries and the bytes after it."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def tensor(path: Path, name: str) -> bytes:
    """Return the bytes of one tensor."""
    header, payload = read(path)
    begin, end = header[name]["data_offsets"]
    return payload[begin:end]


def as_reference(path: Path, metadata: dict[str, str] | None) -> bytes:
    """Serialize the same tensors with the reference writer."""
    header, _ = read(path)
    header.pop("__metadata__", None)
    buffers = {name: ctypes.create_string_buffer(tensor(path, name)) for name in header}
    specs = {
        name: safetensors.TensorSpec(
            dtype=REFERENCE_NAMES[str(entry["dtype"])],
            shape=entry["shape"],
            data_ptr=ctypes.addressof(buffers[name]),
            data_len=len(buffers[name]) - 1,
        )
        for name, entry in header.items()
    }
    return bytes(safetensors.serialize(specs, metadata))


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_bytes_are_the_reference_writers(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    """A file with every dtype is byte for byte what the reference writer makes of it."""
    path = write_safetensors(tmp_path / "a.safetensors", MIXED, seed=1, metadata=metadata)

    assert path.read_bytes() == as_reference(path, metadata)


def test_equal_seeds_give_equal_files(tmp_path: Path) -> None:
    """The bytes depend on the arguments alone."""
    first = write_safetensors(tmp_path / "a", MIXED, seed=1)
    second = write_safetensors(tmp_path / "b", MIXED, seed=1)

    assert first.read_bytes() == second.read_bytes()


def test_seeds_change_the_weights_and_not_the_header(tmp_path: Path) -> None:
    """Another seed leaves names and shapes as they are and changes the numbers."""
    first = read(write_safetensors(tmp_path / "a", {"w": ("F16", (4, 4))}, seed=1))
    second = read(write_safetensors(tmp_path / "b", {"w": ("F16", (4, 4))}, seed=2))

    assert first[0] == second[0]
    assert first[1] != second[1]


def test_a_tensor_has_the_same_weights_in_any_file(tmp_path: Path) -> None:
    """What lies beside a tensor does not change it."""
    alone = write_safetensors(tmp_path / "a", {"w": ("F32", (5,))}, seed=1)
    among = write_safetensors(tmp_path / "b", {"a": ("F32", (9,)), "w": ("F32", (5,))}, seed=1)

    assert tensor(alone, "w") == tensor(among, "w")


@pytest.mark.parametrize(("dtype", "code"), [("F16", "e"), ("F32", "f"), ("F64", "d")])
def test_numbers_are_finite_and_small(tmp_path: Path, dtype: str, code: str) -> None:
    """Every float lies between -2 and 2, on both sides of zero."""
    path = write_safetensors(tmp_path / "a", {"w": (dtype, (4096,))}, seed=1)
    numbers = struct.unpack(f"<4096{code}", tensor(path, "w"))

    assert all(-2 < number < 2 for number in numbers)
    assert min(numbers) < 0 < max(numbers)


def test_long_tensors_do_not_repeat(tmp_path: Path) -> None:
    """Blocks of a tensor that is made in several differ from each other."""
    path = write_safetensors(tmp_path / "a", {"w": ("F16", (3, 1 << 19))}, seed=1)
    payload = tensor(path, "w")

    assert len({payload[at : at + (1 << 20)] for at in range(0, len(payload), 1 << 20)}) == 3


def test_hollow_files_have_the_same_header_and_size(tmp_path: Path) -> None:
    """A hollow file differs from a full one in its weights alone."""
    full = write_safetensors(tmp_path / "a", MIXED, seed=1)
    hollow = write_safetensors(tmp_path / "b", MIXED, seed=1, hollow=True)

    assert read(full)[0] == read(hollow)[0]
    assert full.stat().st_size == hollow.stat().st_size
    assert set(read(hollow)[1]) == {0}


def test_hollow_files_cost_no_blocks(tmp_path: Path) -> None:
    """Sixteen gigabytes of weights take a few blocks for the header."""
    layout = {"w": ("F16", (1 << 13, 1 << 20))}
    path = write_safetensors(tmp_path / "a", layout, seed=1, hollow=True)

    assert path.stat().st_size == len(header_bytes(layout)) + (1 << 34)
    assert path.stat().st_blocks * 512 <= 1 << 16
