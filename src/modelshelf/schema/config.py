"""Records of models: from what somebody wrote to the class that fits, and changed field by field.

Example:
    >>> config = parse_config({"name": "ink", "type": "lora", "format": "lycoris", "base": "sdxl", "path": "a"})
    >>> type(config).__name__, config.base_model.value
    ('LoRALyCORISConfig', 'sdxl')
    >>> merge_config(config, {"tags": ["line art"]}).tags
    ['line art']
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin

from pydantic import Discriminator, Tag, ValidationError
from pydantic_core import PydanticCustomError

from modelshelf.schema import config_kinds as kinds
from modelshelf.schema.config_base import ModelConfigBase, long_names, rebased
from modelshelf.schema.config_fields import License, ModelSourceType
from modelshelf.schema.config_problems import Problem, invalid_config, problems_of, quoted
from modelshelf.schema.taxonomy import ModelFormat, ModelType

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


def _tag(given: object) -> str | None:
    """Name the class that a record belongs to; None where type and format name none."""
    try:
        if isinstance(given, ModelConfigBase):
            return type(given).__name__
        if not isinstance(given, Mapping):
            return None
        document = _with_base(long_names(given))
        return class_of(*(document.get(each) for each in _DECIDING)).__name__
    except (PydanticCustomError, LookupError):
        return None


_DECIDING = ("model_type", "model_format", "base_model")

AnyModelConfig: TypeAlias = Annotated[
    Annotated[kinds.MainCheckpointConfig, Tag("MainCheckpointConfig")]
    | Annotated[kinds.MainGGUFConfig, Tag("MainGGUFConfig")]
    | Annotated[kinds.MainDiffusersConfig, Tag("MainDiffusersConfig")]
    | Annotated[kinds.ONNXConfig, Tag("ONNXConfig")]
    | Annotated[kinds.ONNXSD1Config, Tag("ONNXSD1Config")]
    | Annotated[kinds.ONNXSD2Config, Tag("ONNXSD2Config")]
    | Annotated[kinds.ONNXComponentConfig, Tag("ONNXComponentConfig")]
    | Annotated[kinds.VaeCheckpointConfig, Tag("VaeCheckpointConfig")]
    | Annotated[kinds.VaeDiffusersConfig, Tag("VaeDiffusersConfig")]
    | Annotated[kinds.LoRALyCORISConfig, Tag("LoRALyCORISConfig")]
    | Annotated[kinds.LoRADiffusersConfig, Tag("LoRADiffusersConfig")]
    | Annotated[kinds.ControlNetCheckpointConfig, Tag("ControlNetCheckpointConfig")]
    | Annotated[kinds.ControlNetDiffusersConfig, Tag("ControlNetDiffusersConfig")]
    | Annotated[kinds.TextualInversionFileConfig, Tag("TextualInversionFileConfig")]
    | Annotated[kinds.TextualInversionFolderConfig, Tag("TextualInversionFolderConfig")]
    | Annotated[kinds.IPAdapterCheckpointConfig, Tag("IPAdapterCheckpointConfig")]
    | Annotated[kinds.IPAdapterDiffusersConfig, Tag("IPAdapterDiffusersConfig")]
    | Annotated[kinds.IPAdapterInvokeAIConfig, Tag("IPAdapterInvokeAIConfig")]
    | Annotated[kinds.CLIPVisionConfig, Tag("CLIPVisionConfig")]
    | Annotated[kinds.CLIPEmbedConfig, Tag("CLIPEmbedConfig")]
    | Annotated[kinds.T5EncoderConfig, Tag("T5EncoderConfig")]
    | Annotated[kinds.TextEncoderConfig, Tag("TextEncoderConfig")]
    | Annotated[kinds.ImageEncoderConfig, Tag("ImageEncoderConfig")]
    | Annotated[kinds.T2IAdapterConfig, Tag("T2IAdapterConfig")]
    | Annotated[kinds.ControlLoRAConfig, Tag("ControlLoRAConfig")]
    | Annotated[kinds.FluxReduxConfig, Tag("FluxReduxConfig")]
    | Annotated[kinds.MotionAdapterConfig, Tag("MotionAdapterConfig")]
    | Annotated[kinds.SpandrelConfig, Tag("SpandrelConfig")]
    | Annotated[kinds.UNetConfig, Tag("UNetConfig")]
    | Annotated[kinds.TransformerConfig, Tag("TransformerConfig")]
    | Annotated[kinds.SafetyCheckerConfig, Tag("SafetyCheckerConfig")]
    | Annotated[kinds.TokenizerConfig, Tag("TokenizerConfig")]
    | Annotated[kinds.FeatureExtractorConfig, Tag("FeatureExtractorConfig")]
    | Annotated[kinds.SchedulerConfig, Tag("SchedulerConfig")]
    | Annotated[kinds.PipelineFilesConfig, Tag("PipelineFilesConfig")]
    | Annotated[kinds.OriginalFileConfig, Tag("OriginalFileConfig")]
    | Annotated[kinds.UnknownConfig, Tag("UnknownConfig")],
    Discriminator(
        _tag,
        custom_error_type="model_kind",
        custom_error_message="Input should be a record whose type and format fit one another",
    ),
]
"""The record of any model: type, format and base decide the class. A `TypeAdapter` takes it as it is."""

CONFIG_CLASSES: tuple[type[ModelConfigBase], ...] = tuple(
    get_args(each)[0] for each in get_args(get_args(AnyModelConfig)[0])
)
"""Every class that a record can have."""


def _allowed(kind: type[ModelConfigBase], field: str) -> frozenset[str]:
    annotation = kind.model_fields[field].annotation
    if get_origin(annotation) is Literal:
        return frozenset(get_args(annotation))
    return frozenset()


def _table() -> dict[tuple[str, str, str], type[ModelConfigBase]]:
    """Read from the classes which type, format and base are whose; an empty base is any other."""
    table: dict[tuple[str, str, str], type[ModelConfigBase]] = {}
    for kind in CONFIG_CLASSES:
        for model_type in _allowed(kind, "model_type"):
            for model_format in _allowed(kind, "model_format"):
                for base in _allowed(kind, "base_model") or {""}:
                    table[model_type, model_format, base] = kind
    return table


_CLASSES = _table()
_WORDS: Mapping[str, Mapping[str, str]] = {
    "model_type": {each.value: each.value for each in ModelType},
    "model_format": {each.value: each.value for each in ModelFormat},
}
"""The words of the two fields that decide the class, in the taxonomy's order."""


