"""Writing one part: every file one way, all of it durable before anybody can see it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelshelf.blobs.copying import copy_and_hash
from modelshelf.blobs.hashing import Advance, Content, Hasher, feed, hash_twice
from modelshelf.blobs.model_hashes import DataHasher
from modelshelf.blobs.placing import Placement, Placer
from modelshelf.blobs.removal import remove_tree
from modelshelf.blobs.source_reader import advancing, open_source
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.blobs.trouble import store_trouble
from modelshelf.protocols import Disk
from modelshelf.schema.digest import FileDigests
from modelshelf.schema.member import MemberPath
from modelshelf.schema.progress import ProgressReporter, ignore_progress
from modelshelf.schema.recipe import StorableFile
from modelshelf.schema.source import SourceFile

__all__ = ["FolderPartWriter", "publish_parts"]

_CANNOT_LINK = {errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOENT}
_FLUSHERS = 8
"""Concurrent flushes; a journalling file system commits those of one moment together."""


class FolderPartWriter:
    """A part in the making, in a folder that nobody else looks into."""

    def __init__(
        self,
        *,
        unfinished: Path,
        final: Path,
        disk: Disk,
        find: Callable[[str, MemberPath], Path],
        cloners: dict[int, Placer],
    ) -> None:
        self._unfinished = unfinished
        self._final = final
        self._disk = disk
        self._find = find
        self._cloners = cloners
        self._written: list[Path] = []
        with store_trouble(unfinished):
            disk.make_folder(unfinished)

    def copy_in(
        self,
        member: MemberPath,
        source: StorableFile,
        report: ProgressReporter = ignore_progress,
        *,
        hash_data: bool = False,
    ) -> FileDigests:
        """Copy a file of the user into the part, hashing the bytes that are written.

        Where the file system can share blocks the copy is a reflink, and only the hashing costs.
        """
        target = self._target(member)
        advance = advancing("copying", source, report)
        data = DataHasher(source.size)
        more = (data,) if hash_data else ()
        with open_source(source) as reader:
            with store_trouble(target, source.size):
                if isinstance(source, SourceFile) and self._clone(source, target):
                    digests = self._seal_clone(target, advance, more)
                else:
                    digests = self._copy(reader, target, advance, more)
            reader.check_unchanged(digests.size)
        self._written.append(target)
        return replace(digests, data_sha256=data.digest()) if hash_data else digests

    def take_in(
        self,
        member: MemberPath,
        source: SourceFile,
        report: ProgressReporter = ignore_progress,
        *,
        hash_data: bool = False,
    ) -> FileDigests:
        """Make a file that is the caller's to give away a file of the part, by a link where that works."""
        target = self._target(member)
        with open_source(source) as reader:
            try:
                self._disk.link(source.path, target)
            except OSError as error:
                if error.errno not in _CANNOT_LINK:
                    with store_trouble(target):
                        raise
                return self.copy_in(member, source, report, hash_data=hash_data)
            digests = self._seal_taken(target, source, report, hash_data=hash_data)
            reader.check_unchanged(digests.size)
        self._written.append(target)
        return digests

    def _seal_taken(
        self, target: Path, source: SourceFile, report: ProgressReporter, *, hash_data: bool
    ) -> FileDigests:
        """Hash what is not known of a linked file; what was written a moment ago is not read again."""
        advance = advancing("hashing", source, report)
        data = DataHasher(source.size)
        with store_trouble(target), target.open("rb") as opened:
            self._disk.seal(opened.fileno())
            content, digests = StoredReader(opened), source.digests
            if digests is None:
                more = (data,) if hash_data else ()
                digests = hash_twice(content, advance=advance, more=more)
            elif hash_data:
                feed(content, (data,), advance=advance)
            else:
                advance(digests.size)
        return replace(digests, data_sha256=data.digest()) if hash_data else digests

    def _clone(self, source: SourceFile, target: Path) -> bool:
        # Placers learn what a file system cannot do, so each source's has its own.
        placer = self._cloners.setdefault(
            source.device, Placer(self._disk, (Placement.REFLINK,), mode=0o600)
        )
        return placer.place(source.path, target) is not None

    def _copy(
        self, reader: Content, target: Path, advance: Advance, more: Sequence[Hasher]
    ) -> FileDigests:
        writing = self._disk.create(target)
        try:
            digests = copy_and_hash(reader, writing, self._disk, advance=advance, more=more)
            self._disk.seal(writing)
        finally:
            os.close(writing)
        return digests

    def _seal_clone(self, target: Path, advance: Advance, more: Sequence[Hasher]) -> FileDigests:
        """Hash what the clone holds: whatever happens to the source from here on is not in it."""
        with target.open("rb") as opened:
            self._disk.seal(opened.fileno())
            return hash_twice(StoredReader(opened), advance=advance, more=more)

    def link_in(self, member: MemberPath, location: str, donor: MemberPath) -> bool:
        """Share a file of a published part, or of this one."""
        target = self._target(member)
        is_own = location == self._final.name
        try:
            self._disk.link(
                self._unfinished / donor if is_own else self._find(location, donor), target
            )
        except OSError as error:
            if error.errno in _CANNOT_LINK:
                return False
            with store_trouble(target):
                raise
        return True

    def make_folder(self, folder: MemberPath) -> None:
        """Make an empty folder in the part."""
        with store_trouble(self._unfinished):
            self._disk.make_folder(self._unfinished / folder)

    def publish(self) -> None:
        """Flush files, then folders, then rename: the whole part appears at once."""
        publish_parts([self], self._disk)

    def appear(self) -> None:
        """Give the flushed part its place; the folder around it is still to be flushed."""
        with store_trouble(self._final):
            self._disk.rename(self._unfinished, self._final)

    @property
    def files(self) -> Sequence[Path]:
        """The files to flush."""
        return self._written

    @property
    def folders(self) -> Iterable[Path]:
        """The folders to flush, innermost first."""
        return (Path(folder) for folder, _, _ in os.walk(self._unfinished, topdown=False))

    @property
    def place(self) -> Path:
        """Where the part will be."""
        return self._final

    def abandon(self) -> None:
        """Remove what was written; what cannot be removed now is left for `gc`."""
        with suppress(OSError):
            remove_tree(self._unfinished, self._disk)

    def _target(self, member: MemberPath) -> Path:
        target = self._unfinished / member
        if member.folder:
            with store_trouble(target):
                self._disk.make_folder(target.parent)
        return target


def publish_parts(writers: Sequence[FolderPartWriter], disk: Disk) -> None:
    """Make parts durable and visible: flush all files, all folders, then let each appear.

    A journalling file system commits what is flushed at one moment together, so many parts cost little more
    than one.

    Raises:
        StoreWriteError: The system refused; some of the parts may be visible.
    """
    if not writers:
        return
    around = {writer.place.parent for writer in writers}
    with store_trouble(writers[0].place), ThreadPoolExecutor(_FLUSHERS) as pool:
        files = [path for writer in writers for path in writer.files]
        for _ in pool.map(partial(_flush_file, disk), files):
            pass
        if len(writers) == 1:
            # Of one part a folder is flushed before the one around it, as the fault suite counts them.
            for folder in writers[0].folders:
                disk.sync_folder(folder)
        else:
            folders = [path for writer in writers for path in writer.folders]
            for _ in pool.map(disk.sync_folder, folders):
                pass
    for writer in writers:
        writer.appear()
    for folder in around:
        with store_trouble(folder):
            disk.sync_folder(folder)


def _flush_file(disk: Disk, path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.sync_file(descriptor)
    finally:
        os.close(descriptor)
