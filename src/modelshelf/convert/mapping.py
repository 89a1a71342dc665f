"""Where each tensor of a component comes from: names, rows and shapes, and never a number."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from modelshelf.schema.recipe import LARGEST_MATRIX, Piece, Span, Transposed
from modelshelf.schema.tensor import TensorEntry, TensorIndex

__all__ = ["Bundle", "Moved", "UnconvertibleError"]


_SIZES = (1, 2, 4, 8)
"""Bytes of a number that can be moved on its own."""


class UnconvertibleError(Exception):
    """A checkpoint is not laid out as its family's are, so it stays the file that it is."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)


class Moved(NamedTuple):
    """One tensor of a component, and the tensor of the checkpoint that holds its numbers."""

    target: str
    """Its name in the component."""
    source: str
    """Name in the checkpoint, behind the component's prefix."""
    shape: tuple[int, ...] | None = None
    """Its shape where that differs from the source's, number by number the same."""
    part: tuple[int, int] = (0, 1)
    """Which of how many equal row blocks of the source: (1, 3) is the second third."""
    is_transposed: bool = False
    """True where rows become columns."""


class Bundle:
    """The tensors of a checkpoint behind one prefix; asks to be used up."""

    def __init__(self, index: TensorIndex, prefix: str) -> None:
        self._entries = {
            name.removeprefix(prefix): entry
            for name, entry in index.tensors.items()
            if name.startswith(prefix)
        }
        self._used: set[str] = set()
        self._prefix = prefix
        self._sorted: list[str] | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """Return the shape of a tensor.

        Args:
            name: Its name, behind the prefix.
            rank: How many dimensions it must have at least.

        Raises:
            UnconvertibleError: There is none of this name, or it has fewer dimensions.
        """
        shape = self._entry(name).shape
        if len(shape) < rank:
            raise UnconvertibleError(
                reason=f"`{self._prefix}{name}` has {len(shape)} dimensions instead of {rank}"
            )
        return shape

    def matrix(self, name: str) -> tuple[int, int]:
        """Return rows and columns of a tensor that is a matrix.

        Raises:
            UnconvertibleError: There is none of this name, or it has more or fewer dimensions.
        """
        rows, columns, *further = self.shape(name, 2)
        if further:
            raise UnconvertibleError(reason=f"`{self._prefix}{name}` is no matrix")
        return rows, columns

    def count(self, start: str) -> int:
        """Return how many numbers follow *start* in the names, counted from 0 without a gap."""
        if self._sorted is None:
            self._sorted = sorted(self._entries)
        number = 0
        while self._begins(f"{start}{number}.", self._sorted):
            number += 1
        return number

    @staticmethod
    def _begins(start: str, names: list[str]) -> bool:
        place = bisect_left(names, start)
        return place < len(names) and names[place].startswith(start)

    def take(self, moved: Moved) -> tuple[TensorEntry, Piece]:
        """Return dtype and shape of a component's tensor, and the bytes that it is made of.

        Raises:
            UnconvertibleError: There is no such tensor, or not as one range of bytes.
        """
        entry = self._entry(moved.source)
        self._used.add(moved.source)
        number, parts = moved.part
        length, remainder = divmod(entry.end - entry.begin, parts)
        if remainder or not entry.end or (parts > 1 and entry.shape[0] % parts):
            raise UnconvertibleError(reason=f"`{self._prefix}{moved.source}` cannot be split")
        if moved.is_transposed:
            return self._transposed(moved, entry)
        shape = entry.shape if parts == 1 else (entry.shape[0] // parts, *entry.shape[1:])
        return (
            TensorEntry(entry.dtype, moved.shape or shape, 0, length),
            Span(0, entry.begin + number * length, length),
        )

    def _transposed(self, moved: Moved, entry: TensorEntry) -> tuple[TensorEntry, Piece]:
        rows, columns = self.matrix(moved.source)
        length = entry.end - entry.begin
        if length > LARGEST_MATRIX:
            raise UnconvertibleError(reason=f"`{self._prefix}{moved.source}` is far too large")
        itemsize = length // max(1, rows * columns)
        if itemsize not in _SIZES or itemsize * rows * columns != length:
            raise UnconvertibleError(reason=f"`{self._prefix}{moved.source}` is packed")
        return (
            TensorEntry(entry.dtype, (columns, rows), 0, length),
            Transposed(0, entry.begin, rows, columns, itemsize),
        )

    def check_used_up(self, *, but: Iterable[str] = ()) -> None:
        """Make sure that every tensor has found its place.

        Args:
            but: Beginnings of names that no component has, such as `position_ids`.

        Raises:
            UnconvertibleError: One has not, so the model has something that its family lacks.
        """
        spare = tuple(but)
        strangers = sorted(
            name for name in self._entries if name not in self._used and not name.startswith(spare)
        )
        if strangers:
            raise UnconvertibleError(
                reason=f"`{self._prefix}{strangers[0]}` has no place in its family"
            )

    def _entry(self, name: str) -> TensorEntry:
        try:
            return self._entries[name]
        except KeyError:
            raise UnconvertibleError(reason=f"`{self._prefix}{name}` is missing") from None


def moved_all(target: str, source: str, leaves: Iterable[str]) -> Iterator[Moved]:
    """Yield tensors of one module whose own names do not change."""
    for leaf in leaves:
        yield Moved(f"{target}.{leaf}", f"{source}.{leaf}")
