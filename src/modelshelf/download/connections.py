"""How many connections a file is worth: more while more helps, never more than that."""

from __future__ import annotations

__all__ = ["ConnectionCount"]

_GLANCE = 0.1
"""Seconds that a step up is watched while the network is what everybody waits for."""
_LOOK = 0.25
"""Seconds of a measurement in which a tenth can be told from noise."""
_REVIEW = 10.0
"""Seconds until a number that was reached without proof is proved, and between failed attempts."""
_GAIN = 1.1
"""What twice as many connections must bring."""
_BUSY = 0.5
"""Share of a processor from which on the machine may be the limit, and not the network."""
_DROP = 0.5
"""A throughput that falls below this share of what was measured makes the measurement void."""


class ConnectionCount:
    """Finds the number of connections for one file: 1, 2, 4, 8. Pure; fed with measurements.

    While this machine mostly waits, the network is the limit, and what limits it is unknown: a host
    that allows each connection so much, in bursts maybe, looks the same as a slow line. So steps up
    are quick, and the number is put to the proof later: half of it for a moment, and if that brings
    as much, it stays at half. Where the processor is busy, a step stays only when it brings a tenth more.
    Where others keep it busy, no step is taken: more connections would take more of it from them.

    Args:
        limit: The most that may be used.

    Example:
        >>> count = ConnectionCount(8)
        >>> [count.feed(rate * 2e6, busy=0.02) for rate in (1, 2, 4, 8)]
        [2, 4, 8, 8]
        >>> fast = ConnectionCount(8)
        >>> [fast.feed(rate, busy=1.0) for rate in (1e9, 1e9, 0.8e9)]
        [1, 2, 1]
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._count = 1
        self._proven: float | None = None
        self._trying: int = 0
        self._next_look = _GLANCE
        self._review = _REVIEW
        self._settled = False

    @property
    def count(self) -> int:
        """How many there should be now."""
        return self._count

    @property
    def window(self) -> float:
        """Seconds after which `feed` wants the next measurement."""
        return self._next_look

    def feed(
        self,
        rate: float,
        *,
        busy: float,
        held_back: bool = False,
        starved: bool = False,
        outrun: bool = False,
    ) -> int:
        """Take the measurement of one window.

        Args:
            rate: Bytes per second of all connections together since the last call.
            busy: Processor time that was used meanwhile, as a share of one processor.
            held_back: Whether a rate limit of the user's is what slows it down.
            starved: Whether other programs leave too little of the processor to know what the network could do.
            outrun: Whether bytes came faster than they are taken care of: fewer connections would do.

        Returns:
            How many connections there should be from now on.
        """
        if outrun:
            self._count = max(1, self._count // 2)
            self._settle(rate)
            self._trying = 0
            if self._count > 1:
                self._next_look = _LOOK
        elif held_back:
            self._settle(rate)
        elif starved:
            self._hold()
        elif self._trying > 0:
            self._judge_more(rate)
        elif self._trying < 0:
            self._judge_fewer(rate)
        elif self._settled:
            self._review_later(rate, busy)
        else:
            self._climb(rate, busy)
        return self._count

    def _hold(self) -> None:
        """Take back a step that is being tried, for its measurement is void, and look again soon."""
        if self._trying > 0:
            self._count = max(1, self._count // 2)
        elif self._trying < 0:
            self._count = min(self._limit, self._count * 2)
        self._trying = 0
        self._next_look = self._review if self._settled else _LOOK

    def _climb(self, rate: float, busy: float) -> None:
        if self._count >= self._limit:
            self._settle(rate)
        elif busy < _BUSY:
            self._count = min(self._limit, self._count * 2)
            self._next_look = _GLANCE
        elif self._next_look < _LOOK:
            self._next_look = _LOOK  # a glance does not tell a tenth from noise
        else:
            self._try(rate, +1)

    def _try(self, rate: float, direction: int) -> None:
        self._proven = rate
        self._trying = direction
        self._count = (
            min(self._limit, self._count * 2) if direction > 0 else max(1, self._count // 2)
        )
        self._next_look = _LOOK if direction > 0 else 4 * _LOOK

    def _judge_more(self, rate: float) -> None:
        helped = rate >= _GAIN * (self._proven or 0.0)
        self._trying = 0
        if helped and self._count < self._limit:
            self._try(rate, +1)
            return
        if not helped:
            self._count = max(1, self._count // 2)
        self._settle(max(rate, self._proven or 0.0))

    def _judge_fewer(self, rate: float) -> None:
        self._trying = 0
        if rate * _GAIN < (self._proven or 0.0):
            self._count = min(self._limit, self._count * 2)
            self._settle(self._proven or rate)
        elif self._count > 1:
            self._try(rate, -1)
        else:
            self._settle(rate)

    def _settle(self, rate: float) -> None:
        self._settled = True
        self._proven = rate
        self._next_look = self._review

    def _review_later(self, rate: float, busy: float) -> None:
        # Each review costs something and mostly finds what the last one found.
        self._review = min(self._review * 2, 16 * _REVIEW)
        if busy < _BUSY and self._count > 1:
            self._try(rate, -1)
        elif self._count < self._limit and rate < _DROP * (self._proven or 0.0):
            self._settled = False
            self._next_look = _LOOK
        elif self._count < self._limit:
            self._try(rate, +1)
        else:
            self._settle(rate)
