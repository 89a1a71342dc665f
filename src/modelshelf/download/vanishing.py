"""Throwing a partial file away without waiting for the disk."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread

from modelshelf.download.partial_file import PartialFile
from modelshelf.errors import DestinationUnusableError, NotEnoughSpaceError

__all__ = ["LONGEST_DISCARD", "vanish"]

LONGEST_DISCARD = 0.08
"""Seconds for which whoever cancels waits for the disk."""


def vanish(partial: PartialFile, seconds: float) -> None:
    """Discard *partial*, and wait at most *seconds* until nothing of it can be seen any more.

    Usually its names are gone at once. Where the disk lets a write wait, they cannot be taken away before that
    ends; it is done then, and the process does not end before. What a process leaves that is killed
    meanwhile, or what the system refused to remove, `Orphans` removes.
    """
    gone = Event()

    def discard() -> None:
        with suppress(DestinationUnusableError, NotEnoughSpaceError):
            partial.discard(gone.set)

    Thread(target=discard, name="modelshelf-discard", daemon=False).start()
    gone.wait(seconds)
