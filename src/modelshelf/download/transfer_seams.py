"""What a transfer is given and gives back: where bytes go, who asks for them, and how it ended."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from modelshelf.protocols import Answer

__all__ = ["Ending", "PartOpener", "Sink"]


class Ending(Enum):
    """How a transfer ended, apart from errors."""

    DONE = "done"
    """Every byte is there."""
    STOPPED = "stopped"
    """The stop signal was said."""
    CHANGED = "changed"
    """The host serves another version of the file now."""
    RANGELESS = "rangeless"
    """The host cannot be trusted with ranges: fetch the file in one stream."""


class Sink(Protocol):
    """Where bytes go. `keep` may be called from several threads at once."""

    @property
    def is_behind(self) -> bool:
        """Whether bytes come faster than it takes them, so that fewer connections would do."""

    def take_buffer(self) -> memoryview:
        """Lend memory, best 2 MiB, for bytes that are going to be kept."""

    def give_buffer(self, buffer: memoryview) -> None:
        """Take unused memory back."""

    def keep(self, offset: int, buffer: memoryview, count: int) -> None:
        """Keep the first *count* bytes of a buffer of `take_buffer`, and the buffer with them."""


class PartOpener(Protocol):
    """Asks the host for bytes."""

    def __call__(self, start: int, end: int, /) -> Answer:
        """Return the checked answer that brings these bytes, or the first of them.

        Raises:
            ModelshelfError: The host does not give them.
            UnusableAnswerError: It gives something else.
            RemoteChangedError: It gives another version's.
            TransferStoppedError: The stop signal was said.
        """
