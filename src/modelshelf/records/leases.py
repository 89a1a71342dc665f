"""Operations in flight, and what nobody may remove while they last."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from modelshelf.records.tables import lease, lease_item

__all__ = ["begin_lease", "end_lease", "leased", "leases", "protect"]


def begin_lease(
    connection: Connection, lease_id: str, purpose: str, items: Iterable[tuple[str, str]], now: int
) -> None:
    """Enter a lease with the things that it protects from the start, as (kind, value)."""
    connection.execute(insert(lease).values(id=lease_id, purpose=purpose, begun_at=now))
    _enter(connection, lease_id, dict.fromkeys(items))


def protect(connection: Connection, lease_id: str, kind: str, values: Iterable[str]) -> None:
    """Add things of one kind to a lease; adding one twice is adding it once."""
    there = leased(connection, kind, lease_id)
    further = [(kind, value) for value in dict.fromkeys(values) if value not in there]
    _enter(connection, lease_id, further)


def _enter(connection: Connection, lease_id: str, items: Iterable[tuple[str, str]]) -> None:
    rows = [{"lease_id": lease_id, "kind": kind, "value": value} for kind, value in items]
    if rows:
        connection.execute(insert(lease_item), rows)


def end_lease(connection: Connection, lease_id: str) -> None:
    """Forget a lease; nothing happens when there is none."""
    connection.execute(delete(lease_item).where(lease_item.c.lease_id == lease_id))
    connection.execute(delete(lease).where(lease.c.id == lease_id))


def leases(connection: Connection) -> list[str]:
    """List the ids of all leases, oldest first."""
    return list(connection.scalars(select(lease.c.id).order_by(lease.c.begun_at, lease.c.id)))


def leased(connection: Connection, kind: str, lease_id: str | None = None) -> set[str]:
    """Return what leases protect of one kind: by one lease, or by all."""
    query = select(lease_item.c.value).where(lease_item.c.kind == kind)
    if lease_id is not None:
        query = query.where(lease_item.c.lease_id == lease_id)
    return set(connection.scalars(query))
