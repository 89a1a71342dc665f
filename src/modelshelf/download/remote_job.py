"""Jobs for one remote file."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from modelshelf.download.destination import Destination
from modelshelf.download.file_fetcher import FileFetcher, Report
from modelshelf.download.origin import public_url
from modelshelf.download.partial_names import PartialNames
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import DestinationUnusableError, InvalidDownloadError, ModelshelfError
from modelshelf.protocols import Disk
from modelshelf.schema.download_job import DownloadJobRemoteSource
from modelshelf.schema.transfer import PrivateAddresses, Stopped, TransferOrder

__all__ = [
    "RemoteWork",
    "TokenFor",
    "check_source",
    "is_news_of_final_name",
    "make_folder",
    "order_of",
]

TokenFor = Callable[[str], str | None]
"""Says which access token to present for an address; None presents nothing."""


class RemoteWork:
    """Fetches the file of a `DownloadJobRemoteSource`."""

    def __init__(
        self,
        fetcher: FileFetcher,
        disk: Disk,
        *,
        token_for: TokenFor | None = None,
        private: PrivateAddresses = PrivateAddresses.AS_NAMED,
        note: Callable[[DownloadJobRemoteSource], None] = lambda _: None,
    ) -> None:
        """Hold what a file is fetched with.

        Args:
            fetcher: Fetches it.
            disk: Makes the folder.
            token_for: Asked for the token of a job that has none.
            private: Which private addresses may be talked to.
            note: Told when there is something to keep before a byte is fetched.
        """
        self._fetcher = fetcher
        self._disk = disk
        self._token_for = token_for
        self._private = private
        self._note = note

    def run(self, job: DownloadJobRemoteSource, stop: StopSignal, report: Report) -> Stopped | None:
        """Fetch it; see `JobWork`."""
        check_source(job)
        make_folder(
            self._disk, job.destination if job.destination_is_folder else job.destination.parent
        )
        if not (job.destination_is_folder or job.destination.is_dir()) and is_news_of_final_name(
            job, self._order(job)
        ):
            self._note(job)
        outcome = self._fetcher.run(self._order(job), stop, report)
        if isinstance(outcome, Stopped):
            return outcome
        job.bytes = job.total_bytes = outcome.size
        job.downloaded, job.downloaded_path = outcome, outcome.path
        job.verification = outcome.verification
        return None

    def discard(self, job: DownloadJobRemoteSource) -> None:
        """Remove what came; see `JobWork`."""
        with suppress(ModelshelfError, OSError):
            self._fetcher.discard(self._order(job))

    def _order(self, job: DownloadJobRemoteSource) -> TransferOrder:
        return order_of(
            job, job.destination, private=self._private, token=job.access_token, ask=self._token_for
        )


def order_of(
    job: DownloadJobRemoteSource,
    destination: Path,
    *,
    private: PrivateAddresses,
    token: object,
    ask: TokenFor | None,
) -> TransferOrder:
    """Say in an order what *job* wants.

    Args:
        job: The job, or a part of one.
        destination: Where the file goes.
        private: Which private addresses may be talked to.
        token: The access token; None for none.
        ask: Asked for the token where there is none.
    """
    url = str(job.source)
    if token is None and ask is not None:
        token = ask(url)
    elif hasattr(token, "get_secret_value"):
        token = token.get_secret_value()
    return TransferOrder(
        url=url,
        destination=destination,
        expected=job.expected,
        token=None if token is None else str(token),
        overwrite=job.overwrite or job.final_is_own,
        # The job may change its mind until it fails; then the queue discards what is left.
        keep_partial=True,
        private=private.narrowed(job.private_addresses),
        digests=job.digests,
        partial_key=job.partial_key,
    )


def is_news_of_final_name(job: DownloadJobRemoteSource, order: TransferOrder) -> bool:
    """Look at the final name before a run, and note in *job* what has to be known after a crash.

    That is whether nothing stood there when the job first ran; and whether what stands there is its own: put
    there by a process that died before it could say so. It is known by three things: the name was free, the
    job comes back from such a process, and of what it fetched no part is left, or one that is the very file.

    Returns:
        Whether there is something new in *job*, to be kept before a byte is fetched.
    """
    final = order.destination
    if not os.path.lexists(final):
        is_news = not job.final_was_free
        job.final_was_free = True
        return is_news
    if job.may_be_done and not job.final_is_own:
        with suppress(ModelshelfError, OSError):
            destination = Destination.of(order)
            part = PartialNames.of(final, destination.key).part
            # From now on there may be a part of a second attempt, so it is not asked again.
            job.final_is_own = destination.leftover() is None or part.samefile(final)
            return job.final_is_own
    return False


def check_source(job: DownloadJobRemoteSource) -> None:
    """Refuse a job whose address misses a part: without it another file might answer.

    Raises:
        InvalidDownloadError: It does.
    """
    if not job.source_is_whole:
        raise InvalidDownloadError(
            url=public_url(str(job.source)),
            reason="a part of its address was not kept, for it may be a secret;"
            " submit it anew with its whole address, and it goes on where it was",
        )


def make_folder(disk: Disk, folder: Path) -> None:
    """Make *folder* if it is not there, so that it stays.

    Raises:
        DestinationUnusableError: That cannot be.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        disk.make_folder(folder)
        for path in reversed(missing):
            # Or a power cut takes the folder away, and the whole file with it.
            disk.sync_folder(path.parent)
    except OSError as error:
        raise DestinationUnusableError(
            path=str(folder), reason=error.strerror or str(error)
        ) from error
