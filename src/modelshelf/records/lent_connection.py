"""A host's SQLite connection, handed to SQLAlchemy without letting it change anything of the host's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["LentConnection"]

_SAVEPOINT = "modelshelf_records"


class LentConnection:
    """What SQLAlchemy takes for a connection.

    Cursors are the host's, with rows as plain tuples. Closing does nothing, and functions are not added.
    A transaction inside one that the host has begun is a savepoint: undone alone, never committed past it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._host = connection
        self._open = ""

    def place(self) -> str:
        """Return the path of the database; `:memory:` for one that has none."""
        for _, name, path in self.cursor().execute("PRAGMA database_list"):
            if name == "main" and path:
                return path.decode() if isinstance(path, bytes) else str(path)
        return ":memory:"

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let text be read as text, whatever the host reads it as."""
        before, self._host.text_factory = self._host.text_factory, str
        try:
            yield
        finally:
            self._host.text_factory = before

    def begin(self, execute: Callable[[str], object], *, immediate: bool) -> None:
        """Open a transaction, or a savepoint in the host's, by executing a statement."""
        if self._host.in_transaction:
            execute(f"SAVEPOINT {_SAVEPOINT}")
            self._open = "savepoint"
        else:
            execute("BEGIN IMMEDIATE" if immediate else "BEGIN")
            self._open = "transaction"

    def cursor(self) -> sqlite3.Cursor:
        """Return a cursor whose rows are tuples."""
        cursor = self._host.cursor()
        cursor.row_factory = None
        return cursor

    def commit(self) -> None:
        """End what `begin` opened, keeping its changes."""
        if self._open:
            self._run("COMMIT" if self._open == "transaction" else f"RELEASE {_SAVEPOINT}")
            self._open = ""

    def rollback(self) -> None:
        """End what `begin` opened, without its changes."""
        opened, self._open = self._open, ""
        # SQLite ends a transaction by itself after some errors, such as a full disk.
        if not opened or not self._host.in_transaction:
            return
        if opened == "transaction":
            self._run("ROLLBACK")
        else:
            self._run(f"ROLLBACK TO {_SAVEPOINT}")
            self._run(f"RELEASE {_SAVEPOINT}")

    def close(self) -> None:
        """Leave it open: it is the host's."""

    def create_function(self, *_: object, **__: object) -> None:
        """Leave the host's functions alone; SQLAlchemy would add one for regular expressions."""

    def _run(self, statement: str) -> None:
        self.cursor().execute(statement).close()
