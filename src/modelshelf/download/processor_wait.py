"""How long a thread was ready to run while others had the processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

__all__ = ["ProcessorWait", "waited_for_processor"]


def waited_for_processor(thread: int) -> float:
    """Return the seconds that a thread of this process has waited for a processor since it began.

    Args:
        thread: Its `threading.Thread.native_id`.

    Returns:
        Seconds; 0.0 where the thread is gone, and on systems that keep no account of it, such as other ones
        than Linux.

    Example:
        >>> import threading
        >>> waited_for_processor(threading.get_native_id()) >= 0.0
        True
        >>> waited_for_processor(-1)
        0.0
    """
    try:
        # Three numbers: nanoseconds that it ran, nanoseconds that it waited, and its turns.
        descriptor = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(descriptor, 96).split()[1]) / 1e9
        finally:
            os.close(descriptor)
    except (OSError, ValueError, IndexError):
        return 0.0


class ProcessorWait:
    """Adds up what a changing group of threads waits for a processor.

    Args:
        waited: Seconds that one thread has waited, by its number.

    Example:
        >>> account = {7: 1.0, 8: 0.25}
        >>> wait = ProcessorWait(account.__getitem__)
        >>> wait.grown([7])
        1.0
        >>> account[7] = 1.5
        >>> wait.grown([7, 8])
        0.75
    """

    def __init__(self, waited: Callable[[int], float] = waited_for_processor) -> None:
        self._waited = waited
        self._before: dict[int, float] = {}

    def grown(self, threads: Iterable[int]) -> float:
        """Return the seconds that *threads* waited together since the last call, or since they began."""
        before, self._before = self._before, {thread: self._waited(thread) for thread in threads}
        # The number of one that is gone may be that of another one by now.
        return sum(max(0.0, now - before.get(each, 0.0)) for each, now in self._before.items())
