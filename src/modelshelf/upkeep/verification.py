"""Checking the whole library: every byte, every name, every count, offline and in place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from modelshelf.blobs.folder_store import FolderBlobStore
from modelshelf.blobs.hashing import hash_content
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.blobs.views import ViewKeeper
from modelshelf.errors import BlobMissingError
from modelshelf.protocols import BlobEntry, RecordStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import part_digest
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.report import Finding, FindingKind, VerifyReport
from modelshelf.schema.stored import StoredFile, StoredModel, StoredPart, View

__all__ = ["Verifier"]

_OWN_FOLDERS = frozenset({"blob", ".cache"})


class Verifier:
    """Compares what lies on disk with what the records say. Changes nothing but a mark on hurt parts."""

    def __init__(
        self,
        *,
        models: Path,
        records: RecordStore,
        blobs: FolderBlobStore,
        views: ViewKeeper,
    ) -> None:
        self._models = models
        self._records = records
        self._blobs = blobs
        self._views = views

    def verify(
        self, *, quick: bool = False, report: ProgressReporter = ignore_progress
    ) -> VerifyReport:
        """Check everything.

        Args:
            quick: Look at names, lengths and permissions, and read no content.
            report: Told of progress.

        Returns:
            All findings. Parts that are hurt are marked, so that nothing is linked from them and adding
            the same model again repairs them.
        """
        check = _Check(self._records, self._blobs, quick=quick, report=report)
        # Listed before the records are read, so that what is added meanwhile is not taken for debris.
        parts, discards = set(self._blobs.locations()), set(self._blobs.discards())
        unfinished = set(self._blobs.unfinished())
        visible = list(_files_below(self._models))
        findings = [*self._records.audit(), *check.parts()]
        findings += self._debris(parts, unfinished, discards)
        findings += self._view_findings(visible)
        return VerifyReport(
            findings=tuple(sorted(findings, key=lambda one: (one.kind, one.path, one.detail))),
            parts=check.parts_checked,
            files=check.files_checked,
            bytes_read=check.bytes_read,
        )

    def _debris(
        self, parts: set[str], unfinished: set[str], discards: set[str]
    ) -> Iterator[Finding]:
        kept = self._records.kept_locations()
        # One that is gone by now was removed by somebody alive: collected, or given up.
        parts = parts.intersection(self._blobs.locations())
        unfinished = unfinished.intersection(self._blobs.unfinished())
        for location in sorted(parts - kept):
            yield Finding(
                FindingKind.UNREFERENCED,
                f"models/blob/{location}",
                "no record knows this part; it may be all there is of a model",
            )
        for location in sorted(unfinished - kept):
            yield Finding(
                FindingKind.UNREFERENCED,
                f"models/blob/.{location}.partial",
                "no import is writing it any more",
            )
        remaining = discards & set(self._blobs.discards())
        for name in sorted(remaining - kept - set(self._records.leases())):
            yield Finding(
                FindingKind.UNREFERENCED,
                f"models/.cache/discarded/{name}",
                "its removal was interrupted",
            )
        for name in self._blobs.strangers():
            yield Finding(
                FindingKind.STRAY, f"models/blob/{name}", "the library did not put it there"
            )

    def _view_findings(self, visible: list[Path]) -> Iterator[Finding]:
        """Compare what a person sees with what there should be to see."""
        expected: set[Path] = set()
        for view, model in self._records.seen_models():
            top = self._models / view.path
            expected.update(top if model.is_file else top / member for member, _ in model.files)
            for fault in self._faults(view, model):
                yield Finding(FindingKind.VIEW_BROKEN, f"models/{view.path}", fault, (model.name,))
        for path in visible:
            # One that is gone by now was a link of a model that somebody deleted meanwhile.
            if path not in expected and os.path.lexists(path):
                relative = path.relative_to(self._models).as_posix()
                yield Finding(
                    FindingKind.STRAY, f"models/{relative}", "the library did not put it there"
                )

    def _faults(self, view: View, model: StoredModel | None) -> list[str]:
        """Return what is wrong with a view, unless somebody was changing it while it was looked at."""
        found: list[str] = []
        for _ in range(2):
            found = [] if model is None else list(self._views.faults(view, model))
            if not found or self._records.view(view.key) != view:
                return []
            # Its part may have moved, or the model may have gone and come back, all in that moment.
            model = self._records.stored_model(view.key)
        return found


class _Check:
    """One pass over all parts; reads equal inodes once."""

    def __init__(
        self,
        records: RecordStore,
        blobs: FolderBlobStore,
        *,
        quick: bool,
        report: ProgressReporter,
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._quick = quick
        self._report = report
        self._read: dict[object, Digest] = {}
        self.parts_checked = 0
        self.files_checked = 0
        self.bytes_read = 0

    def parts(self) -> Iterator[Finding]:
        """Check every part; yield what is wrong."""
        holders = self._records.holders_of_parts()
        parts = list(self._records.parts())
        total = sum(file.size for part in parts for file in part.files)
        done = 0
        for part in parts:
            names = holders.get(part.id, ())
            findings = [*self._record_of(part, names), *self._files_of(part, names)]
            # A part that was deleted and collected while others were read is no finding.
            if findings and self._records.part(part.digest) is None:
                continue
            hurts = any(one.is_damage and one.kind is not FindingKind.WRITABLE for one in findings)
            if hurts != part.is_damaged and not (self._quick and part.is_damaged):
                self._records.mark_damaged(part.id, is_damaged=hurts)
            self.parts_checked += 1
            done += sum(file.size for file in part.files)
            self._report(Progress("verifying", names[0] if names else part.location, done, total))
            yield from findings

    def _record_of(self, part: StoredPart, names: tuple[str, ...]) -> Iterator[Finding]:
        digest = part_digest(
            ((file.member, file.size, file.blake3) for file in part.files), part.empty_folders
        )
        if digest != part.digest:
            yield Finding(
                FindingKind.DATABASE,
                f"model_path:{part.id}",
                "its rows in PART_FILE do not give its digest",
                names,
            )

    def _files_of(self, part: StoredPart, names: tuple[str, ...]) -> Iterator[Finding]:
        there = {entry.member: entry for entry in self._blobs.entries(part.location)}
        prefix = f"models/blob/{part.location}"
        for file in part.files:
            self.files_checked += 1
            entry = there.pop(file.member, None)
            yield from self._file(file, entry, f"{prefix}/{file.member}", names)
        for folder in part.empty_folders:
            entry = there.pop(folder, None)
            if entry is None or not entry.is_empty_folder:
                yield Finding(
                    FindingKind.MISSING, f"{prefix}/{folder}", "the empty folder is gone", names
                )
        for member in there:
            yield Finding(FindingKind.STRAY, f"{prefix}/{member}", "the part has no such file")

    def _file(
        self, file: StoredFile, entry: BlobEntry | None, path: str, names: tuple[str, ...]
    ) -> Iterator[Finding]:
        if entry is None:
            yield Finding(FindingKind.MISSING, path, "the file is gone", names)
        elif not entry.is_file:
            yield Finding(FindingKind.MISSING, path, "something else took its place", names)
        elif entry.size != file.size:
            words = f"{entry.size} bytes, {file.size} were stored"
            yield Finding(FindingKind.TRUNCATED, path, words, names)
        else:
            if entry.is_writable:
                yield Finding(FindingKind.WRITABLE, path, "it can be written to", names)
            if not self._quick:
                yield from self._content(file, entry, path, names)

    def _content(
        self, file: StoredFile, entry: BlobEntry, path: str, names: tuple[str, ...]
    ) -> Iterator[Finding]:
        try:
            digest = self._digest_of(file, entry)
        except BlobMissingError:
            yield Finding(FindingKind.MISSING, path, "the file is gone", names)
        except OSError as error:
            words = f"it cannot be read: {error.strerror or error}"
            yield Finding(FindingKind.CORRUPT, path, words, names)
        else:
            if digest != file.blake3:
                words = f"BLAKE3 is {digest.short}…, {file.blake3.short}… was stored"
                yield Finding(FindingKind.CORRUPT, path, words, names)

    def _digest_of(self, file: StoredFile, entry: BlobEntry) -> Digest:
        known = self._read.get(entry.content)
        if known is None:
            with self._blobs.open(file.location, file.member) as opened:
                known = self._read[entry.content] = hash_content(StoredReader(opened))
            self.bytes_read += entry.size
        return known


def _files_below(models: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(models):
        if Path(folder) == models:
            folders[:] = [name for name in folders if name not in _OWN_FOLDERS]
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)
        # A link to a folder is one entry, and nothing behind it is ours to look at.
        for name in [name for name in folders if Path(folder, name).is_symlink()]:
            folders.remove(name)
            yield Path(folder, name)
