"""Asking for records in SQL: those that fit a condition, in an order, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from modelshelf.records.conditions import condition_for
from modelshelf.records.config_row import parsed_config
from modelshelf.records.config_tables import model_config
from modelshelf.records.page_index import name_start
from modelshelf.schema.selector import Everything, Order, Selector

if TYPE_CHECKING:
    from modelshelf.schema.config import AnyModelConfig

__all__ = ["count_configs", "find_configs", "find_keys"]

_LARGEST = 2**63 - 1
_ORDERS: Mapping[Order, tuple[ColumnElement[Any], ...]] = MappingProxyType(
    {
        Order.DEFAULT: (
            model_config.c.type,
            model_config.c.base,
            model_config.c.name,
            model_config.c.format,
        ),
        Order.NAME: (model_config.c.name,),
        Order.TYPE: (model_config.c.type,),
        Order.BASE: (model_config.c.base,),
        Order.FORMAT: (model_config.c.format,),
        Order.SIZE: (model_config.c.size,),
        Order.ADDED: (model_config.c.created_at,),
        Order.CHANGED: (model_config.c.updated_at,),
        Order.USED: (model_config.c.last_used_at,),
    }
)
_NULLABLE = frozenset({Order.SIZE, Order.ADDED, Order.CHANGED, Order.USED})


def find_configs(
    connection: Connection,
    selector: Selector = Everything,
    *,
    order: Order = Order.DEFAULT,
    descending: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[AnyModelConfig]:
    """Return the records that *selector* selects. See `ModelRecordServiceBase.find`."""
    wanted = select(model_config.c.key, model_config.c.config)
    is_page = limit is not None
    condition = condition_for(connection, selector, is_page=is_page)
    fits = and_(model_config.c.hidden.is_(False), condition)
    sorting = _sorting(connection, order, descending=descending)
    if offset <= 0 and limit is None:
        wanted = wanted.where(fits)
    else:
        # Only ids are sorted and left out; a record is some kilobytes.
        page = select(model_config.c.id).where(fits).order_by(*sorting)
        page = page.offset(min(max(offset, 0), _LARGEST))
        page = page if limit is None else page.limit(min(max(limit, 0), _LARGEST))
        wanted = wanted.where(model_config.c.id.in_(page))
    rows = connection.execute(wanted.order_by(*sorting))
    return [parsed_config(row.key, row.config) for row in rows]


def find_keys(
    connection: Connection,
    selector: Selector = Everything,
    *,
    order: Order = Order.DEFAULT,
    descending: bool = False,
) -> list[str]:
    """Return the keys of the records that *selector* selects; no record is read for it."""
    fits = and_(model_config.c.hidden.is_(False), condition_for(connection, selector))
    wanted = select(model_config.c.key).where(fits)
    return list(
        connection.scalars(wanted.order_by(*_sorting(connection, order, descending=descending)))
    )


def count_configs(connection: Connection, selector: Selector = Everything) -> int:
    """Return how many records *selector* selects."""
    wanted = (
        select(func.count())
        .select_from(model_config)
        .where(model_config.c.hidden.is_(False), condition_for(connection, selector))
    )
    return connection.scalars(wanted).one()


def _sorting(connection: Connection, order: Order, *, descending: bool) -> list[ColumnElement[Any]]:
    """Sort records without the attribute to the end either way, and equal ones by key."""
    sorted_by = list(_ORDERS[order])
    if connection.dialect.name == "postgresql" and model_config.c.name in sorted_by:
        sorted_by.insert(sorted_by.index(model_config.c.name), name_start())
    columns = [each.desc() if descending else each.asc() for each in sorted_by]
    # Each database does one way by itself; to be told so keeps SQLite from using its index.
    is_usual = descending is (connection.dialect.name == "sqlite")
    if order in _NULLABLE and not is_usual:
        columns = [each.nulls_last() for each in columns]
    return [*columns, model_config.c.key]
