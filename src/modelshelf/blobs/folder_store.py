"""The blob store in a local folder: one sub-folder per part, all files read-only."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from modelshelf.blobs.part_writer import FolderPartWriter, publish_parts
from modelshelf.blobs.placing import Placer
from modelshelf.blobs.removal import remove_tree, scan
from modelshelf.blobs.trouble import store_trouble
from modelshelf.errors import BlobMissingError
from modelshelf.protocols import BlobEntry, Disk, PartWriter
from modelshelf.schema.member import MemberPath
from modelshelf.schema.stored import StoredFile

__all__ = ["FolderBlobStore"]

_UNFINISHED = ".partial"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PUBLISHED = re.compile(_UUID)
_BEGUN = re.compile(rf"\.(?P<location>{_UUID})\.partial")
_CANNOT_SHARE = {errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOENT}


class FolderBlobStore:
    """Parts as folders below *folder*, format 1.

    ::

        blob/
        ├─ <uuid4>/                 a published part, never changed again
        │  ├─ config.json           mode 0444; equal files of any two parts are one inode
        │  └─ model.safetensors
        └─ .<uuid4>.partial/        a part being written, or the remains of one

    Publishing a part flushes its files, then its folders, then renames it and flushes `blob/`, in this
    order, so a power cut leaves either the whole part or a `.partial` folder.
    """

    def __init__(self, folder: Path, discarded: Path, disk: Disk) -> None:
        self._folder = folder
        self._discarded = discarded
        self._disk = disk
        self._cloners: dict[int, Placer] = {}

    def write_part(self, location: str) -> FolderPartWriter:
        """Begin a part at the unused *location*."""
        return FolderPartWriter(
            unfinished=self._unfinished(location),
            final=self.folder(location),
            disk=self._disk,
            find=self._find,
            cloners=self._cloners,
        )

    def publish_together(self, writers: Sequence[PartWriter]) -> None:
        """Publish several parts of this store with as little waiting for the disk as one."""
        publish_parts([each for each in writers if isinstance(each, FolderPartWriter)], self._disk)

    def folder(self, location: str) -> Path:
        """Return the folder of a published part."""
        return self._folder / location

    def open(self, location: str, member: MemberPath) -> BinaryIO:
        """Open a stored file for reading."""
        path = self._find(location, member)
        try:
            return path.open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise BlobMissingError(path=str(path)) from error

    def entries(self, location: str) -> Iterator[BlobEntry]:
        """Yield whatever lies in the part's folder, sorted."""
        yield from _entries_below(self.folder(location), "")

    def locations(self) -> Iterator[str]:
        """Yield the location of every published part."""
        for entry in scan(self._folder):
            if _PUBLISHED.fullmatch(entry.name):
                yield entry.name

    def unfinished(self) -> Iterator[str]:
        """Yield the location of every part that was begun and not published."""
        for entry in scan(self._folder):
            begun = _BEGUN.fullmatch(entry.name)
            if begun is not None:
                yield begun["location"]

    def strangers(self) -> Iterator[str]:
        """Yield the names in the folder that this store did not make; nothing here touches them."""
        for entry in scan(self._folder):
            if not _PUBLISHED.fullmatch(entry.name) and not _BEGUN.fullmatch(entry.name):
                yield entry.name

    def discards(self) -> Iterator[str]:
        """Yield the names of parts whose removal was begun and not finished."""
        for entry in scan(self._discarded):
            yield entry.name

    def seal(self, location: str, member: MemberPath) -> None:
        """Make a stored file read-only again."""
        path = self._find(location, member)
        with store_trouble(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                self._disk.seal(descriptor)
            finally:
                os.close(descriptor)

    def is_shared(self, one: StoredFile, other: StoredFile) -> bool:
        """Say whether two stored files are one inode; those that are not there count as shared."""
        try:
            here = self._find(one.location, one.member).lstat()
            there = self._find(other.location, other.member).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)

    def share(
        self,
        location: str,
        member: MemberPath,
        donor_location: str,
        donor: MemberPath,
        *,
        lease_id: str,
    ) -> int:
        """Make a stored file the same inode as an equal one."""
        path, other = self._find(location, member), self._find(donor_location, donor)
        try:
            before, donated = path.lstat(), other.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return 0
        if before.st_ino == donated.st_ino:
            return 0
        beside = self._discarded / lease_id
        with store_trouble(path):
            self._disk.make_folder(self._discarded)
            try:
                self._disk.link(other, beside)
            except OSError as error:
                if error.errno in _CANNOT_SHARE:
                    return 0
                raise
            self._disk.rename(beside, path)
            self._disk.sync_folder(path.parent)
        return before.st_size if before.st_nlink == 1 else 0

    def discard(self, location: str) -> int:
        """Remove a part, published or unfinished."""
        condemned = self._discarded / location
        with store_trouble(condemned):
            freed = self._remove(condemned)
            for remains in (self.folder(location), self._unfinished(location)):
                if os.path.lexists(remains):
                    # Under its own name half a part could be taken for a whole one.
                    self._disk.make_folder(self._discarded)
                    self._disk.rename(remains, condemned)
                    self._disk.sync_folder(self._folder)
                    freed += self._remove(condemned)
        return freed

    def _remove(self, path: Path) -> int:
        return remove_tree(path, self._disk) if os.path.lexists(path) else 0

    def _find(self, location: str, member: MemberPath) -> Path:
        return self._folder / location / member

    def _unfinished(self, location: str) -> Path:
        return self._folder / f".{location}{_UNFINISHED}"


def _entries_below(root: Path, relative: str) -> Iterator[BlobEntry]:
    for entry in scan(root / relative):
        member = f"{relative}/{entry.name}" if relative else entry.name
        described = _describe(member, entry)
        if entry.is_dir(follow_symlinks=False) and not described.is_empty_folder:
            yield from _entries_below(root, member)
        else:
            yield described


def _describe(member: str, entry: os.DirEntry[str]) -> BlobEntry:
    status = entry.stat(follow_symlinks=False)
    is_file = stat.S_ISREG(status.st_mode)
    return BlobEntry(
        member=member,
        size=status.st_size if is_file else 0,
        is_file=is_file,
        is_empty_folder=stat.S_ISDIR(status.st_mode) and not scan(Path(entry.path)),
        is_writable=bool(status.st_mode & 0o222),
        content=(status.st_dev, status.st_ino),
    )
