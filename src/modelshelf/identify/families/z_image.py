"""Z-Image: Lumina 2's plan, 30 blocks of 3840 without shared heads, padded with learnt tokens.

Turbo and the base model are equal by structure. Sources: `ZImageTransformer2DModel` of
huggingface/diffusers, the key map of `comfy/ldm/lumina/model.py` in Comfy-Org/ComfyUI.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    diffusers_names,
    main_file,
    where_set,
)
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.tensor_condition import Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_Z_IMAGE = BaseModelType.Z_IMAGE
_WIDTH, _HEAD, _TEXT, _BLOCKS = 3840, 128, 2560, 30
# Zeta-Chroma works on patches of pixels, of 32 in a row and more, through a small network of its own.
_TAKES_PIXELS = Marker("dec_net.*")

FAMILIES = (
    main_file(
        _Z_IMAGE,
        "file",
        Tensor("x_pad_token"),
        Tensor("cap_pad_token"),
        Either(
            (
                Tensor("layers.#.attention.q_norm.weight", (_HEAD,), below=_BLOCKS),
                Tensor("layers.#.attention.norm_q.weight", (_HEAD,), below=_BLOCKS),
            )
        ),
        Tensor("noise_refiner.#.attention_norm1.weight", (_WIDTH,)),
        Tensor("layers.#.attention_norm1.weight", (_WIDTH,), below=_BLOCKS),
        Tensor("cap_embedder.0.weight", (_TEXT,)),
        *(
            NoOther(f"{layer}.weight", shape, unless=_TAKES_PIXELS)
            for layer, shape in (
                ("x_embedder", (_WIDTH, 64)),
                ("all_x_embedder.2-1", (_WIDTH, 64)),
                ("final_layer.linear", (64, _WIDTH)),
                ("all_final_layer.2-1.linear", (64, _WIDTH)),
            )
        ),
        *NO_CONTROL,
        traits=(
            diffusers_names("layers.#.attention.norm_q.weight"),
            Trait(Architecture("z-image-pixel"), _TAKES_PIXELS),
        ),
        blocks=(("layers", _BLOCKS),),
    ),
    component(
        _Z_IMAGE,
        "ZImageTransformer2DModel",
        Setting("dim", (_WIDTH,)),
        Setting("cap_feat_dim", (_TEXT,)),
        *where_set(in_channels=16),
    ),
)
"""Everything that Z-Image brings as a denoiser."""
