"""The record store on SQLite: one method, one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from modelshelf.protocols import Clock
from modelshelf.records import accounts, leases, models, parts, removal, views
from modelshelf.records.audit import audit, correct_counts, holders_of_parts
from modelshelf.records.contents import stored_model, stored_models
from modelshelf.records.database import Database
from modelshelf.records.elsewhere import find_elsewhere
from modelshelf.records.identities import identify_as, is_known_otherwise
from modelshelf.records.lease_records import LeaseRecords, microseconds
from modelshelf.records.library_records import (
    follow_library,
    forget_records,
    hide_records,
    keys_of_part,
)
from modelshelf.records.models import from_microseconds
from modelshelf.records.originals import find_original
from modelshelf.records.register import pipeline_digest, register
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.model import ModelInfo, TrashedModel
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.report import Finding, SharedPart, Usage
from modelshelf.schema.stored import (
    PartContent,
    Registered,
    StoredFile,
    StoredModel,
    StoredPart,
    View,
)
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["SqlRecordStore"]

_PAGE = 200


class SqlRecordStore(LeaseRecords):
    """What the library knows. See `protocols.RecordStore` for what each method promises."""

    def __init__(self, database: Database, models: Path, clock: Clock) -> None:
        super().__init__(database, clock)
        self._models = models

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def together(self) -> AbstractContextManager[None]:
        """Let what this thread enters in the block be one transaction."""
        return self._database.together()

    # -- looking up

    def find(self, query: ModelQuery) -> list[ModelInfo]:
        """Return models and pipelines that fit, sorted by name."""
        with self._database.read() as connection:
            return models.find_models(connection, query, self._models)

    def named_models(self) -> list[ModelInfo]:
        """Return every name of a fundamental model, sorted."""
        with self._database.read() as connection:
            return models.named_models(connection, self._models)

    def pipelines(self) -> list[ModelInfo]:
        """Return every pipeline with its parts, sorted by name."""
        with self._database.read() as connection:
            return models.pipelines(connection, self._models)

    def elsewhere(self, query: ModelQuery) -> list[ModelInfo]:
        """Return models that fit and that the library has only a record of, sorted by name, then key."""
        with self._database.read() as connection:
            return find_elsewhere(connection, query, self._models)

    def stored_model(self, key: str) -> StoredModel | None:
        """Return a model, deleted or not, as files to place somewhere."""
        with self._database.read() as connection:
            return stored_model(connection, key)

    def find_file(self, digest: Digest) -> StoredFile | None:
        """Return a stored file with this content."""
        with self._database.read() as connection:
            return parts.find_file(connection, digest)

    def known_fingerprints(self, wanted: Iterable[tuple[int, bytes]]) -> set[tuple[int, bytes]]:
        """Return those pairs of size and fingerprint that some stored file has."""
        with self._database.read() as connection:
            return parts.known_fingerprints(connection, wanted)

    def parts(self) -> Iterator[StoredPart]:
        """Yield every part with its files, without keeping a transaction open between pages."""
        after = 0
        while True:
            with self._database.read() as connection:
                page = list(parts.stored_parts(connection, after=after, limit=_PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].id

    def part(self, digest: Digest) -> StoredPart | None:
        """Return the part with this identity."""
        with self._database.read() as connection:
            return parts.find_part(connection, digest)

    def find_original(self, contents: Sequence[PartContent]) -> OriginalFile | None:
        """Return what a pipeline of exactly these parts came as, deleted or not."""
        digests = {content.planned.folder: content.digest for content in contents}
        with self._database.read() as connection:
            return find_original(connection, pipeline_digest(digests))

    # -- changing

    def register(
        self,
        plan: ImportPlan,
        contents: Sequence[PartContent],
        original: OriginalFile | None = None,
    ) -> Registered:
        """Enter an import."""
        with self._database.write() as connection:
            registered, learned = register(connection, plan, contents, original, self._now())
            # Names of a part that it shares, which has learned a base by this.
            names = [key for part in learned for key in keys_of_part(connection, part)]
            new = [registered.key] if registered.is_new else []
            self._follow(connection, new, plan.said, plan.record)
            self._follow(connection, [key for key in names if key not in new])
            return registered

    def identify_as(
        self,
        key: str,
        type: ModelType,  # noqa: A002 - the specification's word
        format: ModelFormat,  # noqa: A002
        bases: Sequence[BaseModelType],
        detail: str,
        *,
        before: ModelInfo | None = None,
    ) -> bool:
        """Enter what a model is known as from now on; False where it is not as *before* any more."""
        with self._database.write() as connection:
            if before is not None and is_known_otherwise(connection, before, self._models):
                return False
            for changed in identify_as(connection, key, type, format, bases, detail):
                self._follow(connection, [changed])
        return True

    def repair(self, lease_id: str, part_id: int, content: PartContent) -> str | None:
        """Let a damaged part be what was just stored; return where it lay, None if it is gone."""
        with self._database.write() as connection:
            old = parts.replace_part(connection, part_id, content)
            if old is not None:
                leases.protect(connection, lease_id, "folder", [old])
                self._follow(connection, keys_of_part(connection, part_id))
            return old

    def mark_damaged(self, part_id: int, *, is_damaged: bool) -> None:
        """Note what `verify` found of a part."""
        with self._database.write() as connection:
            parts.mark_damaged(connection, part_id, self._now() if is_damaged else None)

    # -- deleting

    def move_to_trash(self, key: str, expires_at: datetime) -> str:
        """Delete a model so that it can be brought back; return the id to do that with."""
        with self._database.write() as connection:
            hide_records(connection, [key], hidden=True)
            return removal.move_to_trash(connection, key, self._now(), microseconds(expires_at))

    def restore(self, trash_id: str) -> str | None:
        """Bring a model back; return its key, None when the trash has no such entry."""
        with self._database.write() as connection:
            deleted = removal.deleted_keys(connection, [trash_id])
            key = removal.restore(connection, trash_id)
            if key is not None:
                hide_records(connection, [key], hidden=False)
                # Added again meanwhile: the twin's record stays, this one goes.
                forget_records(connection, set(deleted) - {key})
                self._follow(connection, [key])
            return key

    def trashed(self, *, expired_at: datetime | None = None) -> list[TrashedModel]:
        """List the trash, oldest first; with *expired_at* only what had expired by then."""
        moment = None if expired_at is None else microseconds(expired_at)
        with self._database.read() as connection:
            rows = removal.trash_rows(connection, expired_at=moment)
            if not rows:
                return []
            holdings = accounts.read_holdings(connection)
        return [_trashed(row, holdings) for row in rows]

    def cost_of(self, key: str) -> tuple[int, int]:
        """Return what deleting a model frees for good, and what stays because others share it."""
        with self._database.read() as connection:
            return accounts.read_holdings(connection).cost_of({key})

    def freed_by(self, trash_ids: Sequence[str]) -> int:
        """Return the bytes that only these deleted models hold, taken together."""
        with self._database.read() as connection:
            keys = {row.key for row in removal.trash_rows(connection) if row.id in trash_ids}
            return accounts.read_holdings(connection).cost_of(keys)[0] if keys else 0

    def sweep(self, lease_id: str, expired_trash: Sequence[str]) -> list[str]:
        """Forget trash, then every part that nothing holds; return their locations."""
        with self._database.write() as connection:
            forget_records(connection, removal.deleted_keys(connection, expired_trash))
            removal.empty_trash(connection, expired_trash)
            doomed = removal.drop_unreferenced(connection)
            correct_counts(connection)
            leases.protect(connection, lease_id, "folder", doomed)
            return doomed

    def unreferenced(self) -> list[str]:
        """Return the locations that `sweep` would free now."""
        with self._database.read() as connection:
            return [location for _, location in removal.unreferenced(connection)]

    def kept_locations(self) -> set[str]:
        """Return every location that a part has or a lease protects."""
        with self._database.read() as connection:
            return removal.kept_locations(connection)

    # -- views

    def views(self, *, unsettled: bool = False) -> list[View]:
        """List views; with *unsettled* only those with something left to do."""
        with self._database.read() as connection:
            return views.all_views(connection, unsettled=unsettled)

    def seen_models(self) -> Iterator[tuple[View, StoredModel]]:
        """Yield every view with its model, without keeping a transaction open between pages."""
        after = ""
        while True:
            with self._database.read() as connection:
                page = views.views_after(connection, after, _PAGE)
                found = stored_models(connection, [each.key for each in page])
            yield from ((each, found[each.key]) for each in page if each.key in found)
            if len(page) < _PAGE:
                return
            after = page[-1].path

    def view(self, key: str) -> View | None:
        """Return the view of one model."""
        with self._database.read() as connection:
            return views.find_view(connection, key)

    def want_view(self, key: str) -> None:
        """Ask for a view that was made to be made again."""
        with self._database.write() as connection:
            views.want_again(connection, key)

    def move_view(self, key: str) -> None:
        """Give a view another path."""
        with self._database.write() as connection:
            views.move_view(connection, key)
            self._follow(connection, [key])

    def settle_view(self, view: View) -> None:
        """Note that a wanted view was made, or that an unwanted one is gone."""
        with self._database.write() as connection:
            if view.state == "unwanted":
                views.forget_view(connection, view.key)
                removal.want_if_alive(connection, view.key)
                self._follow(connection, [view.key])
            else:
                views.settle_view(connection, view.key)

    # -- counting and checking

    def usage(self) -> Usage:
        """Add up what the library costs."""
        with self._database.read() as connection:
            return accounts.usage(accounts.read_holdings(connection))

    def duplicates(self) -> list[SharedPart]:
        """List content that several models hold and the store has once."""
        with self._database.read() as connection:
            return accounts.duplicates(accounts.read_holdings(connection))

    def audit(self) -> list[Finding]:
        """Check the database itself."""
        with self._database.read() as connection:
            return audit(connection)

    def holders_of_parts(self) -> dict[int, tuple[str, ...]]:
        """Return part → names of the living models that need it."""
        with self._database.read() as connection:
            return holders_of_parts(connection)

    def _follow(
        self,
        connection: Connection,
        keys: Iterable[str],
        said: ModelMetadata | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        follow_library(connection, keys, self._models, self._clock(), said, record)


def _trashed(row: removal.TrashRow, holdings: accounts.Holdings) -> TrashedModel:
    holder = holdings.holders[row.key]
    size = sum(length for _, length in holdings.contents(holder))
    freed, kept = holdings.cost_of({row.key})
    return TrashedModel(
        trash_id=row.id,
        name=holder.name,
        type=holder.type,
        deleted_at=from_microseconds(row.deleted_at),
        expires_at=from_microseconds(row.expires_at),
        size=size,
        bytes_freed=freed,
        bytes_kept=kept,
    )
