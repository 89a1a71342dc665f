"""The threads of an installer: begun with the first job, and left in bounded time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from time import monotonic

__all__ = ["JobThreads", "join_all"]


class JobThreads:
    """Daemon threads that run together, and end together when they are told to."""

    def __init__(self) -> None:
        self.ending = Event()
        """Set when those that run now are to end; those that are begun after that have another."""
        self._changing = Lock()
        self._running: list[Thread] = []

    def begin(self, loops: Callable[[Event], Mapping[str, Callable[[], None]]]) -> None:
        """Start a thread for each loop, by its name; where they run already, nothing happens.

        Args:
            loops: Given the event that tells the threads to end, returns what they run.
        """
        with self._changing:
            if self._running:
                return
            self.ending = Event()
            self._running = [
                Thread(target=loop, name=name, daemon=True)
                for name, loop in loops(self.ending).items()
            ]
            for thread in self._running:
                thread.start()

    def leave(self, part: Callable[[], None]) -> list[Thread]:
        """Tell the threads to end, and return them; who begins threads from here on has new ones.

        Args:
            part: Called meanwhile: takes away what those that end share with those that are begun later.
        """
        with self._changing:
            self.ending.set()
            part()
            threads, self._running = self._running, []
        return threads

    def where_running(self, act: Callable[[], None]) -> None:
        """Do something that only makes sense where threads run, those that were begun later included."""
        with self._changing:
            if self._running:
                act()

    def unless_running(self, act: Callable[[], None]) -> None:
        """Do something that only may be done where no thread was begun since."""
        with self._changing:
            if not self._running:
                act()


def join_all(threads: Mapping[Thread, float]) -> list[Thread]:
    """Wait for threads, and return those that have not ended.

    Args:
        threads: For each the seconds that it may take from now on.
    """
    began = monotonic()
    for thread, patience in threads.items():
        thread.join(max(began + patience - monotonic(), 0))
    return [thread for thread in threads if thread.is_alive()]
