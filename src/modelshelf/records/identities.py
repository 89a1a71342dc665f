"""Entering what models are known as, after they were added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from modelshelf.errors import DuplicateModelException
from modelshelf.records.library_records import keys_of_part, library_model
from modelshelf.records.tables import model_base, model_name, model_path, pipeline
from modelshelf.records.views import unwant_view
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["check_apart", "identify_as", "is_known_otherwise"]


def identify_as(
    connection: Connection,
    key: str,
    kind: ModelType,
    form: ModelFormat,
    bases: Sequence[BaseModelType],
    detail: str,
) -> list[str]:
    """Enter what the model *key* is; ask for its links to move where that changes their place.

    Returns:
        The keys of all living models that this changed.
    """
    row = connection.execute(select(pipeline).where(pipeline.c.key == key)).one_or_none()
    if row is not None:
        check_apart(connection, key, row.name, bases[0].value, row.source)
        connection.execute(
            update(pipeline).where(pipeline.c.key == key).values(base=bases[0].value, detail=detail)
        )
        if row.base != bases[0]:
            unwant_view(connection, key)
        return [key]
    part = connection.scalar(select(model_name.c.id).where(model_name.c.key == key))
    if part is None:
        return []
    before = _place(connection, part)
    connection.execute(
        update(model_path)
        .where(model_path.c.id == part)
        .values(type=kind.value, format=form.value, detail=detail)
    )
    connection.execute(delete(model_base).where(model_base.c.id == part))
    connection.execute(
        insert(model_base),
        [
            {"id": part, "base": base.value, "position": position}
            for position, base in enumerate(bases)
        ],
    )
    names = keys_of_part(connection, part)
    if _place(connection, part) != before:
        for name in names:
            unwant_view(connection, name)
    return names


def is_known_otherwise(connection: Connection, before: ModelInfo, models: Path) -> bool:
    """Say whether a model is known as something else than *before* says, or is gone.

    Args:
        connection: In the transaction that is to change it.
        before: The model as somebody read it.
        models: The models folder.
    """
    now = library_model(connection, before.key, models)
    return now is None or _known(now) != _known(before)


def _known(model: ModelInfo) -> tuple[object, ...]:
    return model.type, model.format, model.bases, model.detail


def check_apart(connection: Connection, key: str, name: str, base: str, source: str) -> None:
    """Make sure that a living model may be called so: no other of the same content, base and source is.

    Raises:
        DuplicateModelException: One is, so they would be one model twice.
    """
    other = model_name.alias()
    twins = select(other.c.key).where(
        model_name.c.key == key,
        other.c.id == model_name.c.id,
        other.c.name == name,
        other.c.source == source,
        other.c.key != key,
        other.c.trash_id.is_(None),
    )
    same = pipeline.alias()
    alike = select(same.c.key).where(
        pipeline.c.key == key,
        same.c.digest == pipeline.c.digest,
        same.c.name == name,
        same.c.base == base,
        same.c.source == source,
        same.c.key != key,
        same.c.trash_id.is_(None),
    )
    found = connection.scalar(twins) or connection.scalar(alike)
    if found is not None:
        raise DuplicateModelException(wanted=name, count=2, matches=f"{found[:12]} ({name})")


def _place(connection: Connection, part: int) -> tuple[str, str]:
    """Return the two folders that a view of a part lies in: its first base and its type."""
    row = connection.execute(
        select(model_base.c.base, model_path.c.type)
        .join(model_path, model_path.c.id == model_base.c.id)
        .where(model_base.c.id == part, model_base.c.position == 0)
    ).one()
    return row.base, row.type
