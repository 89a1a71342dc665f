"""Exporting to a folder: by link where that costs nothing, by checked copy otherwise."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from modelshelf.blobs.copying import copy_and_check
from modelshelf.blobs.leases import LeaseKeeper, new_lease_id, path_item
from modelshelf.blobs.placing import Placement, Placer
from modelshelf.blobs.removal import remove_tree
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.blobs.trouble import check_space, free_space
from modelshelf.errors import (
    BlobCorruptError,
    BlobMissingError,
    DestinationExistsError,
    DestinationUnusableError,
    NotEnoughSpaceError,
)
from modelshelf.export.checked_read import damaged, open_whole
from modelshelf.export.original import check_original, open_stored_original
from modelshelf.protocols import BlobStore, Disk
from modelshelf.schema.member import file_name_for
from modelshelf.schema.model import ExportOutcome
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import StoredFile, StoredModel

__all__ = ["Exporter"]

_REAL_LINKS = (Placement.REFLINK, Placement.HARDLINK)
"""A symbolic link would break when the library moves, so an export never is one."""


class Exporter:
    """Writes models out under names that appear whole or not at all."""

    def __init__(
        self,
        blobs: BlobStore,
        disk: Disk,
        leases: LeaseKeeper,
        library: tuple[Path, ...],
    ) -> None:
        self._blobs = blobs
        self._disk = disk
        self._leases = leases
        self._library = library

    def export(
        self,
        model: StoredModel,
        destination: Path,
        *,
        by_link: bool = True,
        as_original: bool = True,
        force: bool = False,
        report: ProgressReporter = ignore_progress,
    ) -> ExportOutcome:
        """Write *model* into the folder *destination*, under its own name.

        Args:
            model: What to write.
            destination: Folder to write into; made when it is missing.
            by_link: Use the cheapest real link: a reflink, or a hard link, which shares the store's
                read-only file; a checked copy where the destination allows neither. False: copy.
            as_original: Write a converted checkpoint as the file that it was, which is put together
                and checked, never linked. False: as the folder that it became.
            force: Replace what is there under that name.
            report: Told of progress.

        Returns:
            Where it is and how it came there.

        Raises:
            DestinationExistsError: The name is taken and *force* is off.
            DestinationUnusableError: The destination cannot be written, or cannot hold the names.
            NotEnoughSpaceError: A copy would not fit.
            BlobCorruptError: A copied file is not what was stored; nothing was exported.
            BlobMissingError: The store has lost a file; nothing was exported.
        """
        # Not resolve(): the answer names the folder as the user did.
        folder = Path(os.path.abspath(destination))  # noqa: PTH100 - see above
        original = model.original if as_original else None
        suffix = model.suffix if original is None else original.suffix
        target = folder / (file_name_for(model.name) + suffix)
        if os.path.lexists(target) and not force:
            raise DestinationExistsError(path=str(target))
        self._check_apart(target)
        lease_id = new_lease_id()
        beside = folder / f".{lease_id}.partial"
        held = self._leases.hold(lease_id, f"exporting {model.name}", [path_item(beside)])
        with (
            # All that a lease does here is to have what a crash leaves at the destination removed.
            held if self._leases.are_possible else nullcontext(),
            destination_trouble(target),
        ):
            self._open(folder)
            if original is None:
                methods = self._write(model, beside, by_link=by_link, report=report)
                outcome = ExportOutcome(target, len(model.files), model.size, _method(methods))
            else:
                self._write_original(model, original, beside, report)
                outcome = ExportOutcome(target, 1, original.size, Placement.COPY.value)
            self._appear(beside, target, force=force)
        return outcome

    def _check_apart(self, target: Path) -> None:
        """Keep exports out of the library, and the library from being replaced by one."""
        real = target.parent.resolve() / target.name
        for folder in self._library:
            library = folder.resolve()
            if real.is_relative_to(library) or library.is_relative_to(real):
                raise DestinationUnusableError(
                    path=str(target), reason=f"the library at `{folder}` is there"
                )

    def _open(self, folder: Path) -> None:
        try:
            self._disk.make_folder(folder)
        except FileExistsError as error:
            raise DestinationUnusableError(path=str(folder), reason="it is not a folder") from error

    def _write(
        self, model: StoredModel, beside: Path, *, by_link: bool, report: ProgressReporter
    ) -> Counter[Placement]:
        placer = Placer(self._disk, _REAL_LINKS if by_link else (), mode=0o666)
        methods: Counter[Placement] = Counter()
        if not by_link:
            check_space(beside.parent, model.size)
        if not model.is_file:
            self._disk.make_folder(beside)
        for folder in model.empty_folders:
            self._disk.make_folder(beside / folder)
        done = 0
        for member, file in model.files:
            path = beside if model.is_file else beside / member
            methods[self._place(placer, file, path)] += file.size + 1
            done += file.size
            report(Progress("exporting", member, done, model.size))
        self._flush_folders(beside)
        return methods

    def _write_original(
        self, model: StoredModel, original: OriginalFile, beside: Path, report: ProgressReporter
    ) -> None:
        check_space(beside.parent, original.size)
        done = 0

        def advance(length: int) -> None:
            nonlocal done
            done += length
            report(Progress("exporting", beside.name, done, original.size))

        writing = self._disk.create(beside, 0o666)
        try:
            with open_stored_original(self._blobs, model) as reader:
                digest = copy_and_check(reader, writing, self._disk, advance=advance)
            check_original(original, model, digest)
            self._disk.sync_file(writing)
        finally:
            os.close(writing)

    def _place(self, placer: Placer, file: StoredFile, path: Path) -> Placement:
        self._disk.make_folder(path.parent)
        stored = self._blobs.folder(file.location) / file.member
        self._check_length(file, stored)
        placed = placer.place(stored, path)
        if placed is None:
            self._copy(file, path)
        return placed or Placement.COPY

    def _check_length(self, file: StoredFile, stored: Path) -> None:
        try:
            status = stored.lstat()
        except FileNotFoundError as error:
            raise BlobMissingError(path=str(stored)) from error
        if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
            raise BlobCorruptError(
                path=str(stored),
                expected=file.blake3.hexadecimal,
                got=f"{status.st_size} bytes instead of {file.size}",
            )

    def _copy(self, file: StoredFile, path: Path) -> None:
        writing = self._disk.create(path, 0o666)
        try:
            with open_whole(self._blobs, file) as opened:
                digest = copy_and_check(StoredReader(opened), writing, self._disk)
            if digest != file.blake3:
                raise damaged(self._blobs, file, digest.hexadecimal)
            self._disk.sync_file(writing)
        finally:
            os.close(writing)

    def _flush_folders(self, beside: Path) -> None:
        if beside.is_dir():
            for folder, _, _ in os.walk(beside, topdown=False):
                self._disk.sync_folder(Path(folder))

    def _appear(self, beside: Path, target: Path, *, force: bool) -> None:
        if os.path.lexists(target):
            if not force:
                # It came while the files were copied.
                raise DestinationExistsError(path=str(target))
            # Swapped at once, so that a crash leaves either the old or the new one there.
            self._disk.exchange(beside, target)
            self._disk.sync_folder(target.parent)
            remove_tree(beside, self._disk)
        else:
            self._disk.rename(beside, target)
            self._disk.sync_folder(target.parent)


def _method(methods: Counter[Placement]) -> str:
    most = max(methods, key=lambda kind: methods[kind]) if methods else Placement.COPY
    return most.value


@contextmanager
def destination_trouble(target: Path) -> Iterator[None]:
    """Raise an `OSError` of the block as what it means for an export."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            free = free_space(target.parent)
            raise NotEnoughSpaceError(path=str(target.parent), needed=0, free=free) from error
        reason = error.strerror or str(error)
        if error.errno == errno.EEXIST:
            reason = "two files of the model have names that are one name there"
        raise DestinationUnusableError(path=str(target), reason=reason) from error
