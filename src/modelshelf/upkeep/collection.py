"""Garbage collection: mark from the records, sweep the disk, never the other way round.

Whatever a record refers to or a living lease protects stays. Only parts whose records this collection
removed, parts that were never finished, and what `gc` itself set aside are removed; a record that cannot
be read stops the collection, and a whole part without a record is left alone unless asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from itertools import chain

from modelshelf.blobs.folder_store import FolderBlobStore
from modelshelf.blobs.leases import LeaseKeeper, new_lease_id
from modelshelf.blobs.views import ViewKeeper
from modelshelf.protocols import Clock, Disk, RecordStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.report import GarbageReport
from modelshelf.schema.stored import StoredFile

__all__ = ["GarbageCollector"]


class GarbageCollector:
    """Returns the disk to exactly what is referenced."""

    def __init__(
        self,
        *,
        records: RecordStore,
        blobs: FolderBlobStore,
        disk: Disk,
        leases: LeaseKeeper,
        views: ViewKeeper,
        clock: Clock,
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._disk = disk
        self._leases = leases
        self._views = views
        self._clock = clock

    def collect(
        self,
        *,
        expire_trash: timedelta | None,
        unknown: bool = False,
        report: ProgressReporter = ignore_progress,
    ) -> GarbageReport:
        """Remove what nothing refers to.

        Args:
            expire_trash: Forget for good what was deleted at least so long ago; zero forgets all of
                it, None only what is past the date it was given when it was deleted.
            unknown: Remove whole parts that no record knows, too. No crash leaves any: they mean that
                an older database was put back, or none, and may be the only copy of a model.
            report: Told of progress.

        Returns:
            What was removed and repaired.
        """
        # Before views are settled: what is deleted after that still has links, which only its record knows.
        expired = self._expired(expire_trash)
        self.finish_interrupted()
        repaired = self._repair_views()
        lease_id = new_lease_id()
        with self._leases.hold(lease_id, "collecting garbage", []):
            doomed = self._records.sweep(lease_id, expired)
            debris = self._debris(unknown=unknown)
            freed = 0
            for number, location in enumerate([*doomed, *debris], start=1):
                freed += self._blobs.discard(location)
                report(Progress("collecting", location, number, len(doomed) + len(debris)))
            self._seal_again()
            relinked = self._share_equal_files(lease_id)
        return GarbageReport(
            parts=len(doomed),
            folders=len(debris),
            trash=len(expired),
            bytes_freed=freed,
            relinked_bytes=relinked,
            views_repaired=repaired,
        )

    def foresee(self, *, expire_trash: timedelta | None, unknown: bool = False) -> GarbageReport:
        """Say what `collect` would remove, and change nothing.

        Bytes are those of content that nothing but the collected holds; interrupted work that has not
        been noticed yet comes on top.
        """
        expired = self._expired(expire_trash)
        return GarbageReport(
            parts=len(self._records.unreferenced()),
            folders=len(self._debris(unknown=unknown)),
            trash=len(expired),
            bytes_freed=self._records.usage().garbage + self._records.freed_by(expired),
            relinked_bytes=0,
            views_repaired=0,
        )

    def finish_interrupted(self) -> None:
        """Clean up after dead processes, so that the rest sees a settled library."""
        self._leases.end_dead()
        self._views.settle()

    def _debris(self, *, unknown: bool) -> list[str]:
        # Listed before the records are read: a folder that appears later is not in the list.
        on_disk = {*self._blobs.unfinished(), *self._blobs.discards()}
        if unknown:
            on_disk.update(self._blobs.locations())
        return sorted(on_disk - self._records.kept_locations() - set(self._records.leases()))

    def _expired(self, age: timedelta | None) -> list[str]:
        now = self._clock()
        if age is None:
            return [entry.trash_id for entry in self._records.trashed(expired_at=now)]
        return [
            entry.trash_id for entry in self._records.trashed() if entry.deleted_at + age <= now
        ]

    def _repair_views(self) -> int:
        broken = [
            view
            for view, model in self._records.seen_models()
            if any(True for _ in self._views.faults(view, model))
        ]
        for view in broken:
            self._records.want_view(view.key)
        self._views.settle()
        return len(broken)

    def _seal_again(self) -> None:
        """Make read-only what somebody made writable; whether it was written to, `verify` tells."""
        for part in self._records.parts():
            writable = {
                entry.member
                for entry in self._blobs.entries(part.location)
                if entry.is_file and entry.is_writable
            }
            for file in part.files:
                if file.member in writable:
                    self._blobs.seal(file.location, file.member)

    def _share_equal_files(self, lease_id: str) -> int:
        """Make equal files one inode where two imports stored them at the same moment."""
        first: dict[Digest, StoredFile] = {}
        others: dict[Digest, list[StoredFile]] = defaultdict(list)
        parts: dict[str, Digest] = {}
        for part in self._records.parts():
            parts[part.location] = part.digest
            for file in () if part.is_damaged else part.files:
                if first.setdefault(file.blake3, file) is not file:
                    others[file.blake3].append(file)
        pairs = [(file, first[digest]) for digest, files in others.items() for file in files]
        apart = [(file, donor) for file, donor in pairs if not self._blobs.is_shared(file, donor)]
        held = self._held(lease_id, {file.location: parts[file.location] for file in chain(*apart)})
        apart = [pair for pair in apart if held.issuperset(file.location for file in pair)]
        # Views first: a link that they keep would keep the bytes.
        self._views.relink(
            {
                (file.location, file.member): self._blobs.folder(donor.location) / donor.member
                for file, donor in apart
            },
            in_place=True,
        )
        return sum(
            self._blobs.share(
                file.location, file.member, donor.location, donor.member, lease_id=lease_id
            )
            for file, donor in apart
        )

    def _held(self, lease_id: str, parts: Mapping[str, Digest]) -> set[str]:
        """Return the locations of those parts that no other collection takes away from now on."""
        found = ((location, self._records.pin(lease_id, parts[location])) for location in parts)
        return {location for location, part in found if part and part.location == location}
