"""The bus: whoever has news leaves it here, and goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import Lock
from typing import ClassVar

from modelshelf.events.subscription import Subscription
from modelshelf.schema.event import ModelEvent

__all__ = ["EventBus", "EventServiceBase"]


class EventServiceBase(ABC):
    """Takes events of installations.

    A program that has a bus of its own subclasses this and passes them on.

    Source: `spec/model-manager-v2.md`, "Monitoring the install job process".
    """

    model_event: ClassVar[str] = "model_event"
    """The kind of all events about models, for buses that carry others too."""

    @abstractmethod
    def dispatch(self, event: ModelEvent) -> None:
        """Take an event, from any thread, without waiting for whoever listens."""


class EventBus(EventServiceBase):
    """Hands every event to every subscription that is open.

    Example:
        >>> from modelshelf.schema.event import ModelInstallRunning
        >>> bus = EventBus()
        >>> with bus.subscribe() as events:
        ...     bus.dispatch(ModelInstallRunning(id=1, source="author/model"))
        ...     event = events.get(timeout=1)
        >>> event.name, event.payload
        ('model_install_running', {'id': 1, 'source': 'author/model'})
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def dispatch(self, event: ModelEvent) -> None:
        """Leave *event* with every subscription. Events of one thread arrive in its order."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def subscribe(self, *, capacity: int = 1_000) -> Subscription:
        """Begin to listen; what happened before is not told.

        Args:
            capacity: Events that wait at most; `Subscription` says which give way then.
        """
        subscription = Subscription(capacity, self._forget)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(
                one for one in self._subscriptions if one is not subscription
            )
