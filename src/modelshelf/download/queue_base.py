"""What every download queue can do, in the specification's names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import AnyHttpUrl

from modelshelf.schema.download_job import DownloadEventHandler, DownloadJobBase

__all__ = ["DownloadQueueServiceBase"]


class DownloadQueueServiceBase(ABC):
    """Fetches files in the background, several at a time.

    Handlers of a job's events run in the thread in which the job runs; while it does not run, in the thread
    that changes it. They may call every method of the queue, also to control their own job, and what they
    raise is logged and hurts nobody.

    Every method that takes a job raises `UnknownJobIDException` for one that was not submitted to this
    queue, or was pruned from it.
    """

    @abstractmethod
    def start(self) -> None:
        """Give waiting jobs their turns. A new queue does so already; this is for one that was stopped."""

    @abstractmethod
    def stop(self) -> None:
        """Pause every unfinished job and run none until `start`; return within two seconds.

        The paused jobs wait for `start_job` or `start_all_jobs`, in this process or, where the queue keeps
        its state in a folder, in another one.
        """

    @abstractmethod
    def submit_download_job(self, job: DownloadJobBase, start: bool = True) -> None:  # noqa: FBT001, FBT002
        """Give *job* an id and take it into the queue.

        Args:
            job: A fresh one.
            start: Whether it may run at once; if not, `start_job` lets it.

        Raises:
            InvalidDownloadError: It was submitted before, or the queue knows no way to do what it says.
        """

    @abstractmethod
    def create_download_job(
        self,
        source: str | Path | AnyHttpUrl,
        destdir: Path | str,
        filename: Path | str | None = None,
        start: bool = True,  # noqa: FBT001, FBT002
        priority: int = 10,
        access_token: str | None = None,
        event_handlers: Sequence[DownloadEventHandler] = (),
    ) -> DownloadJobBase:
        """Make a job of the class that fits *source*, and submit it.

        Args:
            source: An address, or a path of this machine.
            destdir: The folder for the file; it is made if it is not there.
            filename: The file's name in it; None takes the one that the remote host gives.
            start: Whether it may run at once.
            priority: Lower ones run first.
            access_token: Presented to the host of *source*, and to no other.
            event_handlers: Called before those of the queue.

        Raises:
            InvalidDownloadError: The queue knows no way to fetch from there, or *filename* leaves *destdir*.
        """

    @abstractmethod
    def join(self) -> None:
        """Wait until every job that was started has ended or was paused, and its handlers have returned.

        In a handler, the jobs count whose handlers do not wait themselves.
        """

    @abstractmethod
    def wait_for_job(self, job: DownloadJobBase, timeout: float | None = None) -> DownloadJobBase:
        """Wait until *job* is completed, failed or cancelled, and its handlers have returned.

        Args:
            job: The job.
            timeout: Seconds; None waits as long as it takes.

        Returns:
            The job.

        Raises:
            TimeoutError: It has not ended after *timeout* seconds; or a handler of it waits for it, in vain.
        """

    @abstractmethod
    def list_jobs(self) -> list[DownloadJobBase]:
        """Return all jobs in the order of their submission, those that have ended too."""

    @abstractmethod
    def id_to_job(self, id: int) -> DownloadJobBase:  # noqa: A002 - the specification's name
        """Return the job of that id.

        Raises:
            UnknownJobIDException: There is none.
        """

    @abstractmethod
    def prune_jobs(self) -> None:
        """Forget the jobs that have completed, failed or were cancelled."""

    @abstractmethod
    def start_job(self, job: DownloadJobBase) -> None:
        """Let a job run that was paused or submitted with `start=False`; others go on as they are."""

    @abstractmethod
    def pause_job(self, job: DownloadJobBase) -> None:
        """Put a job aside that waits or runs, to the byte; `start_job` lets it go on.

        Returns when it is so, after a second at the latest and at once in a handler. A job that is just
        completing completes.
        """

    @abstractmethod
    def cancel_job(self, job: DownloadJobBase) -> None:
        """End a job and remove what came of it, unless it has ended already.

        Returns when it is so, after a second at the latest and at once in a handler. A job that is just
        completing completes.
        """

    @abstractmethod
    def change_priority(self, job: DownloadJobBase, priority: int) -> None:
        """Let a job that waits wait elsewhere in the line; one that runs goes on."""

    @abstractmethod
    def start_all_jobs(self) -> None:
        """Start every job that has not ended."""

    @abstractmethod
    def pause_all_jobs(self) -> None:
        """Pause every job that waits or runs."""

    @abstractmethod
    def cancel_all_jobs(self) -> None:
        """Cancel every job that has not ended."""

    def __enter__(self) -> Any:  # noqa: ANN401 - Self, in a class that is subclassed with more
        """Use the queue for the length of a block, after which it is stopped."""
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
