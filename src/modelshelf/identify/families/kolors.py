"""Kolors: SDXL's UNet over ChatGLM's text, which a projection brings from 4096 to 2048.

Its label is 5632 wide where SDXL's is 2816; its pipelines may call themselves SDXL's.
Sources: `kolors/models` of Kwai-Kolors/Kolors, `UNet2DConditionModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.unet import (
    config_variants,
    diffusers_variants,
    ldm_variants,
    unet_blocks_diffusers,
    unet_blocks_ldm,
)
from modelshelf.identify.family import Family
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_KOLORS = (BaseModelType.KOLORS,)
_CONTEXT, _TEXT, _LABEL = 2048, 4096, 5632
_BLOCKS = (24, 10, 36)
_EPSILON = SchedulerPredictionType.EPSILON

FAMILIES = (
    Family(
        id="kolors/main/ldm",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_KOLORS,
        conditions=(
            Tensor("label_emb.0.0.weight", (None, _LABEL)),
            *unet_blocks_ldm(_CONTEXT, _BLOCKS),
        ),
        traits=ldm_variants(),
        usual_prediction=_EPSILON,
    ),
    Family(
        id="kolors/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_KOLORS,
        conditions=(
            Tensor("add_embedding.linear_1.weight", (None, _LABEL)),
            *unet_blocks_diffusers(_CONTEXT, _BLOCKS),
            Tensor("encoder_hid_proj.weight", (None, _TEXT)),
        ),
        traits=diffusers_variants(),
        usual_prediction=_EPSILON,
    ),
    Family(
        id="kolors/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_KOLORS,
        conditions=(
            Setting("class", ("UNet2DConditionModel",)),
            Setting("cross_attention_dim", (_CONTEXT,)),
            Either(
                (
                    Setting("encoder_hid_dim", (_TEXT,)),
                    Setting("projection_class_embeddings_input_dim", (_LABEL,)),
                )
            ),
            Setting("addition_embed_type", ("text_time",)),
        ),
        traits=config_variants(),
    ),
)
"""Everything that Kolors brings as a denoiser."""
