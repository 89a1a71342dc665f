"""Manners: how many connections a host gets, and when it wants to be left alone."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from threading import Condition

from modelshelf.download.stop_signal import StopSignal

__all__ = ["Hosts"]

_LONGEST_WAIT = 0.1
"""Seconds between two looks at the stop signal."""


class Hosts:
    """What all downloads together owe to each host. Shared by them; safe in any thread.

    Connections are granted in the order in which they are asked for, except that a download that
    has none comes before one that wants more. Who holds several gives one up when `wanted` says
    that somebody has none.

    Args:
        connections_per_host: How many connections a host gets at most, 1 or more.
        clock: Monotonic seconds.

    Example:
        >>> hosts = Hosts(connections_per_host=2)
        >>> hosts.try_acquire("a.example", "first"), hosts.try_acquire("a.example", "first")
        (True, True)
        >>> hosts.try_acquire("a.example", "second")
        False
        >>> hosts.release("a.example", "first")
        >>> hosts.try_acquire("a.example", "second")
        True
    """

    def __init__(
        self, connections_per_host: int = 8, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = connections_per_host
        self._clock = clock
        self._changed = Condition()
        self._rests: dict[str, float] = {}
        self._held: dict[str, Counter[object]] = {}
        self._waiting: dict[str, deque[object]] = {}

    @property
    def connections_per_host(self) -> int:
        """How many connections a host gets at most."""
        return self._limit

    def limit_connections(self, connections_per_host: int) -> None:
        """Change the limit. Connections beyond it are not cut, but none is added."""
        with self._changed:
            self._limit = connections_per_host
            self._changed.notify_all()

    def rest(self, host: str, seconds: float) -> None:
        """Leave *host* alone for *seconds* from now on; a longer rest that it already has stays."""
        with self._changed:
            until = self._clock() + seconds
            self._rests[host] = max(until, self._rests.get(host, until))

    def rest_left(self, host: str) -> float:
        """Seconds for which nobody may ask *host*; 0 when it may be asked."""
        with self._changed:
            until = self._rests.get(host)
            if until is None:
                return 0.0
            left = until - self._clock()
            if left <= 0:
                del self._rests[host]
            return max(0.0, left)

    def await_rest(self, host: str, stop: StopSignal) -> bool:
        """Wait until *host* may be asked.

        Returns:
            False when *stop* was said meanwhile.
        """
        while (left := self.rest_left(host)) > 0:
            if stop.wait(left):
                return False
        return stop.kind is None

    def try_acquire(self, host: str, holder: object) -> bool:
        """Take a connection to *host* for the download *holder*, if one is free and nobody waits."""
        with self._changed:
            if self._waiting.get(host) or self._in_use(host) >= self._limit:
                return False
            self._grant(host, holder)
            return True

    def acquire(self, host: str, holder: object, stop: StopSignal) -> bool:
        """Wait for a connection to *host* for the download *holder*.

        Returns:
            False when *stop* was said meanwhile; nothing is held then.
        """
        with self._changed:
            waiting = self._waiting.setdefault(host, deque())
            waiting.append(holder)
            granted = False
            while not granted and stop.kind is None:
                granted = self._next(host) is holder and self._in_use(host) < self._limit
                if granted:
                    self._grant(host, holder)
                else:
                    self._changed.wait(_LONGEST_WAIT)
            waiting.remove(holder)
            if not waiting:
                del self._waiting[host]
            self._changed.notify_all()
            return granted

    def release(self, host: str, holder: object) -> None:
        """Give a connection back."""
        with self._changed:
            held = self._held[host]
            held[holder] -= 1
            if not held[holder]:
                del held[holder]
            if not held:
                del self._held[host]
            self._changed.notify_all()

    def wanted(self, host: str, holder: object) -> bool:
        """Say whether *holder*, who has several connections to *host*, should give one to another."""
        waiting = self._waiting.get(host)
        if not waiting:  # asked for every piece: no lock while nobody waits
            return False
        with self._changed:
            held = self._held.get(host, Counter())
            return (
                held[holder] > 1
                and held[holder] == max(held.values())
                and any(not held[other] for other in waiting)
            )

    def waiting(self, host: str) -> tuple[object, ...]:
        """Return which downloads wait for a connection to *host*, in order."""
        with self._changed:
            return tuple(self._waiting.get(host, ()))

    def _in_use(self, host: str) -> int:
        held = self._held.get(host)
        return held.total() if held else 0

    def _grant(self, host: str, holder: object) -> None:
        self._held.setdefault(host, Counter())[holder] += 1

    def _next(self, host: str) -> object:
        held = self._held.get(host, Counter())
        waiting = self._waiting[host]
        return next((holder for holder in waiting if not held[holder]), waiting[0])
