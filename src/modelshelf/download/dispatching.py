"""The heart of the queue: who may change a job, when, and in which thread.

Whoever changes a job *holds* it: at most one thread at a time, from before the change until the last handler
of its event has returned. What others want of a job that is held is kept in order, and done by its holder
before it lets go. So every job has one history, its events come in that order, and no lock is held while a
handler runs.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, Thread, get_ident

from modelshelf.download.handlers import HandlerChain, ProgressSteps
from modelshelf.download.job_log import JobLog
from modelshelf.download.job_work import ChooseWork
from modelshelf.download.scheduling import WaitingLine
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import UnknownJobIDException
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobStatus,
    MeasuredDownloadJob,
)
from modelshelf.schema.transfer import StopKind, Stopped

__all__ = ["Dispatcher", "Entry", "JobObserver", "Wish"]

_STARTING = -1
"""Holds a job whose thread has not begun yet; no thread has this number."""
_Status = DownloadJobStatus
_Outcome = Stopped | Exception | None


class Wish(Enum):
    """What somebody wants of a job."""

    START = "start"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(slots=True, eq=False)
class Entry:
    """A job of the queue, and who is changing it."""

    job: DownloadJobBase
    """The job; its id is its place in the order of submission."""
    announced: bool = False
    """Whether its one `enqueued` event was sent."""
    holder: int | None = None
    """The thread that changes it; None while nobody does."""
    wishes: deque[Wish] = field(default_factory=deque)
    """What its holder does before it lets go."""
    stop: StopSignal | None = None
    """Ends its run; None while it does not run."""


JobObserver = Callable[[DownloadJobBase], None]
"""Told of each job that was put aside or has ended, before its handlers are."""


class Dispatcher:
    """Runs jobs in threads, a limited number at a time, in their order."""

    def __init__(
        self,
        choose_work: ChooseWork,
        handlers: HandlerChain,
        log: JobLog,
        settled: JobObserver,
        *,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Begin without jobs, and open.

        Args:
            choose_work: Who does the work of a job.
            handlers: Whom to tell of events.
            log: Where starts and ends are told.
            settled: Told when a job was put aside or has ended.
            most: Jobs that run at the same time.
            clock: Measures how long a job ran.
            now: The time of day, in seconds since 1970.
        """
        self._choose_work = choose_work
        self._handlers = handlers
        self._log = log
        self._settled = settled
        self._most = most
        self._clock = clock
        self._now = now
        self._changed = Condition()
        self._entries: dict[int, Entry] = {}
        self._line = WaitingLine()
        self._active: dict[int, Entry] = {}
        """Those that are waiting, running or held."""
        self._workers: set[int] = set()
        self._waiting: set[int] = set()
        """Threads that wait for other jobs inside a handler."""
        self._running = 0
        self._drawn = 0
        self._is_open = True

    def add(self, job: DownloadJobBase, *, announced: bool = False) -> None:
        """Know *job*, which has its id, from now on."""
        with self._changed:
            self._entries[job.id] = Entry(job, announced=announced)

    def knows(self, job: DownloadJobBase) -> bool:
        """Whether *job* was added and not forgotten."""
        with self._changed:
            entry = self._entries.get(job.id)
            return entry is not None and entry.job is job

    def find(self, number: int) -> DownloadJobBase:
        """Return the job of that id.

        Raises:
            UnknownJobIDException: There is none.
        """
        with self._changed:
            if number not in self._entries:
                raise UnknownJobIDException(url="", job=str(number))
            return self._entries[number].job

    def jobs(self) -> list[DownloadJobBase]:
        """Return all jobs, in the order of their submission."""
        with self._changed:
            return [entry.job for _, entry in sorted(self._entries.items())]

    def _entry(self, job: DownloadJobBase) -> Entry:
        entry = self._entries.get(job.id)
        if entry is None or entry.job is not job:
            raise UnknownJobIDException(url="", job=str(job.id))
        return entry

    def forget(self, numbers: Iterable[int]) -> None:
        """Know these jobs no more, as far as nobody is changing them."""
        ended = list(numbers)
        with self._changed:
            for number in ended:
                if number not in self._active:
                    self._entries.pop(number, None)

    def open(self) -> None:
        """Let waiting jobs have their turns."""
        with self._changed:
            self._is_open = True
        self._fill()

    def shut(self) -> None:
        """Give no job a turn from now on."""
        with self._changed:
            self._is_open = False

    def change_priority(self, job: DownloadJobBase, priority: int) -> None:
        """Put *job* elsewhere in the line."""
        with self._changed:
            self._entry(job)
            job.priority = priority
            if job.id in self._line:
                self._line.add(job.id, priority)

    def wish(self, job: DownloadJobBase, wish: Wish) -> None:
        """Start, pause or cancel *job*: now, in this thread, or as soon as its holder comes to it."""
        with self._changed:
            entry = self._entry(job)
            stop = entry.stop
            if stop is not None and wish is Wish.START and Wish.PAUSE not in entry.wishes:
                return
            entry.wishes.append(wish)
            if entry.holder is None:
                self._hold(entry, get_ident())
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
        """Wait until no job waits, runs or is being changed; in a handler, the other jobs count.

        Returns:
            Whether it is so; False after *timeout* seconds.
        """
        with self._patience() as excused, self._changed:
            return self._changed.wait_for(lambda: all(map(excused, self._active.values())), timeout)

    def wait_until_ended(self, job: DownloadJobBase, timeout: float | None) -> bool:
        """Wait until *job* has ended and its handlers know; in one of its own handlers, do not wait.

        Returns:
            Whether it has ended; False after *timeout* seconds.
        """
        with self._patience() as excused, self._changed:
            entry = self._entry(job)
            if entry.holder == get_ident():
                return job.in_terminal_state
            return self._changed.wait_for(
                lambda: job.in_terminal_state and (entry.holder is None or excused(entry)), timeout
            )

    def wait_until_put_aside(self, jobs: list[DownloadJobBase], seconds: float) -> None:
        """Wait a little until none of *jobs* waits or runs; not at all in a handler."""
        with self._changed:
            me = get_ident()
            if any(entry.holder == me for entry in self._active.values()):
                return
            self._changed.wait_for(
                lambda: (
                    not any(job.id in self._active and not job.in_terminal_state for job in jobs)
                ),
                seconds,
            )

    @contextmanager
    def _patience(self) -> Iterator[Callable[[Entry], bool]]:
        """Lend the slot of a job whose handler waits for others, and excuse whoever cannot end meanwhile."""
        me = get_ident()
        with self._changed:
            mine = [entry for entry in self._active.values() if entry.holder == me]
            lends = me in self._workers and me not in self._waiting
            first = bool(mine) and me not in self._waiting
            if first:
                self._waiting.add(me)
            self._running -= lends
            self._changed.notify_all()
        self._fill()
        try:
            yield lambda entry: bool(mine) and entry.holder in self._waiting
        finally:
            with self._changed:
                if first:
                    self._waiting.discard(me)
                self._running += lends

    def _hold(self, entry: Entry, thread: int) -> None:
        entry.holder = thread
        self._active[entry.job.id] = entry
        self._line.remove(entry.job.id)

    def _release(self, entry: Entry) -> None:
        entry.holder = None
        if entry.job.status is _Status.ENQUEUED:
            self._line.add(entry.job.id, entry.job.priority)
        else:
            del self._active[entry.job.id]
        self._changed.notify_all()

    def _settle(self, entry: Entry) -> None:
        """Do what was wished of a job that this thread holds and that does not run; let go of it."""
        try:
            while True:
                with self._changed:
                    if not entry.wishes:
                        self._release(entry)
                        break
                    wish = entry.wishes.popleft()
                self._grant(entry, wish)
        except BaseException:
            # Ctrl-C in a handler: the job stays as it is, and can still be controlled.
            with self._changed:
                self._release(entry)
            raise
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
        """Give free slots to those whose turn it is."""
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
                number = self._line.next()
                if number is not None:
                    self._running += 1
                    entry = self._entries[number]
                    self._hold(entry, get_ident() if again else _STARTING)
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
            status = self._verdict(entry, outcome)
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

    def _verdict(self, entry: Entry, outcome: _Outcome) -> _Status:
        wishes = entry.wishes
        if outcome is None:
            wishes.clear()
            return _Status.COMPLETED
        if Wish.CANCEL in wishes:
            wishes.clear()
            return _Status.CANCELLED
        if Wish.PAUSE in wishes:
            while wishes.popleft() is not Wish.PAUSE:
                pass
            return _Status.PAUSED
        if isinstance(outcome, Exception):
            return _Status.ERROR
        # It stopped by itself, which work does on nobody's wish but its own.
        return _Status.CANCELLED if outcome.kind is StopKind.CANCEL else _Status.PAUSED

    def _put(self, job: DownloadJobBase, status: _Status) -> None:
        """Give a job that this thread holds the status of one that was put aside or has ended."""
        job.status = status
        self._settled(job)
        self._log.ended(job)
        self._handlers.call(job)
