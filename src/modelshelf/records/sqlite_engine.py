"""SQLite as modelshelf uses it: durable, writers in turn, its errors in our words."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DisconnectionError

from modelshelf.errors import (
    ModelshelfError,
    NotEnoughSpaceError,
    StoreBusyError,
    StoreUnusableError,
    StoreWriteError,
)

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

__all__ = ["BUSY_SECONDS", "WRITES", "opening", "sqlite_engine", "translated"]

BUSY_SECONDS = 60
"""How long a writer waits for its turn; transactions here take milliseconds."""
WRITES = "modelshelf_writes"
"""The execution option of a connection whose transactions change something."""
_AT_REST = "modelshelf_at_rest"
"""What a connection that was promised no change knows of the file; None for any other."""


def sqlite_engine(path: Path) -> Engine:
    """Return an engine for the file at *path*; nothing is opened yet.

    A transaction of a connection with the option `WRITES` waits for its turn at its beginning and is
    alone in writing from then on. A database in a folder that is read-only can be read all the same; whoever
    asks next sees what somebody who may write there wrote.
    """
    engine = create_engine(
        # Not written as text: a `?` in a folder's name would start the query of a URL.
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        # A connection for every thread: they wait for the database, where they can be told so.
        max_overflow=-1,
    )

    @event.listens_for(engine, "do_connect")
    def connect(
        _: Dialect, record: ConnectionPoolEntry, __: list[Any], options: dict[str, Any]
    ) -> DBAPIConnection | None:
        at_rest = record.info[_AT_REST] = _at_rest(path)
        if at_rest is None:
            return None
        # To read a database with a WAL, too, SQLite makes two files beside it. Promised that nobody writes
        # it does without, and takes no change itself.
        file = f"file://{quote(os.fsencode(path.absolute()))}?immutable=1"
        return cast("DBAPIConnection", sqlite3.connect(file, uri=True, **options))

    @event.listens_for(engine, "checkout")
    def look(_: DBAPIConnection, record: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        known = record.info[_AT_REST]
        if known is not None and known != _at_rest(path):
            # Only the folder was closed to us. Pages of then and of now would make a damaged database.
            raise DisconnectionError

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


def _at_rest(path: Path) -> tuple[int, ...] | None:
    """Return what changes with a database that cannot be written here, and of which all is in its one file.

    None for any other: what a writer has not moved there yet lies in the `-wal`, and would be missed.
    """
    wal = path.with_name(f"{path.name}-wal")
    try:
        if os.access(path.parent, os.W_OK) or wal.exists():
            return None
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None


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
    except DatabaseError as error:
        raise _told(error.orig or error, path, root) from error


@contextmanager
def opening(path: Path, root: str) -> Iterator[None]:
    """Do as `translated` while a database is opened or made: what cannot be written then is unusable.

    Raises:
        StoreBusyError: Others kept writing for longer than one waits.
        NotEnoughSpaceError: The disk is full; nothing changed.
        StoreUnusableError: Anything else that the system or the database says.
    """
    try:
        with translated(path, root):
            try:
                yield
            except (sqlite3.Error, UnicodeDecodeError) as error:
                # Not all that makes a database goes through SQLAlchemy, and of a damaged one even the
                # names of its tables may be no text.
                raise _told(error, path, root) from error
    except StoreWriteError as error:
        raise StoreUnusableError(root=root, reason=f"`{path}`: {error.reason}") from error


def _told(error: BaseException, path: Path, root: str) -> ModelshelfError:
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusyError(what=str(path))
    # The second is what a full disk says of the index that readers and writers share.
    if code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
        free = shutil.disk_usage(path.parent).free
        return NotEnoughSpaceError(path=str(path), needed=0, free=free)
    # Without a code it is Python that cannot read what SQLite found.
    if code and isinstance(error, sqlite3.OperationalError):
        return StoreWriteError(path=str(path), reason=str(error))
    return StoreUnusableError(root=root, reason=f"`{path}`: {error}")
