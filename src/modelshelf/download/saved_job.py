"""A job as the JSON that it is kept in between two lives of a queue, without a secret.

What is kept of an address is what is needed to ask for the same file again: no user information, no fragment,
and of the query only parameters whose names are known to choose a file. Whatever else it holds may be a token
or a signature, and stays away. A job that loses something by that knows it (`source_is_whole`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from modelshelf.download.destination import partial_key
from modelshelf.download.origin import WebAddress
from modelshelf.errors import InvalidDigestError
from modelshelf.schema.address_secrets import chooses_a_file
from modelshelf.schema.digest import Digest
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadJobURL,
    MeasuredDownloadJob,
    MultiFileDownloadJob,
)
from modelshelf.schema.transfer import (
    Downloaded,
    ExpectedContent,
    PrivateAddresses,
    Verification,
)

__all__ = ["SavedJob", "address_without_secrets"]

_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Count = Annotated[int, Field(ge=0)]
_PartialKey = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
_Kind = Literal["path", "remote", "url", "many"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _SavedContent(_Document):
    size: _Count | None = None
    sha256: str | None = None
    blake3: str | None = None
    git_sha1: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None

    @classmethod
    def of(cls, content: ExpectedContent) -> Self:
        return cls(
            size=content.size,
            sha256=_text(content.sha256),
            blake3=_text(content.blake3),
            git_sha1=content.git_sha1,
        )

    def content(self) -> ExpectedContent:
        return ExpectedContent(
            size=self.size,
            sha256=_digest(self.sha256),
            blake3=_digest(self.blake3),
            git_sha1=self.git_sha1,
        )


class _SavedResult(_Document):
    path: str
    size: _Count
    verification: str
    fetched: _Count
    sha256: str | None = None
    blake3: str | None = None

    @classmethod
    def of(cls, downloaded: Downloaded) -> Self:
        return cls(
            path=str(downloaded.path),
            size=downloaded.size,
            verification=downloaded.verification.value,
            fetched=downloaded.fetched,
            sha256=_text(downloaded.sha256),
            blake3=_text(downloaded.blake3),
        )

    def downloaded(self) -> Downloaded:
        return Downloaded(
            path=Path(self.path),
            size=self.size,
            verification=Verification(self.verification),
            sha256=_digest(self.sha256),
            blake3=_digest(self.blake3),
            fetched=self.fetched,
            etag=None,
            content_type=None,
        )


class _SavedPart(_Document):
    source: str
    source_is_whole: bool = True
    destination: str
    expected: _SavedContent
    digests: list[str] = Field(default_factory=list)
    final_was_free: bool = False
    final_is_own: bool = False
    received: _Count = 0
    total_bytes: _Count = 0
    done: _SavedResult | None = None
    partial_key: _PartialKey | None = None
    private_addresses: PrivateAddresses | None = None

    @classmethod
    def of(cls, part: DownloadJobRemoteSource) -> Self:
        source, is_whole = address_without_secrets(str(part.source))
        return cls(
            source=source,
            source_is_whole=is_whole and part.source_is_whole,
            destination=str(part.destination),
            expected=_SavedContent.of(part.expected),
            digests=sorted(part.digests),
            final_was_free=part.final_was_free,
            final_is_own=part.final_is_own,
            received=part.bytes,
            total_bytes=part.total_bytes,
            done=_SavedResult.of(part.downloaded) if part.downloaded else None,
            partial_key=_partial_key_of(part, is_whole=is_whole),
            private_addresses=part.private_addresses,
        )

    def job(self) -> DownloadJobRemoteSource:
        done = self.done.downloaded() if self.done else None
        return DownloadJobRemoteSource(
            source=self.source,
            source_is_whole=self.source_is_whole,
            destination=Path(self.destination),
            status=DownloadJobStatus.COMPLETED if done else DownloadJobStatus.IDLE,
            expected=self.expected.content(),
            digests=frozenset(self.digests),
            final_was_free=self.final_was_free,
            final_is_own=self.final_is_own,
            may_be_done=self.final_was_free and done is None,
            bytes=self.received,
            total_bytes=self.total_bytes,
            downloaded=done,
            partial_key=self.partial_key,
            private_addresses=self.private_addresses,
            downloaded_path=done.path if done else None,
            verification=done.verification if done else None,
        )


class SavedJob(_Document):
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
    expected: _SavedContent = Field(default_factory=_SavedContent)
    digests: list[str] = Field(default_factory=list)
    final_was_free: bool = False
    final_is_own: bool = False
    received: _Count = 0
    total_bytes: _Count = 0
    partial_key: _PartialKey | None = None
    """What the unfinished parts are found by where the address is not whole."""
    private_addresses: PrivateAddresses | None = None
    """As in the job."""
    parts: list[_SavedPart] = Field(default_factory=list)
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
            saved.expected = _SavedContent.of(job.expected)
            saved.digests = sorted(job.digests)
            saved.final_was_free = job.final_was_free
            saved.final_is_own = job.final_is_own
            saved.partial_key = _partial_key_of(job, is_whole=is_whole)
            saved.private_addresses = job.private_addresses
        if isinstance(job, MultiFileDownloadJob):
            saved.source, saved.source_is_whole = job.source, True
            saved.parts = [_SavedPart.of(part) for part in job.download_parts]
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


def address_without_secrets(url: str) -> tuple[str, bool]:
    """Return what of an address may lie on a disk, and whether that is all of it.

    Example:
        >>> address_without_secrets("https://me:pw@a.example/api/7?type=Model&token=x#top")
        ('https://a.example/api/7?type=Model', False)
        >>> address_without_secrets("https://a.example/api/7?fileId=3")
        ('https://a.example/api/7?fileId=3', True)
    """
    try:
        address = WebAddress.parse(url)
    except ValueError:
        # Not fetchable either, so nothing is missed. A path has no secrets.
        return ("", False) if "://" in url else (url, True)
    given = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if chooses_a_file(name, value)]
    if len(kept) == len(given) and address.user is None:
        return str(address), True
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{address.public}{query}", False


def _partial_key_of(job: DownloadJobRemoteSource, *, is_whole: bool) -> str | None:
    """Return what a job will be lacking that comes back without a part of its address."""
    if job.partial_key is not None or is_whole:
        return job.partial_key
    return partial_key(str(job.source), job.expected)


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


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)


def _digest(text: str | None) -> Digest | None:
    if text is None:
        return None
    try:
        return Digest.parse(text)
    except InvalidDigestError as error:
        raise ValueError(text) from error
