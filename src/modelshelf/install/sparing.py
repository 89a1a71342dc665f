"""Finding listed files that are on this machine already, so that nobody fetches them.

A file of the store is linked: it is read-only and stays so. A file of somebody else's cache is copied, by
sharing blocks where the file system can, and hashed meanwhile: it counts only if it is what was listed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from modelshelf.blobs.copying import copy_and_hash
from modelshelf.blobs.hashing import hash_twice
from modelshelf.blobs.placing import Placement, Placer
from modelshelf.blobs.source_reader import open_source
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.errors import SourceError
from modelshelf.formats import read_tree
from modelshelf.install.job_folder import FetchedFile
from modelshelf.protocols import BlobStore, Disk, RecordStore
from modelshelf.schema.digest import Digest, FileDigests
from modelshelf.schema.listing import ListedFile, Listing
from modelshelf.schema.source import SourceFile

__all__ = ["FileSparer", "FindCached", "fetched_file"]

FindCached = Callable[[Listing, ListedFile], Path | None]
"""Names a file of the user's own that may be the listed one; None where there is none."""


class FileSparer:
    """Puts what is here already where the download would have put it."""

    def __init__(
        self, records: RecordStore, blobs: BlobStore, disk: Disk, find_cached: FindCached
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._disk = disk
        self._find_cached = find_cached

    def spare(self, listing: Listing, folder: Path) -> list[FetchedFile]:
        """Bring every listed file that is on this machine into *folder*.

        Args:
            listing: What the source has.
            folder: Where its files go, ours; what lies there already is left alone.

        Returns:
            The files that are there now and need not be fetched.

        Raises:
            StorageError: The folder cannot be written to.
        """
        spared = []
        for file in listing.files:
            target = folder / file.name
            if target.exists():
                continue
            digests = self._link(file, target) or self._copy(listing, file, target)
            if digests is not None:
                spared.append(fetched_file(file.name, target, digests))
        return spared

    def _link(self, file: ListedFile, target: Path) -> FileDigests | None:
        for digest in _digests(file):
            stored = self._records.find_file(digest)
            if stored is None or file.size not in {None, stored.size}:
                continue
            with suppress(OSError):
                self._disk.make_folder(target.parent)
                # Whoever collects it from here on removes a name of it, and this one stays.
                self._disk.link(self._blobs.folder(stored.location) / stored.member, target)
                return FileDigests(stored.size, stored.blake3, stored.sha256)
        return None

    def _copy(self, listing: Listing, file: ListedFile, target: Path) -> FileDigests | None:
        cached = self._find_cached(listing, file) if file.is_verifiable else None
        if cached is None:
            return None
        try:
            (source,) = read_tree(cached.resolve()).files
            if file.size not in {None, source.size}:
                return None
            digests = self._bring(source, target)
            is_wanted = _is_listed(file, target, digests)
        except (OSError, SourceError, ValueError):
            # It is a favour: what cannot be had so is fetched.
            is_wanted = False
        if not is_wanted:
            _remove(target, self._disk)
        return digests if is_wanted else None

    def _bring(self, source: SourceFile, target: Path) -> FileDigests:
        self._disk.make_folder(target.parent)
        with open_source(source) as reader:
            if Placer(self._disk, (Placement.REFLINK,), mode=0o600).place(source.path, target):
                with target.open("rb") as opened:
                    digests = hash_twice(StoredReader(opened))
            else:
                writing = self._disk.create(target)
                try:
                    digests = copy_and_hash(reader, writing, self._disk)
                finally:
                    os.close(writing)
            reader.check_unchanged(digests.size)
        return digests


def fetched_file(member: str, path: Path, digests: FileDigests) -> FetchedFile:
    """Note a whole file, and what it looks like now, so that another one in its place is noticed."""
    status = path.stat()
    return FetchedFile(
        member=member,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        inode=status.st_ino,
        blake3=digests.blake3.hexadecimal,
        sha256=digests.sha256.hexadecimal,
    )


def _digests(file: ListedFile) -> Iterable[Digest]:
    if file.blake3:
        yield Digest.parse(f"blake3:{file.blake3}")
    if file.sha256:
        yield Digest.parse(f"sha256:{file.sha256}")


def _is_listed(file: ListedFile, path: Path, digests: FileDigests) -> bool:
    """Compare what was copied with everything that the listing says of it."""
    known = {
        file.sha256: digests.sha256.hexadecimal,
        file.blake3: digests.blake3.hexadecimal,
    }
    if any(listed not in {None, found} for listed, found in known.items()):
        return False
    if file.git_sha1 is None:
        return True
    named = hashlib.sha1(b"blob %d\0" % digests.size, usedforsecurity=False)
    # Git keeps small files alone, and this one has the length that was listed.
    named.update(path.read_bytes())
    return named.hexdigest() == file.git_sha1


def _remove(path: Path, disk: Disk) -> None:
    with suppress(OSError):
        disk.remove_file(path)
