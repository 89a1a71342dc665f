"""OmniGen 2: Lumina 2's plan, 32 blocks of 2520, with an entrance of its own for images to edit.

Boogu has the same entrance and is wider, with layers of two streams. Source:
`omnigen2/models/transformers/transformer_omnigen2.py` of VectorSpaceLab/OmniGen2.
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
from modelshelf.identify.tensor_condition import Absent, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_OMNIGEN_2 = BaseModelType.OMNIGEN_2
_WIDTH, _TEXT, _BLOCKS = 2520, 2048, 32

FAMILIES = (
    main_file(
        _OMNIGEN_2,
        "file",
        Tensor("image_index_embedding", (None, _WIDTH)),
        weight_or_bias("ref_image_patch_embedder", _WIDTH),
        NoOther("x_embedder.weight", (_WIDTH, 64)),
        NoOther("norm_out.linear_2.weight", (64,)),
        Tensor("layers.#.attn.norm_q.weight", rank=1, below=_BLOCKS),
        Tensor("ref_image_refiner.#.ffn_norm1.weight", (_WIDTH,)),
        Tensor("time_caption_embed.caption_embedder.0.weight", (_TEXT,)),
        Absent("double_stream_layers.*"),
        *NO_CONTROL,
        blocks=(("layers", _BLOCKS),),
    ),
    component(
        _OMNIGEN_2,
        "OmniGen2Transformer2DModel",
        Setting("hidden_size", (_WIDTH,)),
        Setting("text_feat_dim", (_TEXT,)),
        *where_set(in_channels=16, out_channels=16),
    ),
)
"""Everything that OmniGen 2 brings as a denoiser."""
