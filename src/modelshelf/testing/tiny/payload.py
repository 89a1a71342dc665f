"""Writes safetensors files as the reference writer would, with weights made from a seed.

Nothing here reads a file, and nothing is shared with the readers in `formats`: what these bytes
say, a reader must find by itself.

Source: the safetensors format and its reference writer (`safetensors/src/tensor.rs`): eight bytes
of header length, compact JSON with `__metadata__` first, tensors by dtype and then by name, spaces
up to a multiple of 8.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from blake3 import blake3

from modelshelf.testing.tiny.layout import Shape

__all__ = [
    "DTYPE_BYTES",
    "Piece",
    "Tensors",
    "header_bytes",
    "numbers",
    "payload_size",
    "write_safetensors",
]

Tensors = Mapping[str, tuple[str, Shape]]
"""Tensor names with dtype and shape."""

DTYPE_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1,
        "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
        "I32": 4, "U32": 4, "F32": 4,
        "F64": 8, "I64": 8, "U64": 8,
    }
)  # fmt: skip
"""Bytes of one number. The order is the reference writer's, which puts the last first."""

SMALL = bytes(byte & 0b1011_1111 for byte in range(256))
"""Clears the top bit of an exponent: no infinity, no NaN, nothing as large as 2."""

BLOCK = 1 << 20
"""Bytes made at a time: what a file costs in memory, whatever its size."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of another tensor's numbers."""

    stream: str
    """Seed and name of that tensor, as `seed:name`."""
    begin: int
    """The first that is taken."""
    end: int
    """The first that is not taken any more."""


def write_safetensors(
    path: Path | str,
    tensors: Tensors,
    *,
    seed: int | str,
    metadata: Mapping[str, str] | None = None,
    pieces: Mapping[str, Sequence[Piece]] | None = None,
    hollow: bool = False,
) -> Path:
    """Write *tensors* to *path*, byte for byte as the reference writer orders them.

    The weights of a tensor depend on *seed* and on its name alone: the same name in another file,
    in another place, has the same bytes. Floating point numbers are finite and between -2 and 2;
    whole numbers count up.

    Args:
        path: The file; folders above it are made, a file that is there is replaced.
        tensors: Names with dtype (as the format spells it, `F16`) and shape.
        seed: Equal seeds give equal files.
        metadata: Written as `__metadata__`; None or empty leaves it out.
        pieces: Of tensors that are made of others' weights (renamed, fused, exchanged halves):
            which.
        hollow: Write a true header and leave the weights a hole of zeros, which costs no disk.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_safetensors(f"{folder}/a.safetensors", {"w": ("F16", (2, 3))}, seed=0)
        ...     path.read_bytes()[8:60]
        b'{"w":{"dtype":"F16","shape":[2,3],"data_offsets":[0,'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(header_bytes(tensors, metadata=metadata))
        if hollow:
            file.truncate(file.tell() + payload_size(tensors))
        else:
            _write_payload(file, tensors, seed, pieces or {})
    return target


def header_bytes(tensors: Tensors, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Everything that stands before the weights: length, JSON and padding.

    Example:
        >>> header_bytes({"w": ("F16", (2,))})[8:]
        b'{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}  '
    """
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    begin = 0
    for name, (dtype, shape) in _in_order(tensors):
        end = begin + prod(shape) * DTYPE_BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def payload_size(tensors: Tensors) -> int:
    """Bytes of all weights together."""
    return sum(prod(shape) * DTYPE_BYTES[dtype] for dtype, shape in tensors.values())


def _in_order(tensors: Tensors) -> list[tuple[str, tuple[str, Shape]]]:
    rank = {dtype: -number for number, dtype in enumerate(DTYPE_BYTES)}
    return sorted(tensors.items(), key=lambda item: (rank[item[1][0]], item[0]))


def _write_payload(
    file: BinaryIO, tensors: Tensors, seed: int | str, pieces: Mapping[str, Sequence[Piece]]
) -> None:
    for name, (dtype, shape) in _in_order(tensors):
        for piece in pieces.get(name, (Piece(f"{seed}:{name}", 0, prod(shape)),)):
            file.writelines(numbers(piece, dtype))


def numbers(piece: Piece, dtype: str) -> Iterator[bytes]:
    """Make the bytes of *piece* in numbers of *dtype*, a block at a time."""
    size = DTYPE_BYTES[dtype]
    if "F" not in dtype:
        yield b"".join(number.to_bytes(size, "little") for number in range(piece.begin, piece.end))
        return
    source = blake3(piece.stream.encode())
    for at in range(piece.begin * size, piece.end * size, BLOCK):
        block = bytearray(source.digest(length=min(BLOCK, piece.end * size - at), seek=at))
        block[size - 1 :: size] = block[size - 1 :: size].translate(SMALL)
        yield bytes(block)
