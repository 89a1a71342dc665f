"""Anima: the 2B denoiser of Cosmos Predict2, with an adapter that turns an LLM's words into its text.

Without that adapter the same tensors are Cosmos. Source: the header of the published file.
"""

from __future__ import annotations

from modelshelf.identify.families.denoiser import NO_CONTROL, main_file
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_WIDTH, _TEXT, _BLOCKS = 2048, 1024, 28

FAMILIES = (
    main_file(
        BaseModelType.ANIMA,
        "original",
        Tensor("llm_adapter.norm.weight", (_TEXT,)),
        Tensor("llm_adapter.embed.weight"),
        Tensor("t_embedding_norm.weight", (_WIDTH,)),
        Tensor("blocks.#.cross_attn.q_norm.weight", rank=1, below=_BLOCKS),
        Tensor("blocks.#.adaln_modulation_self_attn.#.weight", below=_BLOCKS),
        *NO_CONTROL,
        blocks=(("blocks", _BLOCKS),),
    ),
)
"""Everything that Anima brings as a denoiser."""
