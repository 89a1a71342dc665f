"""The time of day, as an argument."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Tells the time; tests bring one that stands still or jumps."""

    def __call__(self) -> datetime:
        """Return the present moment with its time zone, in UTC."""
