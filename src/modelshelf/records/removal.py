"""Deleting, bringing back, and forgetting for good."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, bindparam, delete, exists, select, union, update

from modelshelf.records.leases import leased
from modelshelf.records.parts import location_of
from modelshelf.records.register import BLOB_FOLDER
from modelshelf.records.tables import (
    lease_item,
    model_base,
    model_id,
    model_name,
    model_path,
    original_file,
    part_file,
    pipeline,
    pipeline_parts,
    trash,
    view,
)
from modelshelf.records.views import forget_settled, unwant_view, want_view
from modelshelf.schema.taxonomy import ModelType

__all__ = [
    "TrashRow",
    "deleted_keys",
    "drop_unreferenced",
    "move_to_trash",
    "restore",
    "trash_rows",
    "want_if_alive",
]


_UNRECORDED = select(lease_item.c.value).where(
    lease_item.c.lease_id == bindparam("lease"),
    lease_item.c.kind == "folder",
    ~exists().where(model_path.c.path == f"{BLOB_FOLDER}/" + lease_item.c.value),
)


@dataclass(frozen=True, slots=True)
class TrashRow:
    """One entry of the trash."""

    id: str
    """What `undo` takes."""
    key: str
    """Key of the name or pipeline in it."""
    deleted_at: int
    """Microseconds since 1970."""
    expires_at: int
    """Microseconds since 1970."""


def move_to_trash(connection: Connection, key: str, now: int, expires: int) -> str:
    """Delete a name or pipeline, in a way that `restore` can take back.

    Returns:
        The id of the trash entry.
    """
    trash_id = secrets.token_hex(4)
    connection.execute(trash.insert().values(id=trash_id, deleted_at=now, expires_at=expires))
    for table in (model_name, pipeline):
        connection.execute(update(table).where(table.c.key == key).values(trash_id=trash_id))
    unwant_view(connection, key)
    return trash_id


def restore(connection: Connection, trash_id: str) -> str | None:
    """Bring back what was deleted under *trash_id*.

    Returns:
        The key of the model: of a living twin where the same content was added again under the same
        name from the same source meanwhile. None when the trash has no such entry.
    """
    for table in (model_name, pipeline):
        row = connection.execute(select(table).where(table.c.trash_id == trash_id)).one_or_none()
        if row is None:
            continue
        twin = _living_twin(connection, table, row.key)
        if twin is None:
            connection.execute(update(table).where(table.c.key == row.key).values(trash_id=None))
            _want_again(connection, row.key)
        else:
            _forget(connection, table, row.key)
        connection.execute(delete(trash).where(trash.c.id == trash_id))
        return twin or str(row.key)
    return None


def _living_twin(connection: Connection, table: Table, key: str) -> str | None:
    other = table.alias()
    same = (
        (other.c.id == table.c.id)
        if table is model_name
        else ((other.c.digest == table.c.digest) & (other.c.base == table.c.base))
    )
    return connection.scalar(
        select(other.c.key).where(
            table.c.key == key,
            other.c.name == table.c.name,
            other.c.source == table.c.source,
            same,
            other.c.trash_id.is_(None),
        )
    )


def want_if_alive(connection: Connection, key: str) -> None:
    """Ask for a view of a model that is not deleted and has none: it has moved to another place."""
    for table in (model_name, pipeline):
        alive = select(table.c.key).where(table.c.key == key, table.c.trash_id.is_(None))
        has_view = select(view.c.key).where(view.c.key == key)
        if connection.scalar(alive) is not None and connection.scalar(has_view) is None:
            _want_again(connection, key)


def _want_again(connection: Connection, key: str) -> None:
    from_trash = connection.execute(
        select(pipeline.c.name, pipeline.c.base).where(pipeline.c.key == key)
    ).one_or_none()
    forget_settled(connection, key)
    if from_trash is not None:
        folder = f"{from_trash.base}/{ModelType.MAIN.value}"
        want_view(connection, key, folder, from_trash.name, "")
        return
    row = connection.execute(
        select(model_name.c.name, model_name.c.suffix, model_path.c.type, model_path.c.id)
        .join(model_path, model_path.c.id == model_name.c.id)
        .where(model_name.c.key == key)
    ).one()
    base = connection.scalars(
        select(model_base.c.base)
        .where(model_base.c.id == row.id)
        .order_by(model_base.c.position)
        .limit(1)
    ).one()
    want_view(connection, key, f"{base}/{row.type}", row.name, row.suffix)


def trash_rows(connection: Connection, *, expired_at: int | None = None) -> list[TrashRow]:
    """List the trash, oldest first; with *expired_at* only what had expired by then."""
    rows: list[TrashRow] = []
    for table in (model_name, pipeline):
        query = select(trash.c.id, table.c.key, trash.c.deleted_at, trash.c.expires_at).join(
            table, table.c.trash_id == trash.c.id
        )
        if expired_at is not None:
            query = query.where(trash.c.expires_at <= expired_at)
        rows += [TrashRow(*row) for row in connection.execute(query)]
    return sorted(rows, key=lambda row: (row.deleted_at, row.id))


def empty_trash(connection: Connection, trash_ids: Sequence[str]) -> None:
    """Forget deleted models for good; their parts go when nothing else refers to them."""
    for trash_id in trash_ids:
        for table in (model_name, pipeline):
            for key in connection.scalars(select(table.c.key).where(table.c.trash_id == trash_id)):
                _forget(connection, table, key)
        connection.execute(delete(trash).where(trash.c.id == trash_id))


def deleted_keys(connection: Connection, trash_ids: Sequence[str]) -> list[str]:
    """Return the keys of what was deleted under these ids."""
    keys: list[str] = []
    for table in (model_name, pipeline):
        keys += connection.scalars(select(table.c.key).where(table.c.trash_id.in_(trash_ids)))
    return keys


def _forget(connection: Connection, table: Table, key: str) -> None:
    if table is pipeline:
        ids = select(pipeline.c.id).where(pipeline.c.key == key)
        # Parts first: their trigger looks at whether the pipeline was still alive.
        gone = list(connection.scalars(ids))
        connection.execute(delete(pipeline_parts).where(pipeline_parts.c.pipeline_id.in_(gone)))
        connection.execute(delete(original_file).where(original_file.c.pipeline_id.in_(gone)))
        connection.execute(delete(pipeline).where(pipeline.c.key == key))
        connection.execute(delete(model_id).where(model_id.c.id.in_(gone)))
    else:
        connection.execute(delete(table).where(table.c.key == key))


def unreferenced(connection: Connection) -> list[tuple[int, str]]:
    """Mark: return id and location of every part that no name, pipeline, trash or lease holds."""
    held = union(
        select(model_name.c.id),
        select(pipeline_parts.c.part_id),
    )
    pinned = {int(value) for value in leased(connection, "part")}
    rows = connection.execute(
        select(model_path.c.id, model_path.c.path)
        .where(model_path.c.id.not_in(held))
        .order_by(model_path.c.id)
    )
    return [(row.id, location_of(row.path)) for row in rows if row.id not in pinned]


def drop_unreferenced(connection: Connection) -> list[str]:
    """Forget every part that nothing holds.

    Marking and forgetting are one transaction, so an import that finds a part and pins it either
    comes first and keeps it, or comes later and stores it anew.

    Returns:
        The locations that are free to be removed.
    """
    doomed = unreferenced(connection)
    for part, _ in doomed:
        for table in (part_file, model_base, model_path, model_id):
            column = table.c.part_id if table is part_file else table.c.id
            connection.execute(delete(table).where(column == part))
    return [location for _, location in doomed]


def unrecorded(connection: Connection, lease_id: str) -> set[str]:
    """Return the locations that a lease protects and no part has."""
    return set(connection.scalars(_UNRECORDED, {"lease": lease_id}))


def kept_locations(connection: Connection) -> set[str]:
    """Return every location that a part has or a lease protects; all others are debris."""
    parts = {location_of(path) for path in connection.scalars(select(model_path.c.path))}
    return parts | leased(connection, "folder")
