"""The heart of the queue: jobs get their turns, run in threads, and end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, get_ident

from modelshelf.download.handlers import HandlerChain, ProgressSteps
from modelshelf.download.job_log import JobLog
from modelshelf.download.job_work import ChooseWork
from modelshelf.download.roster import Entry, Roster, Wish
from modelshelf.download.stop_signal import StopSignal
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobStatus,
    MeasuredDownloadJob,
)
from modelshelf.schema.transfer import StopKind, Stopped

__all__ = ["Dispatcher", "JobObserver"]

_STARTING = -1
"""Holds a job whose thread has not begun yet; no thread has this number."""
_Status = DownloadJobStatus
_Outcome = Stopped | Exception | None

JobObserver = Callable[[DownloadJobBase], None]
"""Told of each job that was put aside or has ended, before its handlers are."""


class Dispatcher:
    """Runs jobs in threads, a limited number at a time, in their order."""

    def __init__(
        self,
        roster: Roster,
        choose_work: ChooseWork,
        handlers: HandlerChain,
        log: JobLog,
        settled: JobObserver,
        *,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Begin open.

        Args:
            roster: The jobs.
            choose_work: Who does the work of a job.
            handlers: Whom to tell of events.
            log: Where starts and ends are told.
            settled: Told when a job was put aside or has ended.
            most: Jobs that run at the same time.
            clock: Measures how long a job ran.
            now: The time of day, in seconds since 1970.
        """
        self._roster = roster
        self._choose_work = choose_work
        self._handlers = handlers
        self._log = log
        self._settled = settled
        self._most = most
        self._clock = clock
        self._now = now
        self._changed = roster.changed
        self._workers: set[int] = set()
        """Threads that take jobs from the line, and have not lent their place."""
        self._running = 0
        self._drawn = 0
        self._is_open = True

    def open(self) -> None:
        """Let waiting jobs have their turns."""
        with self._changed:
            self._is_open = True
        self._fill()

    def shut(self) -> None:
        """Give no job a turn from now on."""
        with self._changed:
            self._is_open = False

    def wish(self, job: DownloadJobBase, wish: Wish) -> None:
        """Start, pause or cancel *job*: now, in this thread, or as soon as its holder comes to it.

        Raises:
            UnknownJobIDException: It is not on the roster.
        """
        with self._changed:
            entry = self._roster.entry(job)
            stop = entry.stop
            if stop is not None and wish is Wish.START and Wish.PAUSE not in entry.wishes:
                return
            entry.wishes.append(wish)
            if entry.holder is None:
                self._roster.hold(entry, get_ident())
            elif stop is None:
                return
        if stop is None:
            self._settle(entry)
        # Outside the lock, for it calls others. Should the run be over by now, its end has seen the wish.
        elif wish is Wish.CANCEL:
            stop.cancel()
        elif wish is Wish.PAUSE:
            stop.pause()

    def wait_until_idle(self, timeout: float | None = None) -> bool:
        """Wait as the roster does; a job whose handler waits lends its place meanwhile."""
        with self._lent_place():
            return self._roster.wait_until_idle(timeout)

    def wait_until_ended(self, job: DownloadJobBase, timeout: float | None) -> bool:
        """Wait as the roster does; a job whose handler waits lends its place meanwhile."""
        with self._lent_place():
            return self._roster.wait_until_ended(job, timeout)

    @contextmanager
    def _lent_place(self) -> Iterator[None]:
        me = get_ident()
        with self._changed:
            lends = me in self._workers
            if lends:
                self._workers.discard(me)
                self._running -= 1
        self._fill()
        try:
            yield
        finally:
            if lends:
                with self._changed:
                    self._workers.add(me)
                    self._running += 1

    def _settle(self, entry: Entry) -> None:
        """Do what was wished of a job that this thread holds and that does not run; let go of it."""
        try:
            while True:
                with self._changed:
                    if not entry.wishes:
                        self._roster.release(entry)
                        break
                    wish = entry.wishes.popleft()
                self._grant(entry, wish)
        except BaseException:
            # Ctrl-C in a handler: the job goes on from where it is, and can still be controlled.
            with self._changed:
                self._roster.release(entry)
            raise
        finally:
            self._fill()

    def _grant(self, entry: Entry, wish: Wish) -> None:
        job = entry.job
        if wish is Wish.START and job.status in {_Status.IDLE, _Status.PAUSED}:
            job.status = _Status.ENQUEUED
            if not entry.announced:
                entry.announced = True
                self._handlers.call(job)
        elif wish is Wish.PAUSE and job.status is _Status.ENQUEUED:
            self._put(job, _Status.PAUSED)
        elif wish is Wish.CANCEL and not job.in_terminal_state:
            self._choose_work(job).discard(job)
            self._put(job, _Status.CANCELLED)

    def _fill(self) -> None:
        """Give free places to those whose turn it is."""
        while entry := self._draw():
            name = f"download-{entry.job.id}"
            try:
                Thread(target=self._work, args=(entry,), name=name, daemon=True).start()
            except RuntimeError as error:
                # The system gives no more threads.
                with self._changed:
                    self._running -= 1
                    entry.holder = get_ident()
                entry.job.error = error
                self._put(entry.job, _Status.ERROR)
                self._settle(entry)

    def _draw(self, *, again: bool = False) -> Entry | None:
        """Take the next job for a thread that begins, or for this one *again*; None where there is none."""
        with self._changed:
            self._running -= again
            if self._is_open and self._running < self._most:
                entry = self._roster.next()
                if entry is not None:
                    self._running += 1
                    self._roster.hold(entry, get_ident() if again else _STARTING)
                    return entry
            return None

    def _work(self, entry: Entry | None) -> None:
        me = get_ident()
        with self._changed:
            self._workers.add(me)
        while entry:
            self._run(entry)
            entry = self._draw(again=True)
        with self._changed:
            self._workers.discard(me)

    def _run(self, entry: Entry) -> None:
        job = entry.job
        with self._changed:
            entry.holder = get_ident()
            stop = None if entry.wishes else StopSignal()
            entry.stop = stop
            if stop is not None:
                job.job_sequence, self._drawn = self._drawn, self._drawn + 1
                job.job_started, job.job_ended = self._now(), None
                job.status = _Status.RUNNING
        if stop is not None:
            began = self._clock()
            self._log.started(job)
            self._handlers.call(job)
            self._end(entry, self._carry_out(job, stop), began)
        self._settle(entry)

    def _carry_out(self, job: DownloadJobBase, stop: StopSignal) -> _Outcome:
        steps = ProgressSteps(job.bytes if isinstance(job, MeasuredDownloadJob) else 0)

        def report(done: int, total: int) -> None:
            if isinstance(job, MeasuredDownloadJob):
                job.total_bytes = total or job.total_bytes
                job.bytes = max(done, job.bytes)
            if steps.reached(done, total):
                self._handlers.call(job)

        try:
            return self._choose_work(job).run(job, stop, report)
        except Exception as error:  # noqa: BLE001 - it is kept in the job, whatever it is
            return error

    def _end(self, entry: Entry, outcome: _Outcome, began: float) -> None:
        """Say what became of a run: its own outcome, or what was wished meanwhile."""
        job = entry.job
        with self._changed:
            status = _verdict(entry, outcome)
            entry.stop = None
        cleared = isinstance(outcome, Stopped) and outcome.kind is StopKind.CANCEL
        if status is _Status.ERROR and isinstance(outcome, Exception):
            job.error = outcome
        if (status is _Status.CANCELLED and not cleared) or (
            status is _Status.ERROR and not job.preserve_partial_downloads
        ):
            self._choose_work(job).discard(job)
        if status is not _Status.PAUSED and job.job_started is not None:
            # Not the time of day again: it may have been set back meanwhile.
            job.job_ended = job.job_started + max(0.0, self._clock() - began)
        self._put(job, status)

    def _put(self, job: DownloadJobBase, status: _Status) -> None:
        """Give a job that this thread holds the status of one that was put aside or has ended."""
        job.status = status
        self._settled(job)
        self._log.ended(job)
        self._handlers.call(job)


def _verdict(entry: Entry, outcome: _Outcome) -> _Status:
    """Decide how a run ended, and leave the wishes that are still to be granted."""
    wishes = entry.wishes
    if outcome is None:
        wishes.clear()
        return _Status.COMPLETED
    if Wish.CANCEL in wishes:
        wishes.clear()
        return _Status.CANCELLED
    if Wish.PAUSE in wishes:
        # The first of them, for a job that runs is not started.
        wishes.popleft()
        return _Status.PAUSED
    if isinstance(outcome, Exception):
        return _Status.ERROR
    # It stopped by itself, which work does on nobody's wish but its own.
    return _Status.CANCELLED if outcome.kind is StopKind.CANCEL else _Status.PAUSED
