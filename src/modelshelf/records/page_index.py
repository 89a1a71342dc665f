"""How PostgreSQL reads a page of a long list without sorting all of it.

A row of its index takes 2,700 bytes, and a name may have more, so only the beginnings of names are in it. The
database sorts by these first, along the index, and tells apart by whole names only those that begin alike.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, literal_column, text

__all__ = ["has_page_index", "make_page_index", "name_start"]

_NAME = "ix_model_config_page"
_START = "left(name, 64)"
_STATEMENTS = (
    f"CREATE INDEX IF NOT EXISTS {_NAME} ON model_config (type, base, {_START})",
    f"CREATE INDEX IF NOT EXISTS {_NAME}_name ON model_config ({_START})",
)


def name_start() -> ColumnElement[str]:
    """Return what to sort names by first: compared by code points, it never contradicts the whole name."""
    return literal_column(_START)


def has_page_index(connection: Connection) -> bool:
    """Say whether nothing is missing: other databases than PostgreSQL need none."""
    if connection.dialect.name != "postgresql":
        return True
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": _NAME}) is not None


def make_page_index(connection: Connection) -> None:
    """Make the index on PostgreSQL, in a transaction of its own or the one that makes the tables."""
    if not has_page_index(connection):
        for statement in _STATEMENTS:
            connection.execute(text(statement))
