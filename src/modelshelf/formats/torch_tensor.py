"""Tensors as torch pickles them: a named way to rebuild each, and the storage that holds its numbers.

`torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …)` and its relatives are read, never
called. A storage is a persistent id, `("storage", class, key, location, count[, view])`.

Source: what `torch.save` of torch 0.1 to 2.13 writes, and the documentation of the format.
https://docs.pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from modelshelf.formats.pickle_values import (
    Call,
    CheckpointFault,
    Named,
    Stored,
    Table,
)
from modelshelf.schema.tensor import TensorEntry

__all__ = [
    "KNOWN_NAMES",
    "Locate",
    "Place",
    "Storage",
    "TensorReader",
    "is_tensor",
    "not_run",
    "storage_kind",
]

_STORAGES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "DoubleStorage": ("F64", 8),
        "FloatStorage": ("F32", 4),
        "HalfStorage": ("F16", 2),
        "BFloat16Storage": ("BF16", 2),
        "LongStorage": ("I64", 8),
        "IntStorage": ("I32", 4),
        "ShortStorage": ("I16", 2),
        "CharStorage": ("I8", 1),
        "ByteStorage": ("U8", 1),
        "BoolStorage": ("BOOL", 1),
        "ComplexFloatStorage": ("C64", 8),
        "ComplexDoubleStorage": ("C128", 16),
    }
)
_DTYPES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "float64": ("F64", 8),
        "float32": ("F32", 4),
        "float16": ("F16", 2),
        "bfloat16": ("BF16", 2),
        "float8_e4m3fn": ("F8_E4M3", 1),
        "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1),
        "float8_e5m2": ("F8_E5M2", 1),
        "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1),
        "float8_e8m0fnu": ("F8_E8M0", 1),
        "float4_e2m1fn_x2": ("F4", 1),
        "int64": ("I64", 8),
        "int32": ("I32", 4),
        "int16": ("I16", 2),
        "int8": ("I8", 1),
        "uint64": ("U64", 8),
        "uint32": ("U32", 4),
        "uint16": ("U16", 2),
        "uint8": ("U8", 1),
        "bool": ("BOOL", 1),
        "complex64": ("C64", 8),
        "complex128": ("C128", 16),
    }
)
"""Type labels, and bytes that one element takes in a storage."""
_KINDS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {f"torch.{name}": kind for name, kind in _STORAGES.items()}
    | {f"torch.cuda.{name}": kind for name, kind in _STORAGES.items()}
    | {f"torch.{name}": kind for name, kind in _DTYPES.items()}
)
_UNTYPED = frozenset({"torch.storage.UntypedStorage", "torch.UntypedStorage"})

_PLAIN = frozenset({"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"})
_TYPED = "torch._utils._rebuild_tensor_v3"
_HOLLOW = "torch._utils._rebuild_meta_tensor_no_storage"
_WRAPPED = frozenset(
    {"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"}
)
_SUBCLASS = "torch._tensor._rebuild_from_type_v2"
_REBUILT = _PLAIN | _WRAPPED | {_TYPED, _HOLLOW, _SUBCLASS}

KNOWN_NAMES = frozenset(_KINDS) | _UNTYPED | _REBUILT
"""What a pickle may name to describe a tensor."""

_MOST_DIMENSIONS = 64
_LARGEST = 2**63 - 1
_MOST_WRAPPERS = 8
_FACTS = range(5, 7)
"""Facts that name a storage: the last, of a view, only in old streams."""
_FACTS_OF_PLAIN = len(("storage", "offset", "shape", "strides"))
_FACTS_OF_USUAL = _FACTS_OF_PLAIN + len(("requires_grad", "hooks"))
_FACTS_OF_TYPED = _FACTS_OF_USUAL + len(("dtype",))
_SHOWN = 100
"""Characters of a name that an error repeats."""


class Place(NamedTuple):
    """Where a storage lies."""

    begin: int | None
    """Its first byte in the file; None where its bytes do not lie there as they are."""
    length: int
    """Bytes that it has, unpacked."""


Locate = Callable[[str], Place | None]
"""Says where the storage of a key lies; None where there is none."""


class Storage(NamedTuple):
    """The numbers behind one or more tensors."""

    dtype: str
    """Type label; empty where only the tensor knows."""
    width: int
    """Bytes of one element."""
    elements: int
    """How many."""
    begin: int | None
    """Its first byte in the file; None where its bytes do not lie there as they are."""


def storage_kind(facts: object) -> tuple[str, int] | None:
    """Return key and bytes of one element of the storage that *facts* name; None for anything else."""
    if not isinstance(facts, tuple) or len(facts) not in _FACTS or facts[0] != "storage":
        return None
    kind, key = facts[1], facts[2]
    if not isinstance(kind, Named) or not isinstance(key, str):
        return None
    width = 1 if kind.name in _UNTYPED else _KINDS.get(kind.name, ("", 0))[1]
    return (key, width) if width else None


def is_tensor(value: object) -> bool:
    """Return whether *value* is a tensor, one that can be read or one that cannot."""
    if type(value) is not Call:
        return False
    function = value.function
    return type(function) is Named and (function.name in _REBUILT or _is_strange(function.name))


def _is_strange(name: str) -> bool:
    """Return whether *name* rebuilds a tensor in a way that cannot be read: quantised, sparse and such."""
    module, _, function = name.rpartition(".")
    return function.startswith("_rebuild_") and module.partition(".")[0] in {"torch", "torchao"}


class TensorReader:
    """Checks tensors against the storages of one file.

    Args:
        locate: Where the storage of a key lies.
    """

    def __init__(self, locate: Locate) -> None:
        self._locate = locate
        self._storages: dict[str, Storage] = {}

    def entry(self, name: str, value: object) -> TensorEntry:
        """Return what the tensor *name*, written as *value*, is.

        Raises:
            CheckpointFault: It breaks a rule, or only running code could tell.
        """
        function, arguments = _unwrap(name, value)
        if function == _HOLLOW:
            return _hollow(name, arguments)
        expected = _FACTS_OF_TYPED if function == _TYPED else _FACTS_OF_PLAIN
        if len(arguments) < expected:
            raise _broken(name, f"is made of {len(arguments)} facts, expected {expected}")
        storage, base = self._storage(name, arguments[0])
        dtype, width, count = storage.dtype, storage.width, storage.elements
        if function == _TYPED:
            dtype, width = _kind(name, arguments[6])
            count = count * storage.width // width
        if not dtype:
            raise _broken(name, "does not say what its numbers are")
        offset, shape, strides = arguments[1:4]
        if type(offset) is not int or not 0 <= offset <= _LARGEST:
            raise _broken(name, f"begins at element {_shown(offset)} of its storage")
        begin = base + offset
        elements, is_contiguous = _extent(name, shape, strides)
        if begin + elements > count:
            raise _broken(
                name, f"reaches to element {begin + elements} of a storage that has {count}"
            )
        sides = _sides(dtype, shape)
        # What follows says that the numbers are to be conjugated or negated: not those in the file.
        is_changed = len(arguments) > _FACTS_OF_USUAL and any(
            isinstance(one, Table) and one.pairs for one in arguments[_FACTS_OF_USUAL:]
        )
        if storage.begin is None or not is_contiguous or is_changed:
            return TensorEntry(dtype, sides, 0, 0)
        first = storage.begin + begin * width
        return TensorEntry(dtype, sides, first, first + elements * width)

    def _storage(self, name: str, value: object) -> tuple[Storage, int]:
        """Return the storage that *value* stands for, and the element of it that a view begins at."""
        if type(value) is not Stored:
            raise not_run(name, value)
        facts = value.id
        if type(facts) is not tuple or len(facts) not in _FACTS or facts[0] != "storage":
            raise _broken(name, "has a storage that is named in no way that torch knows")
        kind, key, count = facts[1], facts[2], facts[4]
        if type(key) is not str or type(count) is not int or not 0 <= count <= _LARGEST:
            raise _broken(name, "has a storage without a key or a count of its elements")
        if type(kind) is not Named:
            raise _broken(name, "has a storage of no type")
        dtype, width = ("", 1) if kind.name in _UNTYPED else _kind(name, kind)
        storage = self._storages.get(key)
        if storage is None:
            begin = self._begin(name, key, count * width)
            storage = self._storages[key] = Storage(dtype, width, count, begin)
        elif storage[:3] != (dtype, width, count):
            shown = key[:_SHOWN]
            raise _broken(name, f"says of storage {shown!r} other things than a tensor before it")
        view = facts[5:]
        return storage, _view(name, view[0], count) if view and view[0] is not None else 0

    def _begin(self, name: str, key: str, length: int) -> int | None:
        place = self._locate(key)
        shown = key[:_SHOWN]
        if place is None:
            raise _broken(name, f"lies in storage {shown!r}, which the file lacks")
        if place.length != length:
            raise _broken(
                name, f"needs {length} bytes in storage {shown!r}, which has {place.length}"
            )
        return place.begin


def _unwrap(name: str, value: object) -> tuple[str, tuple[object, ...]]:
    """Take off what makes a parameter or a subclass of a tensor; return what is below."""
    if type(value) is not Call:
        raise not_run(name, value)
    function, arguments = value.function, value.arguments
    for _ in range(_MOST_WRAPPERS):
        if type(function) is not Named or type(arguments) is not tuple:
            raise _broken(name, "is made by nothing that has a name")
        if function.name in _WRAPPED and arguments:
            inner = arguments[0]
            if type(inner) is not Call:
                raise not_run(name, inner)
            function, arguments = inner.function, inner.arguments
        elif function.name == _SUBCLASS and len(arguments) > len(("function", "type")):
            function, arguments = arguments[0], arguments[2]
        elif function.name in _REBUILT:
            return function.name, arguments
        else:
            raise not_run(name, function)
    raise _broken(name, f"is wrapped more than {_MOST_WRAPPERS} times")


def _hollow(name: str, arguments: tuple[object, ...]) -> TensorEntry:
    """A tensor of the meta device: a shape without numbers."""
    if len(arguments) < len(("dtype", "shape", "strides")):
        raise _broken(name, f"is made of {len(arguments)} facts, expected 3")
    dtype, _ = _kind(name, arguments[0])
    shape = arguments[1]
    _extent(name, shape, arguments[2])
    return TensorEntry(dtype, _sides(dtype, shape), 0, 0)


def _extent(name: str, shape: object, strides: object) -> tuple[int, bool]:
    """Return how many elements lie from the first to the last, and whether they follow each other."""
    if type(shape) is not tuple or type(strides) is not tuple or len(shape) != len(strides):
        raise _broken(name, "has a shape and strides that do not fit")
    if len(shape) > _MOST_DIMENSIONS:
        raise _broken(name, f"has {len(shape)} dimensions")
    last, count, is_contiguous = 0, 1, True
    for side, stride in zip(reversed(shape), reversed(strides), strict=True):
        # bool is an int to Python; a side of True is no number to anybody.
        if type(side) is not int or type(stride) is not int or side < 0 or stride < 0:
            raise _broken(name, f"has a side of {_shown(side)} with stride {_shown(stride)}")
        if side != 1 and stride != count:
            is_contiguous = False
        last += (side - 1) * stride
        count *= side
    if last > _LARGEST or count > _LARGEST:
        raise _broken(name, "has more elements than 63 bits can count")
    return (last + 1, is_contiguous) if count else (0, True)


def _sides(dtype: str, shape: object) -> tuple[int, ...]:
    """Return the shape in numbers; two of four bits share the byte that torch counts."""
    sides: tuple[int, ...] = shape if isinstance(shape, tuple) else ()
    return (*sides[:-1], 2 * sides[-1]) if dtype == "F4" and sides else sides


def _view(name: str, view: object, count: int) -> int:
    """Return where a view of a storage begins: `(key, offset, count)`, in streams of old."""
    if type(view) is tuple and len(view) == len(("key", "offset", "count")):
        offset, length = view[1:]
        if type(offset) is int and type(length) is int and 0 <= offset <= offset + length <= count:
            return offset
    raise _broken(name, "is a view that leaves its storage")


def _kind(name: str, value: object) -> tuple[str, int]:
    kind = _KINDS.get(value.name) if type(value) is Named else None
    if kind is None:
        raise CheckpointFault(
            problem=f"`{name[:_SHOWN]}` has numbers of the type {_shown(value)}, which are not read",
            is_refused=True,
        )
    return kind


def not_run(name: str, value: object) -> CheckpointFault:
    """Return the error that the tensor *name* could be had only by running *value*."""
    return CheckpointFault(
        problem=f"`{name[:_SHOWN]}` could only be read by running {_shown(value)}", is_refused=True
    )


def _broken(name: str, fault: str) -> CheckpointFault:
    return CheckpointFault(problem=f"`{name[:_SHOWN]}` {fault}")


def _shown(value: object) -> str:
    """Return a few words for a value of any kind and size."""
    if type(value) is Call:
        value = value.function
    if type(value) is Named:
        return f"`{value.name[:_SHOWN]}`"
    if value is None or (type(value) is int and abs(value) <= _LARGEST):
        return str(value)
    kind = type(value).__name__.lower()
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
