"""Who does the work of which class of jobs."""

from __future__ import annotations

from typing import cast

from modelshelf.download.job_log import shown_source
from modelshelf.download.job_work import JobWork
from modelshelf.download.many_files import ManyFilesWork
from modelshelf.download.path_job import PathWork
from modelshelf.download.remote_job import RemoteWork
from modelshelf.errors import InvalidDownloadError
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    MultiFileDownloadJob,
)

__all__ = ["JobWorks"]


class JobWorks:
    """The kinds of work that a queue can do."""

    def __init__(self, remote: RemoteWork, many: ManyFilesWork, path: PathWork) -> None:
        """Hold them.

        Args:
            remote: Fetches one file.
            many: Fetches the files of one model.
            path: Moves what is on this machine.
        """
        self._remote = remote
        self._many = many
        self._path = path

    def of(self, job: DownloadJobBase) -> JobWork[DownloadJobBase]:
        """Say who does the work of *job*.

        Raises:
            InvalidDownloadError: Nobody.
        """
        work: RemoteWork | ManyFilesWork | PathWork
        match job:
            case MultiFileDownloadJob():
                work = self._many
            case DownloadJobRemoteSource():
                work = self._remote
            case DownloadJobPath():
                work = self._path
            case _:
                raise InvalidDownloadError(
                    url=shown_source(job), reason=f"nobody does the work of a {type(job).__name__}"
                )
        # It is the work of this very class of jobs, which a type cannot say.
        return cast("JobWork[DownloadJobBase]", work)
