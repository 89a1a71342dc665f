"""Asking for models: lists, names, keys, digests."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    false,
    or_,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from modelshelf.records.config_row import storable
from modelshelf.records.config_tables import model_config, model_config_hash
from modelshelf.records.originals import read_original
from modelshelf.records.tables import (
    model_base,
    model_name,
    model_path,
    original_file,
    part_file,
    pipeline,
    pipeline_parts,
    view,
)
from modelshelf.schema.digest import Digest
from modelshelf.schema.model import ModelInfo, PartInfo
from modelshelf.schema.pipeline import type_in_pipeline
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["find_models", "named_models", "pipelines"]

_EVERYTHING = ModelQuery()

# Written down once: putting a question together takes longer than answering it for one model.
_NAMED = (
    select(
        model_name.c.id,
        model_name.c.key,
        model_name.c.name,
        model_name.c.source,
        model_name.c.description,
        model_name.c.entry,
        model_name.c.added_at,
        model_path.c.type,
        model_path.c.format,
        model_path.c.path,
        model_path.c.digest,
        model_path.c.size,
        model_path.c.refcount,
        model_path.c.detail,
        model_base.c.base,
    )
    .join(model_path, model_path.c.id == model_name.c.id)
    .join(model_base, (model_base.c.id == model_path.c.id) & (model_base.c.position == 0))
    .order_by(model_name.c.name, model_name.c.id)
)
_PIPELINES = (
    select(
        pipeline,
        view.c.path.label("view_path"),
        original_file.c.suffix,
        original_file.c.size,
        original_file.c.blake3,
        original_file.c.sha256,
        original_file.c.imohash,
        original_file.c.data_sha256,
    )
    .outerjoin(view, view.c.key == pipeline.c.key)
    .outerjoin(original_file, original_file.c.pipeline_id == pipeline.c.id)
    .order_by(pipeline.c.name, pipeline.c.id)
)
_PARTS: Select[tuple[object, ...]] = (
    select(
        pipeline_parts.c.pipeline_id,
        pipeline_parts.c.part_folder,
        model_path.c.id,
        model_path.c.type,
        model_path.c.path,
        model_path.c.digest,
        model_path.c.size,
        model_path.c.refcount,
    )
    .join(model_path, model_path.c.id == pipeline_parts.c.part_id)
    .order_by(pipeline_parts.c.pipeline_id, pipeline_parts.c.part_folder)
)
_PARTS_OF = _PARTS.where(pipeline_parts.c.pipeline_id.in_(bindparam("pipelines", expanding=True)))
_ALL_BASES = select(model_base.c.id, model_base.c.base).order_by(
    model_base.c.id, model_base.c.position
)
_BASES_OF = _ALL_BASES.where(model_base.c.id.in_(bindparam("parts", expanding=True)))


def find_models(connection: Connection, query: ModelQuery, models: Path) -> list[ModelInfo]:
    """Return fundamental models and pipelines that fit, sorted by name, then id."""
    found = [*named_models(connection, models, query), *pipelines(connection, models, query)]
    return sorted(found, key=lambda info: (info.name, info.id))


def named_models(
    connection: Connection, models: Path, query: ModelQuery = _EVERYTHING
) -> list[ModelInfo]:
    """Return the names of fundamental models, sorted.

    Args:
        connection: To read from.
        models: The models folder, to make locations absolute.
        query: Which ones.
    """
    result = connection.execute(_NAMED.where(*_name_conditions(query)))
    # Plain tuples: of twenty thousand rows, wrapping each one is a fifth of the time. And not all at
    # once: so many objects make Python look for cycles in everything that there is.
    cursor = result.cursor
    first = cursor.fetchmany(_FEW + 1)
    further = _further_bases(connection, [row[0] for row in first])
    rows = chain(first, chain.from_iterable(iter(partial(cursor.fetchmany, _FEW), [])))
    prefix = f"{models}/"
    return [
        ModelInfo(
            id=model,
            key=key,
            name=name,
            type=_TYPES[kind],
            bases=further.get(model) or _SINGLE[base],
            format=_FORMATS[form],
            location=f"{prefix}{path}/{entry}" if entry else prefix + path,
            hash="blake3:" + digest.hex(),
            size=size,
            description=description,
            source=source,
            added_at=from_microseconds(added_at),
            refcount=refcount,
            detail=detail,
        )
        for (
            model,
            key,
            name,
            source,
            description,
            entry,
            added_at,
            kind,
            form,
            path,
            digest,
            size,
            refcount,
            detail,
            base,
        ) in rows
    ]


def pipelines(
    connection: Connection, models: Path, query: ModelQuery = _EVERYTHING
) -> list[ModelInfo]:
    """Return pipelines with their parts, sorted by name, then id."""
    rows = connection.execute(_PIPELINES.where(*_pipeline_conditions(query))).all()
    ids = None if len(rows) > _FEW else [row.id for row in rows]
    parts = _parts(connection, models, ids) if rows else {}
    return [_pipeline_info(row, parts.get(row.id, []), models) for row in rows]


def _pipeline_info(row: Row[tuple[object, ...]], parts: list[PartInfo], models: Path) -> ModelInfo:
    return ModelInfo(
        id=row.id,
        key=row.key,
        name=row.name,
        type=ModelType.MAIN,
        bases=(BaseModelType(row.base),),
        format=ModelFormat.DIFFUSERS,
        location=str(models / (row.view_path or f"{row.base}/{ModelType.MAIN.value}/{row.name}")),
        hash=str(Digest.blake3(row.digest)),
        size=sum(part.size for part in parts),
        description=row.description,
        source=row.source,
        added_at=from_microseconds(row.added_at),
        is_pipeline=True,
        detail=row.detail,
        parts=tuple(part for part in parts if part.type not in _NO_COMPONENTS),
        original=None if row.suffix is None else read_original(row),
    )


_NO_COMPONENTS = (ModelType.PIPELINE_FILES, ModelType.ORIGINAL_FILE)


def _parts(
    connection: Connection, models: Path, ids: list[int] | None
) -> dict[int, list[PartInfo]]:
    some = None if ids is None else {"pipelines": ids}
    rows = connection.execute(_PARTS if some is None else _PARTS_OF, some).all()
    bases = _bases(connection, None if ids is None else sorted({row.id for row in rows}))
    found: dict[int, list[PartInfo]] = {}
    for row in rows:
        found.setdefault(row.pipeline_id, []).append(
            PartInfo(
                id=row.id,
                folder=row.part_folder,
                type=type_in_pipeline(row.part_folder, _TYPES[row.type]),
                bases=bases.get(row.id, ()),
                location=f"{models}/{row.path}",
                hash="blake3:" + row.digest.hex(),
                size=row.size,
                refcount=row.refcount,
            )
        )
    return found


def _bases(connection: Connection, ids: list[int] | None) -> dict[int, tuple[BaseModelType, ...]]:
    some = None if ids is None else {"parts": ids}
    found: dict[int, tuple[BaseModelType, ...]] = {}
    for part, base in connection.execute(_ALL_BASES if some is None else _BASES_OF, some):
        found[part] = (*found.get(part, ()), _BASES[base])
    return found


def _further_bases(connection: Connection, ids: list[int]) -> dict[int, tuple[BaseModelType, ...]]:
    """Return the bases at least of those parts that have more than one, which are few."""
    if len(ids) <= _FEW:
        return _bases(connection, ids) if ids else {}
    several = select(model_base.c.id).where(model_base.c.position > 0)
    return _bases(connection, list(connection.scalars(several.distinct())))


def _name_conditions(query: ModelQuery) -> list[ColumnElement[bool]]:
    conditions = _shared_conditions(query, model_name)
    if query.ids is not None:
        conditions.append(model_name.c.id.in_(query.ids))
    if query.digest_prefix is not None:
        holding = select(model_name.c.key).where(
            # Said twice, because the index is one of living names.
            model_name.c.trash_id.is_(None),
            model_name.c.id.in_(_parts_with(query.digest_prefix)),
        )
        # As one list of keys, which is looked up; alternatives beside one another would go through all rows.
        conditions.append(model_name.c.key.in_(holding.union(_known_as(query.digest_prefix))))
    return conditions


def _pipeline_conditions(query: ModelQuery) -> list[ColumnElement[bool]]:
    conditions = _shared_conditions(query, pipeline)
    if query.ids is not None:
        conditions.append(pipeline.c.id.in_(query.ids))
    if query.digest_prefix is not None:
        own = select(pipeline.c.key).where(_starts(pipeline.c.digest, query.digest_prefix))
        holding = (
            select(pipeline.c.key)
            .join(pipeline_parts, pipeline_parts.c.pipeline_id == pipeline.c.id)
            .where(pipeline_parts.c.part_id.in_(_parts_with(query.digest_prefix)))
        )
        converted = (
            select(pipeline.c.key)
            .join(original_file, original_file.c.pipeline_id == pipeline.c.id)
            .where(_any_starts(original_file, query.digest_prefix))
        )
        found = own.union(holding, converted, _known_as(query.digest_prefix))
        conditions.append(pipeline.c.key.in_(found))
    return conditions


def _shared_conditions(query: ModelQuery, table: Table) -> list[ColumnElement[bool]]:
    asked = (query.key_prefix, query.name, query.contains, query.digest_prefix)
    if not all(text is None or storable(text) for text in asked):
        # No database can even be asked for it.
        return [false()]
    conditions: list[ColumnElement[bool]] = [table.c.trash_id.is_(None)]
    if query.key_prefix is not None:
        # As a range, which an index can serve; LIKE would look at every key.
        conditions.append(table.c.key.between(query.key_prefix, f"{query.key_prefix}\U0010ffff"))
    if query.name is not None:
        conditions.append(table.c.name == query.name)
    if query.contains is not None:
        texts = (table.c.name, table.c.source, table.c.description)
        conditions.append(or_(*(text.icontains(query.contains, autoescape=True) for text in texts)))
    return conditions


def _parts_with(prefix: str) -> CompoundSelect[int]:
    """Return the parts of which, or of a file of which, a hash starts so."""
    own = select(model_path.c.id).where(_starts(model_path.c.digest, prefix))
    return own.union(select(part_file.c.part_id).where(_any_starts(part_file, prefix)))


def _known_as(prefix: str) -> Select[tuple[str]]:
    """Compare with what the records themselves say: the quick hash of a folder is that of no file."""
    # As a range, which an index can serve; no digit comes after `f`.
    starts = model_config_hash.c.hash.between(prefix, f"{prefix}g")
    return (
        select(model_config.c.key)
        .join(model_config_hash, model_config_hash.c.config_id == model_config.c.id)
        .where(model_config_hash.c.is_own.is_(True), starts)
    )


def _any_starts(table: Table, prefix: str) -> ColumnElement[bool]:
    """Compare with every hash that a file is known by, here or elsewhere."""
    return or_(
        _starts(table.c.blake3, prefix),
        _starts(table.c.sha256, prefix),
        _starts(table.c.data_sha256, prefix),
        _starts(table.c.imohash, prefix, digits=32),
    )


def _starts(column: ColumnElement[bytes], prefix: str, *, digits: int = 64) -> ColumnElement[bool]:
    """Compare the first hexadecimal digits of a raw digest as a range, which an index can serve."""
    low, high = prefix.ljust(digits, "0"), prefix.ljust(digits, "f")
    if len(low) > digits:
        return false()
    try:
        return column.between(bytes.fromhex(low), bytes.fromhex(high))
    except ValueError:
        return false()


def from_microseconds(value: int) -> datetime:
    """Return the moment that the database keeps as microseconds since 1970."""
    return datetime.fromtimestamp(value / 1_000_000, UTC)


_FEW = 200
"""Models up to which their bases are asked for by id; beyond, reading all rows is quicker."""
_TYPES = {member.value: member for member in ModelType}
_FORMATS = {member.value: member for member in ModelFormat}
_BASES = {member.value: member for member in BaseModelType}
_SINGLE = {member.value: (member,) for member in BaseModelType}
