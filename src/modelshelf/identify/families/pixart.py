"""PixArt: 28 blocks of 1152 over T5, one modulation for all blocks, which only shift and scale it.

Alpha takes 120 words of text and its 1024-pixel model is told size and aspect; sigma takes 300. In diffusers'
names alpha of 512 pixels and sigma are equal. Sana shares the blocks and has convolutions in them.
Sources: `PixArtMS.py` of PixArt-alpha/PixArt-alpha and PixArt-sigma, `PixArtTransformer2DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.tensor_condition import Absent, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType, SchedulerPredictionType

__all__ = ["FAMILIES"]

_PIXART = BaseModelType.PIXART
# 28 blocks as published, 42 in the fine-tune of 900 million parameters.
_WIDTH, _TEXT, _BLOCKS = 1152, 4096, 42
_ALPHA, _SIGMA = Architecture("pixart-alpha"), Architecture("pixart-sigma")

FAMILIES = (
    main_file(
        _PIXART,
        "original",
        weight_or_bias("t_block.#", 6 * _WIDTH),
        Tensor("blocks.#.cross_attn.q_linear.bias", (_WIDTH,), below=_BLOCKS),
        Tensor("blocks.#.scale_shift_table", (6, _WIDTH), below=_BLOCKS),
        weight_or_bias("y_embedder.y_proj.fc1", _WIDTH),
        Tensor("x_embedder.proj.weight", (_WIDTH, 4, 2, 2)),
        NoOther("y_embedder.y_proj.fc1.weight", (_WIDTH, _TEXT)),
        NoOther("final_layer.linear.weight", (32, _WIDTH)),
        Absent("attention_y_norm*"),
        *NO_CONTROL,
        prediction=SchedulerPredictionType.EPSILON,
        traits=(
            Trait(_ALPHA, Tensor("y_embedder.y_embedding", (120,))),
            Trait(_SIGMA, Tensor("y_embedder.y_embedding", (300,))),
        ),
    ),
    main_file(
        _PIXART,
        "diffusers",
        weight_or_bias("adaln_single.linear", 6 * _WIDTH),
        Tensor("transformer_blocks.#.attn2.to_k.bias", (_WIDTH,), below=_BLOCKS),
        Tensor("transformer_blocks.#.scale_shift_table", (6, _WIDTH), below=_BLOCKS),
        Tensor("pos_embed.proj.weight", (_WIDTH, 4, 2, 2)),
        weight_or_bias("caption_projection.linear_1", _WIDTH),
        NoOther("caption_projection.linear_1.weight", (_WIDTH, _TEXT)),
        NoOther("proj_out.weight", (32, _WIDTH)),
        # Latte: the same blocks, and as many again over time.
        Absent("temporal_transformer_blocks.*"),
        *NO_CONTROL,
        prediction=SchedulerPredictionType.EPSILON,
        traits=(Trait(_ALPHA, Tensor("adaln_single.emb.resolution_embedder.linear_1.weight")),),
    ),
    component(
        _PIXART,
        "PixArtTransformer2DModel",
        Setting("caption_channels", (_TEXT,)),
        Setting("in_channels", (4,)),
        *where_set(out_channels=8, num_attention_heads=16, attention_head_dim=72),
        prediction=SchedulerPredictionType.EPSILON,
        traits=(Trait(_ALPHA, Setting("use_additional_conditions", (True,))),),
    ),
    # The first release of alpha came before its class: a general transformer with PixArt's norm.
    component(
        _PIXART,
        "Transformer2DModel",
        Setting("norm_type", ("ada_norm_single",)),
        Setting("caption_channels", (_TEXT,)),
        Setting("in_channels", (4,)),
        prediction=SchedulerPredictionType.EPSILON,
        kind="old-folder",
    ),
)
"""Everything that PixArt brings as a denoiser."""
