"""MM2's door to a library: the same models as NMM's, and the same transactions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, update

from modelshelf.errors import UnknownModelException
from modelshelf.protocols import Clock
from modelshelf.records import removal
from modelshelf.records.configs import hide_configs, read_config, update_config
from modelshelf.records.connecting import Transactions
from modelshelf.records.identities import check_apart, identify_as
from modelshelf.records.library_records import follow_library, library_model
from modelshelf.records.record_service import ConfigChange
from modelshelf.records.revision import next_revision
from modelshelf.records.selecting import find_keys
from modelshelf.records.sql_service import ModelRecordServiceSQL
from modelshelf.records.tables import model_name, pipeline
from modelshelf.records.views import unwant_view
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.config_problems import invalid_config
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.selector import Everything, Order, Selector

__all__ = ["LibraryRecordService"]

_FIXED = ("path", "hash", "blake3", "sha256", "size", "converted_at")
"""What the store knows of the models that it holds, and nobody says otherwise."""
_DETAILS = ("variant", "prediction_type", "precision", "architecture")
"""What NMM keeps in the words beside a model's row."""


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
    ) -> None:
        """Hold what the library is kept with.

        Args:
            database: The library's own.
            clock: The time of day.
            models: The models folder.
            retention: How long a deleted model can be brought back.
            settle: Makes what people see follow the records.
        """
        super().__init__(database, clock=clock)
        self._models = models
        self._retention = retention
        self._settle = settle

    def close(self) -> None:
        """Leave the database to the library."""

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

    def update_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Change a record, and the model that it is of, if the change is based on what is there.

        Raises:
            DuplicateModelException: The same content has this name and base already.
        """
        with self._database.write() as connection:
            current = read_config(connection, key, to_change=True)
            if current is None:
                raise UnknownModelException(wanted=key)
            changed = next_revision(current, config, self._clock())
            info = library_model(connection, key, self._models)
            if info is not None:
                _check_fixed(current, changed)
                self._change_model(connection, info, changed)
            update_config(connection, changed)
        self._settle()
        return self.get_model(key)

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
        self, connection: Connection, info: ModelInfo, changed: AnyModelConfig
    ) -> None:
        table = pipeline if info.is_pipeline else model_name
        words = {
            "name": changed.name,
            "description": changed.description or "",
            "source": changed.source or "",
        }
        before = {"name": info.name, "description": info.description, "source": info.source}
        check_apart(connection, info.key, changed.name, changed.base_model.value)
        if words != before:
            connection.execute(update(table).where(table.c.key == info.key).values(**words))
        if changed.name != info.name:
            unwant_view(connection, info.key)
        detail = _detail(info, changed)
        if (info.type, info.bases, info.detail) == (changed.model_type, changed.bases, detail):
            return
        if info.is_pipeline and changed.model_type is not info.type:
            raise invalid_config(
                info.name, [("model_type", f"expected main for a pipeline, got {changed.type}")]
            )
        form = info.format if info.is_pipeline else changed.model_format
        others = identify_as(connection, info.key, changed.model_type, form, changed.bases, detail)
        # Other names of the same part are of the same type and bases from now on.
        further = [key for key in others if key != info.key]
        follow_library(connection, further, self._models, self._clock())


def _check_fixed(current: AnyModelConfig, changed: AnyModelConfig) -> None:
    problems = [
        (name, f"expected {getattr(current, name)!r}, which is the store's to say")
        for name in _FIXED
        if getattr(current, name) != getattr(changed, name)
    ]
    if problems:
        raise invalid_config(current.name, problems)


def _detail(info: ModelInfo, changed: AnyModelConfig) -> str:
    old: Mapping[str, Any] = json.loads(info.detail)
    said = {name: getattr(changed, name) for name in _DETAILS}
    new = {**old, **said}
    kept = {name: value for name, value in new.items() if value is not None}
    return info.detail if kept == old else json.dumps(kept, sort_keys=True)


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
