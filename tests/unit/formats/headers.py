"""Tiny safetensors files for tests, written byte by byte without the code under test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "U8": 1, "F8_E4M3": 1, "I64": 8}

Shapes = Mapping[str, Sequence[int]]


def entries_of(shapes: Shapes, dtype: str = "F16") -> tuple[dict[str, object], int]:
    """Return header entries laid out one after the other, and the bytes that they take."""
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        begin, size = end, _BYTES[dtype]
        for side in shape:
            size *= side
        end = begin + size
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    return header, end


def write_raw(path: Path, header: bytes, size: int) -> Path:
    """Write any bytes as the header, and *size* bytes of hole behind it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        stream.truncate(8 + len(header) + size)
    return path


def write_safetensors(
    path: Path, shapes: Shapes, *, dtype: str = "F16", metadata: Mapping[str, str] | None = None
) -> Path:
    """Write a valid file whose weights are a hole: full-size shapes take no space on disk."""
    header, size = entries_of(shapes, dtype)
    if metadata is not None:
        header = {"__metadata__": dict(metadata), **header}
    return write_raw(path, json.dumps(header, separators=(",", ":")).encode(), size)
