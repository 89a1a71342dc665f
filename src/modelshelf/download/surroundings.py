"""What all downloads share, and what each one is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from modelshelf.download.hosts import Hosts
from modelshelf.download.pace import Pace
from modelshelf.download.patience import Patience
from modelshelf.download.processor_account import ThreadAccount, processor_account

__all__ = ["Surroundings"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all transfers share, and what one is allowed."""

    hosts: Hosts
    """Connections that each host allows."""
    pace: Pace
    """Rate limits."""
    patience: Patience
    """When to give up."""
    connections: int
    """The most for one file."""
    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""
    processor_clock: Callable[[], float] = time.process_time
    """Processor seconds of this process."""
    processor_account: Callable[[int], ThreadAccount] = processor_account
    """How a thread fared, by its number."""
