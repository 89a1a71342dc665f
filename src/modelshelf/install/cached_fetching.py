"""Fetching to use and not to keep: what `download_and_cache` does."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from modelshelf.download import DownloadQueueServiceBase
from modelshelf.download.cache import DownloadCache
from modelshelf.errors import DownloadError, InvalidModelSourceError
from modelshelf.install.fetching import download_listed, download_url
from modelshelf.install.job_fetching import Hubs
from modelshelf.install.refused_download import refused_by_hub
from modelshelf.install.told import source_in_words
from modelshelf.schema.download_job import DownloadJobRemoteSource, MeasuredDownloadJob
from modelshelf.schema.model_source import LocalModelSource, ModelSource, URLModelSource
from modelshelf.schema.transfer import PrivateAddresses

__all__ = ["CachedFetcher"]


class CachedFetcher:
    """Fetches what a source has into a cache, once."""

    def __init__(
        self,
        cache: DownloadCache,
        downloads: DownloadQueueServiceBase,
        hubs: Hubs,
        private: PrivateAddresses,
    ) -> None:
        self._cache = cache
        self._downloads = downloads
        self._hubs = hubs
        self._private = private

    def fetch(self, source: ModelSource, timeout: float = 0) -> Path:
        """Return the file, or the folder of files, that *source* has.

        Args:
            source: Where it is; nothing on this machine.
            timeout: Seconds to wait at most; 0 waits until it is done.

        Raises:
            InvalidModelSourceError: *source* is a path.
            TimeoutError: It takes longer; what came is kept for the next call.
            HubError: The hub does not give it.
            DownloadError: It cannot be fetched.
        """
        if isinstance(source, LocalModelSource):
            problem = "it is on this machine, where nothing is fetched from"
            raise InvalidModelSourceError(text=str(source), problem=problem)
        deadline = monotonic() + timeout if timeout else None

        def bring(folder: Path) -> Path:
            return self._bring(source, folder, deadline)

        # Two addresses that differ in a secret alone may have two files.
        apart = str(source) if isinstance(source, URLModelSource) else ""
        seconds = timeout or None
        return self._cache.use(source_in_words(source), bring, apart=apart, seconds=seconds)

    def _bring(self, source: ModelSource, folder: Path, deadline: float | None) -> Path:
        listing = self._hubs.list_files(source)
        if listing is None and isinstance(source, URLModelSource):
            job = download_url(source, folder, self._private)
            self._run(job, deadline)
            return job.downloaded_path or folder
        if listing is None:
            raise InvalidModelSourceError(text=str(source), problem="no hub lists it")
        token = listing.access_token or self._hubs.token_for(listing.source)
        many = download_listed(listing, folder, (), token)
        if many is not None:
            try:
                self._run(many, deadline)
            except DownloadError as error:
                refused = refused_by_hub(error, listing, has_token=bool(token))
                if refused is None:
                    raise
                raise refused from error
        return folder if listing.is_folder else folder / listing.files[0].name

    def _run(
        self, job: MeasuredDownloadJob | DownloadJobRemoteSource, deadline: float | None
    ) -> None:
        self._downloads.submit_download_job(job)
        left = None if deadline is None else max(deadline - monotonic(), 0.001)
        try:
            self._downloads.wait_for_job(job, left)
        except TimeoutError:
            self._downloads.pause_job(job)
            raise
        if job.error is not None:
            raise job.error
        if not job.complete:
            message = f"the download of {job.source} was cancelled"
            raise InterruptedError(message)
