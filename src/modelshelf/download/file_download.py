"""Fetching one file, from the order to the final name."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from modelshelf.download.destination import Destination
from modelshelf.download.file_run import FileRun
from modelshelf.download.hosts import Hosts
from modelshelf.download.orphans import Orphans
from modelshelf.download.pace import Pace
from modelshelf.download.partial_file import PartialFile
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.surroundings import Surroundings
from modelshelf.download.vanishing import LONGEST_DISCARD, vanish
from modelshelf.errors import InvalidDownloadError
from modelshelf.protocols import Disk, Transport
from modelshelf.schema.transfer import Downloaded, Stopped, TransferOrder

__all__ = ["FileDownload"]


class FileDownload:
    """Carries out orders for one file each; safe in any number of threads at once.

    A file at its final name is whole: its bytes were compared with what was announced of them, and reached
    the disk, before it got the name. Whatever happens before, what came is kept where it can be used again,
    and the next run of an equal order goes on with it.

    Args:
        transport: Makes single exchanges.
        disk: Through which everything is written.
        hosts: What all downloads together may ask of each host.
        pace: How fast they may be.
        patience: How long to wait and how often to try.
        connections: The most for one file; more than one are used only while that helps.
        clock: Monotonic seconds.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from modelshelf.disk import LocalDisk
        >>> from modelshelf.download.http_transport import HttpTransport
        >>> download = FileDownload(HttpTransport(), LocalDisk(), Hosts(), Pace())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     order = TransferOrder("ftp://hub.example/vae.safetensors", Path(folder))
        ...     download.run(order, StopSignal(), lambda received, total: None)
        Traceback (most recent call last):
        modelshelf.errors.download.InvalidDownloadError: cannot download `ftp:…`: it is neither http nor https
    """

    def __init__(
        self,
        transport: Transport,
        disk: Disk,
        hosts: Hosts,
        pace: Pace,
        *,
        patience: Patience | None = None,
        connections: int = 8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._disk = disk
        self._orphans = Orphans(disk)
        self._surroundings = Surroundings(
            hosts=hosts,
            pace=pace,
            patience=patience or Patience(),
            connections=connections,
            clock=clock,
        )

    def run(
        self, order: TransferOrder, stop: StopSignal, report: Callable[[int, int], None]
    ) -> Downloaded | Stopped:
        """Fetch one file, or go on with what an earlier run of an equal order left.

        Args:
            order: What to fetch.
            stop: Ends the run within a quarter of a second, from any thread.
            report: Called from this thread with the bytes that are there and those that will be, 0 as long as
                nobody knows; the first number never falls, and the last call says that all are there.

        Returns:
            The whole file at its final name, or that the run was stopped. A pause keeps what came to the byte,
            a cancellation leaves nothing.

        Raises:
            InvalidDownloadError: The order cannot be carried out as it stands.
            DestinationExistsError: Another file stands at the final name and is kept. Where the name is known
                beforehand, nothing has been asked of the host.
            DownloadBusyError: Somebody is fetching the same file.
            NotEnoughSpaceError: The disk is too full; with `keep_partial` what came is kept.
            DownloadError: The file cannot be had. Nothing stands at its final name.
        """
        run = FileRun(order, self._transport, self._disk, self._surroundings, stop, report)
        self._orphans.sweep(run.folder)
        return run.carry_out()

    def discard(self, order: TransferOrder) -> None:
        """Remove what earlier runs of an equal order left; a file at the final name stays.

        Raises:
            DownloadBusyError: Somebody is fetching it right now.
        """
        with suppress(InvalidDownloadError):
            destination = Destination.of(order)
            final = destination.leftover()
            if final is not None:
                vanish(PartialFile.open(final, destination.key, self._disk), LONGEST_DISCARD)
