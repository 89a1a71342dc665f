"""Whether a database holds the tables of model records, and making them where it may."""

from __future__ import annotations

from sqlalchemy import Connection, insert, inspect, select, text

from modelshelf.errors import NotARecordStoreError, StoreTooNewError
from modelshelf.records.config_tables import (
    alone_metadata,
    config_metadata,
    model_config,
    model_manager_metadata,
)
from modelshelf.records.page_index import make_page_index
from modelshelf.records.record_service import VERSION
from modelshelf.records.text_index import make_text_index

__all__ = ["holds_records", "make_records"]

_LOCK = 0x6D6F64656C
"""What PostgreSQL calls the lock that those hold who make the tables: `model` in ASCII."""


def holds_records(connection: Connection, place: str, *, alone: bool) -> bool:
    """Say whether the tables of model records are there; False where they can be made.

    Args:
        connection: Only read.
        place: What people know the database by.
        alone: The database is for records alone: one that holds anything else is the wrong one.

    Raises:
        NotARecordStoreError: What is there is not what this program makes.
        StoreTooNewError: A newer program made it.
    """
    inspector = inspect(connection)
    found = set(inspector.get_table_names())
    ours = {*config_metadata.tables, *alone_metadata.tables}
    if not found & ours:
        others = sorted([*found, *inspector.get_view_names()])
        if alone and others:
            reason = f"it has the tables {', '.join(others[:5])} and is some other program's"
            raise NotARecordStoreError(root=place, reason=reason)
        return False
    if "alembic_version" in found and "model_path" in found:
        reason = "it is the database of a whole library; open that with its manager"
        raise NotARecordStoreError(root=place, reason=reason)
    version = _version(connection) if model_manager_metadata.name in found else None
    if version is None:
        reason = f"it does not say that it is of version {VERSION}"
        raise NotARecordStoreError(root=place, reason=reason)
    if _numbers(version) > _numbers(VERSION):
        raise StoreTooNewError(root=place, found=version, known=VERSION)
    if version != VERSION:
        reason = f"it is of version `{version}`, expected {VERSION}"
        raise NotARecordStoreError(root=place, reason=reason)
    missing = sorted(ours - found) or sorted(_missing_columns(connection))
    if missing:
        reason = f"it says that it is of version {VERSION} and lacks {', '.join(missing[:5])}"
        raise NotARecordStoreError(root=place, reason=reason)
    return True


def make_records(connection: Connection) -> None:
    """Make the tables, and note their version."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        if model_config.name in inspect(connection).get_table_names():
            return
    for tables in (config_metadata, alone_metadata):
        tables.create_all(connection)
    make_text_index(connection)
    make_page_index(connection)
    entry = {"metadata_key": "version", "metadata_value": VERSION}
    connection.execute(insert(model_manager_metadata).values(entry))


def _version(connection: Connection) -> str | None:
    columns = {
        column["name"] for column in inspect(connection).get_columns(model_manager_metadata.name)
    }
    if not columns >= set(model_manager_metadata.columns.keys()):
        return None
    version = connection.scalar(
        select(model_manager_metadata.c.metadata_value).where(
            model_manager_metadata.c.metadata_key == "version"
        )
    )
    return None if version is None else str(version)


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers; nothing for what is none, which is older than any."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def _missing_columns(connection: Connection) -> list[str]:
    inspector = inspect(connection)
    return [
        f"{table.name}.{column.name}"
        for table in config_metadata.sorted_tables
        for found in [{each["name"] for each in inspector.get_columns(table.name)}]
        for column in table.columns
        if column.name not in found
    ]
