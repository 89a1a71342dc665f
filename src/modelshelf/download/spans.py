"""Which bytes of a file are there: sets of half-open ranges."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

__all__ = ["Span", "Spans"]


class Span(NamedTuple):
    """The bytes from *start* up to and without *end*."""

    start: int
    """Offset of the first byte."""
    end: int
    """Offset after the last byte."""


class Spans:
    """A set of bytes, kept as few ranges. It never changes: `add` and `remove` return another one.

    That makes it safe to read from one thread while another replaces it. Ranges are sorted, are never empty and
    neither overlap nor touch, so equal sets are equal objects.

    Example:
        >>> held = Spans().add(0, 10).add(20, 30)
        >>> held.missing(40)
        Spans((10, 20), (30, 40))
        >>> held.add(10, 20).prefix
        30
        >>> held.total
        20
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        """Unite any ranges, in any order; empty ones count for nothing."""
        starts: list[int] = []
        ends: list[int] = []
        for start, end in sorted(spans):
            if end <= start:
                continue
            if ends and start <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        self._starts = tuple(starts)
        self._ends = tuple(ends)

    @classmethod
    def _trusted(cls, starts: tuple[int, ...], ends: tuple[int, ...]) -> Self:
        made = cls.__new__(cls)
        made._starts, made._ends = starts, ends  # noqa: SLF001 - its own class
        return made

    def add(self, start: int, end: int) -> Self:
        """Return these bytes and those from *start* up to *end*."""
        if end <= start:
            return self
        # All ranges that overlap or touch the new one become one with it.
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        return self._trusted(
            (*self._starts[:first], start, *self._starts[last:]),
            (*self._ends[:first], end, *self._ends[last:]),
        )

    def remove(self, start: int, end: int) -> Self:
        """Return these bytes without those from *start* up to *end*."""
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        if end <= start or first >= last:
            return self
        rest = [(self._starts[first], start), (end, self._ends[last - 1])]
        rest = [span for span in rest if span[0] < span[1]]
        return self._trusted(
            (*self._starts[:first], *(span[0] for span in rest), *self._starts[last:]),
            (*self._ends[:first], *(span[1] for span in rest), *self._ends[last:]),
        )

    def contains(self, start: int, end: int) -> bool:
        """Say whether every byte from *start* up to *end* is there; of none, all are."""
        return end <= self.run_end(start)

    def missing(self, size: int, start: int = 0) -> Self:
        """Return which bytes from *start* up to *size* are not there."""
        first = bisect_right(self._ends, start)
        last = max(first, bisect_left(self._starts, size))
        return type(self)(
            zip(
                (start, *self._ends[first:last]),
                (*self._starts[first:last], size),
                strict=True,
            )
        )

    def run_end(self, start: int) -> int:
        """Return the offset up to which every byte from *start* on is there; *start* where none is."""
        at = bisect_right(self._starts, start) - 1
        return max(start, self._ends[at]) if at >= 0 else start

    @property
    def prefix(self) -> int:
        """How many bytes are there from the very first on without a gap."""
        return self.run_end(0)

    @property
    def end(self) -> int:
        """Offset after the last byte that is there; 0 where there is none."""
        return self._ends[-1] if self._ends else 0

    @property
    def total(self) -> int:
        """How many bytes are there."""
        return sum(self._ends) - sum(self._starts)

    def __iter__(self) -> Iterator[Span]:
        return map(Span, self._starts, self._ends)

    def __len__(self) -> int:
        return len(self._starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spans):
            return NotImplemented
        return (self._starts, self._ends) == (other._starts, other._ends)

    def __hash__(self) -> int:
        return hash((self._starts, self._ends))

    def __repr__(self) -> str:
        return f"Spans({', '.join(str(tuple(span)) for span in self)})"
