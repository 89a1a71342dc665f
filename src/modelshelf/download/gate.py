"""Ending what other threads do, without waiting for threads that may never end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

__all__ = ["Gate", "PartialFileShutError"]


class PartialFileShutError(Exception):
    """The partial file takes no more: it was stopped, published or discarded. Never seen by a user."""


class Gate:
    """Lets threads pass until it is shut, and then knows that nobody is inside.

    Example:
        >>> gate = Gate()
        >>> with gate.passing():
        ...     "inside"
        'inside'
        >>> gate.shut()
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self._is_shut = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be inside for the length of the block.

        Raises:
            PartialFileShutError: The gate is shut.
        """
        with self._changed:
            if self._is_shut:
                raise PartialFileShutError
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def bar(self) -> None:
        """Let nobody pass any more, and do not wait for who is inside."""
        with self._changed:
            self._is_shut = True

    def shut(self) -> None:
        """Let nobody pass any more, and wait until nobody is inside."""
        with self._changed:
            self._is_shut = True
            self._changed.wait_for(lambda: not self._inside)
