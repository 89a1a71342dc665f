"""The first half of an installation: find out what there is, spare what is here, fetch the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from modelshelf.blobs.trouble import store_trouble
from modelshelf.download import DownloadQueueServiceBase
from modelshelf.download.room import check_space
from modelshelf.errors import InvalidModelSourceError, ModelshelfError
from modelshelf.install.fetching import download_listed, download_url, fetched_by, parts_of
from modelshelf.install.installation import Installation
from modelshelf.install.job_board import NOT_STORED, JobBoard
from modelshelf.install.job_document import FetchedFile
from modelshelf.install.sparing import FileSparer
from modelshelf.install.told import source_in_words
from modelshelf.schema.download_job import DownloadJobBase, DownloadJobStatus, MeasuredDownloadJob
from modelshelf.schema.event import ModelInstallDownloading
from modelshelf.schema.install_job import InstallStatus
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import ModelSource, URLModelSource
from modelshelf.schema.transfer import PrivateAddresses

__all__ = ["Hubs", "JobFetcher"]

_BLOCK = 512
"""Bytes of the unit in which systems count the room that a file takes."""


class Hubs(Protocol):
    """What an installation asks of the network before it fetches."""

    def list_files(self, source: ModelSource) -> Listing | None:
        """Say what *source* has, pinned; None for an address that has one file.

        The subclasses of `HubError` say why there is nothing.
        """

    def token_for(self, source: ModelSource) -> str | None:
        """Return the token that the settings know for the host of *source*; None where there is none."""


class JobFetcher:
    """Brings the files of jobs to this machine, several jobs at once."""

    def __init__(
        self,
        board: JobBoard,
        downloads: DownloadQueueServiceBase,
        hubs: Hubs,
        sparer: FileSparer,
        *,
        private: PrivateAddresses,
        pass_on: Callable[[Installation], None],
        cancel: Callable[[int], None],
    ) -> None:
        """Hold what jobs pass through.

        Args:
            board: Where the jobs are.
            downloads: Fetches files.
            hubs: Say what a source has.
            sparer: Finds what is here already.
            private: Which private addresses URLs may lead to.
            pass_on: Called with each job whose files are all here.
            cancel: Called with the number of a job whose download somebody cancelled.
        """
        self._board = board
        self._downloads = downloads
        self._hubs = hubs
        self._sparer = sparer
        self._private = private
        self._pass_on = pass_on
        self._cancel = cancel

    def fetch(self, installation: Installation) -> None:
        """Find out what there is, spare what is here, and begin to fetch the rest."""
        job, folder = installation.job, installation.folder.files
        folder.mkdir(exist_ok=True)
        installation.forget_gone()
        listing = installation.listing or self._list(installation)
        if not job.waiting:
            # It was stopped while its hub was asked; the folder may be another program's by now.
            return
        if listing is None and isinstance(job.source, URLModelSource):
            download: MeasuredDownloadJob | None = download_url(job.source, folder, self._private)
        elif listing is None:
            raise InvalidModelSourceError(text=str(job.source), problem="no hub lists it")
        else:
            installation.add_files(self._sparer.spare(listing, folder))
            job.spared_bytes = job.bytes = sum(file.size for file in installation.there)
            job.total_bytes = listing.size or 0
            job.notes = listing.notes
            _check_room(listing, folder, installation.there)
            # A job that was taken up has its listing from the disk, and its token from whoever took it up.
            token = listing.access_token or getattr(job.source, "access_token", None)
            token = token or self._hubs.token_for(listing.source)
            download = download_listed(listing, folder, installation.there, token)
        if download is None:
            self._fetched(installation)
        elif job.waiting:
            download.add_event_handler(partial(self._follow, installation))
            # Who stops the job from the next line on finds a download that the queue knows.
            self._downloads.submit_download_job(download, start=False)
            installation.download = download
            self._downloads.start_job(download)
            # Whoever stopped the job just before this line saw no download to stop.
            if job.cancelled:
                self._downloads.cancel_job(download)
            elif job.paused:
                self._downloads.pause_job(download)

    def _list(self, installation: Installation) -> Listing | None:
        listing = self._hubs.list_files(installation.job.source)
        if listing is not None and installation.job.waiting:
            installation.note(listing=listing.model_dump(mode="json"))
        return listing

    def _follow(self, installation: Installation, download: DownloadJobBase) -> None:
        """Hear of a download, in its thread."""
        if not isinstance(download, MeasuredDownloadJob) or installation.download is not download:
            return
        match download.status:
            case DownloadJobStatus.RUNNING:
                self._progress(installation, download)
            case DownloadJobStatus.COMPLETED:
                try:
                    installation.add_files(fetched_by(download, installation.folder.files))
                    self._fetched(installation)
                except (ModelshelfError, OSError) as error:
                    # The disk may be full just now, and nobody else would say that the job has failed.
                    self._board.fail(installation, error)
            case DownloadJobStatus.ERROR:
                unsaid = RuntimeError("the download failed without a word")
                self._board.fail(installation, download.error or unsaid)
            case DownloadJobStatus.CANCELLED:
                self._cancel(installation.job.id)
                installation.folder.remove()
            case _:
                pass

    def _progress(self, installation: Installation, download: MeasuredDownloadJob) -> None:
        job = installation.job
        is_wanted = self._board.move(
            installation,
            InstallStatus.DOWNLOADING,
            only_from=NOT_STORED,
            bytes=max(job.bytes, job.spared_bytes + download.bytes),
            total_bytes=max(job.total_bytes, job.spared_bytes + download.total_bytes),
            parts=parts_of(download),
        )
        if is_wanted:
            event = ModelInstallDownloading(
                id=job.id,
                source=source_in_words(job.source),
                local_path=str(job.local_path),
                bytes=job.bytes,
                total_bytes=job.total_bytes,
                parts=job.parts,
            )
            self._board.tell(event)

    def _fetched(self, installation: Installation) -> None:
        installation.note(is_fetched=True, fetched=tuple(installation.there))
        installation.download = None
        installation.job.bytes = sum(file.size for file in installation.there)
        self._pass_on(installation)


def _check_room(listing: Listing, folder: Path, there: Sequence[FetchedFile]) -> None:
    """Refuse, before the first byte, what the disk cannot hold as a whole; what came before counts.

    Raises:
        NotEnoughSpaceError: All files together are too large.
    """
    whole = {file.member for file in there}
    missing = sum(file.size or 0 for file in listing.files if file.name not in whole)
    begun = sum(
        path.stat().st_blocks * _BLOCK
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).as_posix() not in whole
    )
    with store_trouble(folder):
        check_space(folder / "*", missing - begun)
