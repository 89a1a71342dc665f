"""Models that stay where they are: the library has their record, and never writes where they lie.

A placed model is known by what it looks like: the size of its files and three samples of each. That takes
milliseconds, and is enough to find it again after somebody moved it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelshelf.errors import EmptySourceError, ModelshelfError, SourceError
from modelshelf.install.discovery import discover_models
from modelshelf.install.examination import absolute, examine, look_at
from modelshelf.install.placed_identity import (
    IDENTIFIED,
    identified_fields,
    looked_again,
    quick_hash_of,
    said_of,
    taken_back_of,
)
from modelshelf.install.told import default_description, told_by
from modelshelf.install.wish import ModelWish
from modelshelf.normalize import model_name_of
from modelshelf.protocols import ModelRecords
from modelshelf.records.record_fields import fitting_fields, said_fields
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.identity import Identity
from modelshelf.schema.metadata import Field
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.schema.override import Override
from modelshelf.schema.selector import Attribute, Operator, Term
from modelshelf.schema.source import SourceTree
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["Found", "PlacedModels"]

_PLACED = Term(Attribute.PATH, Operator.STARTS, "/")
"""The path of what the library stores counts from its models folder."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model that had moved, and where it is now."""

    config: AnyModelConfig
    """Its record, as it is now."""
    before: Path
    """Where it was."""


class PlacedModels:
    """Enters, checks and finds again models that lie outside the library.

    Example:
        >>> from modelshelf.records.services import ModelRecordServiceFile
        >>> from modelshelf.testing import tiny
        >>> folder = getfixture("tmp_path")
        >>> model = tiny.lora(folder / "mine" / "ink.safetensors", base="sd-1")
        >>> placed = PlacedModels(ModelRecordServiceFile.from_db_file(folder / "models.yaml"))
        >>> key = placed.register(LocalModelSource(path=model), ModelWish()).key
        >>> moved = model.rename(folder / "ink.safetensors")
        >>> [config.name for config in placed.missing()]
        ['ink']
        >>> [Path(found.config.path) == moved for found in placed.relink([folder])], placed.missing()
        ([True], [])
    """

    def __init__(self, records: ModelRecords, apart: Collection[Path] = ()) -> None:
        """Hold the records.

        Args:
            records: Where placed models are entered.
            apart: The library's own folders; what lies there is stored, not placed.
        """
        self._records = records
        self._apart = apart

    def register(self, source: LocalModelSource, wish: ModelWish) -> AnyModelConfig:
        """Enter a record of the model at a path, or return the one that is there.

        Raises:
            SourceError: There is no model that could be read.
            FormatError: A file of it is broken.
            InvalidModelConfigException: *wish* has a field that cannot be.
        """
        tree = look_at(source.path, follow_links=True)
        path = tree.root.as_posix()
        alike = self._records.find(Term(Attribute.PATH, Operator.IS, path))
        known = [config for config in alike if config.path == path]
        if known:
            return known[0]
        return self._records.add_model(secrets.token_hex(16), _describe(tree, source, wish))

    def adopt(
        self,
        folder: Path,
        failed: Callable[[Path, ModelshelfError], None],
    ) -> Iterator[tuple[AnyModelConfig, bool]]:
        """Enter every model below *folder*, and yield its record and whether it is new.

        Args:
            folder: Where to look; nothing there is changed.
            failed: Told of each model that cannot be entered.

        Raises:
            SourceError: The folder cannot be read, or there is no model in it.
        """
        known = {config.path for config in self._all()}
        for path in discover_models(folder, apart=self._apart):
            try:
                config = self.register(LocalModelSource(path=path, inplace=True), ModelWish())
            except ModelshelfError as error:
                failed(path, error)
                continue
            yield config, config.path not in known

    def missing(self) -> list[AnyModelConfig]:
        """Return the placed models that are not where their record says, by their names and sizes alone."""
        return [config for config in self._all() if not _is_there(config)]

    def below(self, folder: Path) -> list[AnyModelConfig]:
        """Return the placed models whose records say that they lie at or below *folder*."""
        return [config for config in self._all() if Path(config.path).is_relative_to(folder)]

    def relink(self, folders: Iterable[Path]) -> Iterator[Found]:
        """Look for missing models below *folders*; yield each that was found, its record corrected.

        A model is found when its fingerprint is the same; of several equal ones the first, by path, counts.
        """
        wanted = {config.hash: config for config in self.missing() if config.hash}
        taken = {config.path for config in self._all()}
        for folder in folders:
            for path in self._below(folder):
                if not wanted:
                    return
                config = _recognise(path, wanted)
                if config is None or absolute(path).as_posix() in taken:
                    continue
                del wanted[config.hash]
                before = Path(config.path)
                change: Mapping[str, Any] = {"path": absolute(path).as_posix()}
                yield Found(self._records.update_model(config.key, change), before)

    def identify(self, key: str, *, dry_run: bool = False) -> AnyModelConfig | None:
        """Look again at a placed model whose type or base nobody knows; its record says then what it is.

        Args:
            key: Its record's.
            dry_run: Change nothing.

        Returns:
            The record as it is, or would be; None where nothing in it changes.

        Raises:
            UnknownModelException: There is no such record.
            SourceError: There is no model at its path that could be read.
            FormatError: A file of it is broken.
        """
        config = self._records.get_model(key)
        if not _is_open(config):
            return None
        identity = self._look(config)
        if identity.type is ModelType.UNKNOWN:
            return None
        known = looked_again(config, identity)
        self._enter(config, known, dry_run=dry_run)
        return None if known == config else known

    def say(
        self,
        key: str,
        wish: Override,
        *,
        taken_back: Collection[str] = (),
        dry_run: bool = False,
    ) -> AnyModelConfig:
        """Let a user's word on a placed model win, field by field; what was said of other fields stays.

        Args:
            key: Its record's.
            wish: What the user says. The model is not looked at for it.
            taken_back: Fields of `Override` that are as they were detected: it is looked at again.
            dry_run: Change nothing.

        Returns:
            The record as it is, or would be.

        Raises:
            UnknownModelException: There is no such record.
            InvalidModelConfigException: No such model has its form on disk.
            SourceError: There is no model at its path that could be read.
            FormatError: A file of it is broken.
        """
        config = self._records.get_model(key)
        known = config
        if taken_back:
            known = taken_back_of(config, taken_back, self._look(config))
        known = said_of(known, wish)
        self._enter(config, known, dry_run=dry_run)
        return known

    def _look(self, config: AnyModelConfig) -> Identity:
        return examine(look_at(Path(config.path), follow_links=True)).identity

    def _enter(self, before: AnyModelConfig, after: AnyModelConfig, *, dry_run: bool) -> None:
        if after == before or dry_run:
            return
        changes = {
            field: getattr(after, field, None)
            for field in IDENTIFIED
            if getattr(after, field, None) != getattr(before, field, None)
        }
        # Told by its name even where it stays: nobody else's word is taken from the other fields then.
        told = {"detail": after.detail, "revision": before.revision}
        self._records.update_model(before.key, changes | told)

    def _below(self, folder: Path) -> Iterator[Path]:
        # A folder without a model is no mistake of whoever looks for one.
        with suppress(EmptySourceError):
            yield from discover_models(folder, apart=self._apart)

    def _all(self) -> list[AnyModelConfig]:
        return self._records.find(_PLACED)


