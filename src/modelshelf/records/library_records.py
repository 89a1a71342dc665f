"""The MM2 record of a model that the library stores, kept equal to what NMM's tables say.

Whoever changes those tables calls `follow_library` in the same transaction, so the two never differ. What
both say is written from NMM's side here, and from MM2's side in `library_service`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select

from modelshelf.records.config_tables import model_config
from modelshelf.records.configs import (
    delete_configs,
    enter_file_hashes,
    hide_configs,
    insert_configs,
    read_config,
    update_config,
)
from modelshelf.records.models import find_models
from modelshelf.records.record_fields import fitting_fields, said_fields, usual_variant
from modelshelf.records.revision import first_revision, next_revision
from modelshelf.records.tables import (
    model_metadata,
    model_name,
    model_path,
    original_file,
    part_file,
    pipeline_parts,
)
from modelshelf.schema.config import AnyModelConfig, ModelSourceType
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.taxonomy import ModelType

__all__ = [
    "complete_library",
    "follow_library",
    "forget_records",
    "hide_records",
    "keys_of_part",
    "library_model",
    "read_metadata",
]

hide_records = hide_configs
"""Let records lie in the trash with their models, or come back with them."""


def forget_records(connection: Connection, keys: Iterable[str]) -> None:
    """Forget records together with their models, and what was written about these."""
    gone = list(keys)
    delete_configs(connection, gone)
    for key in gone:
        connection.execute(delete(model_metadata).where(model_metadata.c.key == key))


def library_model(connection: Connection, key: str, models: Path) -> ModelInfo | None:
    """Return the living model of the library with this key; None where there is none."""
    found = find_models(connection, ModelQuery(key_prefix=key), models)
    return next((info for info in found if info.key == key), None)


def follow_library(
    connection: Connection,
    keys: Iterable[str],
    models: Path,
    now: datetime,
    said: ModelMetadata | None = None,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Let the records of models say what NMM's tables say of them now.

    Args:
        connection: In the transaction that changed the tables.
        keys: Of the models; one that is deleted or unknown is passed over.
        models: The models folder.
        now: For the record's times.
        said: What stood in and beside a model that is being added.
        record: Further fields of its record, which count more than what stood there.

    Raises:
        InvalidModelConfigException: One of these fields cannot be.
    """
    for key in keys:
        info = library_model(connection, key, models)
        if info is not None:
            _follow(connection, info, models, now, said or ModelMetadata(), record or {})


def _follow(
    connection: Connection,
    info: ModelInfo,
    models: Path,
    now: datetime,
    said: ModelMetadata,
    record: Mapping[str, Any],
) -> None:
    current = read_config(connection, info.key, hidden=True)
    if current is not None:
        _correct(connection, info, models, current, now)
        return
    fields = _shared_fields(connection, info, models)
    first = fitting_fields(fields | said_fields(said)) | dict(record)
    insert_configs(connection, [first_revision(info.key, first, now)])
    enter_file_hashes(connection, info.key, _hashes(connection, info))
    if said:
        document = json.dumps(said.document())
        connection.execute(insert(model_metadata).values(key=info.key, document=document))


def _correct(
    connection: Connection,
    info: ModelInfo,
    models: Path,
    current: AnyModelConfig,
    now: datetime,
) -> None:
    known = current.model_dump()
    fields = fitting_fields(_shared_fields(connection, info, models))
    changes = {name: value for name, value in fields.items() if known[name] != value}
    if changes:
        update_config(connection, next_revision(current, changes, now))


