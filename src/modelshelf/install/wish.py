"""What a caller says of a model that is being installed, sorted by where it counts.

Source: `spec/model-manager-v2.md`, "Model configuration and probing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from modelshelf.schema.config import CONFIG_CLASSES
from modelshelf.schema.config_base import long_names
from modelshelf.schema.config_problems import Problem, invalid_config, problems_of, quoted
from modelshelf.schema.declared import Declared
from modelshelf.schema.metadata import Field, ModelMetadata
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["ModelWish"]

_OURS = frozenset(
    {
        "key",
        "path",
        "hash",
        "blake3",
        "sha256",
        "size",
        "converted_at",
        "created_at",
        "updated_at",
        "last_used_at",
        "revision",
    }
)
"""Fields that the store fills in, and nobody else."""
_ENUMS: Mapping[str, type[StrEnum]] = {
    "model_type": ModelType,
    "model_format": ModelFormat,
    "base_model": BaseModelType,
    "variant": ModelVariantType,
    "prediction_type": SchedulerPredictionType,
}
_LISTS = ("tags", "trigger_phrases")


@dataclass(frozen=True, slots=True)
class ModelWish:
    """What counts more than what is found out about a model.

    Example:
        >>> wish = ModelWish.parse({"name": "ink", "base": "sdxl", "tags": ["line art"]})
        >>> wish.name, wish.override.bases[0].value, wish.record
        ('ink', 'sdxl', {'tags': ['line art']})
    """

    name: str | None = None
    """What to call it; None for the name that it has at its source."""
    description: str | None = None
    """Free text; None for what is written about it."""
    override: Override = field(default_factory=Override)
    """What it is."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its record, by their long names."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """Such fields as the hub fills them; *record* counts more, and lists are joined."""
    claims: tuple[Declared, ...] = ()
    """What the hub says that it is; counts less than what is found out, as a sidecar's words do."""
    by_source: bool = False
    """Whether the same name and content from elsewhere is another model."""

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> ModelWish:
        """Read the fields of a record, by their long or short names, as `import_model` takes them.

        Raises:
            InvalidModelConfigException: Names every field that no record has, that is the store's to
                fill in, or whose value is none of the words it may be.
        """
        try:
            named = long_names(config)
        except PydanticCustomError as error:
            context = error.context or {}
            problem = (str(context.get("field", "config")), error.message())
            raise invalid_config(config.get("name"), [problem]) from None
        problems = [
            *_unknown(named),
            *((name, "is the store's to fill in") for name in named if name in _OURS),
        ]
        said, wrong = _parse_words(named)
        taken = {"name", "description", "bases", *_ENUMS, "precision", "architecture"}
        record = {name: value for name, value in named.items() if name not in taken}
        # Here, and not when everything is fetched: what cannot be recorded then cannot be tried again either.
        wrong += [] if problems else [*_misfits(record)]
        if problems or wrong:
            raise invalid_config(named.get("name"), [*problems, *wrong])
        bases = said.get("bases") or ((said["base_model"],) if "base_model" in said else None)
        return cls(
            name=named.get("name"),
            description=named.get("description"),
            override=Override(
                type=said.get("model_type"),
                bases=bases,
                format=said.get("model_format"),
                variant=said.get("variant"),
                prediction_type=said.get("prediction_type"),
                precision=named.get("precision"),
                architecture=named.get("architecture"),
            ),
            record=record,
        )

    def fields_beside(self, said: ModelMetadata) -> dict[str, Any]:
        """Return the further fields of the record.

        Args:
            said: What is written in and beside the model; its words join those of the hub.
        """
        told = dict(self.told)
        written = {"tags": said.tags, "trigger_phrases": said.trigger_words}
        for name in _LISTS:
            if name in told:
                told[name] = _joined(written[name], told[name])
        for name, key in (("author", Field.AUTHOR), ("license", Field.LICENSE)):
            if said.first(key):
                # Whoever made the file knows better than the page that it was found on.
                told.pop(name, None)
        return told | dict(self.record)


def _unknown(named: Mapping[str, Any]) -> Iterable[Problem]:
    known = {name for kind in CONFIG_CLASSES for name in kind.model_fields}
    return [(name, "no record has such a field") for name in named if name not in known]


def _misfits(record: Mapping[str, Any]) -> Iterable[Problem]:
    """Yield each field whose value none of the classes of records takes for it."""
    for name, value in record.items():
        fields = [kind.model_fields[name] for kind in CONFIG_CLASSES if name in kind.model_fields]
        # Most classes have a field from the same base, and it says the same in each of them.
        forms = {repr(field.annotation): field for field in fields}.values()
        found = [_misfit(field, name, value) for field in forms]
        if all(found):
            yield name, str(found[0])


def _misfit(field: FieldInfo, name: str, value: object) -> str | None:
    form: Any = field.annotation
    for constraint in field.metadata:
        form = Annotated[form, constraint]
    try:
        TypeAdapter(form).validate_python(value)
    except ValidationError as error:
        return problems_of(error, (), name)[0][1]
    return None


def _parse_words(named: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    said: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, kind in _ENUMS.items():
        if named.get(name) is not None:
            _take(said, problems, name, kind, [named[name]])
    if named.get("bases") is not None:
        bases = named["bases"]
        listed = list(bases) if isinstance(bases, list | tuple) else [bases]
        _take(said, problems, "bases", BaseModelType, listed)
    problems += [
        (name, f"expected text, got {quoted(named[name])}")
        for name in ("name", "description", "precision", "architecture")
        if not isinstance(named.get(name), str | None)
    ]
    return said, problems


def _take(
    said: dict[str, Any],
    problems: list[Problem],
    name: str,
    kind: type[StrEnum],
    words: list[Any],
) -> None:
    try:
        members = tuple(kind(word) for word in words)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        shown = ", ".join(map(quoted, words[:3]))
        problems.append((name, f"expected one of {allowed}, got {shown}"))
        return
    said[name] = members if name == "bases" else members[0]


def _joined(first: Iterable[str], second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))
