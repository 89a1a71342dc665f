"""Operations in flight, and what nobody may remove while they last."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from modelshelf.records.tables import lease, lease_item

__all__ = ["begin_lease", "end_lease", "leased", "leases", "protect"]

_BEGIN, _ENTER = insert(lease), insert(lease_item)
_FORGET_ITEMS = delete(lease_item).where(lease_item.c.lease_id == bindparam("ended"))
_FORGET = delete(lease).where(lease.c.id == bindparam("ended"))
_LEASED = select(lease_item.c.value).where(lease_item.c.kind == bindparam("wanted"))
_LEASED_BY = _LEASED.where(lease_item.c.lease_id == bindparam("lease"))


def begin_lease(
    connection: Connection, lease_id: str, purpose: str, items: Iterable[tuple[str, str]], now: int
) -> None:
    """Enter a lease with the things that it protects from the start, as (kind, value)."""
    connection.execute(_BEGIN, {"id": lease_id, "purpose": purpose, "begun_at": now})
    _enter(connection, lease_id, dict.fromkeys(items))


def protect(connection: Connection, lease_id: str, kind: str, values: Iterable[str]) -> None:
    """Add things of one kind to a lease; adding one twice is adding it once."""
    there = leased(connection, kind, lease_id)
    further = [(kind, value) for value in dict.fromkeys(values) if value not in there]
    _enter(connection, lease_id, further)


def _enter(connection: Connection, lease_id: str, items: Iterable[tuple[str, str]]) -> None:
    rows = [{"lease_id": lease_id, "kind": kind, "value": value} for kind, value in items]
    if rows:
        connection.execute(_ENTER, rows)


def end_lease(connection: Connection, lease_id: str) -> None:
    """Forget a lease; nothing happens when there is none."""
    connection.execute(_FORGET_ITEMS, {"ended": lease_id})
    connection.execute(_FORGET, {"ended": lease_id})


def leases(connection: Connection) -> list[str]:
    """List the ids of all leases, oldest first."""
    return list(connection.scalars(select(lease.c.id).order_by(lease.c.begun_at, lease.c.id)))


def leased(connection: Connection, kind: str, lease_id: str | None = None) -> set[str]:
    """Return what leases protect of one kind: by one lease, or by all."""
    if lease_id is None:
        return set(connection.scalars(_LEASED, {"wanted": kind}))
    return set(connection.scalars(_LEASED_BY, {"wanted": kind, "lease": lease_id}))
