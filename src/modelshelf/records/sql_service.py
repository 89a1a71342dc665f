"""Model records in SQL: in a SQLite file, in a database that a host has open, or on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from modelshelf.errors import UnknownModelException
from modelshelf.protocols import Clock
from modelshelf.records.configs import (
    delete_configs,
    has_config,
    insert_configs,
    read_config,
    update_config,
)
from modelshelf.records.connecting import (
    LentDatabase,
    PostgresDatabase,
    RecordFile,
    Transactions,
)
from modelshelf.records.record_service import (
    ConfigChange,
    ConfigsToAdd,
    ModelRecordServiceBase,
    RecordSettings,
    shown_key,
)
from modelshelf.records.revision import first_revision, next_revision
from modelshelf.records.selecting import count_configs, find_configs
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import Everything, Order, Selector

__all__ = ["ModelRecordServiceSQL"]


def _now() -> datetime:
    return datetime.now(UTC)


class ModelRecordServiceSQL(ModelRecordServiceBase):
    """Model records in a SQL database. See `ModelRecordServiceBase` for what each method promises.

    Example:
        >>> with ModelRecordServiceSQL.from_db_file("records.db") as store:
        ...     config = dict(name="ink", type="lora", format="lycoris", base="sdxl", path="ink.safetensors")
        ...     added = store.add_model("f13dd932c0c35c22dcb8d6cda4203764", config)
        ...     store.get_model("f13dd932c0c35c22dcb8d6cda4203764").path
        'ink.safetensors'
    """

    suffixes: ClassVar[frozenset[str]] = frozenset({".db", ".sqlite", ".sqlite3"})

    def __init__(self, database: Transactions, *, clock: Clock = _now) -> None:
        """Keep records in *database*, whose tables are there.

        Args:
            database: Closed together with the service.
            clock: The time of day, for `created_at` and `updated_at`.
        """
        self._database = database
        self._clock = clock

    @classmethod
    def from_connection(
        cls,
        connection: sqlite3.Connection,
        lock: AbstractContextManager[Any],
        *,
        clock: Clock = _now,
    ) -> ModelRecordServiceSQL:
        """Keep records in a database that somebody else has open.

        Args:
            connection: Exactly this one is used, and it stays open. What is set on it stays as it is. Where
                its owner has begun a transaction, our changes become a part of that one.
            lock: A `threading.Lock` or anything like it, held whenever the connection is used. Who calls a
                method must not hold it, unless it is one that a thread can take twice.
            clock: The time of day.

        Raises:
            NotARecordStoreError: Tables of these names are there, and are others. It is an `AssertionError`.
            StoreTooNewError: A newer modelshelf made them.
        """
        return cls(LentDatabase(connection, lock), clock=clock)

    @classmethod
    def from_db_file(cls, path: Path | str, *, clock: Clock = _now) -> ModelRecordServiceSQL:
        """Open the records in a SQLite file, making it where there is none.

        Raises:
            NotARecordStoreError: There is a file, and it holds something else; it is not touched. It is an
                `AssertionError`.
            StoreTooNewError: A newer modelshelf made it.
            StoreUnusableError: It cannot be opened.
        """
        return cls(RecordFile(Path(path)), clock=clock)

    @classmethod
    def from_url(cls, url: str, *, clock: Clock = _now) -> ModelRecordServiceSQL:
        """Open the records in a PostgreSQL database, making the tables where they are missing.

        Args:
            url: Such as `postgresql+psycopg://user:password@host/database`.
            clock: The time of day.

        Raises:
            StoreUnusableError: The server cannot be reached or refuses.
            NotARecordStoreError: Tables of these names are there, and are others.
        """
        return cls(PostgresDatabase(url), clock=clock)

    @classmethod
    def of_application(
        cls,
        config: RecordSettings,
        conn: sqlite3.Connection | None,
        lock: AbstractContextManager[Any] | None,
    ) -> ModelRecordServiceSQL | None:
        """Keep records in a connection that is lent with its lock, or in the file of the settings."""
        if conn is None or lock is None:
            return cls.from_db_file(config.db_path)
        return cls.from_connection(conn, lock)

    def close(self) -> None:
        """Close the database; a connection that was lent stays open."""
        self._database.close()

    def get_model(self, key: str) -> AnyModelConfig:
        """Return the record under *key*."""
        with self._database.read() as connection:
            found = read_config(connection, key)
        if found is None:
            raise UnknownModelException(wanted=shown_key(key))
        return found

    def exists(self, key: str) -> bool:
        """Say whether there is a record under *key*."""
        with self._database.read() as connection:
            return has_config(connection, key)

    def add_models(self, configs: ConfigsToAdd) -> list[AnyModelConfig]:
        """Add many records, or none of them where one is wrong."""
        now = self._clock()
        pairs = configs.items() if isinstance(configs, Mapping) else configs
        added = [first_revision(key, config, now) for key, config in pairs]
        with self._database.write() as connection:
            insert_configs(connection, added)
        return added

    def update_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Change a record, if the change is based on what is there."""
        with self._database.write() as connection:
            current = read_config(connection, key, to_change=True)
            if current is None:
                raise UnknownModelException(wanted=shown_key(key))
            changed = next_revision(current, config, self._clock())
            update_config(connection, changed)
        return changed

    def del_model(self, key: str) -> None:
        """Forget a record."""
        with self._database.write() as connection:
            if not has_config(connection, key) or not delete_configs(connection, [key]):
                raise UnknownModelException(wanted=shown_key(key))

    def find(
        self,
        selector: Selector = Everything,
        *,
        order: Order = Order.DEFAULT,
        descending: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[AnyModelConfig]:
        """Return the records that *selector* selects."""
        with self._database.read() as connection:
            return find_configs(
                connection,
                selector,
                order=order,
                descending=descending,
                offset=offset,
                limit=limit,
            )

    def count(self, selector: Selector = Everything) -> int:
        """Return how many records *selector* selects."""
        with self._database.read() as connection:
            return count_configs(connection, selector)
