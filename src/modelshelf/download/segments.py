"""Who fetches which bytes: every missing byte belongs to exactly one connection at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FIRST_SEGMENT", "Segment", "Segments"]

FIRST_SEGMENT = 8 * 2**20
"""Bytes of the first request: a file up to this size is one exchange."""
_SMALLEST = 2**20
"""Bytes; below, asking takes longer than receiving."""
_LARGEST = 256 * 2**20
"""Bytes: what is asked for at once, however fast it comes."""
_SECONDS = 4.0
"""Of work that a segment should be. Longer, and a tail hurts; shorter, and asking shows."""
_WORTH_SPLITTING = 0.3
"""Seconds that a segment must still take for a second connection to be worth opening."""


@dataclass(slots=True, eq=False)
class Segment:
    """A range that one connection is fetching, from `position` on."""

    start: int
    """First byte that was asked for."""
    end: int
    """Byte after the last one that is wanted; moves down when somebody else takes the tail."""
    position: int
    """Next byte to come."""
    rate: float = 0.0
    """Bytes per second so far; 0 while nobody knows."""

    @property
    def left(self) -> int:
        """Bytes that are still wanted."""
        return self.end - self.position


class Segments:
    """Divides what a file is short of among connections. Pure; its owner holds the lock.

    The lowest bytes go first, so that a follower can hash them as they come. A segment is as long
    as its connection needs a few seconds for, and shorter towards the end, so that all connections
    end together; when nothing is left to give, the slowest one's tail is split.

    Args:
        missing: Half-open ranges, ascending and apart.

    Example:
        >>> segments = Segments([(0, 30_000_000)])
        >>> first = segments.take(rate=2_000_000.0, connections=1)
        >>> second = segments.take(rate=2_000_000.0, connections=2)
        >>> (first.start, first.end), (second.start, second.end)
        ((0, 8000000), (8000000, 13500000))
        >>> segments.give_back(second)
        >>> segments.unassigned
        22000000
    """

    def __init__(self, missing: Iterable[tuple[int, int]]) -> None:
        self._free = sorted((start, end) for start, end in missing if start < end)
        self._open: list[Segment] = []

    @property
    def unassigned(self) -> int:
        """Bytes that nobody is fetching."""
        return sum(end - start for start, end in self._free)

    @property
    def open(self) -> tuple[Segment, ...]:
        """What is being fetched."""
        return tuple(self._open)

    @property
    def done(self) -> bool:
        """Whether every byte has come."""
        return not self._free and not self._open

    @property
    def can_split(self) -> bool:
        """Whether another connection could take over somebody's tail."""
        return self._slowest() is not None

    def take(
        self, *, rate: float, connections: int, largest: int = _LARGEST, split: bool = True
    ) -> Segment | None:
        """Give a connection something to fetch.

        Args:
            rate: Bytes per second that it will probably reach; 0 where nobody knows.
            connections: How many are at work, this one included.
            largest: Bytes that may be given at most.
            split: Whether it may take over the tail of a slower one when nothing is free.

        Returns:
            A segment to be ended with `finish` or `give_back`; None when there is nothing to do.
        """
        if not self._free:
            return self._split(rate) if split else None
        start, end = self._free[0]
        end = min(end, start + self._length(rate, connections, largest))
        return self.take_at(start, end)

    def take_at(self, start: int, end: int) -> Segment:
        """Give out exactly these bytes, which must be free: an answer that is there brings them."""
        for index, (low, high) in enumerate(self._free):
            if low <= start and end <= high:
                rest = [(low, start), (end, high)]
                self._free[index : index + 1] = [span for span in rest if span[0] < span[1]]
                segment = Segment(start, end, start)
                self._open.append(segment)
                return segment
        message = f"bytes {start}-{end} are not free"
        raise ValueError(message)

    def advance(self, segment: Segment, count: int) -> None:
        """Note that *count* bytes of *segment* have come."""
        segment.position += count

    def finish(self, segment: Segment) -> None:
        """Let go of a segment whose bytes have all come."""
        self.give_back(segment)

    def give_back(self, segment: Segment) -> None:
        """Let go of a segment; what has not come is free again. Twice is once."""
        if segment not in self._open:
            return
        self._open.remove(segment)
        if segment.left > 0:
            self._free = _joined([*self._free, (segment.position, segment.end)])

    def _length(self, rate: float, connections: int, largest: int) -> int:
        wished = int(rate * _SECONDS) if rate else FIRST_SEGMENT
        if connections > 1:
            # Half of an equal share: the last segments become short, and all end together.
            wished = min(wished, self.unassigned // (2 * connections))
        return max(_SMALLEST, min(wished, largest))

    def _split(self, rate: float) -> Segment | None:
        slowest = self._slowest()
        if slowest is None:
            return None
        # Divided so that both end at the same time.
        faster = rate or slowest.rate or 1.0
        tail = int(slowest.left * faster / (faster + (slowest.rate or faster)))
        tail = max(_SMALLEST, min(tail, slowest.left - _SMALLEST))
        middle = slowest.end - tail
        segment = Segment(middle, slowest.end, middle)
        slowest.end = middle
        self._open.append(segment)
        return segment

    def _slowest(self) -> Segment | None:
        """Return the segment that ends last, if a second connection for it is worth opening."""
        slowest = max(self._open, key=_seconds_left, default=None)
        if slowest is None or slowest.left < 2 * _SMALLEST:
            return None
        return slowest if _seconds_left(slowest) >= _WORTH_SPLITTING else None


def _seconds_left(segment: Segment) -> float:
    """How long a segment will take; one of which nothing is known takes longer than any other."""
    return segment.left / segment.rate if segment.rate else float("inf") if segment.left else 0.0


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort, and make neighbours one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
