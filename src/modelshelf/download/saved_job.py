"""A job as the JSON that it is kept in between two lives of a queue, without a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from modelshelf.download.saved_part import (
    Count,
    PartialKey,
    SavedContent,
    SavedDocument,
    SavedPart,
    address_without_secrets,
    partial_key_of,
)
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadJobURL,
    MeasuredDownloadJob,
    MultiFileDownloadJob,
)
from modelshelf.schema.transfer import PrivateAddresses

__all__ = ["SavedJob"]

_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Kind = Literal["path", "remote", "url", "many"]


class SavedJob(SavedDocument):
    """One job's document."""

    format: Literal[1] = 1
    """Version of this form."""
    key: _Hex
    """Tells this job from another one that has its number at another time."""
    owner: _Hex
    """The queue that runs it, as long as that lives."""
    kind: _Kind
    """Which class the job is of."""
    source: str
    """Its source, without secrets."""
    source_is_whole: bool = True
    """Whether nothing was left out of that."""
    destination: str
    """Absolute."""
    destination_is_folder: bool = False
    """As in the job; so are those below."""
    priority: int = 10
    overwrite: bool = False
    preserve_partial_downloads: bool = False
    keep_source: bool = False
    expected: SavedContent = Field(default_factory=SavedContent)
    digests: list[str] = Field(default_factory=list)
    final_was_free: bool = False
    final_is_own: bool = False
    received: Count = 0
    total_bytes: Count = 0
    partial_key: PartialKey | None = None
    """What the unfinished parts are found by where the address is not whole."""
    private_addresses: PrivateAddresses | None = None
    """As in the job."""
    parts: list[SavedPart] = Field(default_factory=list)
    """The files of a job for many."""

    @classmethod
    def of(cls, job: DownloadJobBase, *, key: str, owner: str) -> Self:
        """Write down *job*.

        Raises:
            TypeError: It is of a class that cannot be kept.
        """
        source, is_whole = address_without_secrets(str(job.source))
        saved = cls(
            key=key,
            owner=owner,
            kind=_kind_of(job),
            source=source,
            source_is_whole=is_whole,
            destination=str(job.destination.absolute()),
            destination_is_folder=job.destination_is_folder,
            priority=job.priority,
            overwrite=job.overwrite,
            preserve_partial_downloads=job.preserve_partial_downloads,
        )
        if isinstance(job, MeasuredDownloadJob):
            saved.received, saved.total_bytes = job.bytes, job.total_bytes
        if isinstance(job, DownloadJobPath):
            saved.source, saved.source_is_whole = str(job.source.absolute()), True
            saved.keep_source = job.keep_source
        if isinstance(job, DownloadJobRemoteSource):
            saved.source_is_whole = is_whole and job.source_is_whole
            saved.expected = SavedContent.of(job.expected)
            saved.digests = sorted(job.digests)
            saved.final_was_free = job.final_was_free
            saved.final_is_own = job.final_is_own
            saved.partial_key = partial_key_of(job, is_whole=is_whole)
            saved.private_addresses = job.private_addresses
        if isinstance(job, MultiFileDownloadJob):
            saved.source, saved.source_is_whole = job.source, True
            saved.parts = [SavedPart.of(part) for part in job.download_parts]
        return saved

    def to_bytes(self) -> bytes:
        """Return the document.

        Raises:
            ValueError: A name in it is no text.
        """
        return self.model_dump_json().encode()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a document that anybody may have written.

        Raises:
            ValueError: It is none.
        """
        saved = cls.model_validate_json(content)
        saved.job(0)
        return saved

    def job(self, number: int) -> DownloadJobBase:
        """Return the job, paused, with *number* as its id.

        Raises:
            ValueError: Its fields are of no use together.
        """
        common = {
            "id": number,
            "status": DownloadJobStatus.PAUSED,
            "destination": self.destination,
            "destination_is_folder": self.destination_is_folder,
            "priority": self.priority,
            "overwrite": self.overwrite,
            "bytes": self.received,
            "total_bytes": self.total_bytes,
            # What came is for the same order with its whole address.
            "preserve_partial_downloads": self.preserve_partial_downloads or not self._is_whole,
            "source": self.source,
        }
        remote = {
            "source_is_whole": self.source_is_whole,
            "expected": self.expected.content(),
            "digests": frozenset(self.digests),
            "final_was_free": self.final_was_free,
            "final_is_own": self.final_is_own,
            "may_be_done": self.final_was_free,
            "partial_key": self.partial_key,
            "private_addresses": self.private_addresses,
        }
        if not Path(self.destination).is_absolute():
            message = "the destination is not absolute"
            raise ValueError(message)
        match self.kind:
            case "path":
                return DownloadJobPath.model_validate(common | {"keep_source": self.keep_source})
            case "remote":
                return DownloadJobRemoteSource.model_validate(common | remote)
            case "url":
                return DownloadJobURL.model_validate(common | remote)
            case "many":
                parts = [part.job() for part in self.parts]
                return MultiFileDownloadJob.model_validate(common | {"download_parts": parts})

    @property
    def _is_whole(self) -> bool:
        return self.source_is_whole and all(part.source_is_whole for part in self.parts)


def _kind_of(job: DownloadJobBase) -> _Kind:
    match job:
        case MultiFileDownloadJob():
            return "many"
        case DownloadJobURL():
            return "url"
        case DownloadJobRemoteSource():
            return "remote"
        case DownloadJobPath():
            return "path"
        case _:
            raise TypeError(type(job).__name__)
