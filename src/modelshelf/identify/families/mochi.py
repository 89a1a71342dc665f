"""Mochi 1: 48 blocks that attend from video 3072 wide and text 1536 wide to both.

Sources: `src/genmo/mochi_preview/dit/joint_model` of genmoai/mochi, `MochiTransformer3DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import component, main_file, where_set
from modelshelf.identify.families.video import NO_CONTROL, vectors
from modelshelf.identify.family import Trait
from modelshelf.identify.tensor_condition import Marker
from modelshelf.schema.taxonomy import BaseModelType, ModelVariantType

__all__ = ["FAMILIES"]

_MOCHI = BaseModelType.MOCHI
_WIDTH, _TEXT_WIDTH, _HEAD, _BLOCKS = 3072, 1536, 128, 48

FAMILIES = (
    main_file(
        _MOCHI,
        "original",
        vectors("blocks.#.attn.q_norm_x.weight", _HEAD, below=_BLOCKS),
        vectors("blocks.#.attn.k_norm_y.weight", _HEAD),
        vectors("blocks.#.mod_x.bias", 4 * _WIDTH),
        Either(
            (
                vectors("t5_yproj.bias", _TEXT_WIDTH),
                Marker("t5_y_embedder.to_kv.*"),
                Marker("pos_frequencies"),
            )
        ),
        *NO_CONTROL,
        traits=(Trait(ModelVariantType.T2V, Marker("blocks.#.attn.q_norm_x.weight")),),
        blocks=(("blocks", _BLOCKS),),
    ),
    main_file(
        _MOCHI,
        "diffusers",
        vectors("transformer_blocks.#.attn1.norm_added_q.weight", _HEAD, below=_BLOCKS),
        vectors("transformer_blocks.#.attn1.norm_q.weight", _HEAD),
        vectors("transformer_blocks.#.norm1.linear.bias", 4 * _WIDTH),
        Either(
            (
                vectors("time_embed.caption_proj.bias", _TEXT_WIDTH),
                Marker("time_embed.pooler.*"),
                Marker("pos_frequencies"),
            )
        ),
        *NO_CONTROL,
        traits=(
            Trait(ModelVariantType.T2V, Marker("transformer_blocks.#.attn1.norm_added_q.weight")),
        ),
        blocks=(("transformer_blocks", _BLOCKS),),
    ),
    component(
        _MOCHI,
        "MochiTransformer3DModel",
        Setting("pooled_projection_dim", (_TEXT_WIDTH,)),
        *where_set(
            text_embed_dim=4096,
            in_channels=12,
            out_channels=12,
            num_attention_heads=24,
            attention_head_dim=128,
        ),
        traits=(Trait(ModelVariantType.T2V, Setting("class", ("MochiTransformer3DModel",))),),
    ),
)
"""Everything that Mochi brings."""
