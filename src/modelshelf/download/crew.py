"""The workers of one transfer, taken together: who is at work, who is stuck, and how all come home."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from modelshelf.download.patience import Patience
from modelshelf.download.segment_worker import SegmentWorker

__all__ = ["Crew", "cut_stuck", "see_home"]

_GRACE = 0.08
"""Seconds that workers get to bring home what they have; after half of them their answers are cut."""


class Crew:
    """Who works for a transfer, in the order in which they came; its owner holds the lock.

    `cut_stuck` and `see_home` take workers out of it and want no lock: what they do may wait for a socket.
    """

    def __init__(self) -> None:
        self._workers: list[SegmentWorker] = []

    def __len__(self) -> int:
        """Count those that have not left."""
        return len(self._workers)

    def enter(self, worker: SegmentWorker) -> None:
        """Count *worker* among them; nobody else starts it."""
        self._workers.append(worker)

    def leave(self, worker: SegmentWorker) -> None:
        """Forget *worker*, if it is there."""
        if worker in self._workers:
            self._workers.remove(worker)

    @property
    def at_work(self) -> list[SegmentWorker]:
        """Those that may still bring something."""
        return [worker for worker in self._workers if worker.is_at_work]

    @property
    def threads(self) -> list[int]:
        """The system's numbers of their threads."""
        return [worker.thread for worker in self._workers]

    @property
    def usual_rate(self) -> float:
        """Bytes per second that one of them brings; 0 while nobody knows."""
        rates = [worker.rate for worker in self._workers if worker.rate]
        return sum(rates) / len(rates) if rates else 0.0

    def has_others_at_work(self, worker: SegmentWorker) -> bool:
        """Say whether somebody besides *worker* may still bring something."""
        return any(each is not worker and each.is_at_work for each in self._workers)

    def dismiss(self, *, all_but: int = 0) -> list[SegmentWorker]:
        """Send home all but so many, of whom the first stay; return who was sent."""
        sent = self._workers[all_but:]
        for worker in sent:
            worker.dismiss()
        return sent


def cut_stuck(
    workers: Sequence[SegmentWorker], patience: Patience, *, now: float, is_limited: bool
) -> None:
    """Cut the answers of those that are much slower than the others, or slower than anybody should be.

    Args:
        workers: Those at work.
        patience: How slow is too slow, and for how long.
        now: By the clock of the transfer.
        is_limited: The user set a limit, which may be as slow as it likes: only the others count then.
    """
    rates = sorted(worker.rate for worker in workers)
    usual = rates[len(rates) // 2] if len(rates) > 1 else 0.0
    crawl = 0.0 if is_limited else patience.crawl
    for worker in workers:
        worker.check_pace(max(crawl, usual * patience.slow_share), patience.slow_for, now)


def see_home(workers: Sequence[SegmentWorker], clock: Callable[[], float]) -> None:
    """Wait a moment for dismissed workers, then cut their answers; who is stuck even so is left to itself."""
    until = clock() + _GRACE
    for share in (0.5, 1.0):
        for worker in workers:
            worker.join(max(0.0, until - (1 - share) * _GRACE - clock()))
        for worker in workers:
            worker.abort()
    for worker in workers:
        worker.join(max(0.0, until + _GRACE / 2 - clock()))
