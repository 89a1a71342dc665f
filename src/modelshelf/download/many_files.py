"""Jobs for the files of one model: fetched side by side, with one progress, one total and one fate."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Thread

from modelshelf.download.file_fetcher import FileFetcher, Report
from modelshelf.download.part_places import Place, places_of
from modelshelf.download.remote_job import (
    TokenFor,
    check_source,
    is_news_of_final_name,
    make_folder,
    order_of,
)
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import ModelshelfError
from modelshelf.protocols import Disk
from modelshelf.schema.download_job import DownloadJobStatus, MultiFileDownloadJob
from modelshelf.schema.transfer import (
    Downloaded,
    PrivateAddresses,
    StopKind,
    Stopped,
    TransferOrder,
)

__all__ = ["ManyFilesWork"]

_BETWEEN_NOTES = 1.0
"""Seconds: what a kill costs is at most the small parts that were finished since and have no digest."""
_LARGE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Moved:
    """A part came further."""

    place: Place
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """A part's run is over."""

    place: Place
    outcome: Downloaded | Stopped | Exception


@dataclass(frozen=True, slots=True)
class _NoMore:
    """A thread has nothing left to do."""


_News = _Moved | _Ended | _NoMore


class ManyFilesWork:
    """Fetches the parts of a `MultiFileDownloadJob`, several at a time.

    Parts that are there are not fetched again after a pause. When one fails the others stop; after an error or
    a cancellation those that this job fetched are removed again, with the folders that are empty then.
    """

    def __init__(
        self,
        fetcher: FileFetcher,
        disk: Disk,
        *,
        parallel: int = 8,
        token_for: TokenFor | None = None,
        private: PrivateAddresses = PrivateAddresses.AS_NAMED,
        note: Callable[[MultiFileDownloadJob], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold what the files are fetched with.

        Args:
            fetcher: Fetches one.
            disk: Makes and removes folders.
            parallel: Files of one job that are fetched at the same time.
            token_for: Asked for the token of a part when neither it nor the job has one.
            private: Which private addresses may be talked to.
            note: Told now and then that more parts are there, so that it can be kept.
            clock: Measures the time between two notes.
        """
        self._fetcher = fetcher
        self._disk = disk
        self._parallel = parallel
        self._token_for = token_for
        self._private = private
        self._note = note
        self._clock = clock

    def run(self, job: MultiFileDownloadJob, stop: StopSignal, report: Report) -> Stopped | None:
        """Fetch what is missing; see `JobWork`."""
        make_folder(self._disk, job.destination)
        places = places_of(job)
        for folder in sorted({place.final.parent for place in places}):
            make_folder(self._disk, folder)
        missing = [place for place in places if not _is_there(place)]
        for place in missing:
            check_source(place.part)
        news = [is_news_of_final_name(place.part, self._order(job, place)) for place in missing]
        if any(news):
            self._note(job)
        self._fetch(job, missing, stop, report)
        if any(place.part.downloaded is None for place in places):
            if stop.kind is StopKind.CANCEL:
                self.discard(job)
            return Stopped(stop.kind or StopKind.PAUSE, job.bytes)
        job.bytes = job.total_bytes = sum(place.part.bytes for place in places)
        job.downloaded_path = job.destination
        return None

    def discard(self, job: MultiFileDownloadJob) -> None:
        """Remove what this job fetched; see `JobWork`."""
        try:
            places = places_of(job)
        except ModelshelfError:
            # It never began.
            return
        for place in places:
            part = place.part
            if part.downloaded is None:
                with suppress(ModelshelfError, OSError):
                    self._fetcher.discard(self._order(job, place))
            if part.final_was_free and (part.downloaded or part.may_be_done):
                with suppress(OSError):
                    self._disk.remove_file(place.final)
            part.downloaded = part.downloaded_path = part.verification = None
            part.status = job.status if job.in_terminal_state else DownloadJobStatus.CANCELLED
        folders = {
            folder
            for place in places
            for folder in place.final.parents
            if folder.is_relative_to(job.destination.absolute())
        }
        for folder in sorted(folders, reverse=True):
            with suppress(OSError):
                self._disk.remove_folder(folder)

    def _fetch(
        self, job: MultiFileDownloadJob, missing: list[Place], stop: StopSignal, report: Report
    ) -> None:
        """Fetch *missing* and write into the parts how far they are; raise the first error."""
        waiting = deque(missing)
        news: SimpleQueue[_News] = SimpleQueue()
        # Not the job's own signal: a part that fails stops the others, and not the job.
        inner = StopSignal()
        forget = stop.on_stop(
            lambda: inner.cancel() if stop.kind is StopKind.CANCEL else inner.pause()
        )
        working = min(self._parallel, len(missing))
        for number in range(working):
            Thread(
                target=self._work,
                args=(job, waiting, inner, news),
                name=f"download-{job.id}-file-{number}",
                daemon=True,
            ).start()
        progress = _Progress(job, report)
        progress.tell()
        failure: Exception | None = None
        noted = self._clock()
        while working:
            match news.get():
                case _Moved(place, done, total):
                    progress.moved(place, done, total)
                case _NoMore():
                    working -= 1
                case _Ended(place, outcome):
                    if isinstance(outcome, Exception) and failure is None:
                        failure = outcome
                        inner.pause()
                    progress.ended(place, outcome)
                    # What is large is noted at once, for it would be fetched again.
                    if self._clock() - noted > _BETWEEN_NOTES or place.part.bytes > _LARGE:
                        self._note(job)
                        noted = self._clock()
        forget()
        if failure is not None:
            raise failure

    def _work(
        self,
        job: MultiFileDownloadJob,
        waiting: deque[Place],
        stop: StopSignal,
        news: SimpleQueue[_News],
    ) -> None:
        while stop.kind is None:
            try:
                place = waiting.popleft()
            except IndexError:
                break
            outcome: Downloaded | Stopped | Exception
            try:
                outcome = self._fetcher.run(
                    self._order(job, place),
                    stop,
                    lambda done, total, place=place: news.put(_Moved(place, done, total)),  # type: ignore[misc]
                )
            except Exception as error:  # noqa: BLE001 - it is raised in the job's thread
                outcome = error
            news.put(_Ended(place, outcome))
        news.put(_NoMore())

    def _order(self, job: MultiFileDownloadJob, place: Place) -> TransferOrder:
        part = place.part
        order = order_of(
            part,
            place.final,
            private=self._private,
            token=job.access_token if part.access_token is None else part.access_token,
            ask=self._token_for,
        )
        return replace(order, overwrite=order.overwrite or job.overwrite)


class _Progress:
    """Adds the parts up."""

    def __init__(self, job: MultiFileDownloadJob, report: Report) -> None:
        self._report = report
        self._done = 0
        self._total = 0
        self._unknown = 0
        for part in job.download_parts:
            part.total_bytes = part.total_bytes or part.expected.size or 0
            self._done += part.bytes
            self._total += part.total_bytes
            self._unknown += not (part.total_bytes or part.expected.size == 0)

    def tell(self) -> None:
        """Report how far all of them are; a total of which something is missing would be a lie."""
        self._report(self._done, 0 if self._unknown else self._total)

    def moved(self, place: Place, done: int, total: int) -> None:
        """Note that a part came further."""
        part = place.part
        part.status = DownloadJobStatus.RUNNING
        if total and total != part.total_bytes:
            self._unknown -= not part.total_bytes
            self._total += total - part.total_bytes
            part.total_bytes = total
        if done > part.bytes:
            self._done += done - part.bytes
            part.bytes = done
        self.tell()

    def ended(self, place: Place, outcome: Downloaded | Stopped | Exception) -> None:
        """Note what became of a part."""
        part = place.part
        if isinstance(outcome, Downloaded):
            self.moved(place, outcome.size, outcome.size)
            part.bytes = outcome.size
            part.downloaded, part.downloaded_path = outcome, outcome.path
            part.verification = outcome.verification
            part.status = DownloadJobStatus.COMPLETED
        elif isinstance(outcome, Exception):
            part.error = outcome
            part.status = DownloadJobStatus.ERROR
        else:
            part.status = DownloadJobStatus.PAUSED


def _is_there(place: Place) -> bool:
    """Tell whether a part was fetched by an earlier run and still stands where it was put."""
    part = place.part
    if part.downloaded is None:
        return False
    with suppress(OSError):
        if place.final.lstat().st_size == part.downloaded.size:
            return True
    part.downloaded = part.downloaded_path = part.verification = None
    return False
