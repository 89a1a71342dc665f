"""Ideogram 4: 34 blocks of 4608 over the stacked layers of an LLM, 53248 wide.

Sources: the header of the published file, `Ideogram4Transformer2DModel` of huggingface/diffusers,
which splits the query, key and value that the original keeps together.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    diffusers_names,
    main_file,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_IDEOGRAM_4 = BaseModelType.IDEOGRAM_4
_WIDTH, _TEXT, _BLOCKS = 4608, 53248, 34

FAMILIES = (
    main_file(
        _IDEOGRAM_4,
        "file",
        Tensor("llm_cond_norm.weight", (_TEXT,)),
        Tensor("embed_image_indicator.weight", (2, _WIDTH)),
        Tensor("layers.#.attention_norm1.weight", (_WIDTH,), below=_BLOCKS),
        Tensor("layers.#.attention.norm_q.weight", rank=1, below=_BLOCKS),
        weight_or_bias("input_proj", _WIDTH),
        NoOther("input_proj.weight", (_WIDTH, 128)),
        NoOther("final_layer.linear.weight", (128, _WIDTH)),
        *NO_CONTROL,
        traits=(diffusers_names("layers.#.attention.to_q.weight"),),
        blocks=(("layers", _BLOCKS),),
    ),
    component(
        _IDEOGRAM_4,
        "Ideogram4Transformer2DModel",
        Setting("llm_features_dim", (_TEXT,)),
        *where_set(in_channels=128, attention_head_dim=256),
    ),
)
"""Everything that Ideogram 4 brings as a denoiser."""
