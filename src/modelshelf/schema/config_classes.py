"""Which classes of records there are, and which of them a record belongs to.

Apart from `config`, which needs them when somebody writes or reads a record: forty classes take a while
to make, and who lists models needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args, get_origin

from pydantic import Discriminator, Tag
from pydantic_core import PydanticCustomError

from modelshelf.schema import config_kinds as kinds
from modelshelf.schema.config_base import DECIDING, ModelConfigBase, long_names, with_base
from modelshelf.schema.taxonomy import ModelFormat, ModelType

__all__ = ["CONFIG_CLASSES", "AnyModelConfig", "class_of", "fitting_formats"]


def _tag(given: object) -> str | None:
    """Name the class that a record belongs to; None where type and format name none."""
    try:
        if isinstance(given, ModelConfigBase):
            return type(given).__name__
        if not isinstance(given, Mapping):
            return None
        document = with_base(long_names(given))
        return class_of(*(document.get(each) for each in DECIDING)).__name__
    except (PydanticCustomError, LookupError):
        return None


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


def fitting_formats(model_type: str) -> list[str]:
    """Return the formats that a record of this type may have, sorted."""
    return sorted({a_format for a_type, a_format, _ in _CLASSES if a_type == model_type})
