"""Entering what models are known as, after they were added."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from modelshelf.records.tables import model_base, model_name, model_path, pipeline
from modelshelf.records.views import unwant_view
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["identify_as"]


def identify_as(
    connection: Connection,
    key: str,
    kind: ModelType,
    form: ModelFormat,
    bases: Sequence[BaseModelType],
    detail: str,
) -> None:
    """Enter what the model *key* is; ask for its links to move where that changes their place."""
    row = connection.execute(select(pipeline).where(pipeline.c.key == key)).one_or_none()
    if row is not None:
        connection.execute(
            update(pipeline).where(pipeline.c.key == key).values(base=bases[0].value, detail=detail)
        )
        if row.base != bases[0]:
            unwant_view(connection, key)
        return
    part = connection.scalar(select(model_name.c.id).where(model_name.c.key == key))
    if part is None:
        return
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
    if _place(connection, part) != before:
        for name in connection.scalars(
            select(model_name.c.key).where(model_name.c.id == part, model_name.c.trash_id.is_(None))
        ):
            unwant_view(connection, name)


def _place(connection: Connection, part: int) -> tuple[str, str]:
    """Return the two folders that a view of a part lies in: its first base and its type."""
    row = connection.execute(
        select(model_base.c.base, model_path.c.type)
        .join(model_path, model_path.c.id == model_base.c.id)
        .where(model_base.c.id == part, model_base.c.position == 0)
    ).one()
    return row.base, row.type
