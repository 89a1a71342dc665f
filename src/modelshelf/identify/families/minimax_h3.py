"""MiniMax-H3: 50 blocks of 5376 over video and audio together, refined text of 5120.

Sources: `MiniMaxH3DiTModel` as published, `MiniMaxH3Transformer3DModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file
from modelshelf.identify.families.video import vectors
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_MINIMAX_H3 = BaseModelType.MINIMAX_H3
_WIDTH, _HEAD, _BLOCKS = 5376, 128, 50

FAMILIES = (
    main_file(
        _MINIMAX_H3,
        "original",
        vectors("token_refiner.blocks.#.norm1.weight", _WIDTH),
        vectors("blocks.#.norm1.weight", _WIDTH, below=_BLOCKS),
        vectors("blocks.#.attn.q_norm.weight", _HEAD),
        Tensor("blocks.#.adaln_proj.linear.bias", rank=1),
        Either(
            (
                vectors("video_patch_proj.bias", _WIDTH),
                vectors("audio_patch_proj.bias", _WIDTH),
                vectors("condition_proj.bias", _WIDTH),
            )
        ),
        NoOther("video_patch_proj.weight", (_WIDTH, 96)),
        NoOther("audio_patch_proj.weight", (_WIDTH, 32)),
        NoOther("condition_proj.weight", (_WIDTH, 5120)),
        NoOther("final_layer.video_out.weight", (96, _WIDTH)),
        NoOther("final_layer.audio_out.weight", (32, _WIDTH)),
        *NO_CONTROL,
        blocks=(("blocks", _BLOCKS),),
    ),
    main_file(
        _MINIMAX_H3,
        "diffusers",
        vectors("token_refiner.refiner_blocks.#.norm1.weight", _WIDTH),
        vectors("transformer_blocks.#.norm1.weight", _WIDTH, below=_BLOCKS),
        vectors("transformer_blocks.#.attn.norm_q.weight", _HEAD),
        Tensor("transformer_blocks.#.adaln_proj.linear.bias", rank=1),
        *NO_CONTROL,
        blocks=(("transformer_blocks", _BLOCKS),),
    ),
    component(
        _MINIMAX_H3,
        "MiniMaxH3DiTModel",
        Setting("hidden_size", (_WIDTH,)),
        kind="original-folder",
    ),
    component(_MINIMAX_H3, "MiniMaxH3Transformer3DModel"),
)
"""Everything that MiniMax-H3 brings as a denoiser."""
