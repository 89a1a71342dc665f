"""Writes the pickles that `torch.save` writes, opcode by opcode and without torch.

Nothing here reads a pickle, and nothing is shared with the reader in `formats`.

Source: pickle protocol 2 as PEP 307 and `pickletools` describe it, and what torch 1.6 to 2.13 writes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Shape

__all__ = ["ELEMENT_BYTES", "Opcodes", "TorchTensor", "stored_count", "torch_pickle"]

_STORAGES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "F64": ("DoubleStorage", 8), "F32": ("FloatStorage", 4), "F16": ("HalfStorage", 2),
        "BF16": ("BFloat16Storage", 2), "I64": ("LongStorage", 8), "I32": ("IntStorage", 4),
        "I16": ("ShortStorage", 2), "I8": ("CharStorage", 1), "U8": ("ByteStorage", 1),
        "BOOL": ("BoolStorage", 1),
    }
)  # fmt: skip
_UNTYPED: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "F8_E4M3": ("float8_e4m3fn", 1), "F8_E5M2": ("float8_e5m2", 1),
        "U16": ("uint16", 2), "U32": ("uint32", 4), "U64": ("uint64", 8),
    }
)  # fmt: skip
"""Numbers for which torch has no class of storage: they lie in an untyped one."""

ELEMENT_BYTES: Mapping[str, int] = MappingProxyType(
    {label: width for label, (_, width) in (*_STORAGES.items(), *_UNTYPED.items())}
)
"""Bytes of one number of each dtype that can be written."""

_SHORT = 256
_BATCH = 1_000
"""Items that are set at a time, as the standard pickler does."""


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """A tensor to be saved."""

    dtype: str
    """As safetensors spells it, `F16`."""
    shape: Shape
    """Sizes."""
    strides: Shape | None = None
    """Elements from one index to the next; None means row after row without gaps."""
    offset: int = 0
    """Element of the storage that it begins at."""
    storage: str = ""
    """Tensors with one word here share a storage; empty gives it its own."""
    elements: int | None = None
    """Elements of the storage; None means as many as the tensor has behind its offset."""
    is_parameter: bool = False
    """Saved as a parameter of a module."""

    @property
    def stored(self) -> int:
        """Elements of its storage."""
        return self.offset + prod(self.shape) if self.elements is None else self.elements


@dataclass(frozen=True, slots=True)
class Opcodes:
    """A value given as the opcodes that push it, for what no writer in its senses would write."""

    raw: bytes
    """One or more whole opcodes that leave one value on the stack."""


def stored_count(dtype: str, elements: int) -> int:
    """Return what torch counts in a storage of *elements* numbers: bytes, where it is untyped."""
    return elements if dtype in _STORAGES else elements * ELEMENT_BYTES[dtype]


Keyed = Callable[[str, TorchTensor], str]
"""Gives the key of the storage that the tensor of a name lies in."""


def torch_pickle(value: object, key: Keyed | None = None, *, legacy: bool = False) -> bytes:
    r"""Return the pickle of *value*: dicts, lists, tuples, plain values, tensors and `Opcodes`.

    Args:
        value: A dict is written as a plain dict, an `OrderedDict` as such.
        key: Gives each tensor the key of its storage; None numbers them by name.
        legacy: Name storages as torch did before 1.6, with a place for a view.

    Example:
        >>> torch_pickle({"a": 1})
        b'\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u.'
    """
    writer = _Writer(key or (lambda name, tensor: tensor.storage or name), legacy=legacy)
    writer.write("", value)
    return b"\x80\x02" + bytes(writer.raw) + b"."


class _Writer:
    """One pickle being written, with the memo of what was written before."""

    def __init__(self, key: Keyed, *, legacy: bool) -> None:
        self.raw = bytearray()
        self._legacy = legacy
        self._key = key
        self._memo: dict[str, int] = {}
        self._memos = 0

    def write(self, name: str, value: object) -> None:
        """Append *value*, which is called *name*."""
        match value:
            case TorchTensor():
                self._parameter(name, value) if value.is_parameter else self._tensor(name, value)
            case Opcodes():
                self.raw += value.raw
            case None | bool():
                self.raw += {None: b"N", True: b"\x88", False: b"\x89"}[value]
            case int():
                self._int(value)
            case float():
                self.raw += b"G" + struct.pack(">d", value)
            case str():
                self._text(value)
            case Mapping():
                self._mapping(name, value)
            case tuple():
                self._tuple(name, value)
            case Sequence():
                self._list(name, value)
            case _:
                raise TypeError(type(value).__name__)

    def _parameter(self, name: str, tensor: TorchTensor) -> None:
        self._name("torch._utils", "_rebuild_parameter")
        self._tensor(name, tensor)
        self.raw += b"\x88"
        self._empty_ordered_dict()
        self.raw += b"\x87"
        self._put()
        self.raw += b"R"
        self._put()

    def _tensor(self, name: str, tensor: TorchTensor) -> None:
        typed = tensor.dtype in _STORAGES
        strides = tensor.strides if tensor.strides is not None else _row_major(tensor.shape)
        self._name("torch._utils", f"_rebuild_tensor_v{2 if typed else 3}")
        self.raw += b"(("
        self._text("storage")
        if typed:
            self._name("torch", _STORAGES[tensor.dtype][0])
        else:
            self._name("torch.storage", "UntypedStorage")
        self._text(self._key(name, tensor))
        self._text("cpu")
        self._int(stored_count(tensor.dtype, tensor.stored))
        self.raw += b"Nt" if self._legacy else b"t"
        self._put()
        self.raw += b"Q"
        self._int(tensor.offset)
        self._tuple(name, tensor.shape)
        self._tuple(name, strides)
        self.raw += b"\x89"
        self._empty_ordered_dict()
        if not typed:
            self._name("torch", _UNTYPED[tensor.dtype][0])
        self.raw += b"t"
        self._put()
        self.raw += b"R"
        self._put()

    def _empty_ordered_dict(self) -> None:
        self._name("collections", "OrderedDict")
        self.raw += b")R"
        self._put()

    def _mapping(self, name: str, value: Mapping[object, object]) -> None:
        if type(value) is dict:
            self.raw += b"}"
            self._put()
        else:
            self._empty_ordered_dict()
        items = list(value.items())
        for at in range(0, len(items), _BATCH):
            self.raw += b"("
            for key, inner in items[at : at + _BATCH]:
                self.write(name, key)
                self.write(f"{name}.{key}" if name else str(key), inner)
            self.raw += b"u"

    def _list(self, name: str, value: Sequence[object]) -> None:
        self.raw += b"]"
        self._put()
        if value:
            self.raw += b"("
            for number, inner in enumerate(value):
                self.write(f"{name}.#{number}" if name else f"#{number}", inner)
            self.raw += b"e"

    def _tuple(self, name: str, value: tuple[object, ...]) -> None:
        if not value:
            self.raw += b")"
            return
        if len(value) > len("123"):
            self.raw += b"("
        for number, inner in enumerate(value):
            self.write(f"{name}.#{number}" if name else f"#{number}", inner)
        self.raw += {1: b"\x85", 2: b"\x86", 3: b"\x87"}.get(len(value), b"t")
        self._put()

    def _int(self, value: int) -> None:
        if 0 <= value < 1 << 8:
            self.raw += b"K" + bytes((value,))
        elif 0 <= value < 1 << 16:
            self.raw += b"M" + struct.pack("<H", value)
        elif -1 << 31 <= value < 1 << 31:
            self.raw += b"J" + struct.pack("<i", value)
        else:
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            short = len(raw) < _SHORT
            self.raw += (
                b"\x8a" + bytes((len(raw),)) if short else b"\x8b" + struct.pack("<i", len(raw))
            )
            self.raw += raw

    def _text(self, value: str) -> None:
        if self._got(f"text {value}"):
            return
        raw = value.encode()
        self.raw += b"X" + struct.pack("<I", len(raw)) + raw
        self._put(f"text {value}")

    def _name(self, module: str, name: str) -> None:
        if self._got(f"name {module} {name}"):
            return
        self.raw += f"c{module}\n{name}\n".encode()
        self._put(f"name {module} {name}")

    def _got(self, word: str) -> bool:
        number = self._memo.get(word)
        if number is None:
            return False
        short = number < _SHORT
        self.raw += b"h" + bytes((number,)) if short else b"j" + struct.pack("<I", number)
        return True

    def _put(self, word: str = "") -> None:
        number, self._memos = self._memos, self._memos + 1
        short = number < _SHORT
        self.raw += b"q" + bytes((number,)) if short else b"r" + struct.pack("<I", number)
        if word:
            self._memo[word] = number


def _row_major(shape: Shape) -> Shape:
    return tuple(prod(max(1, side) for side in shape[place + 1 :]) for place in range(len(shape)))
