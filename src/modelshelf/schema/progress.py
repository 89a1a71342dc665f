"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "ProgressReporter", "ignore_progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a running operation."""

    stage: str
    """What is being done, one word: `hashing`, `copying`, `linking`, `verifying`."""
    subject: str
    """The file or model at work."""
    done: int
    """Bytes done; rises within one operation."""
    total: int
    """Bytes in all; 0 when unknown."""


ProgressReporter = Callable[[Progress], None]
"""Called from the thread that works, often; return quickly and do not raise."""


def ignore_progress(_: Progress) -> None:
    """Report nothing."""
