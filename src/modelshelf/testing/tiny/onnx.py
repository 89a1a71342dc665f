"""Writes ONNX files with stored tensors, inputs and outputs but no operators; weights are zeros.

Nothing is shared with the readers in `formats`: what these bytes say, a reader must find by itself.

Source: `onnx/onnx.proto` and protobuf's encoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Shape

__all__ = ["protobuf_field", "write_onnx"]

_DTYPES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "F32": (1, 4), "U8": (2, 1), "I8": (3, 1), "I32": (6, 4), "I64": (7, 8), "BOOL": (9, 1),
        "F16": (10, 2), "F64": (11, 8), "BF16": (16, 2), "F8_E4M3": (17, 1),
    }
)  # fmt: skip
"""Types with their number and the bytes of an element."""

Sides = Sequence[int | str]
"""A shape whose sides may be words, as exporters write what a user chooses."""

_Pieces = list[bytes | int]
"""Bytes in a row; a number stands for so many zeros."""


def write_onnx(
    path: Path | str,
    tensors: Mapping[str, tuple[str, Shape]],
    *,
    inputs: Mapping[str, Sides] | None = None,
    outputs: Mapping[str, Sides] | None = None,
    properties: Mapping[str, str] | None = None,
    external: str | None = None,
) -> Path:
    """Write an ONNX file whose weights take no space on disk.

    Args:
        path: The file; folders above it are made, a file that is there is replaced.
        tensors: Names with dtype (as safetensors spells it) and shape.
        inputs: Names of the graph's inputs with their shapes.
        outputs: Likewise of its outputs.
        properties: The model's own key-value pairs.
        external: Name of a file to refer to for all weights, which is not written; None puts them
            into this one.

    Returns:
        The path.
    """
    stored: _Pieces = []
    for name, (dtype, shape) in tensors.items():
        stored += _message(5, _tensor(name, dtype, shape, external))
    graph = [
        protobuf_field(2, b"tiny"),
        *stored,
        *(protobuf_field(11, _value(name, sides)) for name, sides in (inputs or {}).items()),
        *(protobuf_field(12, _value(name, sides)) for name, sides in (outputs or {}).items()),
    ]
    pieces = [
        protobuf_field(1, 8),
        protobuf_field(2, b"modelshelf"),
        *_message(7, graph),
        protobuf_field(8, protobuf_field(2, 17)),
        *(protobuf_field(14, _pair(key, text)) for key, text in (properties or {}).items()),
    ]
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for piece in pieces:
            if isinstance(piece, int):
                file.seek(piece, 1)
            else:
                file.write(piece)
        file.truncate()
    return target


def protobuf_field(number: int, value: int | bytes) -> bytes:
    r"""Encode one field: a whole number, or bytes, text or a message.

    Example:
        >>> protobuf_field(1, 300), protobuf_field(2, b"ab")
        (b'\x08\xac\x02', b'\x12\x02ab')
    """
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _message(number: int, pieces: _Pieces) -> _Pieces:
    size = sum(piece if isinstance(piece, int) else len(piece) for piece in pieces)
    return [_varint(number << 3 | 2) + _varint(size), *pieces]


def _tensor(name: str, dtype: str, shape: Shape, external: str | None) -> _Pieces:
    number, size = _DTYPES[dtype]
    head = b"".join(protobuf_field(1, side) for side in shape) + protobuf_field(2, number)
    head += protobuf_field(8, name.encode())
    if external is None:
        return [head + _varint(9 << 3 | 2) + _varint(prod(shape) * size), prod(shape) * size]
    return [
        head,
        protobuf_field(13, _pair("location", external)),
        protobuf_field(13, _pair("offset", "0")),
        protobuf_field(14, 1),
    ]


def _value(name: str, sides: Sides) -> bytes:
    shape = b"".join(
        protobuf_field(1, protobuf_field(1, one) if isinstance(one, int) else _word(one))
        for one in sides
    )
    kind = protobuf_field(1, protobuf_field(1, 1) + protobuf_field(2, shape))
    return protobuf_field(1, name.encode()) + protobuf_field(2, kind)


def _word(word: str) -> bytes:
    return protobuf_field(2, word.encode()) if word else b""


def _pair(key: str, text: str) -> bytes:
    return protobuf_field(1, key.encode()) + protobuf_field(2, text.encode())


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits in each byte
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
