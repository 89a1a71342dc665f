"""How threads of this process fared: how long each ran, and was ready to run while others had the processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

__all__ = ["ProcessorAccount", "ThreadAccount", "processor_account"]

ThreadAccount = tuple[float, float]
"""Seconds that a thread ran, and seconds that it was ready to run; for the rest of its life it slept."""
_NOTHING = (0.0, 0.0)


def processor_account(thread: int) -> ThreadAccount:
    """Return how a thread of this process fared since it began.

    Args:
        thread: Its `threading.Thread.native_id`.

    Returns:
        Seconds; none where the thread is gone, and on systems that keep no account of it, such as other ones
        than Linux.

    Example:
        >>> import threading
        >>> ran, waited = processor_account(threading.get_native_id())
        >>> ran >= 0.0 and waited >= 0.0
        True
        >>> processor_account(-1)
        (0.0, 0.0)
    """
    try:
        # Three numbers: nanoseconds that it ran, nanoseconds that it waited, and its turns.
        descriptor = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            ran, waited, *_ = os.read(descriptor, 96).split()
        finally:
            os.close(descriptor)
        return int(ran) / 1e9, int(waited) / 1e9
    except (OSError, ValueError):
        return _NOTHING


class ProcessorAccount:
    """Adds up how a changing group of threads fared.

    Args:
        account: How one thread fared since it began, by its number.

    Example:
        >>> seconds = {7: (1.0, 0.5), 8: (0.0, 0.25)}
        >>> account = ProcessorAccount(seconds.__getitem__)
        >>> account.grown([7])
        (1.0, 0.5)
        >>> seconds[7] = (1.5, 0.75)
        >>> account.grown([7, 8])
        (0.5, 0.5)
    """

    def __init__(self, account: Callable[[int], ThreadAccount] = processor_account) -> None:
        self._account = account
        self._before: dict[int, ThreadAccount] = {}

    def grown(self, threads: Iterable[int]) -> ThreadAccount:
        """Return how *threads* fared together since the last call, or since they began."""
        before, self._before = self._before, {thread: self._account(thread) for thread in threads}
        ran = waited = 0.0
        for thread, now in self._before.items():
            then = before.get(thread, _NOTHING)
            # The number of one that is gone may be that of another one by now.
            ran += max(0.0, now[0] - then[0])
            waited += max(0.0, now[1] - then[1])
        return ran, waited
