"""The classes of record for components: one for each type, whether it is a file or a folder.

Every other kind has a class for each form on disk, see `config_kinds`, which publishes these too. Source:
`spec/model-manager-v2.md`, "Other config classes".
"""

from typing import Literal

from modelshelf.schema.config_base import ModelConfigBase
from modelshelf.schema.taxonomy import ModelFormat, ModelType

__all__ = [
    "CLIPEmbedConfig",
    "CLIPVisionConfig",
    "ComponentConfig",
    "ControlLoRAConfig",
    "FeatureExtractorConfig",
    "FluxReduxConfig",
    "ImageEncoderConfig",
    "MotionAdapterConfig",
    "SafetyCheckerConfig",
    "SchedulerConfig",
    "SpandrelConfig",
    "T2IAdapterConfig",
    "T5EncoderConfig",
    "TextEncoderConfig",
    "TokenizerConfig",
    "TransformerConfig",
    "UNetConfig",
]


class ComponentConfig(ModelConfigBase):
    """A component as one file, or as the folder that `diffusers` or `transformers` save."""

    model_format: Literal[
        ModelFormat.DIFFUSERS, ModelFormat.TRANSFORMERS, ModelFormat.CHECKPOINT, ModelFormat.GGUF
    ]


class CLIPVisionConfig(ComponentConfig):
    """A CLIP vision encoder."""

    model_type: Literal[ModelType.CLIP_VISION] = ModelType.CLIP_VISION


class CLIPEmbedConfig(ComponentConfig):
    """A CLIP text encoder."""

    model_type: Literal[ModelType.CLIP_EMBED] = ModelType.CLIP_EMBED


class T5EncoderConfig(ComponentConfig):
    """A T5 text encoder."""

    model_type: Literal[ModelType.T5_ENCODER] = ModelType.T5_ENCODER


class TextEncoderConfig(ComponentConfig):
    """Any other text encoder."""

    model_type: Literal[ModelType.TEXT_ENCODER] = ModelType.TEXT_ENCODER


class ImageEncoderConfig(ComponentConfig):
    """An image encoder that is not CLIP's."""

    model_type: Literal[ModelType.IMAGE_ENCODER] = ModelType.IMAGE_ENCODER


class T2IAdapterConfig(ComponentConfig):
    """A T2I-Adapter."""

    model_type: Literal[ModelType.T2I_ADAPTER] = ModelType.T2I_ADAPTER


class ControlLoRAConfig(ComponentConfig):
    """A LoRA that takes a control image."""

    model_type: Literal[ModelType.CONTROL_LORA] = ModelType.CONTROL_LORA
    model_format: Literal[  # type: ignore[assignment]
        ModelFormat.LYCORIS, ModelFormat.DIFFUSERS, ModelFormat.CHECKPOINT, ModelFormat.GGUF
    ]


class FluxReduxConfig(ComponentConfig):
    """A FLUX Redux image embedder."""

    model_type: Literal[ModelType.FLUX_REDUX] = ModelType.FLUX_REDUX


class MotionAdapterConfig(ComponentConfig):
    """AnimateDiff's motion modules."""

    model_type: Literal[ModelType.MOTION_ADAPTER] = ModelType.MOTION_ADAPTER


class SpandrelConfig(ComponentConfig):
    """An upscaler or restorer that turns images into images."""

    model_type: Literal[ModelType.SPANDREL_IMAGE_TO_IMAGE] = ModelType.SPANDREL_IMAGE_TO_IMAGE


class UNetConfig(ComponentConfig):
    """The UNet of a pipeline."""

    model_type: Literal[ModelType.UNET] = ModelType.UNET


class TransformerConfig(ComponentConfig):
    """The transformer of a pipeline."""

    model_type: Literal[ModelType.TRANSFORMER] = ModelType.TRANSFORMER


class SafetyCheckerConfig(ComponentConfig):
    """A safety checker."""

    model_type: Literal[ModelType.SAFETY_CHECKER] = ModelType.SAFETY_CHECKER


class TokenizerConfig(ModelConfigBase):
    """A tokenizer."""

    model_type: Literal[ModelType.TOKENIZER] = ModelType.TOKENIZER
    model_format: Literal[ModelFormat.DIFFUSERS, ModelFormat.TRANSFORMERS]


class FeatureExtractorConfig(ModelConfigBase):
    """What prepares images for an encoder."""

    model_type: Literal[ModelType.FEATURE_EXTRACTOR] = ModelType.FEATURE_EXTRACTOR
    model_format: Literal[ModelFormat.DIFFUSERS, ModelFormat.TRANSFORMERS]


class SchedulerConfig(ModelConfigBase):
    """The scheduler of a pipeline: settings, no weights."""

    model_type: Literal[ModelType.SCHEDULER] = ModelType.SCHEDULER
    model_format: Literal[ModelFormat.DIFFUSERS, ModelFormat.TRANSFORMERS]
