"""The records of models in a YAML file that a person can read and edit.

__metadata__:
version: '3.2'

f13dd932c0c35c22dcb8d6cda4203764:
name: Detail Tweaker
model_type: lora
model_format: lycoris
base_model: sd-1
path: sd-1/lora/detail-tweaker.safetensors
tags:
- detail
created_at: 1767225600.0
updated_at: 1767225600.0
revision: 1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import ClassVar

from modelshelf.errors import DuplicateKeyError, StoreBusyError, StoreUnusableError
from modelshelf.protocols import Clock
from modelshelf.records.record_service import (
    VERSION,
    ConfigChange,
    ConfigsToAdd,
    ModelRecordServiceBase,
)
from modelshelf.records.revision import first_revision, next_revision
from modelshelf.records.yaml_document import new_document
from modelshelf.records.yaml_file import FileDisk, YamlFile
from modelshelf.records.yaml_records import YamlRecords
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import Everything, Order, Selector
from modelshelf.schema.selector_form import simplified
from modelshelf.schema.selector_matching import matches

__all__ = ["ModelRecordServiceFile"]

_ATTEMPTS = 20
"""How often a change is made again because somebody saved the file without the lock meanwhile."""


def _now() -> datetime:
    return datetime.now(UTC)


class ModelRecordServiceFile(ModelRecordServiceBase):
    """Records in a person's YAML file, for hundreds of models; thousands are better off in SQL.

    The file stays the person's. A change writes the lines of the fields that change and leaves every other
    character alone: comments, order, quotes, blank lines, line ends. The file is replaced as a whole and
    keeps its mode; a symbolic link stays one, a second hard link keeps the old content. What an editor or
    another process saved is noticed before every call, and a record that a person changed counts as changed:
    who holds an older one is refused.

    A mistake made by hand is named with line, record and field, and nothing is lost by it: the program never
    rewrites or drops what it cannot read.

    * A file that is no YAML any more, or has a key twice, is refused as a whole, for reading and writing,
      until it is corrected (`InvalidRecordFileError`).
    * One record with a mistake (an unknown field, a wrong word) hides no other: by their keys all others
      can be read, changed and deleted. The record itself is refused by its key
      (`InvalidModelConfigException`), and so is every question about all records
      (`InvalidRecordFileError`), because an answer without it would be wrong.

    A thousand records that a person edited are opened in about two seconds, in a tenth of that as the
    program wrote them; later calls read only what changed. Each change writes the whole file.

    Source: `spec/model-manager-v2.md`, "Creating a `ModelRecordService`".

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "models.yaml"
        >>> with ModelRecordServiceFile.from_db_file(path) as store:
        ...     lora = store.add_model("ink", dict(
        ...         name="Ink", type="lora", format="lycoris", base="sdxl", path="ink.safetensors"))
        ...     store.get_model("ink").name
        'Ink'
        >>> print(path.read_text().partition("  model_format")[0])
        __metadata__:
          version: '3.2'
        <BLANKLINE>
        ink:
          name: Ink
          model_type: lora
        <BLANKLINE>
    """

    suffixes: ClassVar[frozenset[str]] = frozenset({".yaml", ".yml"})

    def __init__(
        self, path: Path | str, *, clock: Clock = _now, disk: FileDisk | None = None
    ) -> None:
        """Open the file at *path*, making it where there is none or an empty one.

        Args:
            path: The file; a symbolic link is followed.
            clock: Tells the time that records are stamped with.
            disk: What writes; None for the operating system.

        Raises:
            NotARecordStoreError: There is a file, and it holds something else. It is an `AssertionError`.
            StoreTooNewError: A newer modelshelf made it.
            InvalidRecordFileError: It is no YAML any more.
        """
        self._path = Path(path)
        self._file = YamlFile(self._path, disk=disk)
        self._clock = clock
        self._lock = RLock()
        self._records: YamlRecords | None = None
        if not self._file.read():
            with self._file.locked():
                # Another process may have been quicker; then its file is the one.
                self._file.replace(new_document(VERSION).text().encode(), None)
        self._current()

    @classmethod
    def from_db_file(cls, path: Path | str, *, clock: Clock = _now) -> ModelRecordServiceFile:
        """Open the records in a YAML file, making it where there is none.

        Raises:
            NotARecordStoreError: There is a file, and it holds something else; it is not touched. It is an
                `AssertionError`.
            StoreTooNewError: A newer modelshelf made it.
            InvalidRecordFileError: It is no YAML any more.
        """
        return cls(path, clock=clock)

    def close(self) -> None:
        """Let go of the store; nothing is open between two calls."""

    def get_model(self, key: str) -> AnyModelConfig:
        """Return the record under *key*. See `ModelRecordServiceBase.get_model`.

        Raises:
            UnknownModelException: There is none.
            InvalidModelConfigException: It has a mistake that a person made.
        """
        return self._current().get(key).model_copy(deep=True)

    def exists(self, key: str) -> bool:
        """Say whether there is a record under *key*, even one with a mistake."""
        given: object = key
        records = self._current()
        # No dict could be asked for a list.
        return isinstance(given, str) and (given in records.configs or given in records.broken)

    def add_models(self, configs: ConfigsToAdd) -> list[AnyModelConfig]:
        """Add many records in one write, or none. See `ModelRecordServiceBase.add_models`."""
        pairs = list(configs.items() if isinstance(configs, Mapping) else configs)

        def add(records: YamlRecords) -> tuple[YamlRecords, list[AnyModelConfig]]:
            now = self._clock()
            added: dict[str, AnyModelConfig] = {}
            for key, config in pairs:
                first = first_revision(key, config, now)
                taken = added.get(key) or records.configs.get(key)
                if taken is not None or key in records.broken:
                    name = taken.name if taken else "a record with a mistake"
                    raise DuplicateKeyError(wanted=key, count=2, matches=f"`{name}`")
                added[key] = first
            return records.with_added(added) if added else records, list(added.values())

        return [config.model_copy(deep=True) for config in self._change(add)]

    def update_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Change a record; only its own lines change. See `ModelRecordServiceBase.update_model`."""

        def update(records: YamlRecords) -> tuple[YamlRecords, list[AnyModelConfig]]:
            changed = next_revision(records.get(key), config, self._clock())
            return records.with_changed(changed), [changed]

        return self._change(update)[0].model_copy(deep=True)

    def del_model(self, key: str) -> None:
        """Forget a record: its lines, and a comment right above it. See `ModelRecordServiceBase.del_model`.

        Raises:
            UnknownModelException: There is none under *key*.
            InvalidModelConfigException: It has a mistake that a person made, and stays for them to correct.
        """

        def delete(records: YamlRecords) -> tuple[YamlRecords, list[AnyModelConfig]]:
            records.get(key)
            return records.without(key), []

        self._change(delete)

    def find(
        self,
        selector: Selector = Everything,
        *,
        order: Order = Order.DEFAULT,
        descending: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[AnyModelConfig]:
        """Return the records that *selector* selects. See `ModelRecordServiceBase.find`.

        Raises:
            InvalidRecordFileError: A record has a mistake that a person made.
        """
        wanted = simplified(selector)
        found = [config for config in self._current().all() if matches(wanted, config)]
        page = _sorted(found, order, descending=descending)[max(offset, 0) :]
        return [config.model_copy(deep=True) for config in page[: _at_most(limit)]]

    def count(self, selector: Selector = Everything) -> int:
        """Return how many records *selector* selects. See `find`."""
        wanted = simplified(selector)
        return sum(matches(wanted, config) for config in self._current().all())

    # -- the file

    def _current(self) -> YamlRecords:
        """Return what the file says now."""
        with self._lock:
            content = self._file.read()
            if content is None:
                raise StoreUnusableError(root=str(self._path), reason="the file is gone")
            if self._records is None or self._records.content != content:
                self._records = YamlRecords.read(self._path, content, self._records)
            return self._records

    def _change(
        self, change: Callable[[YamlRecords], tuple[YamlRecords, list[AnyModelConfig]]]
    ) -> list[AnyModelConfig]:
        """Make a change on what the file says now, and write it where it changes anything."""
        with self._lock, self._file.locked():
            for _ in range(_ATTEMPTS):
                records = self._current()
                changed, told = change(records)
                if changed is records:
                    return told
                if self._file.replace(changed.content, records.content):
                    self._records = changed
                    return told
        raise StoreBusyError(what=str(self._path))


_NUMBERS: Mapping[Order, str] = {
    Order.SIZE: "size",
    Order.ADDED: "created_at",
    Order.CHANGED: "updated_at",
    Order.USED: "last_used_at",
}
_TEXTS: Mapping[Order, tuple[str, ...]] = {
    Order.DEFAULT: ("model_type", "base_model", "name", "model_format"),
    Order.NAME: ("name",),
    Order.TYPE: ("model_type",),
    Order.BASE: ("base_model",),
    Order.FORMAT: ("model_format",),
}


def _at_most(limit: int | None) -> int | None:
    return None if limit is None else max(limit, 0)


def _sorted(
    configs: list[AnyModelConfig], order: Order, *, descending: bool
) -> list[AnyModelConfig]:
    by_key = sorted(configs, key=lambda config: config.key)
    number = _NUMBERS.get(order)
    if number is None:
        fields = _TEXTS[order]
        return sorted(
            by_key,
            key=lambda config: [getattr(config, each) for each in fields],
            reverse=descending,
        )
    with_it = [config for config in by_key if getattr(config, number) is not None]
    without = [config for config in by_key if getattr(config, number) is None]
    return sorted(with_it, key=lambda config: getattr(config, number), reverse=descending) + without
