"""What operations in flight protect from collection: one method, one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from modelshelf.protocols import Clock
from modelshelf.records import leases, parts, removal
from modelshelf.records.contents import original_with_parts
from modelshelf.records.database import Database
from modelshelf.schema.digest import Digest
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import StoredPart

__all__ = ["LeaseRecords", "microseconds"]


class LeaseRecords:
    """The leases of a library. See `protocols.RecordStore` for what each method promises."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin_lease(self, lease_id: str, purpose: str, items: Iterable[tuple[str, str]]) -> None:
        """Protect things from collection."""
        with self._database.write() as connection:
            leases.begin_lease(connection, lease_id, purpose, items, self._now())

    def end_lease(self, lease_id: str) -> None:
        """Protect them no longer."""
        with self._database.write() as connection:
            leases.end_lease(connection, lease_id)

    def leases(self) -> list[str]:
        """List the ids of all leases."""
        with self._database.read() as connection:
            return leases.leases(connection)

    def leased(self, lease_id: str, kind: str) -> set[str]:
        """Return what a lease protects of one kind."""
        with self._database.read() as connection:
            return leases.leased(connection, kind, lease_id)

    def unrecorded(self, lease_id: str) -> set[str]:
        """Return the locations that a lease protects and no part has."""
        with self._database.read() as connection:
            return removal.unrecorded(connection, lease_id)

    def pin(self, lease_id: str, digest: Digest) -> StoredPart | None:
        """Find a part and protect it by the lease, in one step."""
        with self._database.write() as connection:
            found = parts.find_part(connection, digest)
            if found is not None:
                leases.protect(connection, lease_id, "part", [str(found.id)])
            return found

    def pin_original(
        self, lease_id: str, blake3: Digest
    ) -> tuple[OriginalFile, dict[str, StoredPart]] | None:
        """Find a converted checkpoint and protect its parts, in one step."""
        with self._database.write() as connection:
            found = original_with_parts(connection, blake3)
            if found is not None:
                pinned = [str(part.id) for part in found[1].values()]
                leases.protect(connection, lease_id, "part", pinned)
            return found

    def _now(self) -> int:
        return microseconds(self._clock())


def microseconds(moment: datetime) -> int:
    """Return a moment as the tables have it: microseconds since 1970, in UTC."""
    return int(moment.astimezone(UTC).timestamp() * 1_000_000)
