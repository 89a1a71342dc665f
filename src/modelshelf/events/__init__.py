"""Telling what happens to whoever listens, without waiting for anybody."""

from modelshelf.events.bus import EventBus, EventServiceBase
from modelshelf.events.subscription import Subscription

__all__ = ["EventBus", "EventServiceBase", "Subscription"]
