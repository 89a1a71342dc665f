"""Which jobs there are, and who is changing each of them.

Whoever changes a job *holds* it: at most one thread at a time, from before the change until the last handler
of its event has returned. What others want of a job that is held is kept in order, and done by its holder
before it lets go. So every job has one history, its events come in that order, and no lock is held while a
handler runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, get_ident

from modelshelf.download.scheduling import WaitingLine
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import UnknownJobIDException
from modelshelf.schema.download_job import DownloadJobBase, DownloadJobStatus

__all__ = ["Entry", "Roster", "Wish"]


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


class Roster:
    """The jobs of a queue, in any state.

    `changed` guards everything here: it is held by whoever calls `entry`, `hold`, `release` or `next`, and
    taken by the other methods themselves.
    """

    def __init__(self) -> None:
        self.changed = Condition()
        """Held for every look and every change; told of each job that is let go of."""
        self._entries: dict[int, Entry] = {}
        self._line = WaitingLine()
        self._active: dict[int, Entry] = {}
        """Those that wait, run or are held."""
        self._patient: set[int] = set()
        """Threads that wait for other jobs while they hold one: in a handler."""

    def add(self, job: DownloadJobBase, *, announced: bool = False) -> None:
        """Know *job*, which has its id, from now on."""
        with self.changed:
            self._entries[job.id] = Entry(job, announced=announced)

    def knows(self, job: DownloadJobBase) -> bool:
        """Whether *job* was added and not forgotten."""
        with self.changed:
            entry = self._entries.get(job.id)
            return entry is not None and entry.job is job

    def find(self, number: int) -> DownloadJobBase:
        """Return the job of that id.

        Raises:
            UnknownJobIDException: There is none.
        """
        with self.changed:
            if number not in self._entries:
                raise UnknownJobIDException(url="", job=str(number))
            return self._entries[number].job

    def jobs(self) -> list[DownloadJobBase]:
        """Return all jobs, in the order of their submission."""
        with self.changed:
            return [entry.job for _, entry in sorted(self._entries.items())]

    def forget(self, numbers: Iterable[int]) -> None:
        """Know these jobs no more, as far as nobody is changing them."""
        ended = list(numbers)
        with self.changed:
            for number in ended:
                if number not in self._active:
                    self._entries.pop(number, None)

    def change_priority(self, job: DownloadJobBase, priority: int) -> None:
        """Put *job* elsewhere in the line."""
        with self.changed:
            self.entry(job)
            job.priority = priority
            if job.id in self._line:
                self._line.add(job.id, priority)

    def entry(self, job: DownloadJobBase) -> Entry:
        """Return the entry of *job*.

        Raises:
            UnknownJobIDException: It was not added, or was forgotten.
        """
        entry = self._entries.get(job.id)
        if entry is None or entry.job is not job:
            raise UnknownJobIDException(url="", job=str(job.id))
        return entry

    def hold(self, entry: Entry, thread: int) -> None:
        """Let *thread* change a job that nobody holds."""
        entry.holder = thread
        self._active[entry.job.id] = entry
        self._line.remove(entry.job.id)

    def release(self, entry: Entry) -> None:
        """Let go of a job; one that is enqueued waits in the line from now on."""
        entry.holder = None
        if entry.job.status is DownloadJobStatus.ENQUEUED:
            self._line.add(entry.job.id, entry.job.priority)
        else:
            del self._active[entry.job.id]
        self.changed.notify_all()

    def next(self) -> Entry | None:
        """Take whose turn it is out of the line; None where nobody waits."""
        number = self._line.next()
        return None if number is None else self._entries[number]

    def wait_until_idle(self, timeout: float | None) -> bool:
        """Wait until no job waits, runs or is held; in a handler, until no other one does that can end.

        Returns:
            Whether it is so; False after *timeout* seconds.
        """
        with self.changed, self._patience() as excused:
            return self.changed.wait_for(lambda: all(map(excused, self._active.values())), timeout)

    def wait_until_ended(self, job: DownloadJobBase, timeout: float | None) -> bool:
        """Wait until *job* has ended and its handlers know; in one of its own handlers, do not wait.

        Returns:
            Whether it has ended; False after *timeout* seconds.
        """
        with self.changed, self._patience() as excused:
            entry = self.entry(job)
            if entry.holder == get_ident():
                return job.in_terminal_state
            return self.changed.wait_for(
                lambda: job.in_terminal_state and (entry.holder is None or excused(entry)), timeout
            )

    def wait_until_put_aside(self, jobs: Iterable[DownloadJobBase], seconds: float) -> None:
        """Wait a little until none of *jobs* waits or runs; not at all in a handler."""
        unfinished = list(jobs)
        with self.changed:
            if not self.is_in_handler:
                self.changed.wait_for(
                    lambda: all(
                        job.id not in self._active or job.in_terminal_state for job in unfinished
                    ),
                    seconds,
                )

    @property
    def is_in_handler(self) -> bool:
        """Whether this thread holds a job."""
        me = get_ident()
        return any(entry.holder == me for entry in self._active.values())

    @contextmanager
    def _patience(self) -> Iterator[Callable[[Entry], bool]]:
        """Give what tells whose end must not be waited for: they wait in a handler themselves."""
        me = get_ident()
        is_in_handler = self.is_in_handler
        begins = is_in_handler and me not in self._patient
        if begins:
            self._patient.add(me)
            self.changed.notify_all()
        try:
            yield lambda entry: is_in_handler and entry.holder in self._patient
        finally:
            if begins:
                self._patient.discard(me)
