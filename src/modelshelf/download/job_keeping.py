"""Taking jobs into a queue: their numbers, and what is kept of them between two lives of it."""

from __future__ import annotations

from threading import Lock

from modelshelf.download.job_log import QueueLogger, shown_source
from modelshelf.download.job_making import listed_size
from modelshelf.download.queue_state import QueueState
from modelshelf.download.roster import Roster
from modelshelf.errors import InvalidDownloadError
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobStatus,
    MeasuredDownloadJob,
)

__all__ = ["JobKeeping"]


class JobKeeping:
    """Puts jobs on the roster, new ones and those of an earlier life."""

    def __init__(self, roster: Roster, state: QueueState | None, logger: QueueLogger) -> None:
        """Begin with an empty roster.

        Args:
            roster: Where the jobs are.
            state: Where they are kept; None keeps them as long as the process lives.
            logger: Where it is told that one could not be kept.
        """
        self._roster = roster
        self._state = state
        self._logger = logger
        self._taking = Lock()
        self._next = 0

    def take(self, job: DownloadJobBase) -> None:
        """Give *job* a number, and keep it.

        Raises:
            InvalidDownloadError: It was taken before.
            DestinationUnusableError: It could not be kept.
        """
        with self._taking:
            if job.status is not DownloadJobStatus.IDLE or self._roster.knows(job):
                raise InvalidDownloadError(
                    url=shown_source(job), reason="the job was submitted before; make a new one"
                )
            if isinstance(job, MeasuredDownloadJob):
                job.total_bytes = listed_size(job) or job.total_bytes
            if self._state is not None:
                self._state.add(job)
            else:
                job.id, self._next = self._next, self._next + 1
            self._roster.add(job)

    def restore(self) -> None:
        """Have the jobs of dead queues, and one's own again that nobody took over meanwhile.

        Raises:
            DestinationUnusableError: The folder cannot be used.
        """
        if self._state is not None:
            found, lost = self._state.claim()
            self._roster.forget(lost)
            for job in found:
                self._roster.add(job, announced=True)

    def keep(self, job: DownloadJobBase, *, durable: bool = True) -> None:
        """Keep *job* as it is now, or no longer when it has ended. Does not fail.

        Args:
            job: One that was taken.
            durable: Whether that has to survive a power cut.
        """
        if self._state is None:
            return
        try:
            if job.in_terminal_state:
                self._state.forget(job.id)
            else:
                self._state.save(job, durable=durable)
        except (OSError, ValueError):
            self._logger.warning("the state of download %d cannot be kept", job.id, exc_info=True)

    def note(self, job: DownloadJobBase) -> None:
        """Keep *job* as it is now; a power cut may lose that, for its files tell it all the same."""
        self.keep(job, durable=False)

    def release(self) -> None:
        """Let other queues have the jobs."""
        if self._state is not None:
            self._state.release()
