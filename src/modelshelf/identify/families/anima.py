"""Anima: the 2B denoiser of Cosmos Predict2, with an adapter that turns an LLM's words into its text.

Without that adapter the same tensors are Cosmos: in a pipeline, whose adapter is a component of its own,
the pipeline's class tells. Sources: the header of the published file, `modular_pipelines/anima` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES", "IN_ANIMA"]

_WIDTH, _TEXT, _BLOCKS = 2048, 1024, 28

IN_ANIMA: Condition = Setting("pipeline", ("Anima*",))
"""The component is one of Anima's pipeline."""

FAMILIES = (
    main_file(
        BaseModelType.ANIMA,
        "original",
        Tensor("llm_adapter.norm.weight", (_TEXT,)),
        Tensor("llm_adapter.embed.weight"),
        Tensor("t_embedding_norm.weight", (_WIDTH,)),
        Tensor("blocks.#.cross_attn.q_norm.weight", rank=1, below=_BLOCKS),
        Tensor("blocks.#.adaln_modulation_self_attn.#.weight", below=_BLOCKS),
        NoOther("x_embedder.proj.#.weight", (_WIDTH, 68)),
        NoOther("final_layer.linear.weight", (64, _WIDTH)),
        *NO_CONTROL,
        blocks=(("blocks", _BLOCKS),),
    ),
    component(BaseModelType.ANIMA, "CosmosTransformer3DModel", IN_ANIMA),
)
"""Everything that Anima brings as a denoiser."""
