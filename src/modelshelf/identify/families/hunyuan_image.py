"""HunyuanImage 2.1: HunyuanVideo's blocks, 3584 wide, with a second text for letters in the image.

The distilled model is told two times and a guidance; the refiner is 3328 wide and joins two latents.
Sources: `hyimage/models/hunyuan` of Tencent-Hunyuan/HunyuanImage-2.1,
`HunyuanImageTransformer2DModel` of huggingface/diffusers, `comfy/supported_models.py` of
Comfy-Org/ComfyUI.
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
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_HUNYUAN_IMAGE = BaseModelType.HUNYUAN_IMAGE
_WIDTH, _REFINER, _TEXT = 3584, 3328, 3584
_DOUBLE, _SINGLE = 20, 40
_DISTILLED = Architecture("hunyuan-image-2.1-distilled")
_REFINES = Architecture("hunyuan-image-2.1-refiner")

FAMILIES = (
    main_file(
        _HUNYUAN_IMAGE,
        "original",
        # One patch of one pixel in two dimensions. The refiner's has three: more than every container
        # keeps, so its bias tells.
        Either(
            (
                Tensor("img_in.proj.weight", (_WIDTH, 64, 1, 1), rank=4),
                Tensor("img_in.proj.bias", (_REFINER,)),
            )
        ),
        # Tencent's names, and those under which ComfyUI saves them.
        Either(
            (
                weight_or_bias("double_blocks.#.img_mod.linear", (6 * _WIDTH, 6 * _REFINER)),
                weight_or_bias("double_blocks.#.img_mod.lin", (6 * _WIDTH, 6 * _REFINER)),
            )
        ),
        Either(
            (
                Tensor("double_blocks.#.img_attn_k_norm.weight", rank=1, below=_DOUBLE),
                norm_of("double_blocks.#.img_attn.norm.key_norm", below=_DOUBLE),
            )
        ),
        weight_or_bias("txt_in.input_embedder", (_WIDTH, _REFINER)),
        NoOther("txt_in.input_embedder.weight", (None, _TEXT)),
        NoOther("final_layer.linear.weight", (64,)),
        # HunyuanVideo takes pooled text as well; an index tells names and no widths.
        Absent("vector_in.*"),
        *NO_CONTROL,
        traits=(
            Trait(_DISTILLED, Marker("time_r_in.*")),
            Trait(_REFINES, Tensor("img_in.proj.bias", (_REFINER,))),
        ),
        blocks=(("double_blocks", _DOUBLE), ("single_blocks", _SINGLE)),
    ),
    main_file(
        _HUNYUAN_IMAGE,
        "diffusers",
        Either(
            (
                Tensor("x_embedder.proj.weight", (_WIDTH, 64, 1, 1), rank=4),
                Tensor("x_embedder.proj.bias", (_REFINER,)),
            )
        ),
        weight_or_bias("transformer_blocks.#.norm1.linear", (6 * _WIDTH, 6 * _REFINER)),
        Tensor("transformer_blocks.#.attn.norm_added_k.weight", rank=1, below=_DOUBLE),
        Tensor("single_transformer_blocks.#.attn.norm_k.weight", rank=1, below=_SINGLE),
        weight_or_bias("context_embedder.proj_in", (_WIDTH, _REFINER)),
        NoOther("context_embedder.proj_in.weight", (None, _TEXT)),
        NoOther("proj_out.weight", (64,)),
        Absent("time_text_embed.*"),
        *NO_CONTROL,
        traits=(
            Trait(_DISTILLED, Tensor("time_guidance_embed.timestep_embedder_r.linear_1.weight")),
            Trait(_REFINES, Tensor("x_embedder.proj.bias", (_REFINER,))),
        ),
        blocks=(("transformer_blocks", _DOUBLE), ("single_transformer_blocks", _SINGLE)),
    ),
    component(
        _HUNYUAN_IMAGE,
        "HunyuanImageTransformer2DModel",
        *where_set(
            text_embed_dim=_TEXT,
            out_channels=64,
            num_attention_heads=(28, 26),
            attention_head_dim=128,
        ),
        traits=(
            Trait(_DISTILLED, Setting("use_meanflow", (True,))),
            Trait(_REFINES, Setting("in_channels", (128,))),
        ),
    ),
)
"""Everything that HunyuanImage 2.1 brings as a denoiser."""
