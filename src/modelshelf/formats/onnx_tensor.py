"""One stored tensor of an ONNX graph (message TensorProto): everything but its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.protobuf import LENGTH, VARINT, FieldReader
from modelshelf.schema.tensor import TensorEntry

__all__ = ["StoredTensor", "read_stored_tensor"]

_DTYPES: Mapping[int, tuple[str, int]] = MappingProxyType(
    {
        1: ("F32", 32), 2: ("U8", 8), 3: ("I8", 8), 4: ("U16", 16), 5: ("I16", 16),
        6: ("I32", 32), 7: ("I64", 64), 9: ("BOOL", 8), 10: ("F16", 16), 11: ("F64", 64),
        12: ("U32", 32), 13: ("U64", 64), 14: ("C64", 64), 15: ("C128", 128), 16: ("BF16", 16),
        17: ("F8_E4M3", 8), 18: ("F8_E4M3FNUZ", 8), 19: ("F8_E5M2", 8), 20: ("F8_E5M2FNUZ", 8),
        21: ("U4", 4), 22: ("I4", 4), 23: ("F4", 4), 24: ("F8_E8M0", 8), 25: ("U2", 2), 26: ("I2", 2),
    }
)  # fmt: skip
"""Numbers of TensorProto.DataType as safetensors calls them, and the bits of an element."""

_DIMS, _DATA_TYPE, _NAME, _RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 1, 2, 8, 9, 13, 14
_KEY, _VALUE = 1, 2
_EXTERNAL = 1
_MOST_DIMENSIONS = 32
_LONGEST_NAME = 4096
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor that a graph holds or refers to."""

    name: str
    """Exporters rename many, as `onnx::MatMul_123`."""
    entry: TensorEntry
    """Type, shape and place; no place where its numbers lie in another file or not as raw bytes."""
    file: str | None
    """The file that holds the numbers, as the graph spells it, untrusted; None where they are here."""


def read_stored_tensor(reader: FieldReader, end: int) -> StoredTensor:
    """Read the TensorProto that ends at offset *end*.

    Raises:
        FormatFault: A rule is broken.
    """
    draft = _Draft()
    for number, wire, value in reader.fields(end):
        if wire == VARINT:
            draft.take_number(number, value)
        elif wire == LENGTH:
            draft.take_bytes(number, reader, value)
        if len(draft.sides) > _MOST_DIMENSIONS:
            raise FormatFault(problem=f"`{draft.name}` has more than {_MOST_DIMENSIONS} dimensions")
    return draft.finish()


@dataclass(slots=True)
class _Draft:
    """A tensor half read: its fields come in any order."""

    name: str = ""
    sides: list[int] = field(default_factory=list)
    kind: int = 0
    place: tuple[int, int] = (0, 0)
    file: str = ""
    location: int = 0

    def take_number(self, number: int, value: int) -> None:
        if number == _DIMS:
            self.sides.append(value)
        elif number == _DATA_TYPE:
            self.kind = value
        elif number == _DATA_LOCATION:
            self.location = value

    def take_bytes(self, number: int, reader: FieldReader, end: int) -> None:
        if number == _DIMS:
            self.sides += reader.varints(end, at_most=_MOST_DIMENSIONS)
        elif number == _NAME:
            self.name = _checked_name(reader, end)
        elif number == _RAW_DATA:
            self.place = reader.offset, end
        elif number == _EXTERNAL_DATA:
            self.file = _location(reader, end) or self.file

    def finish(self) -> StoredTensor:
        shape = tuple(self.sides)
        if prod(shape) > _LARGEST or max(shape, default=0) > _LARGEST:
            raise FormatFault(problem=f"`{self.name}` has more elements than 63 bits can count")
        dtype, bits = _DTYPES.get(self.kind, (f"type {self.kind}", 0))
        length, needed = self.place[1] - self.place[0], -(-prod(shape) * bits // 8)
        if bits and self.place != (0, 0) and length != needed:
            what = f"{dtype} {list(shape)} takes {needed}"
            raise FormatFault(problem=f"`{self.name}` has {length} bytes, but {what}")
        file = self.file if self.location == _EXTERNAL else None
        return StoredTensor(self.name, TensorEntry(dtype, shape, *self.place), file)


def _checked_name(reader: FieldReader, end: int) -> str:
    name = reader.text(end, at_most=_LONGEST_NAME)
    if name is None:
        raise FormatFault(
            problem=f"expected a tensor's name of at most {_LONGEST_NAME} bytes at {reader.offset}"
        )
    return name


def _location(reader: FieldReader, end: int) -> str | None:
    """Return the file that one entry of `external_data` names, None for its other keys."""
    key: str | None = None
    text: str | None = None
    for number, wire, value in reader.fields(end):
        if wire == LENGTH and number == _KEY:
            key = reader.text(value, at_most=_LONGEST_NAME)
        elif wire == LENGTH and number == _VALUE:
            text = reader.text(value, at_most=_LONGEST_NAME)
    return text if key == "location" else None
