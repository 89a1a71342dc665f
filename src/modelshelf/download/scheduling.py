"""Who is next: jobs in the order of their priority, then of their submission."""

from __future__ import annotations

import heapq

__all__ = ["WaitingLine"]


class WaitingLine:
    """The jobs that wait for their turn. Not for use by two threads at once.

    Example:
        >>> line = WaitingLine()
        >>> for number, priority in enumerate([10, 10, 1]):
        ...     line.add(number, priority)
        >>> line.add(0, 20)
        >>> line.remove(2)
        >>> line.next(), line.next(), line.next()
        (1, 0, None)
    """

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        # What was moved or removed stays on the heap until it comes to the front.
        self._heap: list[tuple[int, int]] = []

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def __bool__(self) -> bool:
        return bool(self._places)

    def add(self, number: int, priority: int) -> None:
        """Let a job wait, or give one that waits another priority.

        Args:
            number: Its id; ids rise in the order of submission.
            priority: Lower ones are served first.
        """
        self._places[number] = priority
        heapq.heappush(self._heap, (priority, number))

    def remove(self, number: int) -> None:
        """Let it wait no longer, if it did."""
        self._places.pop(number, None)

    def next(self) -> int | None:
        """Take whose turn it is out of the line; None where nobody waits."""
        while self._heap:
            priority, number = heapq.heappop(self._heap)
            if self._places.get(number) == priority:
                del self._places[number]
                return number
        return None
