"""Reading and writing model records: what every record store does, wherever it keeps them.

A store is its six primitives (look one up, add, change, delete, find, count); everything the document
calls by a name of its own is made of them, so all stores answer alike.

Source: `spec/model-manager-v2.md`, "Reading and Writing Model Configuration Records".
"""

from __future__ import annotations

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from modelshelf.errors import InvalidChoiceError
from modelshelf.protocols import ConfigChange, ConfigsToAdd
from modelshelf.records.record_questions import RecordQuestions, shown_key
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import Everything, Selector

__all__ = [
    "VERSION",
    "ConfigChange",
    "ConfigsToAdd",
    "ModelRecordServiceBase",
    "RecordSettings",
    "shown_key",
]

VERSION = "3.2"
"""The version of the document's data model; every store carries it."""


class RecordSettings(Protocol):
    """What `ModelRecordServiceBase.open` asks the settings."""

    @property
    def model_config_db(self) -> str | Path | None:
        """`auto`, a file, or None for *conf_path*."""
        ...

    @property
    def db_path(self) -> Path:
        """The application's own database."""
        ...

    @property
    def conf_path(self) -> Path:
        """The YAML file of earlier versions."""
        ...


class ModelRecordServiceBase(RecordQuestions):
    """The records of models, by key.

    Every method is one transaction: it sees one moment of the store, and a failed one leaves the store as
    it was. Methods may be called from several threads, and several processes may have the same store open.
    What is returned belongs to the caller; changing it changes nothing in the store until `update_model`.

    Lists are sorted by type, base, name and format unless asked otherwise, and equal ones by key.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()
    """Ends of the names of files that this kind of store keeps its records in, lower case."""

    # -- opening

    @classmethod
    def from_db_file(cls, path: Path | str) -> ModelRecordServiceBase:
        """Open the records in a file, making it where there is none.

        Called on this class, the end of the file's name decides which store opens it: `.db` is a SQL
        database, `.yaml` a file for people.

        Raises:
            NotARecordStoreError: There is a file, and it holds something else. It is an `AssertionError`.
            StoreTooNewError: A newer modelshelf made it.
            InvalidChoiceError: The name's end says nothing.
        """
        return cls._kind_for(Path(path)).from_db_file(path)

    @classmethod
    def open(
        cls,
        config: RecordSettings,
        conn: sqlite3.Connection | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> ModelRecordServiceBase:
        """Open the records that the settings name.

        Args:
            config: `model_config_db` decides. `auto`: *conn* under *lock*, or a connection of its own to
                `db_path` where one of the two is missing. A path: that file. None: `conf_path`. With
                `Settings`, and a connection to their database, the records are those of the library.
            conn: A connection that the host has open, and keeps.
            lock: What the host holds whenever it uses *conn*.
        """
        wanted = config.model_config_db
        if wanted != "auto":
            path = Path(config.conf_path if wanted is None else wanted)
            return cls._kind_for(path).from_db_file(path)
        # Whoever is made of another knows more applications, and is asked before it.
        for kind in reversed(list(_kinds(cls))):
            opened = kind.of_application(config, conn, lock)
            if opened is not None:
                return opened
        return cls._kind_for(config.db_path).from_db_file(config.db_path)

    @classmethod
    def of_application(
        cls,
        config: RecordSettings,
        conn: sqlite3.Connection | None,
        lock: AbstractContextManager[Any] | None,
    ) -> ModelRecordServiceBase | None:
        """Open the records in an application's own database; None for stores that do not lie in one."""
        del config, conn, lock
        return None

    @classmethod
    def _kind_for(cls, path: Path) -> type[ModelRecordServiceBase]:
        kinds = {suffix: kind for kind in _kinds(cls) for suffix in kind.suffixes}
        try:
            return kinds[path.suffix.lower()]
        except KeyError:
            raise InvalidChoiceError(
                what="name of a record store",
                got=path.name,
                allowed=", ".join(f"*{suffix}" for suffix in sorted(kinds)),
            ) from None

    @abstractmethod
    def close(self) -> None:
        """Let go of the store; a connection that was lent stays open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- one record

    @abstractmethod
    def get_model(self, key: str) -> AnyModelConfig:
        """Return the record under *key*, as the class that its type and format decide.

        Raises:
            UnknownModelException: There is none.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Say whether there is a record under *key*."""

    def add_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Add a record.

        Args:
            key: What it is known by from now on, whatever key *config* has.
            config: The record, or its fields; type and format decide the class.

        Returns:
            It, as the store has it: with the key, the moment as `updated_at`, and as `created_at` unless it
            had one, and revision 1.

        Raises:
            DuplicateKeyError: The key is taken. It is a `DuplicateModelException`.
            InvalidModelConfigException: A field is wrong; the error names it.
        """
        return self.add_models([(key, config)])[0]

    @abstractmethod
    def add_models(self, configs: ConfigsToAdd) -> list[AnyModelConfig]:
        """Add many records, or none of them where one is wrong. See `add_model`."""

    @abstractmethod
    def update_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Change a record.

        Args:
            key: Which.
            config: A whole record, which takes the place of the one that is there, if it is based on it: its
                `revision` is the one that the store has. One of revision 0, which no store has seen, counts
                as the first. Or some fields, which are merged into what is there now; a `revision` among
                them is checked too.

        Returns:
            It, as the store has it now: `updated_at` the moment, revision one more.

        Raises:
            UnknownModelException: There is none under *key*.
            StaleConfigError: Somebody changed it since *config* was read. Read it again.
            InvalidModelConfigException: What would come out is wrong; the error names the field.
        """

    @abstractmethod
    def del_model(self, key: str) -> None:
        """Forget a record. No file is touched.

        Raises:
            UnknownModelException: There is none under *key*.
        """

    # -- the store as a whole

    @abstractmethod
    def count(self, selector: Selector = Everything) -> int:
        """Return how many records *selector* selects."""

    def version(self) -> str:
        """Return the version of the data model that the store is kept in."""
        return VERSION


def _kinds(kind: type[ModelRecordServiceBase]) -> Iterator[type[ModelRecordServiceBase]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
