"""Storing one part, or finding that the store has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelshelf.blobs.model_hashes import hash_data
from modelshelf.blobs.source_reader import hash_source
from modelshelf.install.sampling import SampledFile, Sampling
from modelshelf.protocols import BlobStore, PartWriter, RecordStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import (
    ImportPlan,
    PartFile,
    PartManifest,
    PlannedPart,
    part_digest,
)
from modelshelf.schema.member import MemberPath
from modelshelf.schema.progress import ProgressReporter
from modelshelf.schema.source import SourceFile
from modelshelf.schema.stored import PartContent, StoredFile, StoredPart

__all__ = ["PartStorer"]


Relink = Callable[[Mapping[tuple[str, MemberPath], Path]], None]
"""`ViewKeeper.relink`."""


class PartStorer:
    """Brings the parts of one import into the store, reading each byte as rarely as can be.

    A file whose fingerprint the store has never seen is copied, and hashed while it is copied: one
    read. A file with a familiar fingerprint is hashed alone first, with BLAKE3 only; if the store
    has the content, nothing is copied and SHA-256 is the one already known.
    """

    def __init__(
        self,
        lease_id: str,
        sampling: Sampling,
        records: RecordStore,
        blobs: BlobStore,
        relink: Relink,
        report: ProgressReporter,
        *,
        take: bool = False,
        hold_back: bool = False,
    ) -> None:
        """Hold what parts are stored with.

        Args:
            lease_id: Of the import.
            sampling: The files of its plan.
            records: What the store knows.
            blobs: Where parts are kept.
            relink: Lets views follow a part that is stored anew.
            report: Told of progress.
            take: The files are the library's own and are given away: link them in, do not copy them.
            hold_back: Publish nothing before `publish_held`, which does so for all parts at once.
        """
        self._lease_id = lease_id
        self._records = records
        self._blobs = blobs
        self._relink = relink
        self._report = report
        self._sampling = sampling
        self._take = take
        self._held: list[PartWriter] | None = [] if hold_back else None
        self._own: dict[Digest, StoredFile] = {}
        """Content that this import stored itself, which no other can see yet."""

    def store(self, planned: PlannedPart, location: str) -> PartContent:
        """Make sure that the store has the part.

        Args:
            planned: What it is made of; one of those that were sampled.
            location: Where to put it if it is new; leased to this import.

        Returns:
            The part, published at *location* or pinned where it lies already.
        """
        sampled = self._sampling.files(planned)
        known = self._look_up(file for file in sampled if self._sampling.is_familiar(file))
        if len(known) == len(sampled):
            found = self._pin(planned, known)
            if found is not None and self._is_whole(found):
                return self._existing(planned, found)
            if found is not None:
                # What it has may be what hurts it, so nothing is taken from there.
                known = {}
        return self._write(planned, location, sampled, known)

    def store_all(self, plan: ImportPlan, locations: Sequence[str]) -> list[PartContent]:
        """Store every part of a plan, each at its location if it is new."""
        return [
            self.store(part, location)
            for part, location in zip(plan.all_parts, locations, strict=True)
        ]

    def publish_held(self) -> None:
        """Publish the parts that were held back.

        Raises:
            StoreWriteError: The system refused; the caller's lease cleans up what was published.
        """
        held, self._held = self._held or [], []
        try:
            self._blobs.publish_together(held)
        except BaseException:
            for writer in held:
                writer.abandon()
            raise

    def recognise(self, planned: PlannedPart, found: StoredPart) -> PartContent | None:
        """Take a stored part for a planned one; None where it has lost something."""
        return self._existing(planned, found) if self._is_whole(found) else None

    def _look_up(self, files: Iterable[SampledFile]) -> dict[MemberPath, StoredFile]:
        """Hash familiar files; return those whose content the store has."""
        known: dict[MemberPath, StoredFile] = {}
        for file in files:
            digest = hash_source(file.source, self._report)
            stored = self._own.get(digest) or self._records.find_file(digest)
            if stored is not None:
                known[file.member] = stored
        return known

    def _pin(self, planned: PlannedPart, known: dict[MemberPath, StoredFile]) -> StoredPart | None:
        digest = part_digest(
            ((member, file.size, file.blake3) for member, file in known.items()),
            planned.empty_folders,
        )
        return self._records.pin(self._lease_id, digest)

    def _existing(self, planned: PlannedPart, found: StoredPart) -> PartContent:
        files = tuple(_part_file(file.member, file) for file in found.files)
        if planned.is_file and files[0].data_sha256 is None and _may_hold_tensors(files[0]):
            # It came as a component of nothing else first, where nobody asks for this hash.
            ((_, source),) = planned.files
            files = (replace(files[0], data_sha256=hash_data(source, self._report)),)
        return PartContent(
            planned=planned,
            digest=found.digest,
            manifest=PartManifest(files, found.empty_folders),
            location=found.location,
            is_new=False,
            bytes_stored=0,
        )

    def _write(
        self,
        planned: PlannedPart,
        location: str,
        sampled: list[SampledFile],
        known: dict[MemberPath, StoredFile],
    ) -> PartContent:
        writer = self._blobs.write_part(location)
        try:
            files = self._bring_all(writer, location, sampled, known)
            for folder in planned.empty_folders:
                writer.make_folder(folder)
            manifest = PartManifest(tuple(file for file, _ in files), planned.empty_folders)
            digest = part_digest(
                ((file.member, file.size, file.blake3) for file in manifest.files),
                manifest.empty_folders,
            )
            # Another process may have stored the same part while this one was reading.
            found = self._records.pin(self._lease_id, digest)
            if found is not None and self._is_whole(found):
                writer.abandon()
                return self._existing(planned, found)
            if self._held is None or found is not None:
                writer.publish()
            else:
                self._held.append(writer)
        except BaseException:
            writer.abandon()
            raise
        self._remember(location, manifest)
        stored = sum(size for _, size in files)
        content = PartContent(planned, digest, manifest, location, is_new=True, bytes_stored=stored)
        return content if found is None else self._replace(found, content)

    def _bring_all(
        self,
        writer: PartWriter,
        location: str,
        sampled: list[SampledFile],
        known: dict[MemberPath, StoredFile],
    ) -> list[tuple[PartFile, int]]:
        """Bring every file; of those that are equal, the first is what the others link to."""
        brought: list[tuple[PartFile, int]] = []
        twins: dict[tuple[int, bytes], list[StoredFile]] = defaultdict(list)
        for file in sampled:
            like = known.get(file.member)
            if like is None and file.sample in twins:
                digest = hash_source(file.source, self._report)
                like = next((one for one in twins[file.sample] if one.blake3 == digest), None)
            brought.append(self._bring(writer, file, like))
            twins[file.sample].append(_stored_file(location, brought[-1][0]))
        return brought

    def _bring(
        self, writer: PartWriter, file: SampledFile, known: StoredFile | None
    ) -> tuple[PartFile, int]:
        """Link or copy one file into the part; return it and the bytes that this took."""
        if known is not None and writer.link_in(file.member, known.location, known.member):
            found = _part_file(file.member, known)
            if file.is_alone and found.data_sha256 is None:
                # It came as a file of a folder first, where nobody asks for this one.
                found = replace(found, data_sha256=hash_data(file.source, self._report))
            return found, 0
        if self._take and isinstance(file.source, SourceFile):
            bring = partial(writer.take_in, file.member, file.source)
        else:
            bring = partial(writer.copy_in, file.member, file.source)
        digests = bring(self._report, hash_data=file.is_alone)
        stored = PartFile(
            file.member,
            digests.size,
            digests.blake3,
            digests.sha256,
            file.fingerprint.quick,
            file.fingerprint.imohash,
            digests.data_sha256,
        )
        return stored, digests.size

    def _is_whole(self, part: StoredPart) -> bool:
        """Say whether a known part still has all its files, by name and length."""
        if part.is_damaged:
            return False
        there = {
            entry.member: entry.size
            for entry in self._blobs.entries(part.location)
            if entry.is_file
        }
        return all(there.get(file.member) == file.size for file in part.files)

    def _replace(self, damaged: StoredPart, content: PartContent) -> PartContent:
        """Let a damaged part lie where it was just stored whole."""
        whole = self._blobs.folder(content.location)
        self._relink({(file.location, file.member): whole / file.member for file in damaged.files})
        old = self._records.repair(self._lease_id, damaged.id, content)
        if old is not None:
            self._blobs.discard(old)
        return content

    def _remember(self, location: str, manifest: PartManifest) -> None:
        for file in manifest.files:
            self._sampling.remember(file.size, file.quick)
            self._own.setdefault(file.blake3, _stored_file(location, file))


def _may_hold_tensors(file: PartFile) -> bool:
    # By its name: whatever else it is would be read for nothing each time it is added.
    return file.member.endswith(".safetensors")


def _part_file(member: MemberPath, file: StoredFile) -> PartFile:
    return PartFile(
        member,
        file.size,
        file.blake3,
        file.sha256,
        file.quick,
        file.imohash,
        file.data_sha256,
    )


def _stored_file(location: str, file: PartFile) -> StoredFile:
    return StoredFile(
        location,
        file.member,
        file.size,
        file.blake3,
        file.sha256,
        file.quick,
        file.imohash,
        file.data_sha256,
    )
