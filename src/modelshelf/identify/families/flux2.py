"""FLUX.2: modulation shared by all blocks of a kind, gated feed-forwards, and LLMs for the text.

dev, Klein 9B and Klein 4B differ in width, in depth and in the text that they take. Its latents are
128 wide, as are those of FLUX.1 Depth with its control image: the modulation tells them apart.
Sources: `src/flux2/model.py` of black-forest-labs/flux2, `Flux2Transformer2DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Either, Setting
from modelshelf.identify.families.denoiser import (
    NO_CONTROL,
    component,
    main_file,
    norm_of,
    weight_or_bias,
    where_set,
)
from modelshelf.identify.family import Trait
from modelshelf.identify.tensor_condition import Absent, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelVariantType

__all__ = ["FAMILIES"]

_FLUX_2 = BaseModelType.FLUX_2
# Variant → width, text, double and single blocks.
_SIZES = {
    ModelVariantType.DEV: (6144, 15360, 8, 48),
    ModelVariantType.KLEIN_9B: (4096, 12288, 8, 24),
    ModelVariantType.KLEIN_4B: (3072, 7680, 5, 20),
}
_LATENTS = 128
_HEADS = tuple(width // 128 for width, *_ in _SIZES.values())
_WIDTHS = tuple(width for width, *_ in _SIZES.values())
_MODULATIONS = tuple(6 * width for width in _WIDTHS)


def _has_size(layer: str, text: str) -> Condition:
    # Width and text together: either alone occurs in other bases.
    return Either(
        tuple(
            Both(Tensor(layer, (6 * width,)), Tensor(text, (width, inputs)))
            for width, inputs, *_ in _SIZES.values()
        )
    )


def _variants(layer: str) -> tuple[Trait, ...]:
    return tuple(
        Trait(variant, Tensor(layer, (6 * width,))) for variant, (width, *_) in _SIZES.items()
    )


FAMILIES = (
    main_file(
        _FLUX_2,
        "original",
        weight_or_bias("double_stream_modulation_img.lin", _MODULATIONS),
        norm_of("double_blocks.#.img_attn.norm.key_norm", below=8),
        norm_of("single_blocks.#.norm.key_norm", below=48),
        Tensor("single_stream_modulation.lin.weight"),
        _has_size("double_stream_modulation_img.lin.weight", "txt_in.weight"),
        Absent("vector_in.*"),
        NoOther("final_layer.linear.weight", (_LATENTS,)),
        *NO_CONTROL,
        traits=_variants("double_stream_modulation_img.lin.weight"),
    ),
    main_file(
        _FLUX_2,
        "diffusers",
        weight_or_bias("double_stream_modulation_img.linear", _MODULATIONS),
        Tensor("transformer_blocks.#.attn.norm_added_k.weight", rank=1, below=8),
        Tensor("single_transformer_blocks.#.attn.norm_k.weight", rank=1, below=48),
        Tensor("single_stream_modulation.linear.weight"),
        _has_size("double_stream_modulation_img.linear.weight", "context_embedder.weight"),
        NoOther("proj_out.weight", (_LATENTS,)),
        *NO_CONTROL,
        traits=_variants("double_stream_modulation_img.linear.weight"),
    ),
    component(
        _FLUX_2,
        "Flux2Transformer2DModel",
        Setting("joint_attention_dim", tuple(text for _, text, *_ in _SIZES.values())),
        *where_set(
            in_channels=_LATENTS,
            out_channels=_LATENTS,
            num_attention_heads=_HEADS,
            attention_head_dim=128,
        ),
        traits=tuple(
            Trait(variant, Setting("joint_attention_dim", (text,)))
            for variant, (_, text, *_) in _SIZES.items()
        ),
    ),
)
"""Everything that FLUX.2 brings as a denoiser."""
