"""Writes GGUF files of versions 1 to 3 in either byte order, with weights that are a hole of zeros.

Nothing is shared with the readers in `formats`: what these bytes say, a reader must find by itself.

Source: the specification of GGUF (`ggml/docs/gguf.md`) and ggml's table of kinds.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Shape

__all__ = ["Value", "gguf_bytes", "write_gguf"]

Value = bool | int | float | str | Sequence[int] | Sequence[float] | Sequence[str]
"""What a field may hold; whole numbers are written as u32, or as i64 where they do not fit."""

_KINDS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "F32": (0, 1, 4), "F16": (1, 1, 2), "BF16": (30, 1, 2), "I32": (26, 1, 4),
        "Q4_0": (2, 32, 18), "Q5_0": (6, 32, 22), "Q8_0": (8, 32, 34), "Q2_K": (10, 256, 84),
        "Q3_K": (11, 256, 110), "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210),
    }
)  # fmt: skip
"""Kinds with their number, the elements of a block and its bytes."""
_U32, _I32, _F32, _BOOL, _STRING, _ARRAY, _I64 = 4, 5, 6, 7, 8, 9, 11
_TYPES: Mapping[type, int] = MappingProxyType({str: _STRING, bool: _BOOL, float: _F32})
_LARGEST_U32 = 2**32 - 1


def write_gguf(
    path: Path | str,
    tensors: Mapping[str, tuple[str, Shape]],
    *,
    fields: Mapping[str, Value] | None = None,
    version: int = 3,
    order: str = "<",
    alignment: int = 32,
) -> Path:
    """Write a sound GGUF file whose weights take no space on disk.

    Args:
        path: The file; folders above it are made, a file that is there is replaced.
        tensors: Names with kind (as ggml spells it, `Q4_K`) and shape in torch order.
        fields: Key-value pairs, in this order.
        version: 1, 2 or 3; the first counts with 32 bits.
        order: `<` for little-endian, `>` for big-endian.
        alignment: What tensors begin at multiples of. Another than 32 is not written into the fields.

    Returns:
        The path.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    header, size = gguf_bytes(
        tensors, fields=fields, version=version, order=order, alignment=alignment
    )
    with target.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    return target


def gguf_bytes(
    tensors: Mapping[str, tuple[str, Shape]],
    *,
    fields: Mapping[str, Value] | None = None,
    version: int = 3,
    order: str = "<",
    alignment: int = 32,
) -> tuple[bytes, int]:
    r"""Return everything before the weights, padding included, and the bytes that the weights take.

    Example:
        >>> header, size = gguf_bytes({"w": ("F16", (2, 3))})
        >>> header[:16], len(header), size
        (b'GGUF\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00', 96, 12)
    """
    writer = _Writer(order, wide=version > 1)
    writer.pack("I", version)
    writer.count(len(tensors))
    writer.count(len(fields or {}))
    for key, value in (fields or {}).items():
        writer.text(key)
        writer.value(value)
    end = 0
    for name, (kind, shape) in tensors.items():
        number, elements, size = _KINDS[kind]
        begin = -(-end // alignment) * alignment
        end = begin + prod(shape) // elements * size
        writer.text(name)
        writer.pack("I", len(shape))
        for side in reversed(shape):
            writer.count(side)
        writer.pack("IQ", number, begin)
    header = b"GGUF" + b"".join(writer.pieces)
    return header + b"\0" * (-len(header) % alignment), end


class _Writer:
    """Collects numbers and texts in one byte order."""

    def __init__(self, order: str, *, wide: bool) -> None:
        self.pieces: list[bytes] = []
        self._order = order
        self._count = "Q" if wide else "I"

    def pack(self, form: str, *numbers: float) -> None:
        self.pieces.append(struct.pack(self._order + form, *numbers))

    def count(self, number: int) -> None:
        self.pack(self._count, number)

    def text(self, text: str) -> None:
        raw = text.encode()
        self.count(len(raw))
        self.pieces.append(raw)

    def value(self, value: Value) -> None:
        if not isinstance(value, bool | int | float | str):
            kind = _kind_of(value[0]) if value else _I32
            self.pack("II", _ARRAY, _I32 if kind == _U32 else kind)
            self.count(len(value))
            for one in value:
                self._single(one, _I32 if kind == _U32 else kind)
            return
        kind = _kind_of(value)
        self.pack("I", kind)
        self._single(value, kind)

    def _single(self, value: float | str, kind: int) -> None:
        if isinstance(value, str):
            self.text(value)
        else:
            self.pack({_U32: "I", _I32: "i", _F32: "f", _BOOL: "?", _I64: "q"}[kind], value)


def _kind_of(value: float | str) -> int:
    if type(value) in _TYPES:
        return _TYPES[type(value)]
    return _U32 if 0 <= int(value) <= _LARGEST_U32 else _I64
