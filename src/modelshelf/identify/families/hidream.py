"""HiDream-I1: 16 double and 32 single blocks of 2560, with experts, over every layer of Llama.

HiDream-E1 edits and is equal by structure. Source: `HiDreamImageTransformer2DModel` of
huggingface/diffusers, whose names everybody uses.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file, where_set
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_HIDREAM = BaseModelType.HIDREAM
_WIDTH, _TEXT, _DOUBLE, _SINGLE = 2560, 4096, 16, 32

FAMILIES = (
    main_file(
        _HIDREAM,
        "file",
        Tensor("double_stream_blocks.#.block.attn1.q_rms_norm_t.weight", (_WIDTH,), below=_DOUBLE),
        Tensor("single_stream_blocks.#.block.attn1.q_rms_norm.weight", (_WIDTH,), below=_SINGLE),
        Tensor("double_stream_blocks.#.block.ff_i.gate.weight"),
        Tensor("caption_projection.#.linear.weight", (_WIDTH, _TEXT)),
        NoOther("x_embedder.proj.weight", (_WIDTH, 64)),
        NoOther("final_layer.linear.weight", (64, _WIDTH)),
        *NO_CONTROL,
        blocks=(("double_stream_blocks", _DOUBLE), ("single_stream_blocks", _SINGLE)),
    ),
    component(
        _HIDREAM,
        "HiDreamImageTransformer2DModel",
        Setting("num_attention_heads", (20,)),
        Setting("attention_head_dim", (128,)),
        *where_set(
            in_channels=16, out_channels=16, caption_channels=[_TEXT, _TEXT], text_emb_dim=2048
        ),
    ),
)
"""Everything that HiDream brings as a denoiser."""
