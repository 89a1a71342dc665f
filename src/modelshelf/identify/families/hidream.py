"""HiDream-I1: 16 double and 32 single blocks of 2560, with experts, over every layer of Llama.

HiDream-E1 edits and is equal by structure. Source: `HiDreamImageTransformer2DModel` of
huggingface/diffusers, whose names everybody uses.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_HIDREAM = BaseModelType.HIDREAM
_WIDTH, _DOUBLE, _SINGLE = 2560, 16, 32

FAMILIES = (
    main_file(
        _HIDREAM,
        "file",
        Tensor("double_stream_blocks.#.block.attn1.q_rms_norm_t.weight", (_WIDTH,), below=_DOUBLE),
        Tensor("single_stream_blocks.#.block.attn1.q_rms_norm.weight", (_WIDTH,), below=_SINGLE),
        Tensor("double_stream_blocks.#.block.ff_i.gate.weight"),
        Tensor("caption_projection.#.linear.weight"),
        *NO_CONTROL,
        blocks=(("double_stream_blocks", _DOUBLE), ("single_stream_blocks", _SINGLE)),
    ),
    component(
        _HIDREAM,
        "HiDreamImageTransformer2DModel",
        Setting("num_attention_heads", (20,)),
        Setting("attention_head_dim", (128,)),
    ),
)
"""Everything that HiDream brings as a denoiser."""
