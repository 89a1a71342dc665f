"""Where records can be kept in SQL: a SQLite file, somebody's open connection, a PostgreSQL server.

Each is opened, checked and made ready by its constructor, and then has two doors: a transaction that
reads and one that writes. A library's own `Database` has the same two.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from modelshelf.errors import (
    NotARecordStoreError,
    StoreBusyError,
    StoreUnusableError,
    UsageError,
)
from modelshelf.records.lent_connection import LentConnection
from modelshelf.records.page_index import make_page_index
from modelshelf.records.record_schema import holds_records, make_records
from modelshelf.records.sqlite_engine import (
    BUSY_SECONDS,
    WRITES,
    opening,
    sqlite_engine,
    translated,
)
from modelshelf.records.text_index import has_older_text_index, make_text_index

__all__ = ["LentDatabase", "PostgresDatabase", "RecordFile", "Transactions"]

_MAGIC = b"SQLite format 3\0"
_WAITED_IN_VAIN = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL's codes for: not serializable, deadlock, lock not available."""


class Transactions(Protocol):
    """A database in which model records are kept."""

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one moment and changes nothing."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction whose changes are all made when the block ends, or none."""
        ...

    def close(self) -> None:
        """Close every connection of its own."""
        ...


class RecordFile:
    """A SQLite file that holds model records and nothing else."""

    def __init__(self, path: Path) -> None:
        """Open the file at *path*, making it where there is none.

        Raises:
            NotARecordStoreError: There is a file, and it holds something else.
            StoreTooNewError: A newer modelshelf made it.
            NotEnoughSpaceError: The disk is full.
            StoreUnusableError: It cannot be opened.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists() or path.stat().st_size == 0
            if not is_new:
                self._look_at_beginning()
        except OSError as error:
            raise StoreUnusableError(root=str(path), reason=str(error.strerror)) from error
        self._engine = sqlite_engine(path)
        try:
            with opening(path, str(path)):
                if is_new or not self._holds_records():
                    self._make()
        except OSError as error:
            raise StoreUnusableError(root=str(path), reason=str(error.strerror)) from error
        except BaseException:
            self._engine.dispose()
            raise

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one moment and waits for nobody."""
        return _read(self._engine, translated(self._path, str(self._path)))

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that is alone in writing, and durable when it ends."""
        return _write(self._engine, translated(self._path, str(self._path)))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _look_at_beginning(self) -> None:
        with self._path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise NotARecordStoreError(root=str(self._path), reason="it is no SQLite database")

    def _holds_records(self) -> bool:
        try:
            with self._engine.connect() as connection:
                is_made = holds_records(connection, str(self._path), alone=True)
                return is_made and not has_older_text_index(connection)
        except OperationalError:
            # That the system lets nobody look says nothing of what is there.
            raise
        except DatabaseError as error:
            raise NotARecordStoreError(root=str(self._path), reason=str(error.orig)) from error

    def _make(self) -> None:
        # Imported here: a file that holds records, the usual case, needs no lock.
        from filelock import FileLock  # noqa: PLC0415 - see above

        # One process at a time: switching to WAL does not wait for others.
        with FileLock(self._path.with_name(f"{self._path.name}.lock")):
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as plain:
                plain.execute("PRAGMA journal_mode=WAL")
            with self.write() as connection:
                if holds_records(connection, str(self._path), alone=True):
                    make_text_index(connection)
                else:
                    make_records(connection)


class LentDatabase:
    """A SQLite database that a host has open. Its connection is used, under its lock, and left open."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: AbstractContextManager[Any],
        *,
        is_library: bool = False,
    ) -> None:
        """Make the tables of records beside the host's own where they are missing.

        Args:
            connection: Used by one thread at a time. Whatever the host has set on it stays. In a
                transaction that the host has begun, our changes become a part of that: it commits them.
            lock: Held during every transaction; the caller of a method must not hold it, unless it can
                be taken twice.
            is_library: The database is that of a whole library, brought up to date already: it has them.
        """
        self._lock = lock
        self._lent = LentConnection(connection)
        self._engine = create_engine("sqlite://", creator=lambda: self._lent, poolclass=StaticPool)
        self._place = self._lent.place()

        @event.listens_for(self._engine, "begin")
        def begin(connection: Connection) -> None:
            # Through SQLAlchemy, so that what fails is told like anything else that does.
            writes = connection.get_execution_options().get(WRITES, False)
            self._lent.begin(connection.exec_driver_sql, immediate=writes)

        if is_library:
            return
        with self.read() as opened:
            is_made = holds_records(opened, self._place, alone=False)
            is_made = is_made and not has_older_text_index(opened)
        if not is_made:
            with self.write() as opened:
                if holds_records(opened, self._place, alone=False):
                    make_text_index(opened)
                else:
                    make_records(opened)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction on the lent connection."""
        with self._lock, self._lent.in_use(), _read(self._engine, self._translated()) as opened:
            yield opened

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction on the lent connection that is alone in writing."""
        with self._lock, self._lent.in_use(), _write(self._engine, self._translated()) as opened:
            yield opened

    def close(self) -> None:
        """Let go of the connection; it stays open."""
        self._engine.dispose()

    def _translated(self) -> AbstractContextManager[None]:
        return translated(Path(self._place), self._place)


