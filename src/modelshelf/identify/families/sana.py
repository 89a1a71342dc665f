"""Sana: linear attention with convolutions between, 32 latent channels, text of Gemma 2304 wide.

Sprint is told a guidance. Sana-Video adds convolutions over time and is another model.
Sources: `sana_multi_scale.py` of NVlabs/Sana, `SanaTransformer2DModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    goes_beyond_control,
    main_file,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_SANA = BaseModelType.SANA
_WIDTHS, _TEXT = (1152, 2240), 2304
_FEWEST_BLOCKS, _MOST_BLOCKS = 20, 60
_SPRINT = Architecture("sana-sprint")

FAMILIES = (
    main_file(
        _SANA,
        "original",
        Tensor("attention_y_norm.weight", (_WIDTHS,)),
        Tensor("blocks.#.mlp.inverted_conv.conv.weight", rank=4, below=_MOST_BLOCKS),
        Tensor("blocks.#.scale_shift_table", (6, _WIDTHS), below=_MOST_BLOCKS),
        weight_or_bias("y_embedder.y_proj.fc1", _WIDTHS),
        Tensor("x_embedder.proj.weight", (_WIDTHS, 32), rank=4),
        NoOther("y_embedder.y_proj.fc1.weight", (_WIDTHS, _TEXT)),
        NoOther("final_layer.linear.weight", (32, _WIDTHS)),
        Absent("*.t_conv.*"),
        *NO_CONTROL,
        traits=(Trait(_SPRINT, Tensor("cfg_embedder.mlp.#.weight")),),
        blocks=(("blocks", _FEWEST_BLOCKS),),
    ),
    main_file(
        _SANA,
        "diffusers",
        Tensor("caption_norm.weight", (_WIDTHS,)),
        Either(
            (
                Tensor("transformer_blocks.#.ff.conv_inverted.weight", rank=4, below=_MOST_BLOCKS),
                # Nunchaku packs these convolutions as matrices and turns the words around.
                Marker("*.ff.inverted_conv.*"),
            )
        ),
        Tensor("transformer_blocks.#.scale_shift_table", (6, _WIDTHS), below=_MOST_BLOCKS),
        weight_or_bias("caption_projection.linear_1", _WIDTHS),
        Tensor("patch_embed.proj.weight", (_WIDTHS, 32), rank=4),
        NoOther("caption_projection.linear_1.weight", (_WIDTHS, _TEXT)),
        NoOther("proj_out.weight", (32, _WIDTHS)),
        Absent("*.conv_temp.*"),
        *NO_CONTROL,
        # Published ControlNets have seven blocks.
        goes_beyond_control("proj_out.weight", "transformer_blocks.9.scale_shift_table"),
        traits=(Trait(_SPRINT, Tensor("time_embed.guidance_embedder.linear_1.weight")),),
        blocks=(("transformer_blocks", _FEWEST_BLOCKS),),
    ),
    component(
        _SANA,
        "SanaTransformer2DModel",
        Setting("caption_channels", (_TEXT,)),
        Setting("in_channels", (32,)),
        *where_set(out_channels=32, num_attention_heads=(36, 70), attention_head_dim=32),
        traits=(Trait(_SPRINT, Setting("guidance_embeds", (True,))),),
    ),
)
"""Everything that Sana brings as a denoiser."""
