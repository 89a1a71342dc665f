"""Hunyuan-DiT: 40 blocks of 1408 with long skips, CLIP and mT5 side by side.

Up to 1.1 it is told a style and sizes, from 1.2 on it is not.
Sources: `hydit/modules/models.py` of Tencent-Hunyuan/HunyuanDiT, `HunyuanDiT2DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Either, Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.network import Unmeasured
from modelshelf.identify.tensor_condition import Absent, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType, SchedulerPredictionType

__all__ = ["FAMILIES"]

_HUNYUAN_DIT = BaseModelType.HUNYUAN_DIT
_WIDTH, _TEXT, _T5, _BLOCKS = 1408, 1024, 2048, 40
_WITH_STYLE, _WITHOUT = Architecture("hunyuan-dit-1.1"), Architecture("hunyuan-dit-1.2")
_V = SchedulerPredictionType.V_PREDICTION


def _without(style: str, beside: str) -> Trait:
    """1.2 is told no style and no sizes: that nobody embeds them is a tensor, which a file may lose."""
    takes_text = Either((Tensor(beside, (None, _TEXT)), Unmeasured(beside)))
    return Trait(_WITHOUT, Both(takes_text, Absent(style)))


FAMILIES = (
    main_file(
        _HUNYUAN_DIT,
        "original",
        Tensor("text_embedding_padding", (None, _TEXT)),
        Tensor("pooler.positional_embedding", (None, _T5)),
        weight_or_bias("blocks.#.skip_linear", _WIDTH),
        Tensor("x_embedder.proj.weight", (_WIDTH, 4, 2, 2)),
        Tensor("mlp_t5.#.weight"),
        NoOther("final_layer.linear.weight", (32, _WIDTH)),
        Absent("after_proj_list.*"),
        *NO_CONTROL,
        prediction=_V,
        traits=(
            Trait(_WITH_STYLE, Tensor("style_embedder.weight")),
            _without("style_embedder.*", "extra_embedder.0.weight"),
        ),
        blocks=(("blocks", _BLOCKS),),
    ),
    main_file(
        _HUNYUAN_DIT,
        "diffusers",
        Tensor("text_embedding_padding", (None, _TEXT)),
        Tensor("time_extra_emb.pooler.positional_embedding", (None, _T5)),
        Tensor("blocks.#.skip_norm.weight", (2 * _WIDTH,), below=_BLOCKS),
        Tensor("pos_embed.proj.weight", (_WIDTH, 4, 2, 2)),
        weight_or_bias("text_embedder.linear_2", _TEXT),
        NoOther("proj_out.weight", (32, _WIDTH)),
        *NO_CONTROL,
        prediction=_V,
        traits=(
            Trait(_WITH_STYLE, Tensor("time_extra_emb.style_embedder.weight")),
            _without(
                "time_extra_emb.style_embedder.*", "time_extra_emb.extra_embedder.linear_1.weight"
            ),
        ),
        blocks=(("blocks", _BLOCKS),),
    ),
    component(
        _HUNYUAN_DIT,
        "HunyuanDiT2DModel",
        Setting("cross_attention_dim", (_TEXT,)),
        Setting("hidden_size", (_WIDTH,)),
        *where_set(in_channels=4),
        prediction=_V,
        traits=(
            Trait(_WITH_STYLE, Setting("use_style_cond_and_image_meta_size", (True,))),
            Trait(_WITHOUT, Setting("use_style_cond_and_image_meta_size", (False,))),
        ),
    ),
)
"""Everything that Hunyuan-DiT brings as a denoiser."""
