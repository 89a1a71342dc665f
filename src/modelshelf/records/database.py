"""Opening the library's database: WAL, full durability, short transactions, the right schema.

Readers see one moment and wait for nobody; writers take their turn from the first statement on, so a
transaction never fails half way because another was quicker. No lock is ever held while bytes are
copied: whoever copies holds a lease, which is only a row.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import local

from sqlalchemy import Connection, text

from modelshelf.errors import StoreTooNewError, StoreUnusableError
from modelshelf.records.sqlite_engine import (
    BUSY_SECONDS,
    WRITES,
    opening,
    sqlite_engine,
    translated,
)

__all__ = ["HEAD", "Database"]

HEAD = "0008"
"""The newest revision below `migrations/versions`; a test keeps it equal."""
_LOGGER = logging.getLogger("modelshelf.records")
_MANY = 2_000
"""Models of which a migration takes so long, about a second, that who waits should hear why."""


class Database:
    """One library's database, shared by the threads of a process."""

    def __init__(self, path: Path) -> None:
        """Open the database at *path*, making it and bringing its schema up to date where needed.

        Raises:
            StoreTooNewError: A newer modelshelf made it.
            NotEnoughSpaceError: The disk is full; what was there is as it was.
            StoreUnusableError: It is no database, or cannot be opened.
        """
        self.path = path
        """The SQLite file."""
        self._root = str(path.parent.parent)
        self._of_thread = local()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        self._engine = sqlite_engine(path)
        try:
            with opening(path, self._root):
                self._bring_up_to_date()
        except OSError as error:
            raise self._unusable(str(error)) from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment of the database and changes nothing."""
        shared = self._shared()
        if shared is not None:
            yield shared
            return
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is alone in writing, from here to the end of the block.

        Everything in the block is committed and durable when it ends, or nothing is.

        Raises:
            StoreBusyError: Others kept writing for a minute.
            NotEnoughSpaceError: The disk is full; nothing changed.
        """
        shared = self._shared()
        if shared is not None:
            with shared.begin_nested():
                yield shared
            return
        with self._translated(), self._engine.connect() as connection:
            writing = connection.execution_options(**{WRITES: True})
            with writing.begin():
                yield writing

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make every transaction of this thread in the block a part of one, durable when the block ends.

        A transaction in it that fails is taken back alone, and the block may go on. Others see nothing of it
        before its end, and wait to write; so nothing slow belongs in it.

        Raises:
            StoreBusyError: Others kept writing for a minute.
            NotEnoughSpaceError: The disk is full; nothing changed.
        """
        if self._shared() is not None:
            yield
            return
        with self.write() as connection:
            self._of_thread.connection = connection
            try:
                yield
            finally:
                self._of_thread.connection = None

    def _shared(self) -> Connection | None:
        shared: Connection | None = getattr(self._of_thread, "connection", None)
        return shared

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated(self.path, self._root):
            yield

    def _bring_up_to_date(self) -> None:
        if self._revision() == HEAD:
            return
        # Imported here: opening a library that is up to date, the usual case, needs no lock.
        from filelock import FileLock  # noqa: PLC0415 - see above

        # One process at a time: switching to WAL and creating tables do not wait for each other.
        with FileLock(self.path.with_suffix(".lock")):
            found = self._revision()
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise StoreTooNewError(root=self._root, found=found, known=HEAD)
            if found is None and self._holds_records_alone():
                reason = (
                    "it holds model records and no library; keep those in a file of their own, or take the"
                    " library's by `ModelRecordServiceBase.open(config)`"
                )
                raise self._unusable(reason)
            if found is not None:
                self._tell(found, self._back_up(found))
            self._migrate()

    def _revision(self) -> str | None:
        with self._engine.connect() as connection:
            known = connection.execute(
                text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
            ).scalar()
            if known is None:
                return None
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return None if revision is None else str(revision)

    def _holds_records_alone(self) -> bool:
        """Say whether `ModelRecordServiceSQL` made a database that has no revision, as libraries have."""
        table = text("SELECT 1 FROM sqlite_master WHERE name = 'model_config'")
        with self._engine.connect() as connection:
            return connection.execute(table).scalar() is not None

    def _tell(self, revision: str, backup: Path) -> None:
        count = text("SELECT (SELECT count(*) FROM model_name) + (SELECT count(*) FROM pipeline)")
        with self._engine.connect() as connection:
            models = connection.execute(count).scalar_one()
        _LOGGER.log(
            logging.WARNING if models >= _MANY else logging.INFO,
            "bringing the records of %s models in `%s` up to date, schema %s to %s;"
            " what was there is kept as `%s`",
            f"{models:,}",
            self.path,
            revision,
            HEAD,
            backup.name,
        )

    def _back_up(self, revision: str) -> Path:
        backup = self.path.with_suffix(f".before-{HEAD}-was-{revision}.db")
        try:
            with (
                closing(sqlite3.connect(self.path)) as source,
                closing(sqlite3.connect(backup)) as target,
            ):
                source.backup(target)
        except sqlite3.Error:
            # Half a copy would be taken for a whole one.
            backup.unlink(missing_ok=True)
            raise
        return backup

    def _migrate(self) -> None:
        # Imported here: opening a library that is up to date, the usual case, needs none of it.
        from alembic import command  # noqa: PLC0415 - see above
        from alembic.config import Config  # noqa: PLC0415 - see above

        from modelshelf.records.library_records import complete_library  # noqa: PLC0415 - see above

        config = Config()
        config.set_main_option("script_location", "modelshelf:records/migrations")
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as plain:
            plain.execute("PRAGMA journal_mode=WAL")
        with self._engine.connect() as connection:
            writing = connection.execution_options(**{WRITES: True})
            with writing.begin():
                config.attributes["connection"] = writing
                command.upgrade(config, "head")
                complete_library(writing)

    def _unusable(self, reason: str) -> StoreUnusableError:
        return StoreUnusableError(root=self._root, reason=f"`{self.path}`: {reason}")
