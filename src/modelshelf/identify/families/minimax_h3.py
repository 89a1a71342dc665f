"""MiniMax-H3: 50 blocks of 5376 over video and audio together, refined text of 5120.

Sources: `MiniMaxH3DiTModel` as published, `MiniMaxH3Transformer3DModel` of huggingface/diffusers,
`MiniMaxH3PrunedTransformer3DModel` as multimodalart published it.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file, where_set
from modelshelf.identify.families.video import vectors
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_MINIMAX_H3 = BaseModelType.MINIMAX_H3
_WIDTH, _HEAD, _BLOCKS = 5376, 128, 50
# Twenty-four channels of four pixels, and sound.
_VIDEO, _AUDIO, _TEXT = 96, 32, 5120

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
        NoOther("video_patch_proj.weight", (_WIDTH, _VIDEO)),
        NoOther("audio_patch_proj.weight", (_WIDTH, _AUDIO)),
        NoOther("condition_proj.weight", (_WIDTH, _TEXT)),
        NoOther("final_layer.video_out.weight", (_VIDEO, _WIDTH)),
        NoOther("final_layer.audio_out.weight", (_AUDIO, _WIDTH)),
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
        NoOther("proj_in.weight", (_WIDTH, _VIDEO)),
        NoOther("audio_proj_in.weight", (_WIDTH, _AUDIO)),
        NoOther("context_embedder.weight", (_WIDTH, _TEXT)),
        NoOther("proj_out.weight", (_VIDEO, _WIDTH)),
        NoOther("audio_proj_out.weight", (_AUDIO, _WIDTH)),
        *NO_CONTROL,
        blocks=(("transformer_blocks", _BLOCKS),),
    ),
    component(
        _MINIMAX_H3,
        "MiniMaxH3DiTModel",
        Setting("hidden_size", (_WIDTH,)),
        *where_set(text_dim=_TEXT, latents_dim=_VIDEO // 4, audio_latents_dim=_AUDIO),
        kind="original-folder",
    ),
    *(
        component(
            _MINIMAX_H3,
            class_name,
            *where_set(
                hidden_size=_WIDTH,
                text_dim=_TEXT,
                in_channels=_VIDEO // 4,
                audio_in_channels=_AUDIO,
            ),
            kind=kind,
        )
        # Pruned, it looks up how it is modulated, and is joined as the other.
        for kind, class_name in (
            ("folder", "MiniMaxH3Transformer3DModel"),
            ("pruned-folder", "MiniMaxH3PrunedTransformer3DModel"),
        )
    ),
)
"""Everything that MiniMax-H3 brings as a denoiser."""