def _describe(tree: SourceTree, source: LocalModelSource, wish: ModelWish) -> dict[str, Any]:
    examined = examine(tree)
    overridden, said = wish.override.over(examined.identity), examined.said
    identity = overridden.effective
    bases = identity.bases or (BaseModelType.UNKNOWN,)
    description = wish.description
    if description is None:
        description = said.first(Field.DESCRIPTION) or default_description(identity.type, bases)
    fields = {
        "name": wish.name or model_name_of(tree.root, is_file=tree.is_file),
        "description": description or None,
        "path": tree.root.as_posix(),
        "hash": quick_hash_of(tree),
        "source": str(absolute(source.path)),
        "size": tree.size,
        **identified_fields(overridden),
    }
    told = {"source_type": told_by(source)["source_type"], **wish.fields_beside(said)}
    return fitting_fields(fields | said_fields(said)) | told


def _is_open(config: AnyModelConfig) -> bool:
    return config.model_type is ModelType.UNKNOWN or BaseModelType.UNKNOWN in config.bases


def _recognise(path: Path, wanted: Mapping[str, AnyModelConfig]) -> AnyModelConfig | None:
    try:
        tree = look_at(path, follow_links=True)
        if all(config.size != tree.size for config in wanted.values()):
            return None
        return wanted.get(quick_hash_of(tree))
    except SourceError:
        return None


def _is_there(config: AnyModelConfig) -> bool:
    path = Path(config.path)
    try:
        if path.is_dir():
            return True
        return path.stat().st_size == config.size
    except OSError:
        return False
