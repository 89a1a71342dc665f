"""Lumina-Next: 24 blocks of 2304 that attend to themselves and, through a gate, to Gemma's text.

Lumina 2 is another architecture. Sources: `lumina_next_t2i/models/model.py` of
Alpha-VLLM/Lumina-T2X, `LuminaNextDiT2DModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file, where_set
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_LUMINA = BaseModelType.LUMINA
_WIDTH, _TEXT, _BLOCKS = 2304, 2048, 24

FAMILIES = (
    main_file(
        _LUMINA,
        "original",
        Tensor("layers.#.attention.gate", below=_BLOCKS),
        Tensor("layers.#.attention.wk_y.weight", below=_BLOCKS),
        Tensor("layers.#.attention_y_norm.weight", (_TEXT,)),
        Tensor("pad_token", (_WIDTH,)),
        NoOther("x_embedder.weight", (_WIDTH, 16)),
        *NO_CONTROL,
        blocks=(("layers", _BLOCKS),),
    ),
    main_file(
        _LUMINA,
        "diffusers",
        Tensor("layers.#.gate", below=_BLOCKS),
        Tensor("layers.#.norm1_context.weight", (_TEXT,), below=_BLOCKS),
        Tensor("layers.#.attn2.norm_q.weight", rank=1, below=_BLOCKS),
        Either(
            (
                Tensor("patch_embedder.proj.bias", (_WIDTH,)),
                Tensor("patch_embedder.proj.weight", (_WIDTH,)),
            )
        ),
        *NO_CONTROL,
        blocks=(("layers", _BLOCKS),),
    ),
    component(
        _LUMINA,
        "LuminaNextDiT2DModel",
        Setting("cross_attention_dim", (_TEXT,)),
        *where_set(in_channels=4, hidden_size=_WIDTH),
    ),
)
"""Everything that Lumina-Next brings as a denoiser."""