def class_of(
    model_type: object, model_format: object, base_model: object = None
) -> type[ModelConfigBase]:
    """Return the class of a record with this type, format and base, each as member or word.

    Raises:
        KeyError: There is none.

    Example:
        >>> class_of("main", "checkpoint").__name__, class_of("onnx", "olive", "sd-2").__name__
        ('MainCheckpointConfig', 'ONNXSD2Config')
    """
    type_, format_ = str(model_type), str(model_format)
    if type_ == ModelType.UNKNOWN or format_ == ModelFormat.UNKNOWN:
        # Lists of both still apply: the class checks them.
        return kinds.UnknownConfig
    base = str(base_model) if (type_, format_, str(base_model)) in _CLASSES else ""
    return _CLASSES[type_, format_, base]


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
        named = _with_base(long_names(given))
    except PydanticCustomError as error:
        raise invalid_config(given.get("name"), [_refusal(error)]) from error
    kind = _kind(named)
    try:
        return kind.model_validate(named)  # type: ignore[return-value]
    except ValidationError as error:
        problems = problems_of(error, kind.model_fields, kind.__name__)
        # Pydantic's own words may hold what no terminal can print.
        raise invalid_config(given.get("name"), problems) from None


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
    decided = {each: getattr(config, each) for each in _DECIDING}
    document = _with_base(kept | decided | _without_base(wanted))
    kind = _kind(document)
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


def _with_base(document: dict[str, Any]) -> dict[str, Any]:
    bases = document.get("bases")
    if document.get("base_model") is None and isinstance(bases, list | tuple) and bases:
        return document | {"base_model": bases[0]}
    return document


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
    try:
        return class_of(*(document.get(each) for each in _DECIDING))
    except KeyError as error:
        model_type = str(document["model_type"])
        fitting = sorted({a_format for a_type, a_format, _ in _CLASSES if a_type == model_type})
        got = quoted(str(document["model_format"]))
        sentence = f"expected one of {', '.join(fitting)} for a `{model_type}`, got {got}"
        raise invalid_config(document.get("name"), [("model_format", sentence)]) from error


def _refusal(error: PydanticCustomError) -> Problem:
    context = error.context or {}
    return str(context.get("field", "record")), error.message()
