"""Where the bytes of parts are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from modelshelf.schema.digest import FileDigests
from modelshelf.schema.member import MemberPath
from modelshelf.schema.progress import ProgressReporter, ignore_progress
from modelshelf.schema.recipe import StorableFile
from modelshelf.schema.source import SourceFile

__all__ = ["BlobEntry", "BlobStore", "PartWriter"]


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """Something that lies in a part's folder."""

    member: str
    """Path inside the part; may be a name that no part would have."""
    size: int
    """Bytes; 0 for a folder."""
    is_file: bool
    """True for a regular file, False for anything else."""
    is_empty_folder: bool
    """True for a folder with nothing in it."""
    is_writable: bool
    """True when some mode bit lets somebody write."""
    content: object
    """Equal for two entries that are one inode, so that their bytes are read once."""


class PartWriter(Protocol):
    """One part being written; invisible until `publish`."""

    def copy_in(
        self,
        member: MemberPath,
        source: StorableFile,
        report: ProgressReporter = ignore_progress,
        *,
        hash_data: bool = False,
    ) -> FileDigests:
        """Copy a file of the user, or one made of it, into the part, hashing the very bytes that are written.

        Args:
            member: Its path inside the part.
            source: Where its bytes are.
            report: Told of progress.
            hash_data: Compute the SHA-256 of a safetensors file's tensors too.

        Returns:
            Digests of what was stored, from one read.

        Raises:
            SourceChangedError: The file is not what it was when it was listed.
            SourceUnreadableError: The system refused to read it.
            NotEnoughSpaceError: The disk filled up.
            StoreWriteError: The system refused a write for another reason.
        """

    def take_in(
        self,
        member: MemberPath,
        source: SourceFile,
        report: ProgressReporter = ignore_progress,
        *,
        hash_data: bool = False,
    ) -> FileDigests:
        """Bring in a file that is the caller's to give away, by `copy_in` only where nothing cheaper works.

        The file itself may become the stored one: from then on it is read-only, and nobody may change it.
        The caller vouches that nobody has it open for writing, and removes its own name of it afterwards.

        Args:
            member: Its path inside the part.
            source: Where its bytes are; digests that are known of it are not computed again.
            report: Told of progress.
            hash_data: Compute the SHA-256 of a safetensors file's tensors too.

        Returns:
            Digests of what was stored.

        Raises:
            SourceChangedError: The file is not what it was when it was listed.
            SourceUnreadableError: The system refused to read it.
            NotEnoughSpaceError: The disk filled up.
            StoreWriteError: The system refused a write for another reason.
        """

    def link_in(self, member: MemberPath, location: str, donor: MemberPath) -> bool:
        """Share the file *donor* of the part at *location*, without copying a byte.

        The part is published, or this one: equal files of one part are one file too.

        Returns:
            False where that is impossible: the donor is gone, or has as many links as a file may.
        """

    def make_folder(self, folder: MemberPath) -> None:
        """Make an empty folder in the part."""

    def publish(self) -> None:
        """Make the part durable and visible, at once: it is there whole, or not at all."""

    def abandon(self) -> None:
        """Forget the part and everything written for it."""


class BlobStore(Protocol):
    """Folders of read-only files, each at a location that is never used twice.

    A location is a UUID in text form. The store knows no digests: whoever publishes keeps them.
    """

    def write_part(self, location: str) -> PartWriter:
        """Begin a part at the unused *location*."""

    def publish_together(self, writers: Sequence[PartWriter]) -> None:
        """Do what `publish` of each of these writers, all of this store, would do, in less time.

        Each part is there whole, or not at all; after a failure some may be there and others not.
        """

    def folder(self, location: str) -> Path:
        """Return the absolute folder of a published part, whether or not it is there."""

    def open(self, location: str, member: MemberPath) -> BinaryIO:
        """Open a stored file for reading; this, never a path glued together, is how bytes are read.

        Raises:
            BlobMissingError: The store has no such file.
        """

    def entries(self, location: str) -> Iterator[BlobEntry]:
        """Yield whatever lies in the part's folder, sorted; nothing when there is no such part."""

    def locations(self) -> Iterator[str]:
        """Yield the location of every published part."""

    def unfinished(self) -> Iterator[str]:
        """Yield the location of every part that was begun and not published."""

    def share(
        self,
        location: str,
        member: MemberPath,
        donor_location: str,
        donor: MemberPath,
        *,
        lease_id: str,
    ) -> int:
        """Make a stored file the same inode as an equal one.

        The caller vouches that both have the same content, and holds the lease: after a crash,
        `discard(lease_id)` removes what was left half done.

        Returns:
            Bytes that this freed; 0 when they were one already or cannot be made one.
        """

    def discard(self, location: str) -> int:
        """Remove a part, published or unfinished; nothing happens when it is not there.

        Returns:
            Bytes of files that were the last link to their content.
        """
