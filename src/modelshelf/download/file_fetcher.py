"""What the queue needs of whoever fetches a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from modelshelf.download.stop_signal import StopSignal
from modelshelf.schema.transfer import Downloaded, Stopped, TransferOrder

__all__ = ["FileFetcher", "Report"]

Report = Callable[[int, int], None]
"""Told how many bytes are there and how many there will be, 0 as long as nobody knows."""


class FileFetcher(Protocol):
    """Carries out orders for one file each, from any number of threads at once."""

    def run(self, order: TransferOrder, stop: StopSignal, report: Report) -> Downloaded | Stopped:
        """Fetch one file, or go on with what an earlier run of the same order left.

        Args:
            order: What to fetch.
            stop: Ends the run early; a cancelled one leaves nothing behind, a paused one all that came.
            report: Called from the calling thread, with numbers that only rise.

        Returns:
            The whole file at its final name, or that it was stopped.

        Raises:
            ModelshelfError: It cannot be had. Nothing stands at the final name.
        """

    def discard(self, order: TransferOrder) -> None:
        """Remove what earlier runs of the same order left; what stands at the final name stays."""
