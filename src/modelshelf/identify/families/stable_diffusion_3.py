"""Stable Diffusion 3 and 3.5: joint blocks, text 4096 wide, pooled text 2048 wide.

Medium has 24 blocks of 1536, 3.5 medium a second attention, 3.5 large 38 blocks of 2432.
Sources: `mmditx.py` of Stability-AI/sd3.5, `SD3Transformer2DModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Either, Never, Setting, Unset
from modelshelf.identify.families.denoiser import (
    goes_beyond_control,
    main_file,
    of_another_width,
    where_set,
)
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Some, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_SD_3 = (BaseModelType.SD_3,)
_WIDTH_OF_LARGE, _FEWEST_BLOCKS = 2432, 24
_WIDTHS = (1536, _WIDTH_OF_LARGE)
_MEDIUM, _MEDIUM_3_5, _LARGE = (
    Architecture("sd-3-medium"),
    Architecture("sd-3.5-medium"),
    Architecture("sd-3.5-large"),
)


def _sizes(patches: str, attention: str, second: str) -> tuple[Trait, ...]:
    """The published sizes. Names tell them apart too, where shapes are not to be had.

    Args:
        patches: The first layer.
        attention: A weight of each block's attention; a `#` stands for its number.
        second: What medium's first blocks have beside it, since 3.5.
    """
    last_block = attention.replace("#", "37", 1)
    is_plain = Both(Tensor(attention.replace("#", "0", 1)), Absent(second))
    is_wide = Some("context_embedder.weight", (_WIDTH_OF_LARGE, 4096))
    is_large = Either((Tensor(last_block), is_wide))
    return (
        Trait(ModelVariantType.NORMAL, Tensor(patches)),
        Trait(_LARGE, is_large),
        Trait(_MEDIUM_3_5, Both(Marker(second), Never(is_large))),
        Trait(_MEDIUM, Both(is_plain, Never(is_large))),
    )


FAMILIES = (
    main_file(
        BaseModelType.SD_3,
        "original",
        Tensor("joint_blocks.#.x_block.attn.proj.bias", (_WIDTHS,), rank=1, below=38),
        Tensor("joint_blocks.#.context_block.attn.qkv.bias", rank=1),
        Tensor("context_embedder.weight", (_WIDTHS, 4096)),
        Tensor("x_embedder.proj.weight", (_WIDTHS, 16, 2, 2)),
        Tensor("y_embedder.mlp.0.weight", (_WIDTHS, 2048)),
        Absent("controlnet*"),
        Absent("y_embedder.y_embedding"),
        traits=_sizes(
            "x_embedder.proj.weight",
            "joint_blocks.#.x_block.attn.proj.weight",
            "joint_blocks.#.x_block.attn2.*",
        ),
        blocks=(("joint_blocks", _FEWEST_BLOCKS),),
    ),
    main_file(
        BaseModelType.SD_3,
        "diffusers",
        Tensor("transformer_blocks.#.attn.add_q_proj.bias", (_WIDTHS,), rank=1, below=38),
        Tensor("time_text_embed.text_embedder.linear_1.weight", (_WIDTHS, 2048)),
        Tensor("context_embedder.weight", (_WIDTHS, 4096)),
        Tensor("pos_embed.proj.weight", (_WIDTHS, 16, 2, 2)),
        Absent("single_transformer_blocks.*"),
        Absent("controlnet*"),
        Absent("pos_embed_input*"),
        NoOther("proj_out.weight", (64, _WIDTHS)),
        # Published ControlNets have 12 or 23 blocks of medium's, and 19 of large's.
        goes_beyond_control(
            "proj_out.weight",
            "transformer_blocks.23.attn.to_q.weight",
            Tensor("transformer_blocks.19.attn.to_q.weight", (_WIDTH_OF_LARGE,)),
        ),
        # Pyramid-Flow for video took medium's blocks, and calls these norms otherwise.
        Absent("*.norm_add_q.*"),
        traits=_sizes(
            "pos_embed.proj.weight",
            "transformer_blocks.#.attn.to_q.weight",
            "transformer_blocks.#.attn2.*",
        ),
        blocks=(("transformer_blocks", _FEWEST_BLOCKS),),
    ),
    *of_another_width(
        Family(
            id="sd-3/transformer/folder",
            type=ModelType.TRANSFORMER,
            format=ModelFormat.DIFFUSERS,
            bases=_SD_3,
            conditions=(
                Setting("class", ("SD3Transformer2DModel",)),
                Setting("joint_attention_dim", (4096,)),
                Setting("pooled_projection_dim", (2048,)),
                Setting("in_channels", (16,)),
                *where_set(out_channels=16),
            ),
            traits=(
                Trait(ModelVariantType.NORMAL, Setting("in_channels", (16,))),
                Trait(_LARGE, Setting("num_layers", (38,))),
                Trait(_MEDIUM_3_5, Both(Setting("num_layers", (24,)), Setting("qk_norm"))),
                Trait(_MEDIUM, Both(Setting("num_layers", (24,)), Unset("qk_norm"))),
            ),
            prediction_type=SchedulerPredictionType.FLOW,
        ),
        num_attention_heads=(24, 38),
        attention_head_dim=64,
    ),
    Family(
        id="sd-3/controlnet/diffusers",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_3,
        conditions=(
            Tensor("controlnet_blocks.#.weight", (_WIDTHS, _WIDTHS)),
            Tensor("pos_embed_input.proj.weight", (_WIDTHS,)),
            Tensor("time_text_embed.text_embedder.linear_1.weight", (_WIDTHS, 2048)),
        ),
    ),
    Family(
        id="sd-3/controlnet/folder",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_3,
        conditions=(
            Setting("class", ("SD3ControlNetModel",)),
            *where_set(
                joint_attention_dim=4096, num_attention_heads=(24, 38), attention_head_dim=64
            ),
        ),
    ),
    Family(
        id="sd-3/vae/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_3,
        conditions=(
            Setting("class", ("AutoencoderKL",)),
            Setting("latent_channels", (16,)),
            Setting("scaling_factor", (1.5305,)),
        ),
    ),
    Family(
        id="sd-3/embedding/file",
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=_SD_3,
        conditions=(
            Tensor("clip_g", (None, 1280), rank=2),
            Tensor("clip_l", (None, 768), rank=2),
            Either((Tensor("t5xxl", (None, 4096), rank=2), Tensor("t5", (None, 4096), rank=2))),
        ),
    ),
)
"""Everything that Stable Diffusion 3 brings."""
