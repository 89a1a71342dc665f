"""A world for tests of the queue in which every byte comes when the test lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, get_ident

from modelshelf.download.file_fetcher import Report
from modelshelf.download.queue import DownloadQueueService
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import DestinationExistsError
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobRemoteSource,
    MeasuredDownloadJob,
)
from modelshelf.schema.transfer import (
    Downloaded,
    StopKind,
    Stopped,
    TransferOrder,
    Verification,
)

__all__ = ["Diary", "Tap", "Taps", "opened", "remote", "url_of"]

PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""


class Tap:
    """The remote end of one address: how much of it has been let through, and how it ends."""

    def __init__(self, changed: Condition, size: int) -> None:
        self._changed = changed
        self.size = size
        """Bytes of the file."""
        self.let_through = 0
        """Bytes that may come."""
        self.error: Exception | None = None
        """What it fails with once all that was let through has come."""
        self.runs = 0
        """How often it was asked."""
        self.came = 0
        """Bytes that were fetched."""
        self.tokens: list[str | None] = []
        """The token of each of these."""

    def let(self, count: int) -> None:
        """Let *count* bytes more through."""
        with self._changed:
            self.let_through = min(self.size, self.let_through + count)
            self._changed.notify_all()

    def finish(self) -> None:
        """Let everything through."""
        self.let(self.size)

    def fail(self, error: Exception) -> None:
        """Break."""
        with self._changed:
            self.error = error
            self._changed.notify_all()

    def await_runs(self, count: int = 1) -> None:
        """Wait until it was asked *count* times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.runs >= count, PATIENCE)

    def await_bytes(self, count: int) -> None:
        """Wait until *count* bytes were fetched."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.came >= count, PATIENCE)

    def deliver(self, count: int) -> None:
        """Note that *count* bytes were fetched."""
        with self._changed:
            self.came = count
            self._changed.notify_all()


class Taps:
    """Fetches from taps; an unfinished file is there as `.<name>.part`, as long as its bytes."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._taps: dict[str, Tap] = {}
        self.running = 0
        """Files that are being fetched."""
        self.most = 0
        """The most that were at the same time."""

    def __getitem__(self, name: str) -> Tap:
        """The tap of the address that ends in *name*; made with one mebibyte when it is not there."""
        return self.add(name)

    def add(self, name: str, size: int = 1024 * 1024) -> Tap:
        """Have a tap of *size* bytes, unless it is there."""
        with self._changed:
            return self._taps.setdefault(name, Tap(self._changed, size))

    def run(self, order: TransferOrder, stop: StopSignal, report: Report) -> Downloaded | Stopped:
        """Fetch one file."""
        tap = self[order.url.rpartition("/")[2]]
        part, final = self._places(order)
        forget = stop.on_stop(self._wake)
        with self._changed:
            tap.runs += 1
            tap.tokens.append(order.token)
            self.running += 1
            self.most = max(self.most, self.running)
            self._changed.notify_all()
        try:
            held = part.stat().st_size if part.exists() else 0
            while held < tap.size and (upto := self._await_more(tap, held, stop)) is not None:
                with part.open("ab") as file:
                    file.write(bytes(upto - held))
                held = upto
                tap.deliver(held)
                report(held, tap.size)
            if stop.kind is StopKind.CANCEL:
                part.unlink(missing_ok=True)
                return Stopped(StopKind.CANCEL, 0)
            if stop.kind is not None:
                return Stopped(StopKind.PAUSE, held)
            if held < tap.size:
                assert tap.error is not None
                raise tap.error
            if final.exists() and not order.overwrite:
                raise DestinationExistsError(path=str(final))
            part.rename(final)
            return Downloaded(final, held, Verification.SIZE, None, None, held, None, None)
        finally:
            forget()
            with self._changed:
                self.running -= 1

    def discard(self, order: TransferOrder) -> None:
        """Remove an unfinished file."""
        self._places(order)[0].unlink(missing_ok=True)

    def _await_more(self, tap: Tap, held: int, stop: StopSignal) -> int | None:
        with self._changed:
            self._changed.wait_for(
                lambda: stop.kind is not None or tap.error is not None or tap.let_through > held
            )
            return tap.let_through if stop.kind is None and tap.let_through > held else None

    def _places(self, order: TransferOrder) -> tuple[Path, Path]:
        name = order.url.rpartition("/")[2]
        final = order.destination / name if order.destination.is_dir() else order.destination
        return final.with_name(f".{final.name}.part"), final

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Diary:
    """A handler that remembers every event, and tests can wait for one."""

    def __init__(self) -> None:
        self._changed = Condition()
        self.events: list[tuple[int, str]] = []
        """Id and status, in order."""
        self.bytes: dict[int, list[tuple[int, int]]] = {}
        """How far each job was, and of how much, at each of its events."""
        self.threads: list[int] = []
        """In which thread each event came."""

    def __call__(self, job: DownloadJobBase) -> None:
        with self._changed:
            self.events.append((job.id, job.status.value))
            self.threads.append(get_ident())
            if isinstance(job, MeasuredDownloadJob):
                self.bytes.setdefault(job.id, []).append((job.bytes, job.total_bytes))
            self._changed.notify_all()

    def of(self, job: DownloadJobBase) -> list[str]:
        """The events of one job."""
        with self._changed:
            return [status for number, status in self.events if number == job.id]

    def order(self, status: str) -> list[int]:
        """The jobs in the order in which they came to *status*."""
        with self._changed:
            return [number for number, one in self.events if one == status]

    def await_event(self, job: DownloadJobBase, status: str, times: int = 1) -> None:
        """Wait until a job has had an event *times* times."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: self.events.count((job.id, status)) >= times, PATIENCE
            ), self.events


def url_of(name: str) -> str:
    """The address of a tap."""
    return f"https://files.example/{name}"


def remote(name: str, folder: Path, **fields: object) -> DownloadJobRemoteSource:
    """A job for the file of a tap."""
    return DownloadJobRemoteSource.model_validate(
        {"source": url_of(name), "destination": folder / name} | fields
    )


@contextmanager
def opened(
    make: Callable[[], DownloadQueueService],
) -> Iterator[DownloadQueueService]:
    """Stop the queue afterwards."""
    queue = make()
    try:
        yield queue
    finally:
        queue.stop()
