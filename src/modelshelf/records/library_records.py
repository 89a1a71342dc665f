"""The MM2 record of a model that the library stores, kept equal to what NMM's tables say.

Whoever changes those tables calls `follow_library` in the same transaction, so the two never differ. What
both say is written from NMM's side here, and from MM2's side in `library_service`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from modelshelf.errors import InvalidModelConfigException
from modelshelf.records.config_row import parsed_config
from modelshelf.records.configs import (
    config_texts,
    delete_configs,
    enter_file_hashes,
    hide_configs,
    insert_configs,
    read_config,
    update_config,
    update_configs,
)
from modelshelf.records.file_hashes import (
    HashedFile,
    digests_of,
    files_of_models,
    quick_hash_of,
    sha256_of,
)
from modelshelf.records.models import find_models
from modelshelf.records.record_fields import fitting_fields, said_fields, usual_variant
from modelshelf.records.revision import first_revision, next_revision
from modelshelf.records.tables import model_metadata, model_name
from modelshelf.schema.config import ModelSourceType
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.query import ModelQuery

if TYPE_CHECKING:
    from modelshelf.schema.config import AnyModelConfig

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
    files = files_of_models(connection, [info])[info.key]
    current = read_config(connection, info.key, hidden=True)
    if current is not None:
        corrected = _corrected(info, files, models, current, now)
        if corrected is not None:
            update_config(connection, corrected)
        return
    fields = _shared_fields(info, files, models)
    first = fitting_fields(fields | said_fields(said)) | dict(record)
    insert_configs(connection, [first_revision(info.key, first, now)])
    enter_file_hashes(connection, {info.key: digests_of(info, files)})
    if said:
        document = json.dumps(said.document())
        connection.execute(insert(model_metadata).values(key=info.key, document=document))


def _corrected(
    info: ModelInfo,
    files: Sequence[HashedFile],
    models: Path,
    current: AnyModelConfig,
    now: datetime,
) -> AnyModelConfig | None:
    """Return the record as it should be; None where it is so."""
    fields = fitting_fields(_shared_fields(info, files, models))
    changes = {name: value for name, value in fields.items() if getattr(current, name) != value}
    return next_revision(current, changes, now) if changes else None


def complete_library(connection: Connection) -> None:
    """Make the records of models that were stored before libraries had any, and correct those of the others.

    A record's path counts from the models folder, wherever that is. What lies in the trash gets its record
    when it comes back. A record that somebody spoiled stays as it is, and is told of when it is read.
    """
    remaining = iter(find_models(connection, ModelQuery(), _ANYWHERE))
    while some := list(islice(remaining, _AT_ONCE)):
        _complete(connection, some, datetime.now(UTC))


_ANYWHERE = Path("models")
_AT_ONCE = 400
"""Models that are looked up together; SQLite's oldest limit is 999 variables."""


def _complete(connection: Connection, infos: Sequence[ModelInfo], now: datetime) -> None:
    known = config_texts(connection, [info.key for info in infos])
    files = files_of_models(connection, infos)
    added: list[AnyModelConfig] = []
    changed: list[AnyModelConfig] = []
    for info in infos:
        if info.key not in known:
            moment = {} if info.added_at is None else {"created_at": info.added_at.timestamp()}
            fields = fitting_fields(_shared_fields(info, files[info.key], _ANYWHERE) | moment)
            added.append(first_revision(info.key, fields, now))
            continue
        # An earlier modelshelf left out files that lie loose in a pipeline, and forms of main models, and
        # gave the digest for the quick hash. Nobody said anything of it now, so the time of the last
        # change stays.
        with suppress(InvalidModelConfigException):
            current = parsed_config(info.key, known[info.key])
            changed_at = datetime.fromtimestamp(current.updated_at or 0, UTC)
            corrected = _corrected(info, files[info.key], _ANYWHERE, current, changed_at)
            changed += [] if corrected is None else [corrected]
    insert_configs(connection, added)
    update_configs(connection, changed)
    enter_file_hashes(connection, {info.key: digests_of(info, files[info.key]) for info in infos})


def keys_of_part(connection: Connection, part: int) -> list[str]:
    """Return the keys of all living names of a part."""
    return list(
        connection.scalars(
            select(model_name.c.key).where(model_name.c.id == part, model_name.c.trash_id.is_(None))
        )
    )


def _shared_fields(info: ModelInfo, files: Sequence[HashedFile], models: Path) -> dict[str, Any]:
    detail: Mapping[str, Any] = json.loads(info.detail)
    kind = {"source_type": ModelSourceType.PATH} if Path(info.source).is_absolute() else {}
    return kind | {
        "name": info.name,
        "model_type": info.type,
        "model_format": info.format,
        "base_model": info.base,
        "bases": info.bases,
        "path": Path(info.location).relative_to(models).as_posix(),
        "hash": quick_hash_of(info, files),
        "description": info.description or None,
        "source": info.source or None,
        "variant": detail.get("variant") or usual_variant(info.type, info.format, info.base),
        "prediction_type": detail.get("prediction_type"),
        "precision": detail.get("precision"),
        "architecture": detail.get("architecture"),
        "size": info.size,
        "blake3": info.hash.partition(":")[2],
        "sha256": sha256_of(info, files),
        "converted_at": None
        if info.original is None or info.added_at is None
        else info.added_at.timestamp(),
    }


def read_metadata(connection: Connection, key: str) -> ModelMetadata:
    """Return what was written in and beside the model *key* when it was added; empty where nothing was."""
    document = connection.scalar(
        select(model_metadata.c.document).where(model_metadata.c.key == key)
    )
    return (
        ModelMetadata() if document is None else ModelMetadata.from_document(json.loads(document))
    )
