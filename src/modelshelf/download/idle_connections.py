"""Connections without work, kept for the next request to the same host."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar

__all__ = ["IdleConnections", "Keepable"]


class Keepable(Protocol):
    """A connection that can wait for work."""

    @property
    def is_quiet(self) -> bool:
        """Whether it still stands, as far as one can see from here."""

    def close(self) -> None:
        """End it."""


_Kept = TypeVar("_Kept", bound=Keepable)


class IdleConnections(Generic[_Kept]):
    """Keeps connections until somebody needs one, from any number of threads.

    Args:
        most: How many are kept; the one that waited longest is closed for a new one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        # The last one in is the first one out: it is the least likely to have been closed by its host.
        self._kept: OrderedDict[_Kept, Hashable] = OrderedDict()

    def take(self, key: Hashable) -> _Kept | None:
        """Return one that was given under *key* and still stands, or None."""
        while True:
            with self._lock:
                found = next((one for one in reversed(self._kept) if self._kept[one] == key), None)
                if found is None:
                    return None
                del self._kept[found]
            if found.is_quiet:
                return found
            found.close()

    def giver(self, key: Hashable) -> Callable[[_Kept], None]:
        """Return what takes a connection back under *key*."""

        def give(connection: _Kept) -> None:
            surplus = connection
            with self._lock:
                if self._most > 0:
                    self._kept[connection] = key
                    if len(self._kept) <= self._most:
                        return
                    surplus, _ = self._kept.popitem(last=False)
            surplus.close()

        return give

    def close(self) -> None:
        """Close all that are kept, and keep none that is given from now on."""
        with self._lock:
            # Whoever is still at work gives its connection back to nobody.
            self._most = 0
            kept, self._kept = self._kept, OrderedDict()
        for connection in kept:
            connection.close()
