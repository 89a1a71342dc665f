"""Boogu: OmniGen 2's entrances, 3360 wide, eight layers of two streams and then 32 of one.

Source: the header of the published transformer, recorded by modelscope/DiffSynth-Studio.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file, weight_or_bias
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_BOOGU = BaseModelType.BOOGU
_WIDTH, _TEXT, _DOUBLE, _SINGLE = 3360, 4096, 8, 32

FAMILIES = (
    main_file(
        _BOOGU,
        "file",
        Tensor("double_stream_layers.#.img_instruct_attn.norm_q.weight", rank=1, below=_DOUBLE),
        Tensor("single_stream_layers.#.attn.norm_q.weight", rank=1, below=_SINGLE),
        Tensor("image_index_embedding", (None, _WIDTH)),
        weight_or_bias("ref_image_patch_embedder", _WIDTH),
        NoOther("x_embedder.weight", (_WIDTH, 64)),
        NoOther("time_caption_embed.caption_embedder.0.weight", (_TEXT,)),
        NoOther("norm_out.linear_2.weight", (64,)),
        *NO_CONTROL,
        blocks=(("double_stream_layers", _DOUBLE), ("single_stream_layers", _SINGLE)),
    ),
    component(_BOOGU, "Boogu*Transformer2DModel", Setting("hidden_size", (_WIDTH,))),
)
"""Everything that Boogu brings as a denoiser."""
