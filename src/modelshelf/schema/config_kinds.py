"""One class of record for each kind of model and form on disk.

What a class accepts as type, format and base says which records are its own; `parse_config` reads it
from there. Where a class has two parents the kind stands first, whose fields then win, and the form on
disk is said again. Components, which have one class for all forms, come from `component_kinds`. Source:
`spec/model-manager-v2.md`, "CheckpointConfig" to "Other config classes".
"""

from typing import Literal

from pydantic import Field

from modelshelf.schema.component_kinds import (
    CLIPEmbedConfig,
    CLIPVisionConfig,
    ComponentConfig,
    ControlLoRAConfig,
    FeatureExtractorConfig,
    FluxReduxConfig,
    ImageEncoderConfig,
    MotionAdapterConfig,
    SafetyCheckerConfig,
    SchedulerConfig,
    SpandrelConfig,
    T2IAdapterConfig,
    T5EncoderConfig,
    TextEncoderConfig,
    TokenizerConfig,
    TransformerConfig,
    UNetConfig,
)
from modelshelf.schema.config_base import ModelConfigBase
from modelshelf.schema.config_fields import Line
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    ModelVariantType,
)

__all__ = [
    "CLIPEmbedConfig",
    "CLIPVisionConfig",
    "CheckpointConfig",
    "ComponentConfig",
    "ControlLoRAConfig",
    "ControlNetCheckpointConfig",
    "ControlNetConfig",
    "ControlNetDiffusersConfig",
    "DiffusersConfig",
    "FeatureExtractorConfig",
    "FluxReduxConfig",
    "IPAdapterCheckpointConfig",
    "IPAdapterConfig",
    "IPAdapterDiffusersConfig",
    "IPAdapterInvokeAIConfig",
    "ImageEncoderConfig",
    "LoRAConfig",
    "LoRADiffusersConfig",
    "LoRALyCORISConfig",
    "MainCheckpointConfig",
    "MainConfig",
    "MainDiffusersConfig",
    "MainGGUFConfig",
    "MotionAdapterConfig",
    "ONNXComponentConfig",
    "ONNXConfig",
    "ONNXSD1Config",
    "ONNXSD2Config",
    "OriginalFileConfig",
    "PipelineFilesConfig",
    "SafetyCheckerConfig",
    "SchedulerConfig",
    "SpandrelConfig",
    "T2IAdapterConfig",
    "T5EncoderConfig",
    "TextEncoderConfig",
    "TextualInversionConfig",
    "TextualInversionFileConfig",
    "TextualInversionFolderConfig",
    "TokenizerConfig",
    "TransformerConfig",
    "UNetConfig",
    "UnknownConfig",
    "VaeCheckpointConfig",
    "VaeConfig",
    "VaeDiffusersConfig",
]


class CheckpointConfig(ModelConfigBase):
    """A model that is one file of weights, whose shape another file may describe."""

    config: Line | None = None
    """Path of the file that describes it, such as `configs/stable-diffusion/v1-inference.yaml`; a relative
    one counts from the library's root. None where the weights say enough."""


class DiffusersConfig(ModelConfigBase):
    """A model that is a folder as `diffusers` saves it."""

    model_format: Literal[ModelFormat.DIFFUSERS] = ModelFormat.DIFFUSERS
    repo_variant: ModelRepoVariant | None = None
    """Which form of the weights it holds; None where nothing says it."""


class MainConfig(ModelConfigBase):
    """A model that makes images or films by itself."""

    model_type: Literal[ModelType.MAIN, ModelType.ONNX] = ModelType.MAIN
    vae: Line | None = None
    """Path of a VAE to use instead of its own; a relative one counts from the folder of models."""
    variant: ModelVariantType = ModelVariantType.NORMAL
    upcast_attention: bool = Field(default=False, strict=True)
    """Whether its attention must be computed in a wider number format than the rest."""


class MainCheckpointConfig(MainConfig, CheckpointConfig):
    """A main model in one file."""

    model_type: Literal[ModelType.MAIN] = ModelType.MAIN
    model_format: Literal[ModelFormat.CHECKPOINT] = ModelFormat.CHECKPOINT


class MainGGUFConfig(MainConfig, CheckpointConfig):
    """A quantised main model in one GGUF file."""

    model_type: Literal[ModelType.MAIN] = ModelType.MAIN
    model_format: Literal[ModelFormat.GGUF] = ModelFormat.GGUF


class MainDiffusersConfig(MainConfig, DiffusersConfig):
    """A main model that is a pipeline folder."""

    model_type: Literal[ModelType.MAIN] = ModelType.MAIN
    model_format: Literal[ModelFormat.DIFFUSERS] = ModelFormat.DIFFUSERS


class ONNXConfig(MainConfig):
    """A main model as ONNX graphs, of any base without a class of its own."""

    model_format: Literal[ModelFormat.ONNX, ModelFormat.OLIVE] = ModelFormat.ONNX


class ONNXSD1Config(ONNXConfig):
    """A main model of Stable Diffusion 1 as ONNX graphs."""

    base_model: Literal[BaseModelType.SD_1] = BaseModelType.SD_1


class ONNXSD2Config(ONNXConfig):
    """A main model of Stable Diffusion 2 as ONNX graphs: prediction type and attention vary there."""

    base_model: Literal[BaseModelType.SD_2] = BaseModelType.SD_2


