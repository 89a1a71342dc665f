"""The last steps of a download: is it what was announced, and then its final name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from modelshelf.download.content_answer import Content
from modelshelf.download.digest_work import FollowedDigests
from modelshelf.download.failed_attempts import TransferStoppedError
from modelshelf.download.following import Follower
from modelshelf.download.holdings import Holdings, wanted_digests
from modelshelf.download.partial_file import publish_small
from modelshelf.download.redirects import SeenFacts
from modelshelf.download.setbacks import Setbacks
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.verdict import verdict
from modelshelf.errors import ConnectionLostError, DigestMismatchError, SizeMismatchError
from modelshelf.protocols import Answer, Disk
from modelshelf.schema.transfer import Downloaded, ExpectedContent, TransferOrder, Verification

__all__ = ["Finishing", "KnownVersion"]


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """What is known of the version of the file that is being fetched."""

    expected: ExpectedContent
    """What was announced of it: by the order, and by hubs on the way."""
    content: Content | None = None
    """What its host says; None before it was asked."""
    facts: SeenFacts = field(default_factory=SeenFacts)
    """What hubs said on the way."""

    @property
    def is_end_known(self) -> bool:
        """Whether a body that was cut short would have been noticed."""
        return self.content is None or self.content.end_is_marked or self.expected.size is not None


class Finishing:
    """Compares what came with what was announced, and publishes it.

    Its methods return None where what came is not the file: it has been thrown away then, and is worth fetching
    once more. Every file is fetched twice at most.

    Args:
        order: What was ordered.
        holdings: What came.
        setbacks: Counts mismatches.
        stop: Ends the wait for digests.
        disk: Through which a small file is written.
        url: Where it came from, without secrets.
    """

    def __init__(
        self,
        order: TransferOrder,
        holdings: Holdings,
        setbacks: Setbacks,
        stop: StopSignal,
        disk: Disk,
        url: str,
    ) -> None:
        self._order = order
        self._holdings = holdings
        self._setbacks = setbacks
        self._stop = stop
        self._disk = disk
        self._url = url

    def check_end(self, answer: Answer, version: KnownVersion) -> None:
        """Refuse a whole file that goes on behind its announced length, where nothing else vouches for it.

        Not every transport can see that.

        Args:
            answer: What brought it; closed.
            version: What is known.

        Raises:
            SizeMismatchError: It does. What came is thrown away.
        """
        expected, content = version.expected, version.content
        if (
            expected.size is None
            and not expected.has_digest
            and getattr(answer, "is_followed", False)
        ):
            self._holdings.forget()
            size = content.entity.size if content is not None else None
            raise SizeMismatchError(url=self._url, expected=size or 0, got="more")

    def with_open_end(self, version: KnownVersion, fetched: int) -> Downloaded | None:
        """Finish a body whose length only its end told.

        Raises:
            SizeMismatchError: It is longer than announced, or whole and shorter.
            DownloadError: It was cut short too often.
            DigestMismatchError: As `held`.
        """
        size, expected = self._holdings.total, version.expected.size
        if expected is None and not version.is_end_known and self._holdings.is_cut_short(size):
            lost = ConnectionLostError(url=self._url, reason=f"the file goes on after {size} bytes")
            self._setbacks.bear(lost, got=size)
            return None
        if expected is None or size == expected:
            return self.held(size, version, fetched)
        is_marked = version.content is not None and version.content.end_is_marked
        if size > expected or is_marked:
            got = "more" if size > expected else str(size)
            raise SizeMismatchError(url=self._url, expected=expected, got=got)
        lost = ConnectionLostError(url=self._url, reason=f"{size} of {expected} bytes came")
        self._setbacks.bear(lost, got=size)
        return None

    def held(self, size: int, version: KnownVersion, fetched: int) -> Downloaded | None:
        """Finish the file that is on the disk.

        Raises:
            TransferStoppedError: The stop signal was said.
            DigestMismatchError: It is not what was announced, for the second time.
            DestinationExistsError: Another file took its name meanwhile.
        """
        found = self._holdings.digests(size, self._stop)
        if found is None or self._stop.kind is not None:
            raise TransferStoppedError
        verification = self._compare(found, version)
        if verification is None:
            return None
        final = self._holdings.publish(size=size, overwrite=self._order.overwrite)
        return _downloaded(final, size, found, verification, version, fetched)

    def small(
        self, body: bytes, final: Path, version: KnownVersion, key: str, fetched: int
    ) -> Downloaded | None:
        """Finish a file that is in memory; see `held`."""
        git_size = len(body) if version.expected.git_sha1 else None
        digests = wanted_digests(version.expected) | self._order.digests
        follower = Follower(digests, _InMemory(body, final), git_size=git_size)
        follower.offer(0, memoryview(body))
        found = follower.digests() or FollowedDigests(len(body))
        follower.close()
        verification = self._compare(found, version)
        if verification is None:
            return None
        if self._stop.kind is not None:
            raise TransferStoppedError
        self._holdings.forget()
        publish_small(final, body, self._disk, key=key, overwrite=self._order.overwrite)
        return _downloaded(final, len(body), found, verification, version, fetched)

    def _compare(self, found: FollowedDigests, version: KnownVersion) -> Verification | None:
        """Say what agrees; None when nothing does, for the first time."""
        try:
            return verdict(
                version.expected, found, url=self._url, is_size_announced=version.is_end_known
            )
        except DigestMismatchError:
            self._holdings.forget()
            if self._setbacks.is_second_mismatch():
                raise
            return None


def _downloaded(
    final: Path,
    size: int,
    found: FollowedDigests,
    verification: Verification,
    version: KnownVersion,
    fetched: int,
) -> Downloaded:
    entity = version.content.entity if version.content is not None else None
    return Downloaded(
        path=final,
        size=size,
        verification=verification,
        sha256=found.sha256,
        blake3=found.blake3,
        fetched=fetched,
        etag=entity.etag if entity is not None else None,
        content_type=entity.content_type if entity is not None else None,
    )


class _InMemory:
    """A file that is in memory; see `following.Readable`."""

    def __init__(self, content: bytes, final: Path) -> None:
        self._content = content
        self.final = final

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """See `following.Readable`."""
        part = self._content[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)
