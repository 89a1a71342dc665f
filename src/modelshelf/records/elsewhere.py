"""Models that lie elsewhere: their record stands alone, and the library stores nothing of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, exists, select

from modelshelf.records.conditions import condition_for
from modelshelf.records.config_row import parsed_config
from modelshelf.records.config_tables import model_config
from modelshelf.records.tables import model_name, pipeline
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.selector import And, Attribute, Operator, Selector, Term

if TYPE_CHECKING:
    from modelshelf.schema.config import AnyModelConfig

__all__ = ["find_elsewhere", "placed_info"]

_DETAILS = ("variant", "prediction_type", "precision", "architecture")


def find_elsewhere(connection: Connection, query: ModelQuery, models: Path) -> list[ModelInfo]:
    """Return the models that lie elsewhere and fit, sorted by name, then key.

    Args:
        connection: To read from.
        query: Which ones; none has an id.
        models: The models folder, from which relative paths count.
    """
    if query.ids is not None:
        return []
    # First by keys alone, which an index has: a record is some kilobytes, and most are of stored models.
    apart = select(model_config.c.id).where(
        model_config.c.hidden.is_(False),
        condition_for(connection, _selector(query)),
        ~exists().where(model_name.c.key == model_config.c.key),
        ~exists().where(pipeline.c.key == model_config.c.key),
    )
    wanted = select(model_config.c.key, model_config.c.config)
    rows = connection.execute(wanted.where(model_config.c.id.in_(apart)))
    found = [parsed_config(row.key, row.config) for row in rows]
    fitting = [placed_info(config, models) for config in found if _fits(config, query)]
    return sorted(fitting, key=lambda info: (info.name, info.key))


def _selector(query: ModelQuery) -> Selector:
    """Return what the database can look up; `_fits` is exact."""
    asked = (
        Term(attribute, operator, value)
        for attribute, operator, value in (
            (Attribute.KEY, Operator.STARTS, query.key_prefix),
            (Attribute.NAME, Operator.IS, query.name),
            (Attribute.TEXT, Operator.HAS, query.contains),
            (Attribute.HASH, Operator.STARTS, query.digest_prefix),
        )
        if value is not None
    )
    return And(tuple(asked))


def _fits(config: AnyModelConfig, query: ModelQuery) -> bool:
    if query.name is not None and config.name != query.name:
        return False
    if query.key_prefix is not None and not config.key.startswith(query.key_prefix):
        return False
    if query.contains is None:
        return True
    wanted = query.contains.casefold()
    texts = (config.name, config.source or "", config.description or "")
    return any(wanted in text.casefold() for text in texts)


def placed_info(config: AnyModelConfig, models: Path) -> ModelInfo:
    """Return what the record of a model that lies elsewhere says of it.

    Args:
        config: The record.
        models: The models folder, from which relative paths count.
    """
    details = {name: getattr(config, name) for name in _DETAILS}
    if config.detail is not None:
        details |= config.detail.model_dump(mode="json", exclude_none=True)
    return ModelInfo(
        id=0,
        key=config.key,
        name=config.name,
        type=config.model_type,
        bases=config.bases,
        format=config.model_format,
        location=str(models / config.path),
        hash=config.hash,
        size=config.size or 0,
        description=config.description or "",
        source=config.source or "",
        added_at=None
        if config.created_at is None
        else datetime.fromtimestamp(config.created_at, UTC),
        refcount=0,
        detail=json.dumps(
            {name: value for name, value in details.items() if value}, sort_keys=True
        ),
        is_stored=False,
    )
