"""Chroma: FLUX.1's blocks without modulation of their own; one guidance layer modulates them all.

Radiance works on pixels: a small network of its own (`nerf_…`) stands where FLUX has its projection
of latents. Sources: `src/models/chroma/model.py` of lodestone-rock/flow, `ChromaTransformer2DModel`
of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    norm_of,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.tensor_condition import Absent, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_CHROMA = BaseModelType.CHROMA
_WIDTH, _TEXT = 3072, 4096
_DOUBLE, _SINGLE = 19, 38

FAMILIES = (
    main_file(
        _CHROMA,
        "original",
        weight_or_bias("distilled_guidance_layer.out_proj", _WIDTH),
        norm_of("double_blocks.#.img_attn.norm.key_norm", below=_DOUBLE),
        norm_of("single_blocks.#.norm.key_norm", below=_SINGLE),
        weight_or_bias("txt_in", _WIDTH),
        Either((Tensor("img_in.weight"), Tensor("img_in_patch.weight"))),
        NoOther("txt_in.weight", (_WIDTH, _TEXT)),
        NoOther("final_layer.linear.weight", (64, _WIDTH)),
        Absent("vector_in.*"),
        Absent("*.img_mod.*"),
        Absent("*.modulation.lin*"),
        *NO_CONTROL,
        traits=(Trait(Architecture("chroma-radiance"), Tensor("img_in_patch.weight")),),
        blocks=(("double_blocks", _DOUBLE), ("single_blocks", _SINGLE)),
    ),
    main_file(
        _CHROMA,
        "diffusers",
        weight_or_bias("distilled_guidance_layer.out_proj", _WIDTH),
        Tensor("transformer_blocks.#.attn.norm_added_k.weight", rank=1, below=_DOUBLE),
        Tensor("single_transformer_blocks.#.attn.norm_k.weight", rank=1, below=_SINGLE),
        weight_or_bias("context_embedder", _WIDTH),
        NoOther("context_embedder.weight", (_WIDTH, _TEXT)),
        NoOther("proj_out.weight", (64, _WIDTH)),
        Absent("time_text_embed.text_embedder.*"),
        Absent("*transformer_blocks.#.norm1.linear.*"),
        Absent("*transformer_blocks.#.norm.linear.*"),
        *NO_CONTROL,
        blocks=(("transformer_blocks", _DOUBLE), ("single_transformer_blocks", _SINGLE)),
    ),
    component(
        _CHROMA,
        "ChromaTransformer2DModel",
        Setting("joint_attention_dim", (_TEXT,)),
        *where_set(in_channels=64, out_channels=64, num_attention_heads=24, attention_head_dim=128),
    ),
)
"""Everything that Chroma brings as a denoiser."""
