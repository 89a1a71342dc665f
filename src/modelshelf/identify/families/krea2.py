"""Krea 2: 28 blocks of 6144 with gated attention, over twelve layers of an LLM fused by one vector.

Sources: the header of the published file, `Krea2Transformer2DModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    norm_of,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_KREA_2 = BaseModelType.KREA_2
_WIDTH, _TEXT, _BLOCKS = 6144, 2560, 28

FAMILIES = (
    main_file(
        _KREA_2,
        "original",
        Tensor("txtfusion.projector.weight"),
        norm_of("blocks.#.prenorm", _WIDTH, below=_BLOCKS),
        Tensor("blocks.#.mod.lin", (6 * _WIDTH,), below=_BLOCKS),
        norm_of("txtfusion.refiner_blocks.#.prenorm", _TEXT),
        weight_or_bias("first", _WIDTH),
        NoOther("first.weight", (_WIDTH, 64)),
        NoOther("last.linear.weight", (64, _WIDTH)),
        *NO_CONTROL,
        blocks=(("blocks", _BLOCKS),),
    ),
    main_file(
        _KREA_2,
        "diffusers",
        Tensor("text_fusion.projector.weight"),
        Tensor("transformer_blocks.#.norm1.weight", (_WIDTH,), below=_BLOCKS),
        Tensor("transformer_blocks.#.scale_shift_table", (6, _WIDTH), below=_BLOCKS),
        Tensor("txt_in.norm.weight", (_TEXT,)),
        weight_or_bias("img_in", _WIDTH),
        NoOther("img_in.weight", (_WIDTH, 64)),
        NoOther("final_layer.linear.weight", (64, _WIDTH)),
        *NO_CONTROL,
        blocks=(("transformer_blocks", _BLOCKS),),
    ),
    component(
        _KREA_2,
        "Krea2Transformer2DModel",
        Setting("text_hidden_dim", (_TEXT,)),
        *where_set(in_channels=64, attention_head_dim=128),
    ),
)
"""Everything that Krea 2 brings as a denoiser."""
