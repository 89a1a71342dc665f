"""What the database can check about itself."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select, text, update

from modelshelf.records.register import pipeline_digest
from modelshelf.records.tables import model_name, model_path, pipeline, pipeline_parts
from modelshelf.schema.digest import Digest
from modelshelf.schema.report import Finding, FindingKind

__all__ = ["audit", "correct_counts", "holders_of_parts"]

_WRONG_COUNTS = text("""
    SELECT id, refcount, counted FROM (
        SELECT id, refcount,
            (SELECT count(*) FROM model_name n WHERE n.id = m.id AND n.trash_id IS NULL)
            + (
                SELECT count(DISTINCT p.id) FROM pipeline_parts pp
                JOIN pipeline p ON p.id = pp.pipeline_id
                WHERE pp.part_id = m.id AND p.trash_id IS NULL
            ) AS counted
        FROM model_path m
    ) WHERE refcount <> counted ORDER BY id
""")


def audit(connection: Connection) -> list[Finding]:
    """Check pages, references, counts and the digests of pipelines."""
    return [
        *_damaged_pages(connection),
        *_dangling_rows(connection),
        *_wrong_counts(connection),
        *_changed_pipelines(connection),
    ]


def _damaged_pages(connection: Connection) -> list[Finding]:
    return [
        Finding(FindingKind.DATABASE, "databases/models.db", words)
        for words in connection.scalars(text("PRAGMA integrity_check"))
        if words != "ok"
    ]


def _dangling_rows(connection: Connection) -> list[Finding]:
    return [
        Finding(FindingKind.DATABASE, f"{row[0]}:{row[1]}", f"points to no row of {row[2]}")
        for row in connection.execute(text("PRAGMA foreign_key_check"))
    ]


def _wrong_counts(connection: Connection) -> list[Finding]:
    return [
        Finding(
            FindingKind.WRONG_COUNT,
            f"model_path:{row.id}",
            f"REFCOUNT is {row.refcount}, {row.counted} references exist",
        )
        for row in connection.execute(_WRONG_COUNTS)
    ]


def correct_counts(connection: Connection) -> None:
    """Set every REFCOUNT that is wrong to the references that exist; the caller is writing."""
    for row in connection.execute(_WRONG_COUNTS).all():
        connection.execute(
            update(model_path).where(model_path.c.id == row.id).values(refcount=row.counted)
        )


def _changed_pipelines(connection: Connection) -> list[Finding]:
    parts: dict[int, dict[str, Digest]] = defaultdict(dict)
    for row in connection.execute(
        select(
            pipeline_parts.c.pipeline_id, pipeline_parts.c.part_folder, model_path.c.digest
        ).join(model_path, model_path.c.id == pipeline_parts.c.part_id)
    ):
        parts[row.pipeline_id][row.part_folder] = Digest.blake3(row.digest)
    rows = connection.execute(select(pipeline.c.id, pipeline.c.name, pipeline.c.digest))
    return [
        Finding(
            FindingKind.DATABASE,
            f"pipeline:{row.id}",
            "its parts do not give its digest",
            models=(row.name,),
        )
        for row in rows
        if pipeline_digest(parts[row.id]).raw != row.digest
    ]


def holders_of_parts(connection: Connection) -> dict[int, tuple[str, ...]]:
    """Return part → names of the living models that need it, sorted."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in connection.execute(
        select(model_name.c.id, model_name.c.name).where(model_name.c.trash_id.is_(None))
    ):
        found[row.id].add(row.name)
    for row in connection.execute(
        select(pipeline_parts.c.part_id, pipeline.c.name)
        .join(pipeline, pipeline.c.id == pipeline_parts.c.pipeline_id)
        .where(pipeline.c.trash_id.is_(None))
    ):
        found[row.part_id].add(row.name)
    return {part: tuple(sorted(names)) for part, names in found.items()}
