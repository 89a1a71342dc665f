"""Kandinsky 5 for images: 50 blocks of 2560; the models for video are 1792 and 4096 wide.

Source: `Kandinsky5Transformer3DModel` of huggingface/diffusers, whose names everybody uses.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import component, main_file, weight_or_bias, where_set
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_KANDINSKY_5 = BaseModelType.KANDINSKY_5
_WIDTH, _BLOCKS = 2560, 50
_NAME = "kandinsky-5-image"

FAMILIES = (
    main_file(
        _KANDINSKY_5,
        "image",
        Tensor("text_embeddings.norm.weight", (_WIDTH,)),
        Tensor(
            "visual_transformer_blocks.#.self_attention.query_norm.weight", rank=1, below=_BLOCKS
        ),
        Tensor("visual_transformer_blocks.#.cross_attention.query_norm.weight", rank=1),
        weight_or_bias("visual_embeddings.in_layer", _WIDTH),
        Tensor("pooled_text_embeddings.norm.weight"),
        NoOther("text_embeddings.in_layer.weight", (_WIDTH, 3584)),
        NoOther("pooled_text_embeddings.in_layer.weight", (None, 768)),
        architecture=_NAME,
        blocks=(("visual_transformer_blocks", _BLOCKS),),
    ),
    component(
        _KANDINSKY_5,
        "Kandinsky5Transformer3DModel",
        Setting("model_dim", (_WIDTH,)),
        *where_set(in_text_dim=3584, in_text_dim2=768, out_visual_dim=16),
        architecture=_NAME,
        kind="image-folder",
    ),
)
"""Everything that Kandinsky 5 brings as a denoiser of images."""
