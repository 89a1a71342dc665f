"""Lumina 2: 26 blocks of 2304 with heads of 96, one stream for image and text, and refiners.

Z-Image, OmniGen 2 and Boogu grew from it: their widths differ, and each has tensors that Lumina 2
lacks. Sources: `models/model.py` of Alpha-VLLM/Lumina-Image-2.0, `Lumina2Transformer2DModel` of
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
from modelshelf.identify.tensor_condition import Absent, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_LUMINA_2 = BaseModelType.LUMINA_2
_WIDTH, _HEAD, _TEXT, _BLOCKS = 2304, 96, 2304, 26
_NO_CHILD = (
    Absent("*_pad_token"),
    Absent("ref_image_*"),
    Absent("double_stream_layers.*"),
    Absent("clip_text_*"),
    *NO_CONTROL,
)

FAMILIES = (
    main_file(
        _LUMINA_2,
        "original",
        Tensor("layers.#.attention.q_norm.weight", (_HEAD,), below=_BLOCKS),
        Tensor("noise_refiner.#.attention.q_norm.weight", (_HEAD,)),
        Tensor("context_refiner.#.attention_norm1.weight", (_WIDTH,)),
        Tensor("cap_embedder.0.weight", (_TEXT,)),
        NoOther("final_layer.linear.weight", (64, _WIDTH)),
        weight_or_bias("x_embedder", _WIDTH),
        NoOther("x_embedder.weight", (_WIDTH, 64)),
        *_NO_CHILD,
        blocks=(("layers", _BLOCKS),),
    ),
    main_file(
        _LUMINA_2,
        "diffusers",
        Tensor("layers.#.attn.norm_q.weight", (_HEAD,), below=_BLOCKS),
        Tensor("noise_refiner.#.attn.norm_q.weight", (_HEAD,)),
        Tensor("context_refiner.#.norm1.weight", (_WIDTH,)),
        Tensor("time_caption_embed.caption_embedder.0.weight", (_TEXT,)),
        weight_or_bias("x_embedder", _WIDTH),
        NoOther("x_embedder.weight", (_WIDTH, 64)),
        *_NO_CHILD,
        blocks=(("layers", _BLOCKS),),
    ),
    component(
        _LUMINA_2,
        "Lumina2Transformer2DModel",
        Setting("hidden_size", (_WIDTH,)),
        Setting("cap_feat_dim", (_TEXT,)),
        *where_set(in_channels=16, out_channels=16),
    ),
)
"""Everything that Lumina 2 brings as a denoiser."""
