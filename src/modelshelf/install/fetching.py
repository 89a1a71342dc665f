"""From a listing to a download, and from a download to what is known of its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from modelshelf.install.job_folder import FetchedFile
from modelshelf.install.sparing import fetched_file
from modelshelf.install.told import source_in_words
from modelshelf.schema.digest import Digest, FileDigests
from modelshelf.schema.download_job import (
    DownloadJobRemoteSource,
    MeasuredDownloadJob,
    MultiFileDownloadJob,
)
from modelshelf.schema.event import DownloadPart
from modelshelf.schema.listing import ListedFile, Listing
from modelshelf.schema.model_source import URLModelSource
from modelshelf.schema.transfer import ExpectedContent, PrivateAddresses

__all__ = ["download_listed", "download_url", "fetched_by", "parts_of"]

_BOTH = frozenset({"blake3", "sha256"})
"""Both digests that the store wants, so that nothing is read again."""


def download_url(
    source: URLModelSource, folder: Path, private: PrivateAddresses
) -> DownloadJobRemoteSource:
    """Make the job that fetches the one file of a URL into *folder*, under its host's name for it.

    Args:
        source: The URL.
        folder: Of the library's own.
        private: Which private addresses URLs may lead to.
    """
    return DownloadJobRemoteSource(
        source=str(source.url),
        destination=folder,
        destination_is_folder=True,
        access_token=source.access_token,
        private_addresses=private,
        digests=_BOTH,
        # The folder is ours: what is there without being noted, a program left that died or was stopped.
        overwrite=True,
        preserve_partial_downloads=True,
    )


def download_listed(
    listing: Listing, folder: Path, there: Iterable[FetchedFile], token: str | None
) -> MultiFileDownloadJob | None:
    """Make the job that fetches what is not there yet; None where everything is.

    Args:
        listing: What the source has.
        folder: Where its files go.
        there: Files that need not be fetched.
        token: Presented to the hub's own host.
    """
    whole = {file.member for file in there}
    parts = [_part(file) for file in listing.files if file.name not in whole]
    if not parts:
        return None
    return MultiFileDownloadJob(
        source=source_in_words(listing.source),
        destination=folder,
        download_parts=parts,
        access_token=token,
        preserve_partial_downloads=True,
    )


def _part(file: ListedFile) -> DownloadJobRemoteSource:
    return DownloadJobRemoteSource(
        source=file.url,
        destination=Path(file.name),
        expected=ExpectedContent(
            size=file.size,
            sha256=None if file.sha256 is None else Digest.parse(f"sha256:{file.sha256}"),
            blake3=None if file.blake3 is None else Digest.parse(f"blake3:{file.blake3}"),
            git_sha1=file.git_sha1,
        ),
        digests=_BOTH,
        overwrite=True,
        total_bytes=file.size or 0,
    )


def fetched_by(download: MeasuredDownloadJob, folder: Path) -> Iterator[FetchedFile]:
    """Yield what is known of each whole file that a download brought into *folder*."""
    for part in _single(download):
        came = part.downloaded
        if came is None or came.blake3 is None or came.sha256 is None:
            continue
        digests = FileDigests(came.size, came.blake3, came.sha256)
        yield fetched_file(came.path.relative_to(folder).as_posix(), came.path, digests)


def parts_of(download: MeasuredDownloadJob) -> tuple[DownloadPart, ...]:
    """Say of each file of a download how far it is."""
    return tuple(
        DownloadPart(
            source=part.model_dump(mode="json", include={"source"})["source"],
            local_path=str(part.destination),
            bytes=part.bytes,
            total_bytes=part.total_bytes,
        )
        for part in _single(download)
    )


def _single(download: MeasuredDownloadJob) -> list[DownloadJobRemoteSource]:
    if isinstance(download, MultiFileDownloadJob):
        return download.download_parts
    return [download] if isinstance(download, DownloadJobRemoteSource) else []
