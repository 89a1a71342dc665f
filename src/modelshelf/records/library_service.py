"""MM2's door to a library: the same models as NMM's, and the same transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from sqlalchemy import Connection, update

from modelshelf.errors import (
    NotEnoughSpaceError,
    StoreBusyError,
    StoreWriteError,
    UnknownModelException,
)
from modelshelf.protocols import Clock
from modelshelf.records import removal
from modelshelf.records.configs import (
    enter_use,
    has_config,
    hide_configs,
    last_use,
    read_config,
    update_config,
)
from modelshelf.records.connecting import LentDatabase, Transactions
from modelshelf.records.database import Database
from modelshelf.records.identities import check_apart, identify_as
from modelshelf.records.lent_connection import LentConnection
from modelshelf.records.library_records import follow_library, library_model, read_metadata
from modelshelf.records.record_service import ConfigChange, RecordSettings, shown_key
from modelshelf.records.revision import next_revision
from modelshelf.records.selecting import find_keys
from modelshelf.records.sql_service import ModelRecordServiceSQL
from modelshelf.records.tables import model_name, pipeline
from modelshelf.records.user_words import detail_after, said_of_placed
from modelshelf.records.views import unwant_view
from modelshelf.schema.config import AnyModelConfig, ModelConfigBase
from modelshelf.schema.config_problems import invalid_config
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.selector import Everything, Order, Selector

__all__ = ["LibraryRecordService"]

_FIXED = ("path", "hash", "blake3", "sha256", "size", "converted_at")
"""What the store knows of the models that it holds, and nobody says otherwise."""
_DAY = 24 * 60 * 60
"""Seconds between two notes that a model was used."""
_UNWRITABLE = (StoreBusyError, StoreWriteError, NotEnoughSpaceError)


@runtime_checkable
class LibrarySettings(RecordSettings, Protocol):
    """Settings that describe a whole library."""

    @property
    def models_path(self) -> Path:
        """The models folder."""
        ...

    @property
    def trash_retention(self) -> timedelta:
        """How long a deleted model can be brought back."""
        ...


def _nothing() -> None:
    """Leave it to the library."""


def _now() -> datetime:
    return datetime.now(UTC)


class LibraryRecordService(ModelRecordServiceSQL):
    """The records of a library: of the models that it stores, and of others that lie elsewhere.

    What changes a stored model's record changes the model: its name and place, its type and bases. To
    delete the record deletes the model, into the trash, from which `undo` brings both back.
    """

    suffixes: ClassVar[frozenset[str]] = frozenset()
    """No file name stands for a library: its folder does."""

    def __init__(
        self,
        database: Transactions,
        *,
        clock: Clock,
        models: Path,
        retention: timedelta,
        settle: Callable[[], object],
        release: Callable[[], object] = _nothing,
    ) -> None:
        """Hold what the library is kept with.

        Args:
            database: The library's own.
            clock: The time of day.
            models: The models folder.
            retention: How long a deleted model can be brought back.
            settle: Makes what people see follow the records.
            release: Called by `close`; left out where the library closes its database itself.
        """
        super().__init__(database, clock=clock)
        self._models = models
        self._retention = retention
        self._settle = settle
        self._release = release

    @classmethod
    def of_application(
        cls,
        config: RecordSettings,
        conn: sqlite3.Connection | None,
        lock: AbstractContextManager[Any] | None,
    ) -> LibraryRecordService | None:
        """Open the records of the library that the settings describe; None where they describe none.

        Also None where *conn* leads to another database: that is the host's own. What people see follows
        when the library is used next.
        """
        if not isinstance(config, LibrarySettings):
            return None
        database: Transactions = Database(config.db_path)
        release: Callable[[], object] = database.close
        if conn is not None and lock is not None:
            database.close()
            if not _leads_to(conn, config.db_path):
                return None
            database, release = LentDatabase(conn, lock, is_library=True), _nothing
        return cls(
            database,
            clock=_now,
            models=config.models_path,
            retention=config.trash_retention,
            settle=_nothing,
            release=release,
        )

    def close(self) -> None:
        """Leave the database to the library, unless it was opened for this alone."""
        self._release()

    def find_keys(
        self,
        selector: Selector = Everything,
        *,
        order: Order = Order.DEFAULT,
        descending: bool = False,
    ) -> list[str]:
        """Return the keys of the records that `find` would return, in its order.

        Many times quicker where many are selected, and the models are known otherwise.
        """
        with self._database.read() as connection:
            return find_keys(connection, selector, order=order, descending=descending)

    def metadata(self, key: str) -> ModelMetadata:
        """Return all that was written in and beside a stored model when it was added, with its places.

        It is empty where nothing was, and of models that lie elsewhere. What a record says of author,
        license, tags and the like was taken from it once, and may say something else by now.

        Raises:
            UnknownModelException: There is no record under *key*.
        """
        with self._database.read() as connection:
            if not has_config(connection, key):
                raise UnknownModelException(wanted=shown_key(key))
            return read_metadata(connection, key)

    def update_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Change a record, and the model that it is of, if the change is based on what is there.

        What a change says that a model is, stored or looked at elsewhere, is kept as a user's word.

        Raises:
            DuplicateModelException: The same content has this name and base already.
        """
        with self._database.write() as connection:
            current = read_config(connection, key, to_change=True)
            if current is None:
                raise UnknownModelException(wanted=shown_key(key))
            changed = next_revision(current, config, self._clock())
            if isinstance(config, ModelConfigBase):
                # It was used meanwhile, which is no reason to refuse what was changed.
                changed.last_used_at = _later(current.last_used_at, changed.last_used_at)
            info = library_model(connection, key, self._models)
            if info is None and not (isinstance(config, Mapping) and "detail" in config):
                changed.detail = said_of_placed(current, changed)
            elif info is not None:
                _check_fixed(current, changed)
                self._change_model(connection, info, current, changed)
            update_config(connection, changed)
        self._settle()
        return self.get_model(key)

    def mark_used(self, key: str) -> None:
        """Note that a model is used now, for who asks later what nobody has used for long.

        It is written once a day at most, so that using a model costs no more than a look; a library that
        cannot be written to just now is used all the same. It is no change of the record: its revision
        stays. Nothing happens where there is no record under *key*.
        """
        now = self._clock().timestamp()
        with self._database.read() as connection:
            is_there, last = last_use(connection, key)
        if not is_there or (last is not None and now - last < _DAY):
            return
        with suppress(*_UNWRITABLE), self._database.write() as connection:
            current = read_config(connection, key, to_change=True)
            if current is not None:
                enter_use(connection, current, now)

    def del_model(self, key: str) -> None:
        """Delete a stored model into the trash; forget a record of one that lies elsewhere."""
        with self._database.read() as connection:
            info = library_model(connection, key, self._models)
        if info is None:
            super().del_model(key)
            return
        now = self._clock()
        with self._database.write() as connection:
            hide_configs(connection, [key], hidden=True)
            removal.move_to_trash(
                connection, key, _microseconds(now), _microseconds(now + self._retention)
            )
        self._settle()

    def _change_model(
        self,
        connection: Connection,
        info: ModelInfo,
        current: AnyModelConfig,
        changed: AnyModelConfig,
    ) -> None:
        table = pipeline if info.is_pipeline else model_name
        words = {
            "name": changed.name,
            "description": changed.description or "",
            "source": changed.source or "",
        }
        before = {"name": info.name, "description": info.description, "source": info.source}
        check_apart(connection, info.key, words["name"], changed.base_model.value, words["source"])
        if words != before:
            connection.execute(update(table).where(table.c.key == info.key).values(**words))
        if changed.name != info.name:
            unwant_view(connection, info.key)
        detail = detail_after(info, current, changed)
        # No class of records is made for some forms on disk; then the record alone says `unknown`.
        is_same_form = changed.model_format is current.model_format
        form = info.format if is_same_form else changed.model_format
        said = (changed.model_type, form, changed.bases, detail)
        if said == (info.type, info.format, info.bases, info.detail):
            return
        if info.is_pipeline and said[:2] != (info.type, info.format):
            field = "model_format" if changed.model_type is info.type else "model_type"
            problem = (
                f"expected {getattr(current, field)} for a pipeline, got {getattr(changed, field)}"
            )
            raise invalid_config(info.name, [(field, problem)])
        others = identify_as(connection, info.key, changed.model_type, form, changed.bases, detail)
        # Other names of the same part are of the same type and bases from now on.
        further = [key for key in others if key != info.key]
        follow_library(connection, further, self._models, self._clock())


def _later(one: float | None, other: float | None) -> float | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _leads_to(connection: sqlite3.Connection, path: Path) -> bool:
    place = Path(LentConnection(connection).place())
    return place.exists() and path.exists() and place.samefile(path)


def _check_fixed(current: AnyModelConfig, changed: AnyModelConfig) -> None:
    problems = [
        (name, f"expected {getattr(current, name)!r}, which is the store's to say")
        for name in _FIXED
        if getattr(current, name) != getattr(changed, name)
    ]
    if problems:
        raise invalid_config(current.name, problems)


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
