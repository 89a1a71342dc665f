"""What is done for a job while it runs: the seam between the queue and the kinds of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from modelshelf.download.file_fetcher import Report
from modelshelf.download.stop_signal import StopSignal
from modelshelf.schema.download_job import DownloadJobBase
from modelshelf.schema.transfer import Stopped

__all__ = ["ChooseWork", "JobWork"]

_Job_contra = TypeVar("_Job_contra", bound=DownloadJobBase, contravariant=True)


class JobWork(Protocol[_Job_contra]):
    """Does the work of one kind of job, in the thread of the job."""

    def run(self, job: _Job_contra, stop: StopSignal, report: Report) -> Stopped | None:
        """Do it, or go on with it.

        Args:
            job: What to do. Results are written into it; its status, its bytes and its times are not.
            stop: Ends the work early.
            report: Told how far it is, from this thread alone.

        Returns:
            None when all is done, otherwise that it was stopped.

        Raises:
            Exception: It cannot be done.
        """

    def discard(self, job: _Job_contra) -> None:
        """Remove what earlier runs left, after an error or a cancellation. Does not fail."""


ChooseWork = Callable[[DownloadJobBase], JobWork[DownloadJobBase]]
"""Says who does the work of a job."""