class PostgresDatabase:
    """A database of a PostgreSQL server."""

    def __init__(self, url: str) -> None:
        """Connect, and make the tables where they are missing.

        Args:
            url: As SQLAlchemy writes it: `postgresql+psycopg://user:password@host/database`.

        Raises:
            UsageError: It is no such URL, or the driver is not installed.
            StoreUnusableError: The server cannot be reached or refuses.
            NotARecordStoreError: Tables of these names are there, and are others.
        """
        try:
            address = make_url(url)
            if address.get_backend_name() != "postgresql":
                problem = (
                    f"`{address.get_backend_name()}` is not a database that records are kept in"
                )
                remedy = "give the URL of a PostgreSQL database: postgresql+psycopg://host/database"
                raise UsageError(problem=problem, remedy=remedy)
            # Each connection is tried first: the server may have been started anew since it was used.
            self._engine = create_engine(
                address.set(drivername="postgresql+psycopg"), pool_pre_ping=True
            )
        except ArgumentError as error:
            remedy = "write it as postgresql+psycopg://user@host/database"
            raise UsageError(problem="the URL cannot be read", remedy=remedy) from error
        except (ImportError, NoSuchModuleError) as error:
            remedy = "install it: `pip install modelshelf[server]`"
            raise UsageError(
                problem="the driver psycopg is not installed", remedy=remedy
            ) from error
        self._place = address.render_as_string(hide_password=True)
        try:
            with self.write() as connection:
                if holds_records(connection, self._place, alone=False):
                    make_page_index(connection)
                else:
                    make_records(connection)
        except BaseException:
            self._engine.dispose()
            raise

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction; each of its statements sees one moment."""
        return _read(self._engine, self._translated())

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction; it is alone in writing the rows that it has read to change."""
        return _write(self._engine, self._translated())

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            raise StoreBusyError(what=self._place) from error
        except DatabaseError as error:
            code = getattr(error.orig, "sqlstate", None)
            if isinstance(error, OperationalError) and code in _WAITED_IN_VAIN:
                raise StoreBusyError(what=self._place) from error
            reason = " ".join(str(error.orig).split())
            raise StoreUnusableError(root=self._place, reason=reason) from error


@contextmanager
def _read(engine: Engine, errors: AbstractContextManager[None]) -> Iterator[Connection]:
    with errors, engine.connect() as connection:
        yield connection


@contextmanager
def _write(engine: Engine, errors: AbstractContextManager[None]) -> Iterator[Connection]:
    with errors, engine.connect() as connection:
        writing = connection.execution_options(**{WRITES: True})
        with writing.begin():
            yield writing
