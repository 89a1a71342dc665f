"""LongCat-Video: 48 blocks of 4096 whose attentions are fused, and which no base is named for.

Wan shares its VAE and text encoder and nothing of its blocks, Sana the names of its cross-attention.
Source: `longcat_video/modules` of meituan-longcat/LongCat-Video.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.video import NO_CONTROL, vectors
from modelshelf.identify.family import Family
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import ModelFormat, ModelType, SchedulerPredictionType

__all__ = ["FAMILIES"]

_WIDTH, _HEAD, _BLOCKS = 4096, 128, 48

FAMILIES = (
    Family(
        id="longcat-video/main/original",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        conditions=(
            vectors("blocks.#.pre_crs_attn_norm.weight", _WIDTH, below=_BLOCKS),
            vectors("blocks.#.cross_attn.k_norm.weight", _HEAD),
            vectors("blocks.#.adaLN_modulation.#.bias", 6 * _WIDTH),
            Tensor("blocks.#.cross_attn.kv_linear.bias", (2 * _WIDTH,)),
            *NO_CONTROL,
        ),
        prediction_type=SchedulerPredictionType.FLOW,
        blocks=(("blocks", _BLOCKS),),
        architecture="longcat-video",
    ),
    Family(
        id="longcat-video/transformer/folder",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        conditions=(
            Setting("class", ("LongCatVideoTransformer3DModel",)),
            Setting("hidden_size", (_WIDTH,)),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
        architecture="longcat-video",
    ),
)
"""What can be said of LongCat-Video."""
