"""SQLite as modelshelf uses it: durable, writers in turn, its errors in our words."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from modelshelf.errors import (
    NotEnoughSpaceError,
    StoreBusyError,
    StoreUnusableError,
    StoreWriteError,
)

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["BUSY_SECONDS", "WRITES", "sqlite_engine", "translated"]

BUSY_SECONDS = 60
"""How long a writer waits for its turn; transactions here take milliseconds."""
WRITES = "modelshelf_writes"
"""The execution option of a connection whose transactions change something."""


def sqlite_engine(path: Path) -> Engine:
    """Return an engine for the file at *path*; nothing is opened yet.

    A transaction of a connection with the option `WRITES` waits for its turn at its beginning and is
    alone in writing from then on.
    """
    # Not written as text: a `?` in a folder's name would start the query of a URL.
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        # A connection for every thread: they wait for the database, where they can be told so.
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def translated(path: Path, root: str) -> Iterator[None]:
    """Let SQLite's errors become those of a store.

    Args:
        path: The database.
        root: What people know it as: the library's root, or the file itself.

    Raises:
        StoreBusyError: Others kept writing for longer than one waits.
        NotEnoughSpaceError: The disk is full; nothing changed.
        StoreWriteError: The system refused to read or write.
        StoreUnusableError: It is damaged, or no database.
    """
    try:
        yield
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StoreBusyError(what=str(path)) from error
        if code == sqlite3.SQLITE_FULL:
            free = shutil.disk_usage(path.parent).free
            raise NotEnoughSpaceError(path=str(path), needed=0, free=free) from error
        raise StoreWriteError(path=str(path), reason=str(error.orig)) from error
    except DatabaseError as error:
        raise StoreUnusableError(root=root, reason=f"`{path}`: {error.orig}") from error
