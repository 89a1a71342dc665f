"""What a run has of its file so far: the bytes on the disk, and their digests as far as they go."""

from __future__ import annotations

from pathlib import Path

from modelshelf.download.answer_head import Entity
from modelshelf.download.buffers import Buffers
from modelshelf.download.container_end import is_cut_short
from modelshelf.download.destination import Destination
from modelshelf.download.digest_work import FollowedDigests
from modelshelf.download.file_sink import FileSink
from modelshelf.download.following import Follower
from modelshelf.download.journal import JournalHead
from modelshelf.download.partial_file import PartialFile
from modelshelf.download.segments import FIRST_SEGMENT
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.vanishing import vanish
from modelshelf.protocols import Disk
from modelshelf.schema.transfer import ExpectedContent

__all__ = ["Holdings", "wanted_digests"]

_BUFFER = 2 * 1024 * 1024
"""Bytes that one connection collects at most before it writes them; half as many where they wait to be hashed
as well, for there are several such buffers then."""


class Holdings:
    """Owns the partial file of one run and the follower that hashes it; both come and go together.

    Args:
        place: Where the file goes.
        disk: Through which to write.
    """

    def __init__(self, place: Destination, disk: Disk) -> None:
        self._place = place
        self._disk = disk
        self._partial: PartialFile | None = None
        self._follower: Follower | None = None
        self._followed: tuple[set[str], int | None] = (set(), None)

    @property
    def partial(self) -> PartialFile | None:
        """The partial file; None where nothing is held."""
        return self._partial

    @property
    def head(self) -> JournalHead | None:
        """What the bytes are a part of; None where nothing is held."""
        return self._partial.head if self._partial is not None else None

    @property
    def size(self) -> int | None:
        """Bytes of the whole file; None while nobody knows."""
        return self.head.size if self.head is not None else None

    @property
    def total(self) -> int:
        """Bytes that are held."""
        return self._partial.held.total if self._partial is not None else 0

    @property
    def is_complete(self) -> bool:
        """Whether all bytes of a file of known length are held."""
        size = self.size
        return (
            size is not None and self._partial is not None and self._partial.held.contains(0, size)
        )

    def may_be_of(self, entity: Entity) -> bool:
        """Say whether what is held may be of that version of the file."""
        found, held = entity.strong_validator, self.head.validator if self.head else None
        return entity.size == self.size and (found is None or held is None or found == held)

    def adopt(self, final: Path) -> bool:
        """Take hold of what an earlier run left.

        Returns:
            Whether that run had published the file just before it died: nothing is held then.

        Raises:
            DownloadBusyError: Somebody else has hold of it.
        """
        partial = PartialFile.open(final, self._place.key, self._disk)
        if partial.was_published:
            partial.close()
            return True
        self._partial = partial
        return False

    def check(self, expected: ExpectedContent, digests: frozenset[str], stop: StopSignal) -> None:
        """Keep of what was adopted what is sound and can be proved to belong to what comes.

        Without a validator or a digest nothing could: then it is forgotten.
        """
        if self._partial is None or self.head is None:
            return
        if self.size is None or not (self.head.validator or expected.has_digest):
            self.forget()
            return
        self._partial.check(lambda: stop.kind is None)
        self.follow(expected, digests)

    def begin(self, final: Path, head: JournalHead) -> None:
        """Hold nothing of this version yet, and have room for all of it.

        Raises:
            NotEnoughSpaceError: The disk is too full.
            DestinationUnusableError: The system refused.
        """
        # Opened anew even where it is the same file: a connection of another version that is stuck somewhere
        # still has the old one, which takes nothing any more.
        self.forget()
        self._partial = PartialFile.open(final, self._place.key, self._disk)
        self._partial.begin(head)

    def follow(self, expected: ExpectedContent, digests: frozenset[str]) -> None:
        """Let digests be worked out of what is held and of what comes; those that already are, stay."""
        # git's digest begins with the size.
        git_size = (self.size or expected.size) if expected.git_sha1 else None
        wanted = wanted_digests(expected) | digests
        if self._follower is not None and self._followed == (wanted, git_size):
            return
        self._stop_following()
        self._followed = (wanted, git_size)
        if self._partial is not None and (wanted or git_size is not None):
            self._follower = Follower(
                wanted, self._partial, git_size=git_size, held=self._partial.held
            )

    def sink(self, partial: PartialFile) -> FileSink:
        """Return where the bytes of a transfer go."""
        length = _BUFFER if self._follower is None else _BUFFER // 2
        return FileSink(partial, self._follower, Buffers(length))

    def missing(self, end: int) -> list[tuple[int, int]]:
        """Return the half-open ranges up to *end* that are not held."""
        return list(self._partial.held.missing(end)) if self._partial is not None else [(0, end)]

    def next_wish(self) -> tuple[tuple[int, int], str | None]:
        """Say which range to ask for first, and of which version; None: of any."""
        size = self.size
        if size is None or not self.total or self.head is None:
            return (0, FIRST_SEGMENT), None
        start, end = self.missing(size)[0]
        return (start, min(end, start + FIRST_SEGMENT)), self.head.validator

    def digests(self, size: int, stop: StopSignal) -> FollowedDigests | None:
        """Wait for the digests of the whole file; None when the stop signal was said."""
        if self._follower is None:
            return FollowedDigests(size) if stop.kind is None else None
        forget = stop.on_stop(self._follower.stop)
        try:
            return self._follower.digests(size)
        finally:
            forget()

    def is_cut_short(self, size: int) -> bool:
        """Say whether a file of *size* bytes ends too early, by its own account."""
        partial = self._partial
        if partial is None:
            return False

        def read(offset: int, count: int) -> bytes:
            buffer = bytearray(min(count, size - offset))
            came = partial.read_into(memoryview(buffer), offset)
            return bytes(buffer[:came])

        return is_cut_short(read, size)

    def publish(self, *, size: int, overwrite: bool) -> Path:
        """Give the file its final name, and hold nothing any more; see `PartialFile.publish`."""
        self._stop_following()
        partial = self._partial
        if partial is None:
            raise ValueError(size)
        partial.publish(partial.final, size=size, overwrite=overwrite)
        self._partial = None
        return partial.final

    def freeze(self) -> int:
        """Take no more bytes from anybody; return how many are held."""
        if self._follower is not None:
            self._follower.stop()
        if self._partial is not None:
            self._partial.shut()
        return self.total

    def forget(self) -> None:
        """Throw everything away."""
        self._stop_following()
        if self._partial is not None:
            partial, self._partial = self._partial, None
            partial.discard()

    def vanish(self, seconds: float) -> None:
        """Throw everything away, and wait at most *seconds* until nothing of it can be seen any more."""
        follower, self._follower = self._follower, None
        partial, self._partial = self._partial, None
        if follower is not None:
            # Not waited for: it ends with the bytes that it has in hand.
            follower.stop()
        if partial is not None:
            vanish(partial, seconds)

    def keep(self) -> None:
        """Let go, and leave what came for another run."""
        self._stop_following()
        if self._partial is not None:
            partial, self._partial = self._partial, None
            partial.close()

    def _stop_following(self) -> None:
        if self._follower is not None:
            follower, self._follower = self._follower, None
            follower.close()


def wanted_digests(expected: ExpectedContent) -> set[str]:
    """Return which digests must be worked out to compare them."""
    return {digest.algorithm.value for digest in (expected.sha256, expected.blake3) if digest}