class ONNXComponentConfig(ModelConfigBase):
    """One component as an ONNX graph."""

    model_type: Literal[
        ModelType.VAE,
        ModelType.CONTROLNET,
        ModelType.CLIP_VISION,
        ModelType.CLIP_EMBED,
        ModelType.T5_ENCODER,
        ModelType.SPANDREL_IMAGE_TO_IMAGE,
        ModelType.UNET,
        ModelType.TRANSFORMER,
        ModelType.TEXT_ENCODER,
        ModelType.SAFETY_CHECKER,
        ModelType.IMAGE_ENCODER,
    ]
    model_format: Literal[ModelFormat.ONNX, ModelFormat.OLIVE] = ModelFormat.ONNX


class VaeConfig(ModelConfigBase):
    """A VAE."""

    model_type: Literal[ModelType.VAE] = ModelType.VAE


class VaeCheckpointConfig(VaeConfig, CheckpointConfig):
    """A VAE in one file."""

    model_format: Literal[ModelFormat.CHECKPOINT, ModelFormat.GGUF] = ModelFormat.CHECKPOINT


class VaeDiffusersConfig(VaeConfig, DiffusersConfig):
    """A VAE that is a folder."""

    model_format: Literal[ModelFormat.DIFFUSERS] = ModelFormat.DIFFUSERS


class LoRAConfig(ModelConfigBase):
    """A LoRA or one of its kin: LoHa, LoKr, DoRA, OFT and so on."""

    model_type: Literal[ModelType.LORA] = ModelType.LORA


class LoRALyCORISConfig(LoRAConfig):
    """A LoRA in one file, in kohya's or LyCORIS' names or in any that is told from them."""

    model_format: Literal[ModelFormat.LYCORIS, ModelFormat.CHECKPOINT, ModelFormat.GGUF] = (
        ModelFormat.LYCORIS
    )


class LoRADiffusersConfig(LoRAConfig, DiffusersConfig):
    """A LoRA as `diffusers` or `peft` save it."""

    model_format: Literal[ModelFormat.DIFFUSERS] = ModelFormat.DIFFUSERS


class ControlNetConfig(ModelConfigBase):
    """A ControlNet."""

    model_type: Literal[ModelType.CONTROLNET] = ModelType.CONTROLNET


class ControlNetCheckpointConfig(ControlNetConfig, CheckpointConfig):
    """A ControlNet in one file."""

    model_format: Literal[ModelFormat.CHECKPOINT, ModelFormat.GGUF] = ModelFormat.CHECKPOINT


class ControlNetDiffusersConfig(ControlNetConfig, DiffusersConfig):
    """A ControlNet that is a folder."""

    model_format: Literal[ModelFormat.DIFFUSERS] = ModelFormat.DIFFUSERS


class TextualInversionConfig(ModelConfigBase):
    """A textual inversion."""

    model_type: Literal[ModelType.EMBEDDING] = ModelType.EMBEDDING


class TextualInversionFileConfig(TextualInversionConfig):
    """A textual inversion in one file."""

    model_format: Literal[ModelFormat.EMBEDDING_FILE, ModelFormat.CHECKPOINT] = (
        ModelFormat.EMBEDDING_FILE
    )


class TextualInversionFolderConfig(TextualInversionConfig):
    """A textual inversion that is a folder with `learned_embeds`."""

    model_format: Literal[ModelFormat.EMBEDDING_FOLDER] = ModelFormat.EMBEDDING_FOLDER


class IPAdapterConfig(ModelConfigBase):
    """An IP-Adapter."""

    model_type: Literal[ModelType.IP_ADAPTER] = ModelType.IP_ADAPTER


class IPAdapterCheckpointConfig(IPAdapterConfig):
    """An IP-Adapter in one file."""

    model_format: Literal[ModelFormat.CHECKPOINT] = ModelFormat.CHECKPOINT


class IPAdapterDiffusersConfig(IPAdapterConfig, DiffusersConfig):
    """An IP-Adapter that is a folder without a word on its image encoder."""

    model_format: Literal[ModelFormat.DIFFUSERS] = ModelFormat.DIFFUSERS


class IPAdapterInvokeAIConfig(IPAdapterConfig):
    """An IP-Adapter folder that names its image encoder."""

    model_format: Literal[ModelFormat.INVOKEAI] = ModelFormat.INVOKEAI
    image_encoder_model_id: Line | None = None
    """Repository id or name of the CLIP vision model that it needs; None where its folder was not read."""


class PipelineFilesConfig(ModelConfigBase):
    """What a pipeline folder holds outside its components."""

    model_type: Literal[ModelType.PIPELINE_FILES] = ModelType.PIPELINE_FILES
    model_format: Literal[ModelFormat.DIFFUSERS, ModelFormat.ONNX] = ModelFormat.DIFFUSERS


class OriginalFileConfig(ModelConfigBase):
    """What brings a converted checkpoint back."""

    model_type: Literal[ModelType.ORIGINAL_FILE] = ModelType.ORIGINAL_FILE
    model_format: Literal[ModelFormat.CHECKPOINT] = ModelFormat.CHECKPOINT


class UnknownConfig(ModelConfigBase):
    """A model of unknown type, or one of any type whose form on disk is unknown."""

    model_type: ModelType = ModelType.UNKNOWN
    model_format: ModelFormat = ModelFormat.UNKNOWN
    base_model: BaseModelType = BaseModelType.UNKNOWN