def complete_library(connection: Connection) -> None:
    """Make the records of models that were stored before libraries had any, and correct those of the others.

    A record's path counts from the models folder, wherever that is. What lies in the trash gets its record
    when it comes back.
    """
    models, now = Path("models"), datetime.now(UTC)
    known = set(connection.scalars(select(model_config.c.key)))
    for info in find_models(connection, ModelQuery(), models):
        current = read_config(connection, info.key) if info.key in known else None
        if current is not None:
            # An earlier modelshelf left out files that lie loose in a pipeline, and forms of main models.
            # Nobody said anything of it now, so the time of the last change stays.
            changed_at = datetime.fromtimestamp(current.updated_at or 0, UTC)
            _correct(connection, info, models, current, changed_at)
            enter_file_hashes(connection, info.key, _hashes(connection, info))
            continue
        added = {} if info.added_at is None else {"created_at": info.added_at.timestamp()}
        fields = fitting_fields(_shared_fields(connection, info, models) | added)
        insert_configs(connection, [first_revision(info.key, fields, now)])
        enter_file_hashes(connection, info.key, _hashes(connection, info))


def keys_of_part(connection: Connection, part: int) -> list[str]:
    """Return the keys of all living names of a part."""
    return list(
        connection.scalars(
            select(model_name.c.key).where(model_name.c.id == part, model_name.c.trash_id.is_(None))
        )
    )


def _shared_fields(connection: Connection, info: ModelInfo, models: Path) -> dict[str, Any]:
    detail: Mapping[str, Any] = json.loads(info.detail)
    kind = {"source_type": ModelSourceType.PATH} if Path(info.source).is_absolute() else {}
    return kind | {
        "name": info.name,
        "model_type": info.type,
        "model_format": info.format,
        "base_model": info.base,
        "bases": info.bases,
        "path": Path(info.location).relative_to(models).as_posix(),
        "hash": info.hash,
        "description": info.description or None,
        "source": info.source or None,
        "variant": detail.get("variant") or usual_variant(info.type, info.format, info.base),
        "prediction_type": detail.get("prediction_type"),
        "precision": detail.get("precision"),
        "architecture": detail.get("architecture"),
        "size": info.size,
        "blake3": info.hash.partition(":")[2],
        "sha256": _sha256(connection, info),
        "converted_at": None
        if info.original is None or info.added_at is None
        else info.added_at.timestamp(),
    }


def _sha256(connection: Connection, info: ModelInfo) -> str | None:
    """Return what the hubs know a model that is one file by, or was one before it was converted."""
    if info.is_pipeline:
        return None if info.original is None else info.original.sha256.hexadecimal
    file = (
        select(part_file.c.sha256)
        .join(model_name, model_name.c.id == part_file.c.part_id)
        .where(model_name.c.key == info.key, model_name.c.entry == part_file.c.member)
    )
    digest = connection.scalar(file)
    return None if digest is None else digest.hex()


def _hashes(connection: Connection, info: ModelInfo) -> Iterator[str]:
    """Yield what other programs know a model's files by; those that only we know as files are left out."""
    if not info.is_pipeline:
        yield from _digests(connection, part_file, part_file.c.part_id == info.id)
        return
    yield from _digests(connection, original_file, original_file.c.pipeline_id == info.id)
    parts = (
        select(pipeline_parts.c.part_id)
        .join(model_path, model_path.c.id == pipeline_parts.c.part_id)
        .where(
            pipeline_parts.c.pipeline_id == info.id,
            model_path.c.type != ModelType.ORIGINAL_FILE.value,
        )
    )
    yield from _digests(connection, part_file, part_file.c.part_id.in_(parts))


def _digests(connection: Connection, table: Table, fits: ColumnElement[bool]) -> Iterator[str]:
    columns = (table.c.blake3, table.c.sha256, table.c.imohash, table.c.data_sha256)
    for row in connection.execute(select(*columns).where(fits).order_by(*table.primary_key)):
        yield from (digest.hex() for digest in row if digest)


def read_metadata(connection: Connection, key: str) -> ModelMetadata:
    """Return what was written in and beside the model *key* when it was added; empty where nothing was."""
    document = connection.scalar(
        select(model_metadata.c.document).where(model_metadata.c.key == key)
    )
    return (
        ModelMetadata() if document is None else ModelMetadata.from_document(json.loads(document))
    )
