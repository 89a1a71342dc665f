"""One listener's place at the bus: a bounded queue that threads and coroutines read alike."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from threading import Condition
from types import TracebackType
from typing import Self

from modelshelf.schema.event import ModelEvent

__all__ = ["Subscription"]


class Subscription:
    """Events that wait for one listener, in the order in which they came.

    Progress that nobody has read yet is replaced by newer progress of the same installation, so a slow
    listener reads less and not later. When *capacity* events wait all the same, the oldest progress gives
    way, and without any the oldest event; `dropped` counts these.

    Read it with `get`, with `for` or with `async for`; a loop ends when the subscription is closed and
    what waited is read. One reader at a time.
    """

    def __init__(self, capacity: int, forget: Callable[[Subscription], None]) -> None:
        """Stand ready.

        Args:
            capacity: Events that wait at most, 1 or more.
            forget: Called once, when the subscription is closed.

        Raises:
            ValueError: *capacity* is below 1.
        """
        if capacity < 1:
            message = f"expected a capacity of 1 or more, got {capacity}"
            raise ValueError(message)
        self._capacity = capacity
        self._forget = forget
        self._changed = Condition()
        # Progress waits under its installation, so that newer progress finds it; others under a number.
        self._waiting: OrderedDict[object, ModelEvent] = OrderedDict()
        self._number = 0
        self._dropped = 0
        self._is_closed = False
        self._wake: Callable[[], object] | None = None

    @property
    def dropped(self) -> int:
        """Events that gave way because too many waited; replaced progress is not counted."""
        return self._dropped

    def put(self, event: ModelEvent) -> None:
        """Add an event, from any thread; returns at once."""
        with self._changed:
            if self._is_closed:
                return
            self._number += 1
            place: object = ("progress", event.id) if event.is_passing else self._number
            self._waiting.pop(place, None)
            if len(self._waiting) >= self._capacity:
                self._give_way()
            self._waiting[place] = event
            self._changed.notify()
            self._wake_coroutine()

    def get(self, timeout: float | None = None) -> ModelEvent | None:
        """Wait for the next event.

        Args:
            timeout: Seconds to wait at most; None waits until there is one.

        Returns:
            The event; None when time is up, or the subscription is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout)
            return self._next()

    def close(self) -> None:
        """Stop listening. What waits can still be read."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            self._wake_coroutine()
        self._forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ModelEvent:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ModelEvent:
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        while True:
            with self._changed:
                event = self._next()
                if event is not None:
                    return event
                if self._is_closed:
                    raise StopAsyncIteration
                arrived.clear()
                # `put` runs in other threads, and an asyncio event may only be set in its loop's own.
                self._wake = lambda: loop.call_soon_threadsafe(arrived.set)
            try:
                await arrived.wait()
            finally:
                with self._changed:
                    self._wake = None

    def _wake_coroutine(self) -> None:
        if self._wake is None:
            return
        try:
            self._wake()
        except RuntimeError:
            # Its loop was closed around it. Others listen too, and whoever tells has nothing to do with it.
            self._wake = None

    def _next(self) -> ModelEvent | None:
        return self._waiting.popitem(last=False)[1] if self._waiting else None

    def _give_way(self) -> None:
        passing = (place for place, event in self._waiting.items() if event.is_passing)
        place = next(passing, None)
        if place is None:
            self._waiting.popitem(last=False)
        else:
            del self._waiting[place]
        self._dropped += 1
