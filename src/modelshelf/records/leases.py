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
    for kind, value in items:
        protect(connection, lease_id, kind, value)


def protect(connection: Connection, lease_id: str, kind: str, value: str) -> None:
    """Add something to a lease; adding it twice is adding it once."""
    there = connection.execute(
        select(lease_item.c.value).where(
            lease_item.c.lease_id == lease_id,
            lease_item.c.kind == kind,
            lease_item.c.value == value,
        )
    ).one_or_none()
    if there is None:
        connection.execute(insert(lease_item).values(lease_id=lease_id, kind=kind, value=value))


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
