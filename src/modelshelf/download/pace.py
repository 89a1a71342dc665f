"""How fast bytes may come: a limit for all downloads together and one for each host, shared fairly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

from modelshelf.download.stop_signal import StopSignal

__all__ = ["Pace", "Portions"]

_AHEAD = 0.15
"""Seconds of a limit that may be made up for at once: 3 % of five seconds."""
_PORTION = 0.0125
"""Seconds of a limit that one portion is: after larger reads the system lets more come than was asked for."""
_SMALLEST = 512
"""Bytes; a portion below costs more than it is worth."""
_LONGEST_WAIT = 0.1
"""Seconds between two looks at the stop signal."""


@dataclass(slots=True, eq=False)
class _Wish:
    """One reader that waits for its portion."""

    flow: object
    host: str
    amount: int
    turn: float
    """Bytes that its flow had when it asked, on the clock of shares: the smallest goes first."""


@dataclass(slots=True)
class _Meter:
    """One limit: what may still be used, below zero while it is to be paid back."""

    limit: float
    level: float
    at: float

    def refill(self, now: float) -> None:
        self.level = min(self.limit * _AHEAD, self.level + self.limit * (now - self.at))
        self.at = now

    def wait(self) -> float:
        return 0.0 if self.level >= 0 else -self.level / self.limit


class Portions:
    """Who may read how much, and when: the arithmetic of `Pace`, without threads. Time is an argument.

    Readers get small portions. Between flows, that is downloads, the one that had least comes first,
    however many readers it has; within a flow the first that asked.

    Args:
        limit: Bytes per second of all flows together; None for as fast as they come.
        per_host: Bytes per second of all flows from one host; None likewise.

    Example:
        >>> portions = Portions(limit=1000.0)
        >>> portions.ask("a", "host", 50_000, now=0.0).amount
        512
        >>> portions.next(now=0.0)
        0.0
    """

    def __init__(self, *, limit: float | None, per_host: float | None = None) -> None:
        self._limit = limit
        self._per_host = per_host
        self._all: _Meter | None = None
        self._hosts: dict[str, _Meter] = {}
        self._wishes: list[_Wish] = []
        self._had: dict[object, float] = {}
        self._share_clock = 0.0

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self._limit is not None or self._per_host is not None

    @property
    def largest(self) -> int | None:
        """Bytes of the largest portion; None without a limit."""
        limits = [limit for limit in (self._limit, self._per_host) if limit is not None]
        return max(_SMALLEST, int(min(limits) * _PORTION)) if limits else None

    def change(self, *, limit: float | None, per_host: float | None) -> None:
        """Set other limits, from now on."""
        self._limit, self._per_host = limit, per_host
        self._all = None
        self._hosts.clear()

    def ask(self, flow: object, host: str, amount: int, *, now: float) -> _Wish:
        """Queue up for at most *amount* bytes; `next` says when it is the wish's turn."""
        largest = self.largest
        amount = amount if largest is None else min(amount, largest)
        turn = max(self._share_clock, self._had.get(flow, 0.0))
        self._had[flow] = turn + amount
        wish = _Wish(flow, host, amount, turn)
        self._wishes.append(wish)
        self._meters(host, now)
        return wish

    def next(self, *, now: float) -> float:
        """Say in how many seconds somebody may read; 0.0 for now, infinity when nobody waits."""
        return min((self._wait(wish, now) for wish in self._wishes), default=float("inf"))

    def grant(self, *, now: float) -> _Wish | None:
        """Take the wish whose turn it is out of the queue, and charge for it; None while all wait."""
        ready = [wish for wish in self._wishes if self._wait(wish, now) <= 0]
        if not ready:
            return None
        wish = min(ready, key=lambda each: each.turn)
        self._wishes.remove(wish)
        self._share_clock = max(self._share_clock, wish.turn)
        for meter in self._meters(wish.host, now):
            meter.level -= wish.amount
        return wish

    def forget(self, wish: _Wish) -> None:
        """Take a wish back that was not granted."""
        if wish in self._wishes:
            self._wishes.remove(wish)
            self._had[wish.flow] -= wish.amount

    def refund(self, flow: object, host: str, amount: int, *, now: float) -> None:
        """Give back what was granted and not used."""
        for meter in self._meters(host, now):
            meter.level = min(meter.limit * _AHEAD, meter.level + amount)
        if flow in self._had:
            self._had[flow] -= amount

    def leave(self, flow: object) -> None:
        """Forget a flow that has ended."""
        self._had.pop(flow, None)

    def _meters(self, host: str, now: float) -> list[_Meter]:
        meters = []
        if self._limit is not None:
            if self._all is None:
                self._all = _Meter(self._limit, 0.0, now)
            meters.append(self._all)
        if self._per_host is not None:
            meters.append(self._hosts.setdefault(host, _Meter(self._per_host, 0.0, now)))
        for meter in meters:
            meter.refill(now)
        return meters

    def _wait(self, wish: _Wish, now: float) -> float:
        return max((meter.wait() for meter in self._meters(wish.host, now)), default=0.0)


