"""Tensor names, shapes and places: what a header says about weights, without the weights."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import accumulate
from typing import NamedTuple

__all__ = ["Container", "TensorColumns", "TensorEntry", "TensorIndex", "TensorKind"]


class Container(StrEnum):
    """Ways of writing tensors into one file."""

    SAFETENSORS = "safetensors"
    PICKLE = "a PyTorch checkpoint"
    GGUF = "GGUF"
    ONNX = "ONNX"
    OTHER = "no container of tensors"


class TensorEntry(NamedTuple):
    """One tensor of a file.

    A named tuple, because a header holds thousands and it is made three times faster than a frozen
    dataclass.
    """

    dtype: str
    """Type label as safetensors writes it, such as `F16` or `BF16`; in GGUF the kind, such as `Q4_K`.
    Empty where a shard index names the tensor and the shard is missing: then only the name is known."""
    shape: tuple[int, ...]
    """Dimensions in torch order (out, in, …); empty for a scalar."""
    begin: int
    """First byte, counted from the start of the file; with *end* 0 where they are no single range."""
    end: int
    """One past the last byte, counted from the start of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class TensorKind:
    """What many tensors of a file have in common: a header of 3,000 has a few dozen kinds.

    Compared and hashed as the object that it is, which costs a tenth of looking at the shape.
    """

    dtype: str
    """As in `TensorEntry`."""
    shape: tuple[int, ...]
    """As in `TensorEntry`."""
    length: int
    """Bytes that each of them takes."""


class TensorColumns(Mapping[str, TensorEntry]):
    """The tensors of one file, kept by name and kind until somebody asks for an entry.

    A header of 3,000 tensors costs a third less so, and whoever wants names and shapes, as most rules
    do, never pays for the rest. To everybody else it is a mapping like any other, in file order.

    Example:
        >>> tensors = TensorColumns({"w": TensorKind("F16", (2, 3), 12)}, start=100)
        >>> tensors["w"]
        TensorEntry(dtype='F16', shape=(2, 3), begin=100, end=112)
    """

    __slots__ = ("_entries", "_start", "kinds")

    def __init__(self, kinds: Mapping[str, TensorKind], *, start: int) -> None:
        """Take what was read as it is, unchecked.

        Args:
            kinds: Name → kind, in file order; they lie one behind the other.
            start: Where the first begins, counted from the start of the file.
        """
        self.kinds = kinds
        """Name → kind, in file order."""
        self._start = start
        self._entries: dict[str, TensorEntry] | None = None

    def __getitem__(self, name: str) -> TensorEntry:
        # Asked thousands of times for one file, so without a call where the entries are there.
        entries = self._entries
        return self._all()[name] if entries is None else entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)

    def __contains__(self, name: object) -> bool:
        return name in self.kinds

    def __repr__(self) -> str:
        return repr(self._all())

    def items(self) -> ItemsView[str, TensorEntry]:
        """Return names with entries."""
        return self._all().items()

    def values(self) -> ValuesView[TensorEntry]:
        """Return the entries."""
        return self._all().values()

    def _all(self) -> dict[str, TensorEntry]:
        if self._entries is None:
            kinds = self.kinds.values()
            places = list(accumulate([kind.length for kind in kinds], initial=self._start))
            dtypes, shapes = [kind.dtype for kind in kinds], [kind.shape for kind in kinds]
            rows = zip(dtypes, shapes, places, places[1:], strict=False)
            # As `TensorEntry._make` without its count of the fields, in two thirds of the time.
            new: Callable[[tuple[object, ...]], TensorEntry] = partial(tuple.__new__, TensorEntry)
            self._entries = dict(zip(self.kinds, map(new, rows), strict=True))
        return self._entries


@dataclass(frozen=True, slots=True)
class TensorIndex:
    """All tensors of one file, or of the shards that together make one model."""

    tensors: Mapping[str, TensorEntry]
    """Name → entry, in file order."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The file's own text metadata (`__metadata__`): untrusted, evidence at most."""
    missing_shards: tuple[str, ...] = ()
    """Shards that an index file names and the folder lacks; empty when whole."""
    container: Container = Container.SAFETENSORS
    """What the tensors are written in."""
    findings: tuple[str, ...] = ()
    """What the reader refused or left alone and a person should know: sorted, one sentence each."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name → shape, in file order; ask once and keep it."""
        return {name: kind.shape for name, kind in self.kinds.items()}

    @property
    def kinds(self) -> Mapping[str, TensorKind]:
        """Name → kind, in file order; ask once and keep it."""
        if isinstance(self.tensors, TensorColumns):
            return self.tensors.kinds
        known: dict[tuple[str, tuple[int, ...], int], TensorKind] = {}
        kinds: dict[str, TensorKind] = {}
        for name, (dtype, shape, begin, end) in self.tensors.items():
            key = dtype, shape, end - begin
            kinds[name] = known.get(key) or known.setdefault(key, TensorKind(*key))
        return kinds

    @property
    def dtypes(self) -> frozenset[str]:
        """Every dtype that occurs."""
        if isinstance(self.tensors, TensorColumns):
            return frozenset({kind.dtype for kind in set(self.tensors.kinds.values())})
        return frozenset(entry.dtype for entry in self.tensors.values())

    @property
    def length(self) -> int:
        """Bytes that all tensors take together."""
        return sum([kind.length for kind in self.kinds.values()])

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of tensor *name*, or None where there is none."""
        if isinstance(self.tensors, TensorColumns):
            kind = self.tensors.kinds.get(name)
            return None if kind is None else kind.shape
        entry = self.tensors.get(name)
        return None if entry is None else entry.shape
