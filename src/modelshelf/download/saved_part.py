"""One file of a kept job: what was expected of it, what came, and where from, without a secret.

What is kept of an address is what is needed to ask for the same file again: no user information, no fragment,
and of the query only parameters whose names are known to choose a file. Whatever else it holds may be a token
or a signature, and stays away. A job that loses something by that knows it (`source_is_whole`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from modelshelf.download.destination import partial_key
from modelshelf.download.origin import WebAddress
from modelshelf.errors import InvalidDigestError
from modelshelf.schema.address_secrets import chooses_a_file
from modelshelf.schema.digest import Digest
from modelshelf.schema.download_job import DownloadJobRemoteSource, DownloadJobStatus
from modelshelf.schema.transfer import (
    Downloaded,
    ExpectedContent,
    PrivateAddresses,
    Verification,
)

__all__ = [
    "Count",
    "PartialKey",
    "SavedContent",
    "SavedDocument",
    "SavedPart",
    "address_without_secrets",
    "partial_key_of",
]

Count = Annotated[int, Field(ge=0)]
PartialKey = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]


class SavedDocument(BaseModel):
    """What is read again exactly as it was written: anybody may have changed it meanwhile."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SavedContent(SavedDocument):
    """What was said of a file before it was fetched."""

    size: Count | None = None
    sha256: str | None = None
    blake3: str | None = None
    git_sha1: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None

    @classmethod
    def of(cls, content: ExpectedContent) -> Self:
        """Write down *content*."""
        return cls(
            size=content.size,
            sha256=_text(content.sha256),
            blake3=_text(content.blake3),
            git_sha1=content.git_sha1,
        )

    def content(self) -> ExpectedContent:
        """Return what was written down.

        Raises:
            ValueError: A digest is none.
        """
        return ExpectedContent(
            size=self.size,
            sha256=_digest(self.sha256),
            blake3=_digest(self.blake3),
            git_sha1=self.git_sha1,
        )


class _SavedResult(SavedDocument):
    path: str
    size: Count
    verification: str
    fetched: Count
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


class SavedPart(SavedDocument):
    """One file of a job for many; its fields are those of a `SavedJob` of one file."""

    source: str
    source_is_whole: bool = True
    destination: str
    expected: SavedContent
    digests: list[str] = Field(default_factory=list)
    final_was_free: bool = False
    final_is_own: bool = False
    received: Count = 0
    total_bytes: Count = 0
    done: _SavedResult | None = None
    """What came of it; None while it is not there."""
    partial_key: PartialKey | None = None
    private_addresses: PrivateAddresses | None = None

    @classmethod
    def of(cls, part: DownloadJobRemoteSource) -> Self:
        """Write down *part*."""
        source, is_whole = address_without_secrets(str(part.source))
        return cls(
            source=source,
            source_is_whole=is_whole and part.source_is_whole,
            destination=str(part.destination),
            expected=SavedContent.of(part.expected),
            digests=sorted(part.digests),
            final_was_free=part.final_was_free,
            final_is_own=part.final_is_own,
            received=part.bytes,
            total_bytes=part.total_bytes,
            done=_SavedResult.of(part.downloaded) if part.downloaded else None,
            partial_key=partial_key_of(part, is_whole=is_whole),
            private_addresses=part.private_addresses,
        )

    def job(self) -> DownloadJobRemoteSource:
        """Return the part as a job, idle or complete.

        Raises:
            ValueError: Its fields are of no use together.
        """
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


def partial_key_of(job: DownloadJobRemoteSource, *, is_whole: bool) -> str | None:
    """Return what a job will be lacking that comes back without a part of its address."""
    if job.partial_key is not None or is_whole:
        return job.partial_key
    return partial_key(str(job.source), job.expected)


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)


def _digest(text: str | None) -> Digest | None:
    if text is None:
        return None
    try:
        return Digest.parse(text)
    except InvalidDigestError as error:
        raise ValueError(text) from error