class Pace:
    """Makes readers wait so that limits hold. Shared by all downloads; safe in any thread.

    Within any five seconds no more comes than five seconds' worth and 5 %.

    Args:
        limit: Bytes per second of everything together; None for as fast as it comes.
        per_host: Bytes per second of everything that comes from one host; None likewise.
        clock: Monotonic seconds.

    Example:
        >>> from modelshelf.download.stop_signal import StopSignal
        >>> pace = Pace()
        >>> pace.take(1_000_000, flow="job", host="a.example", stop=StopSignal())
        1000000
    """

    def __init__(
        self,
        limit: float | None = None,
        *,
        per_host: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._portions = Portions(limit=limit, per_host=per_host)
        self._granted: set[int] = set()
        self._changed = Condition()

    @property
    def limited(self) -> bool:
        """Whether readers may have to wait."""
        return self._portions.limited

    def change(self, limit: float | None, *, per_host: float | None = None) -> None:
        """Set other limits; readers that wait feel it at once."""
        with self._changed:
            self._portions.change(limit=limit, per_host=per_host)
            self._changed.notify_all()

    def take(self, wanted: int, *, flow: object, host: str, stop: StopSignal) -> int:
        """Wait until some bytes may be read.

        Args:
            wanted: Bytes that the reader has room for.
            flow: The download it reads for: each gets an equal share, however many readers it has.
            host: Whom it reads from.
            stop: Ends the waiting.

        Returns:
            How many bytes may be read now, 1 to *wanted*; 0 when *stop* was said. What is not read
            after all goes back with `refund`.
        """
        if not self._portions.limited:
            return wanted
        with self._changed:
            wish = self._portions.ask(flow, host, wanted, now=self._clock())
            while stop.kind is None:
                if id(wish) in self._granted:
                    self._granted.discard(id(wish))
                    return wish.amount
                now = self._clock()
                granted = self._portions.grant(now=now)
                if granted is wish:
                    return wish.amount
                if granted is not None:
                    self._granted.add(id(granted))
                    self._changed.notify_all()
                    continue
                self._changed.wait(min(self._portions.next(now=now), _LONGEST_WAIT))
            if id(wish) in self._granted:
                self._granted.discard(id(wish))
                self._portions.refund(flow, host, wish.amount, now=self._clock())
            self._portions.forget(wish)
            return 0

    def refund(self, amount: int, *, flow: object, host: str) -> None:
        """Give back what was taken and not read."""
        if amount and self._portions.limited:
            with self._changed:
                self._portions.refund(flow, host, amount, now=self._clock())
                self._changed.notify_all()

    def leave(self, flow: object) -> None:
        """Forget a download that has ended."""
        with self._changed:
            self._portions.leave(flow)
