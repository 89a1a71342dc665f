"""Records of models: from what somebody wrote to the class that fits, and changed field by field.

Example:
    >>> config = parse_config({"name": "ink", "type": "lora", "format": "lycoris", "base": "sdxl", "path": "a"})
    >>> type(config).__name__, config.base_model.value
    ('LoRALyCORISConfig', 'sdxl')
    >>> merge_config(config, {"tags": ["line art"]}).tags
    ['line art']

The classes themselves are fetched when they are first used: forty take a while to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from modelshelf.schema.config_base import (
    DECIDING,
    ModelConfigBase,
    long_names,
    rebased,
    with_base,
)
from modelshelf.schema.config_fields import License, ModelSourceType
from modelshelf.schema.config_problems import Problem, invalid_config, problems_of, quoted
from modelshelf.schema.taxonomy import ModelFormat, ModelType

if TYPE_CHECKING:
    from modelshelf.schema.config_classes import CONFIG_CLASSES, AnyModelConfig, class_of

__all__ = [
    "CONFIG_CLASSES",
    "AnyModelConfig",
    "License",
    "ModelConfigBase",
    "ModelSourceType",
    "class_of",
    "merge_config",
    "parse_config",
]

_WORDS: Mapping[str, Mapping[str, str]] = {
    "model_type": {each.value: each.value for each in ModelType},
    "model_format": {each.value: each.value for each in ModelFormat},
}
"""The words of the two fields that decide the class, in the taxonomy's order."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module("modelshelf.schema.config_classes"), name)


def parse_config(document: Mapping[str, Any] | ModelConfigBase) -> AnyModelConfig:
    """Return the record that *document* describes, checked, in the class that fits it.

    Args:
        document: Fields by their long or short names. A record is checked again, as after changes to
            its lists, and copied.

    Returns:
        A record of one of the classes of `AnyModelConfig`; nothing in it is shared with *document*.

    Raises:
        InvalidModelConfigException: Names every field that is wrong, what was expected and what it got.

    Example:
        >>> parse_config({"name": "ink", "type": "lora", "format": "lycoris", "path": "a"})
        Traceback (most recent call last):
            ...
        modelshelf.errors.library.InvalidModelConfigException: ...`base_model`: expected a value, got none
    """
    given = _mapping(document)
    try:
        written = long_names(given)
        named = with_base(written)
    except PydanticCustomError as error:
        raise invalid_config(given.get("name"), [_refusal(error)]) from error
    kind = _kind(named)
    try:
        return kind.model_validate(named)  # type: ignore[return-value]
    except ValidationError as error:
        problems = problems_of(error, kind.model_fields, kind.__name__)
        # Pydantic's own words may hold what no terminal can print.
        raise invalid_config(given.get("name"), _told_once(problems, written)) from None


def merge_config(config: AnyModelConfig, changes: Mapping[str, Any]) -> AnyModelConfig:
    """Return *config* with *changes* made, in the class that fits the result.

    A new base replaces all bases, or moves to the front where it was one of them. A new type, format or
    base may change the class: fields that the new class lacks must be unset, or be set to None here.

    Args:
        config: The record as it is; it is left alone.
        changes: Fields by their long or short names, with their new values.

    Raises:
        InvalidModelConfigException: The result would not hold together, or *changes* has another key.

    Example:
        >>> main = parse_config(
        ...     dict(name="a", type="main", format="checkpoint", base="sd-1", path="a.ckpt", config="a.yaml")
        ... )
        >>> type(merge_config(main, {"format": "diffusers", "path": "a", "config": None})).__name__
        'MainDiffusersConfig'
    """
    try:
        wanted = long_names(_mapping(changes))
    except PydanticCustomError as error:
        raise invalid_config(config.name, [_refusal(error)]) from error
    if wanted.get("key", config.key) != config.key:
        problem = f"expected `{config.key}`, which never changes, got {quoted(wanted['key'])}"
        raise invalid_config(config.name, [("key", problem)])
    if "base_model" in wanted and "bases" not in wanted:
        wanted["bases"] = rebased(config.bases, wanted["base_model"])
    # Without what is as the old class has it anyway: the new one may have it otherwise.
    kept = config.model_dump(warnings=False, exclude_defaults=True)
    decided = {each: getattr(config, each) for each in DECIDING}
    document = kept | decided | _without_base(wanted)
    kind = _kind(with_base(document))
    lacking = [each for each in type(config).model_fields if each not in kind.model_fields]
    left = [each for each in lacking if document.get(each) is not None]
    if left:
        problem = f"a {kind.__name__} has no such field; set it to None with the change of class"
        raise invalid_config(config.name, [(each, problem) for each in left])
    for each in lacking:
        document.pop(each, None)
    return parse_config(document)


def _mapping(document: object) -> Mapping[Any, Any]:
    if isinstance(document, ModelConfigBase):
        # What somebody appended to its lists is not checked yet, and may be no text at all.
        return document.model_dump(warnings=False)
    if isinstance(document, Mapping):
        return document
    problem = f"expected fields with values, got {quoted(document)}"
    raise invalid_config(None, [("record", problem)])


def _without_base(wanted: dict[str, Any]) -> dict[str, Any]:
    """Let the new bases alone say the base where only they are given."""
    if "bases" in wanted and "base_model" not in wanted:
        return wanted | {"base_model": None}
    return wanted


def _kind(document: Mapping[str, Any]) -> type[ModelConfigBase]:
    """Return the class for *document*, or say what about its type and format is wrong."""
    problems: list[Problem] = []
    for field, words in _WORDS.items():
        value = document.get(field)
        if value is None:
            problems.append((field, "expected a value, got none"))
        elif not isinstance(value, str) or value not in words:
            problems.append((field, f"expected one of {', '.join(words)}; got {quoted(value)}"))
    if problems:
        raise invalid_config(document.get("name"), problems)
    # Imported here: who reads no record does not wait for forty classes.
    from modelshelf.schema.config_classes import class_of, fitting_formats  # noqa: PLC0415 - see above

    try:
        return class_of(*(document.get(each) for each in DECIDING))
    except KeyError as error:
        model_type = str(document["model_type"])
        fitting = fitting_formats(model_type)
        got = quoted(str(document["model_format"]))
        sentence = f"expected one of {', '.join(fitting)} for a `{model_type}`, got {got}"
        raise invalid_config(document.get("name"), [("model_format", sentence)]) from error


def _told_once(problems: list[Problem], written: Mapping[str, Any]) -> list[Problem]:
    """Tell a wrong base of the field that it was written in: the other one follows."""
    told = dict(problems)
    if told.get("base_model") != told.get("bases.0"):
        return problems
    is_listed = written.get("base_model") is None and written.get("bases") is not None
    followed = "base_model" if is_listed else "bases.0"
    return [each for each in problems if each[0] != followed]


def _refusal(error: PydanticCustomError) -> Problem:
    context = error.context or {}
    return str(context.get("field", "record")), error.message()
