"""Stable Diffusion 1.x: text 768 wide (CLIP L), projections that are convolutions."""

from __future__ import annotations

from modelshelf.identify.condition import Setting, Unset
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
from modelshelf.identify.family import Family
from modelshelf.identify.tensor_condition import Absent, OneTensor, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_SD_1 = (BaseModelType.SD_1,)
_TEXT, _WIDTH = 768, 320
_EPSILON = SchedulerPredictionType.EPSILON

FAMILIES = (
    Family(
        id="sd-1/main/ldm",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_SD_1,
        conditions=(
            *unet_ldm(_TEXT, (6, 1, 9)),
            Tensor("input_blocks.0.0.weight", (_WIDTH,)),
            Tensor("input_blocks.#.#.proj_in.weight", rank=4),
            Absent("label_emb.*"),
            Absent("zero_convs.*"),
        ),
        traits=(*ldm_variants(edits=True), *MARKED_PREDICTION),
        # Few were trained for v-prediction, with the very same tensors.
        usual_prediction=_EPSILON,
        # Packed weights hide the width of the text, and nobody packs what came before.
        special_case_of=("other/main/ldm-text2im",),
    ),
    unet_ldm_of_another_width(
        BaseModelType.SD_1,
        _TEXT,
        (6, 1, 9),
        _WIDTH,
        Tensor("input_blocks.#.#.proj_in.weight", rank=4),
        Absent("label_emb.*"),
        usual=_EPSILON,
    ),
    Family(
        id="sd-1/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(
            *unet_diffusers(_TEXT, (6, 1, 9)),
            Tensor("down_blocks.#.attentions.#.proj_in.weight", rank=4),
            # Models of music have as many attentions, where packing hides what these attend to, and so have
            # models that somebody made smaller, which adapters do not fit.
            Tensor("conv_in.weight", (_WIDTH,)),
            Absent("class_embedding*"),
            Absent("add_embedding*"),
        ),
        traits=diffusers_variants(edits=True),
        # Few were trained for v-prediction, with the very same tensors.
        usual_prediction=_EPSILON,
    ),
    Family(
        id="sd-1/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(*unet_config(_TEXT, "xxx-"), Unset("addition_embed_type")),
        traits=config_variants(edits=True),
    ),
    unet_config_of_another_width(BaseModelType.SD_1, _TEXT, "xxx-", Unset("addition_embed_type")),
    Family(
        id="sd-1/controlnet/ldm",
        type=ModelType.CONTROLNET,
        format=ModelFormat.CHECKPOINT,
        bases=_SD_1,
        conditions=(*control_ldm(_TEXT, (6, 1)), Absent("label_emb.*")),
    ),
    Family(
        id="sd-1/controlnet/diffusers",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(*control_diffusers(_TEXT, (6, 1)), Absent("add_embedding*")),
    ),
    Family(
        id="sd-1/controlnet/folder",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(
            *control_config(_TEXT, "xxx-"),
            Unset("addition_embed_type"),
        ),
    ),
    control_config_of_another_width(
        BaseModelType.SD_1, _TEXT, "xxx-", Unset("addition_embed_type")
    ),
    Family(
        id="sd-1/ip-adapter",
        type=ModelType.IP_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        bases=_SD_1,
        conditions=(
            Tensor("ip_adapter.#.to_k_ip.weight", (CHANNELS, _TEXT), count=16, below=32),
            Tensor("ip_adapter.#.to_v_ip.weight", (CHANNELS, _TEXT), count=16),
        ),
    ),
    Family(
        id="sd-1/embedding/file",
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=_SD_1,
        conditions=(OneTensor(_TEXT, most=256),),
    ),
    Family(
        id="sd-1/t2i-adapter/folder",
        type=ModelType.T2I_ADAPTER,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(
            Setting("class", ("T2IAdapter",)),
            Setting("adapter_type", ("full_adapter", "light_adapter")),
            Setting("channels", ([320, 640, 1280, 1280],)),
        ),
    ),
)
"""Everything that Stable Diffusion 1 brings."""
