"""Finding the model that somebody means."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from modelshelf.errors import (
    DuplicateModelException,
    InvalidChoiceError,
    ModelElsewhereError,
    UnknownModelException,
    UnknownSubmodelError,
    UsageError,
)
from modelshelf.manager.content_search import ContentSearch
from modelshelf.protocols import RecordStore
from modelshelf.schema.model import ModelInfo, PartInfo
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["Selector", "choice"]

_Choice = TypeVar("_Choice", bound=StrEnum)
_HEXADECIMAL = re.compile(
    r"\s*(?:(?:blake3|sha256|autov[23]|imohash|imohash-tree):\s*)?(?:0x)?(?P<digits>[0-9a-f]{6,64})\s*",
    re.IGNORECASE,
)
"""As web sites, headers and pictures write it. Six digits at least: fewer are more likely meant as a word."""
_TITLE = re.compile(r".*\[(?P<digits>[0-9a-f]{6,64})\]\s*", re.IGNORECASE | re.DOTALL)
"""As AUTOMATIC1111 titles a model: its file and an AutoV2, `name.safetensors [6ce0161689]`."""
_SHOWN = 5


def choice(kind: type[_Choice], word: str, what: str) -> _Choice:
    """Return the member of *kind* that *word* is, or is the value of.

    Raises:
        InvalidChoiceError: It is none.
    """
    try:
        return kind(word)
    except ValueError as error:
        allowed = ", ".join(member.value for member in kind)
        raise InvalidChoiceError(what=what, got=str(word), allowed=allowed) from error


class Selector:
    """Turns what a person or program says into models."""

    def __init__(self, records: RecordStore, apart: Collection[Path] = ()) -> None:
        self._records = records
        self._content = ContentSearch(records, apart)

    def model(self, selector: str | int) -> ModelInfo:
        """Return the one model meant; see `NormalizedModelManager.get_model`.

        The first reading that finds something counts: id, name, key, digest.
        """
        for query in _readings(selector):
            found = self._everywhere(query)
            if found:
                return self.one_of(found, str(selector))
        # The key of a model that lies elsewhere may be any text.
        by_key = ModelQuery(key_prefix=str(selector))
        found = [info for info in self._records.elsewhere(by_key) if info.key == selector]
        return self.one_of(found, str(selector))

    def stored(self, selector: str | int) -> ModelInfo:
        """Return the one model meant, which the library must hold.

        Raises:
            ModelElsewhereError: It has only its record.
        """
        model = self.model(selector)
        if not model.is_stored:
            raise ModelElsewhereError(wanted=model.name, path=model.location)
        return model

    def keyed(self, key: str) -> ModelInfo:
        """Return the stored model with exactly this key."""
        return self.one_of(self._records.find(ModelQuery(key_prefix=key)), key)

    def anywhere(self, key: str) -> ModelInfo:
        """Return the model with exactly this key, stored here or elsewhere."""
        found = [info for info in self._everywhere(ModelQuery(key_prefix=key)) if info.key == key]
        return self.one_of(found, key)

    def given(
        self,
        name: str | None,
        base: str | None,
        type: str | None,  # noqa: A002 - the specification's word
        selector: str | int | None,
    ) -> ModelInfo:
        """Return the one model that an export's arguments mean."""
        if (name is None) == (selector is None):
            raise UsageError(
                problem="an export needs either a name or a selector",
                remedy="give `name=` with `base=` or `type=`, or `selector=` alone",
            )
        if selector is not None:
            return self.stored(selector)
        wanted_base = None if base is None else choice(BaseModelType, base, "base")
        wanted_type = None if type is None else choice(ModelType, type, "model type")
        fitting = [
            info
            for info in self._records.find(ModelQuery(name=name))
            if (wanted_base is None or wanted_base in info.bases)
            and (wanted_type is None or info.type == wanted_type)
        ]
        words = [str(name), *(word.value for word in (wanted_base, wanted_type) if word)]
        return self.one_of(fitting, " ".join(words))

    def one_of(self, found: Sequence[ModelInfo], wanted: str) -> ModelInfo:
        """Return the only model of a list.

        Raises:
            UnknownModelException: The list is empty.
            DuplicateModelException: It has several.
        """
        if not found:
            raise UnknownModelException(wanted=wanted)
        if len(found) > 1:
            matches = [f"{one.key[:12]} ({one.name}, {one.base}, {one.type})" for one in found]
            shown = ", ".join(matches[:_SHOWN]) + (", …" if len(matches) > _SHOWN else "")
            raise DuplicateModelException(wanted=wanted, count=len(found), matches=shown)
        return found[0]

    def part(self, pipeline: ModelInfo, submodel: str) -> ModelInfo:
        """Return one component of a pipeline as a model of its own.

        Raises:
            UnknownSubmodelError: The pipeline has no such component.
        """
        for part in pipeline.parts:
            if part.folder == submodel:
                return _as_model(pipeline, part)
        available = ", ".join(part.folder for part in pipeline.parts)
        raise UnknownSubmodelError(
            wanted=pipeline.name, submodel=submodel, available=available or "none"
        )

    def search(self, text: str) -> list[ModelInfo]:
        """Return models by content on disk, digest, or text."""
        path = _path_in(text)
        if path is not None:
            return self._content.models(path)
        found = {info.key: info for info in self._everywhere(ModelQuery(contains=text))}
        digits = _HEXADECIMAL.fullmatch(text) or _TITLE.fullmatch(text)
        if digits is not None:
            prefix = digits["digits"].lower()
            for query in (ModelQuery(digest_prefix=prefix), ModelQuery(key_prefix=prefix)):
                found |= {info.key: info for info in self._everywhere(query)}
        return sorted(found.values(), key=lambda info: (info.name, info.id, info.key))

    def _everywhere(self, query: ModelQuery) -> list[ModelInfo]:
        return [*self._records.find(query), *self._records.elsewhere(query)]


def _path_in(text: str) -> Path | None:
    """Return what *text* is the path of; None where it is only words, or too long for a path."""
    path = Path(text)
    if "/" not in text and not path.suffix:
        return None
    try:
        path = path.expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _readings(selector: str | int) -> list[ModelQuery]:
    if isinstance(selector, int):
        return [ModelQuery(ids=(selector,))]
    readings = [ModelQuery(name=selector)]
    if selector.isdecimal() and len(selector) < 19:  # noqa: PLR2004 - what a 64-bit id can have
        readings.insert(0, ModelQuery(ids=(int(selector),)))
    digits = _HEXADECIMAL.fullmatch(selector)
    if digits is not None:
        prefix = digits["digits"].lower()
        readings += [ModelQuery(key_prefix=prefix), ModelQuery(digest_prefix=prefix)]
    return readings


def _as_model(pipeline: ModelInfo, part: PartInfo) -> ModelInfo:
    return ModelInfo(
        id=part.id,
        key=pipeline.key,
        name=f"{pipeline.name}/{part.folder}",
        type=part.type,
        bases=part.bases,
        format=ModelFormat.DIFFUSERS,
        location=part.location,
        hash=part.hash,
        size=part.size,
        source=pipeline.source,
        refcount=part.refcount,
    )
