"""Qwen-Image: 60 double blocks of 3072 over text of Qwen2.5-VL, 3584 wide.

The editing model is equal by structure; its release of November 2025 carries an empty tensor that
says so, or a field of its configuration. Layered adds an embedding. ControlNets hold a few of its
blocks. Source: `QwenImageTransformer2DModel` of huggingface/diffusers, whose names everybody uses.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Setting, Unset
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelVariantType

__all__ = ["FAMILIES"]

_QWEN_IMAGE = BaseModelType.QWEN_IMAGE
_WIDTH, _TEXT, _BLOCKS = 3072, 3584, 60
_EDIT_2511 = Architecture("qwen-image-edit-2511")

FAMILIES = (
    main_file(
        _QWEN_IMAGE,
        "file",
        Tensor("txt_norm.weight", (_TEXT,)),
        weight_or_bias("transformer_blocks.#.img_mod.#", 6 * _WIDTH),
        Tensor("transformer_blocks.#.attn.norm_added_k.weight", rank=1, below=_BLOCKS),
        weight_or_bias("txt_in", _WIDTH),
        weight_or_bias("img_in", _WIDTH),
        weight_or_bias("proj_out", 64),
        NoOther("txt_in.weight", (_WIDTH, _TEXT)),
        NoOther("img_in.weight", (_WIDTH, 64)),
        Absent("*.x_rms.*"),
        *NO_CONTROL,
        traits=(
            Trait(ModelVariantType.LAYERED, Tensor("time_text_embed.addition_t_embedding.weight")),
            Trait(_EDIT_2511, Marker("__index_timestep_zero__")),
        ),
    ),
    component(
        _QWEN_IMAGE,
        "QwenImageTransformer2DModel",
        Setting("joint_attention_dim", (_TEXT,)),
        Setting("in_channels", (64,)),
        *where_set(out_channels=16, num_attention_heads=24, attention_head_dim=128),
        traits=(
            Trait(ModelVariantType.LAYERED, Setting("use_additional_t_cond", (True,))),
            Trait(_EDIT_2511, Setting("zero_cond_t", (True,))),
            Trait(
                Architecture("qwen-image-edit"),
                Both(Setting("pipeline", ("QwenImageEdit*",)), Unset("zero_cond_t")),
            ),
        ),
    ),
)
"""Everything that Qwen-Image brings as a denoiser."""
