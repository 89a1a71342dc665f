"""AuraFlow: four joint and 32 single blocks, 3072 wide, with eight register tokens.

Sources: `lavenderflow` of cloneofsimo/minRF, `AuraFlowTransformer2DModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file, where_set
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_AURAFLOW = BaseModelType.AURAFLOW
_WIDTH, _TEXT = 3072, 2048
# GGUF drops leading dimensions of one.
_REGISTERS = Either(
    (Tensor("register_tokens", (1, 8, _WIDTH)), Tensor("register_tokens", (8, _WIDTH), rank=2))
)

FAMILIES = (
    main_file(
        _AURAFLOW,
        "original",
        Tensor("double_layers.#.attn.w1q.weight", below=4),
        Tensor("single_layers.#.attn.w1q.weight", below=32),
        _REGISTERS,
        Tensor("cond_seq_linear.weight", (_WIDTH, _TEXT)),
        NoOther("init_x_linear.weight", (_WIDTH, 16)),
        NoOther("final_linear.weight", (16, _WIDTH)),
        *NO_CONTROL,
        blocks=(("double_layers", 4), ("single_layers", 32)),
    ),
    main_file(
        _AURAFLOW,
        "diffusers",
        Tensor("joint_transformer_blocks.#.attn.add_q_proj.weight", below=4),
        Tensor("single_transformer_blocks.#.attn.to_q.weight", below=32),
        _REGISTERS,
        Tensor("context_embedder.weight", (_WIDTH, _TEXT)),
        NoOther("pos_embed.proj.weight", (_WIDTH, 16)),
        NoOther("proj_out.weight", (16, _WIDTH)),
        *NO_CONTROL,
        blocks=(("joint_transformer_blocks", 4), ("single_transformer_blocks", 32)),
    ),
    component(
        _AURAFLOW,
        "AuraFlowTransformer2DModel",
        Setting("joint_attention_dim", (_TEXT,)),
        *where_set(in_channels=4, out_channels=4, num_attention_heads=12, attention_head_dim=256),
    ),
)
"""Everything that AuraFlow brings as a denoiser."""
