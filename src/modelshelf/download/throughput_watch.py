"""What a transfer measures of itself, to know how many connections are worth having."""

from __future__ import annotations

from collections.abc import Callable, Collection

from modelshelf.download.connections import ConnectionCount
from modelshelf.download.processor_account import (
    ProcessorAccount,
    ThreadAccount,
    processor_account,
)

__all__ = ["ThroughputWatch"]

_HELD_BACK = 0.25
"""Share of the connections' time that is spent waiting for a rate limit, from which on more would not help."""
_STARVED, _AWAKE = 0.25, 0.8
"""Share of the connections' time that they are ready to run while others run, and share that they do not sleep,
from which on what they bring says nothing of the network: who waits for a host sleeps."""
_OUTRUN = 0.5
"""Share of what was stored that found the sink behind, from which on it is what everybody waits for."""


class ThroughputWatch:
    """Takes the measurements that `ConnectionCount` wants, window by window; its owner holds the lock.

    Args:
        most: Connections that may be used.
        clock: Monotonic seconds.
        processor_clock: Processor seconds of this process.
        account: How a thread fared, by its number.

    Example:
        >>> seconds = iter(range(10))
        >>> watch = ThroughputWatch(8, clock=lambda: next(seconds), processor_clock=lambda: 0.0)
        >>> watch.look(fetched=5_000_000, threads=[7])
        2
    """

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float],
        processor_clock: Callable[[], float],
        account: Callable[[int], ThreadAccount] = processor_account,
    ) -> None:
        self.most = most
        """Connections that may be used; fewer, once the host lets no more in."""
        self._count = ConnectionCount(most)
        self._clock = clock
        self._processor_clock = processor_clock
        self._account = ProcessorAccount(account)
        self._since, self._processor_since, self._fetched = clock(), processor_clock(), 0
        self._waited = 0.0
        self._stored = self._outrun = 0

    @property
    def window(self) -> float:
        """Seconds after which `look` has something to say."""
        return self._count.window

    def waited(self, seconds: float) -> None:
        """Note that a connection waited so long for a rate limit."""
        self._waited += seconds

    def stored(self, *, is_behind: bool) -> None:
        """Note that bytes were stored, and whether the sink was behind."""
        self._stored += 1
        self._outrun += is_behind

    def look(self, *, fetched: int, threads: Collection[int]) -> int | None:
        """Say how many connections there should be from now on; None where there is nothing new to say.

        Args:
            fetched: Bytes that came since the transfer began.
            threads: Those of the connections that are at work, by their numbers.
        """
        now = self._clock()
        spent = now - self._since
        if spent < self._count.window or self.most == 1:
            return None
        processor = self._processor_clock()
        count = self._count.feed(
            (fetched - self._fetched) / spent,
            busy=(processor - self._processor_since) / spent,
            held_back=self._waited > _HELD_BACK * spent * len(threads),
            starved=self._is_starved(spent, threads),
            outrun=self._outrun > _OUTRUN * self._stored,
        )
        self._since, self._processor_since, self._fetched = now, processor, fetched
        self._waited = 0.0
        self._stored = self._outrun = 0
        return min(self.most, count)

    def _is_starved(self, spent: float, threads: Collection[int]) -> bool:
        ran, waited = self._account.grown(threads)
        time = spent * len(threads)
        return waited > _STARVED * time and ran + waited > _AWAKE * time
