"""ERNIE-Image: 36 blocks of 4096 with one modulation for all, over text 3072 wide.

Source: `ErnieImageTransformer2DModel` of huggingface/diffusers, whose names everybody uses, with the
published configuration.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_ERNIE_IMAGE = BaseModelType.ERNIE_IMAGE
_WIDTH, _TEXT, _BLOCKS = 4096, 3072, 36

FAMILIES = (
    main_file(
        _ERNIE_IMAGE,
        "file",
        Tensor("layers.#.adaLN_sa_ln.weight", (_WIDTH,), below=_BLOCKS),
        Tensor("layers.#.adaLN_mlp_ln.weight", (_WIDTH,), below=_BLOCKS),
        Tensor("layers.#.self_attention.norm_q.weight", rank=1, below=_BLOCKS),
        weight_or_bias("text_proj", _WIDTH),
        NoOther("text_proj.weight", (_WIDTH, _TEXT)),
        Tensor("x_embedder.proj.weight", (_WIDTH, 128), rank=4),
        *NO_CONTROL,
        blocks=(("layers", _BLOCKS),),
    ),
    component(
        _ERNIE_IMAGE,
        "ErnieImageTransformer2DModel",
        Setting("hidden_size", (_WIDTH,)),
        Setting("text_in_dim", (_TEXT,)),
        *where_set(in_channels=128, out_channels=128),
    ),
)
"""Everything that ERNIE-Image brings as a denoiser."""
