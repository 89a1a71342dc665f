"""Stable Diffusion 2.x: text 1024 wide (OpenCLIP H), projections that are linear."""

from __future__ import annotations

from modelshelf.identify.condition import Never, Setting, Unset
from modelshelf.identify.families.unet import (
    CHANNELS,
    MARKED_PREDICTION,
    config_variants,
    control_config,
    control_config_of_another_width,
    control_diffusers,
    control_ldm,
    diffusers_variants,
    ldm_variants,
    unet_config,
    unet_config_of_another_width,
    unet_diffusers,
    unet_ldm,
    unet_ldm_of_another_width,
)
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, OneTensor, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_SD_2 = (BaseModelType.SD_2,)
_TEXT, _WIDTH = 1024, 320
# Published for epsilon alone; of the plain model there are both kinds, equal by structure.
_EPSILON = SchedulerPredictionType.EPSILON
_PREDICTION_BY_INPUT = (
    Trait(_EPSILON, Tensor("input_blocks.0.0.weight", (None, (5, 9)))),
    Trait(_EPSILON, Marker("denoiser.sigmas")),
    Trait(Architecture("sd-turbo"), Marker("denoiser.sigmas")),
)
_UNET_FOLDER = (
    Unset("addition_embed_type"),
    # SD 1 projects what goes into its attentions by convolutions, SD 2 by matrices.
    Never(Setting("use_linear_projection", (False,))),
)

FAMILIES = (
    Family(
        id="sd-2/main/ldm",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_SD_2,
        conditions=(
            *unet_ldm(_TEXT, (6, 1, 9)),
            Tensor("input_blocks.0.0.weight", (_WIDTH,)),
            Tensor("input_blocks.#.#.proj_in.weight", rank=2),
            Absent("label_emb.*"),
            Absent("zero_convs.*"),
        ),
        traits=(*ldm_variants(), *MARKED_PREDICTION, *_PREDICTION_BY_INPUT),
        # Packed weights hide the width of the text, and nobody packs what came before.
        special_case_of=("other/main/ldm-text2im",),
    ),
    unet_ldm_of_another_width(
        BaseModelType.SD_2,
        _TEXT,
        (6, 1, 9),
        _WIDTH,
        Tensor("input_blocks.#.#.proj_in.weight", rank=2),
        Absent("label_emb.*"),
    ),
    Family(
        id="sd-2/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_2,
        conditions=(
            *unet_diffusers(_TEXT, (6, 1, 9)),
            Tensor("conv_in.weight", (_WIDTH,)),
            Tensor("down_blocks.#.attentions.#.proj_in.weight", rank=2),
            Absent("class_embedding*"),
            Absent("add_embedding*"),
        ),
        traits=diffusers_variants(),
    ),
    Family(
        id="sd-2/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_2,
        conditions=(*unet_config(_TEXT, "xxx-"), *_UNET_FOLDER),
        traits=config_variants(),
    ),
    unet_config_of_another_width(BaseModelType.SD_2, _TEXT, "xxx-", *_UNET_FOLDER),
    Family(
        id="sd-2/controlnet/ldm",
        type=ModelType.CONTROLNET,
        format=ModelFormat.CHECKPOINT,
        bases=_SD_2,
        conditions=(*control_ldm(_TEXT, (6, 1)), Absent("label_emb.*")),
    ),
    Family(
        id="sd-2/controlnet/diffusers",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_2,
        conditions=(*control_diffusers(_TEXT, (6, 1)), Absent("add_embedding*")),
    ),
    Family(
        id="sd-2/controlnet/folder",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_2,
        conditions=(
            *control_config(_TEXT, "xxx-"),
            Unset("addition_embed_type"),
        ),
    ),
    control_config_of_another_width(
        BaseModelType.SD_2, _TEXT, "xxx-", Unset("addition_embed_type")
    ),
    Family(
        id="sd-2/ip-adapter",
        type=ModelType.IP_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        bases=_SD_2,
        conditions=(
            Tensor("ip_adapter.#.to_k_ip.weight", (CHANNELS, _TEXT), count=16, below=32),
            Tensor("ip_adapter.#.to_v_ip.weight", (CHANNELS, _TEXT), count=16),
        ),
    ),
    Family(
        id="sd-2/embedding/file",
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=_SD_2,
        conditions=(OneTensor(_TEXT, most=256),),
    ),
    Family(
        id="sd-2/text-encoder/folder",
        type=ModelType.CLIP_EMBED,
        format=ModelFormat.TRANSFORMERS,
        bases=_SD_2,
        conditions=(
            Setting("class", ("CLIPTextModel",)),
            Setting("hidden_size", (_TEXT,)),
        ),
    ),
)
"""Everything that Stable Diffusion 2 brings."""
