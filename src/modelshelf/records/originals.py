"""What converted checkpoints were, before they became pipelines."""

from __future__ import annotations

from sqlalchemy import Connection, Row, bindparam, insert, select

from modelshelf.records.tables import original_file, pipeline
from modelshelf.schema.digest import Digest
from modelshelf.schema.recipe import OriginalFile

__all__ = [
    "enter_original",
    "find_original",
    "original_of",
    "read_original",
]

_OF_PARTS = (
    select(original_file)
    .join(pipeline, pipeline.c.id == original_file.c.pipeline_id)
    .where(pipeline.c.digest == bindparam("digest"))
    .limit(1)
)
_OF_PIPELINE = select(original_file).where(original_file.c.pipeline_id == bindparam("pipeline"))


def enter_original(connection: Connection, pipeline_id: int, original: OriginalFile) -> None:
    """Note what a pipeline came as."""
    connection.execute(
        insert(original_file).values(
            pipeline_id=pipeline_id,
            suffix=original.suffix,
            size=original.size,
            blake3=original.blake3.raw,
            sha256=original.sha256.raw,
            imohash=original.imohash or None,
            data_sha256=None if original.data_sha256 is None else original.data_sha256.raw,
        )
    )


def find_original(connection: Connection, digest: Digest) -> OriginalFile | None:
    """Return what a pipeline of exactly these parts came as, deleted or not."""
    row = connection.execute(_OF_PARTS, {"digest": digest.raw}).one_or_none()
    return None if row is None else read_original(row)


def original_of(connection: Connection, pipeline_id: int) -> OriginalFile | None:
    """Return what a pipeline came as; None for one that came as a folder."""
    row = connection.execute(_OF_PIPELINE, {"pipeline": pipeline_id}).one_or_none()
    return None if row is None else read_original(row)


def read_original(row: Row[tuple[object, ...]]) -> OriginalFile:
    """Make the value of a row with the columns of `original_file`."""
    return OriginalFile(
        suffix=row.suffix,
        size=row.size,
        blake3=Digest.blake3(row.blake3),
        sha256=Digest.sha256(row.sha256),
        imohash=row.imohash or b"",
        data_sha256=None if row.data_sha256 is None else Digest.sha256(row.data_sha256),
    )
