"""CogView4: 28 blocks of 4096 over GLM's text; patches by a linear layer, norms from 512 numbers.

CogView3+ has the same names at a width of 2560, CogVideoX an additional norm and its own widths.
Source: `CogView4Transformer2DModel` of huggingface/diffusers, with the published configuration: the
class defaults are CogView3+'s.
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
from modelshelf.identify.family import Trait
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelVariantType

__all__ = ["FAMILIES"]

_COGVIEW_4 = BaseModelType.COGVIEW_4
_WIDTH, _TEXT, _BLOCKS, _NORMS = 4096, 4096, 28, 12

FAMILIES = (
    main_file(
        _COGVIEW_4,
        "diffusers",
        weight_or_bias("patch_embed.text_proj", _WIDTH),
        Tensor("transformer_blocks.#.norm1.linear.bias", (_NORMS * _WIDTH,), below=_BLOCKS),
        Tensor("time_condition_embed.condition_embedder.linear_1.weight"),
        Tensor("patch_embed.proj.weight", rank=2),
        NoOther("patch_embed.text_proj.weight", (_WIDTH, _TEXT)),
        NoOther("proj_out.weight", (64, _WIDTH)),
        *NO_CONTROL,
        traits=(Trait(ModelVariantType.CONTROL, Tensor("patch_embed.proj.weight", (_WIDTH, 128))),),
        blocks=(("transformer_blocks", _BLOCKS),),
    ),
    component(
        _COGVIEW_4,
        "CogView4Transformer2DModel",
        Setting("text_embed_dim", (_TEXT,)),
        Setting("attention_head_dim", (128,)),
        Setting("num_attention_heads", (32,)),
        *where_set(out_channels=16),
        traits=(Trait(ModelVariantType.CONTROL, Setting("in_channels", (32,))),),
    ),
)
"""Everything that CogView4 brings as a denoiser."""
