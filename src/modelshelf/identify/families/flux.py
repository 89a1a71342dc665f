"""FLUX.1: 19 double and 38 single blocks, 3072 wide, with a modulation of their own each.

FLUX.2, Chroma, HunyuanVideo, Ovis and LongCat-Image share `double_blocks` or its attention and
differ in names, in the widths of text that they take, or in what the conditions below exclude.
Sources: `src/flux/model.py` of black-forest-labs/flux, `FluxTransformer2DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Either, Setting, Unset
from modelshelf.identify.families.denoiser import (
    component,
    goes_beyond_control,
    main_file,
    norm_of,
    of_another_width,
    where_set,
)
from modelshelf.identify.family import Architecture, Detail, Family, Trait
from modelshelf.identify.network import Unmeasured
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
)

__all__ = ["FAMILIES"]

_FLUX = (BaseModelType.FLUX,)
_WIDTH, _TEXT, _POOLED = 3072, 4096, 768
_LATENTS = 64
"""Sixteen channels of four pixels: whatever else it takes, this is what it gives."""
_DOUBLE, _SINGLE = 19, 38
_LITE = 8
# The smallest that was cut out of it and trained on: FLUX.1-dev mini.
_FEWEST_DOUBLE, _FEWEST_SINGLE = 5, 10
# 128 is an image and a depth map or edges; 196 is Flex.2, which joins a mask and a control image.
# Published ControlNets have at most six double blocks, and ten single ones.
_MOST_CONTROL_DOUBLE, _MOST_CONTROL_SINGLE = 6, 10
_VARIANTS = {
    64: ModelVariantType.DEV,
    128: ModelVariantType.DEV_CONTROL,
    384: ModelVariantType.DEV_FILL,
}
_INPUTS = (*_VARIANTS, 196)
_KEY_NORM = "double_blocks.#.img_attn.norm.key_norm"


def _traits(image: str, guidance: str, *blocks: str) -> tuple[Trait, ...]:
    """Variants of a file: schnell alone is not told a guidance; what comes in says the others."""
    guided = Marker(guidance)
    return (
        Trait(
            ModelVariantType.SCHNELL,
            Both(Absent(guidance), Either((Tensor(image, (None, 64)), Unmeasured(image)))),
        ),
        *(
            Trait(variant, Both(Tensor(image, (None, inputs)), guided))
            for inputs, variant in _VARIANTS.items()
        ),
        Trait(Architecture("flex.2"), Tensor(image, (None, 196))),
        # Flex.1 and FLUX.1 lite left eleven double blocks out, and are equal by structure.
        Trait(
            Architecture("flux-8b"),
            Both(
                Tensor(image, (None, 64)),
                Either(tuple(Tensor(block, rank=1, count=_LITE) for block in blocks)),
            ),
        ),
    )


FAMILIES = (
    main_file(
        BaseModelType.FLUX,
        "original",
        norm_of(_KEY_NORM, below=_DOUBLE),
        # DFloat11 keeps the matrices of a block as one run of codes, and the biases.
        Either(tuple(Tensor(f"double_blocks.#.img_mod.lin.{word}") for word in ("weight", "bias"))),
        norm_of("single_blocks.#.norm.key_norm", below=_SINGLE),
        Tensor("img_in.weight", (_WIDTH, _INPUTS), rank=2),
        Tensor("txt_in.weight", (_WIDTH, _TEXT), rank=2),
        Tensor("vector_in.in_layer.weight", (_WIDTH, _POOLED)),
        Absent("distilled_guidance_layer.*"),
        Absent("controlnet_*"),
        Absent("*.img_mlp.gate_proj*"),
        # Step1X-Edit: FLUX's blocks behind a connector to an LLM.
        Absent("connector.*"),
        # Open-Sora 2 makes videos, and joins what it is given in an input of its own.
        Absent("cond_in.*"),
        NoOther("final_layer.linear.weight", (_LATENTS, _WIDTH)),
        goes_beyond_control(
            "final_layer.linear.weight",
            f"double_blocks.{_MOST_CONTROL_DOUBLE}.img_mod.lin.weight",
            f"double_blocks.{_MOST_CONTROL_DOUBLE}.img_mod.lin.bias",
            f"single_blocks.{_MOST_CONTROL_SINGLE}.linear1.weight",
        ),
        traits=_traits(
            "img_in.weight",
            "guidance_in.*",
            *(f"{_KEY_NORM}.{word}" for word in ("scale", "weight")),
        ),
        blocks=(("double_blocks", _FEWEST_DOUBLE), ("single_blocks", _FEWEST_SINGLE)),
    ),
    main_file(
        BaseModelType.FLUX,
        "diffusers",
        Tensor("single_transformer_blocks.#.norm.linear.bias", rank=1, below=_SINGLE),
        Tensor("transformer_blocks.#.norm1.linear.bias", rank=1, below=_DOUBLE),
        Tensor("time_text_embed.text_embedder.linear_1.weight", (_WIDTH, _POOLED)),
        Tensor("context_embedder.weight", (_WIDTH, _TEXT)),
        Tensor("x_embedder.weight", (_WIDTH, _INPUTS), rank=2),
        Absent("distilled_guidance_layer.*"),
        Absent("controlnet_*"),
        NoOther("proj_out.weight", (_LATENTS, _WIDTH)),
        goes_beyond_control(
            "proj_out.weight",
            f"transformer_blocks.{_MOST_CONTROL_DOUBLE}.norm1.linear.weight",
            f"single_transformer_blocks.{_MOST_CONTROL_SINGLE}.norm.linear.weight",
        ),
        traits=_traits(
            "x_embedder.weight",
            "time_text_embed.guidance_embedder.*",
            "transformer_blocks.#.norm1.linear.bias",
        ),
        blocks=(
            ("transformer_blocks", _FEWEST_DOUBLE),
            ("single_transformer_blocks", _FEWEST_SINGLE),
        ),
    ),
    *of_another_width(
        component(
            BaseModelType.FLUX,
            "FluxTransformer2DModel",
            Setting("joint_attention_dim", (_TEXT,)),
            Setting("pooled_projection_dim", (_POOLED,)),
            Setting("in_channels", _INPUTS),
            *where_set(out_channels=_LATENTS),
            traits=(
                Trait(
                    ModelVariantType.SCHNELL,
                    Both(Setting("in_channels", (64,)), Unset("guidance_embeds")),
                ),
                Trait(
                    ModelVariantType.DEV,
                    Both(Setting("in_channels", (64,)), Setting("guidance_embeds", (True,))),
                ),
                Trait(ModelVariantType.DEV_FILL, Setting("in_channels", (384,))),
                Trait(ModelVariantType.DEV_CONTROL, Setting("in_channels", (128,))),
                Trait(Architecture("flex.2"), Setting("in_channels", (196,))),
                Trait(Architecture("flux-kontext"), Setting("pipeline", ("FluxKontext*",))),
                Trait(
                    Architecture("flux-8b"),
                    Both(Setting("num_layers", (_LITE,)), Setting("in_channels", (64,))),
                ),
            ),
        ),
        num_attention_heads=24,
        attention_head_dim=128,
    ),
    Family(
        id="flux/controlnet/diffusers",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_FLUX,
        conditions=(
            Tensor("controlnet_blocks.#.weight", (_WIDTH, _WIDTH), below=_DOUBLE),
            Tensor("controlnet_x_embedder.weight", (_WIDTH,)),
            Tensor("context_embedder.weight", (_WIDTH, _TEXT)),
            Tensor("time_text_embed.text_embedder.linear_1.weight", (_WIDTH, _POOLED)),
        ),
        traits=(
            Trait(Detail("control", "union"), Tensor("controlnet_mode_embedder.weight")),
            Trait(Detail("control", "inpaint"), Tensor("controlnet_x_embedder.weight", (None, 68))),
        ),
    ),
    Family(
        id="flux/controlnet/xlabs",
        type=ModelType.CONTROLNET,
        format=ModelFormat.CHECKPOINT,
        bases=_FLUX,
        conditions=(
            Tensor("controlnet_blocks.#.weight", (_WIDTH, _WIDTH)),
            Tensor("double_blocks.#.img_mod.lin.bias", (6 * _WIDTH,), below=_DOUBLE),
            Tensor("vector_in.in_layer.weight", (_WIDTH, _POOLED)),
        ),
    ),
    Family(
        id="flux/controlnet/folder",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_FLUX,
        conditions=(
            Setting("class", ("FluxControlNetModel",)),
            Setting("joint_attention_dim", (_TEXT,)),
            *where_set(num_attention_heads=24, attention_head_dim=128),
        ),
    ),
    Family(
        id="flux/ip-adapter/xlabs",
        type=ModelType.IP_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        bases=_FLUX,
        conditions=(
            Tensor(
                "double_blocks.#.processor.ip_adapter_double_stream_k_proj.weight",
                (_WIDTH, _TEXT),
                below=_DOUBLE,
            ),
            Tensor("ip_adapter_proj_model.proj.weight", ((16384, 65536), 768)),
        ),
    ),
    Family(
        id="flux/embedding/file",
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=_FLUX,
        conditions=(
            Tensor("clip_l", (None, _POOLED), rank=2),
            Either((Tensor("t5", (None, _TEXT), rank=2), Tensor("t5xxl", (None, _TEXT), rank=2))),
            Absent("clip_g"),
        ),
    ),
    Family(
        id="flux/vae/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        # Z-Image, Lumina 2 and Chroma use the very same VAE: it is FLUX's own, and serves them.
        bases=_FLUX,
        conditions=(
            Setting("class", ("AutoencoderKL",)),
            Setting("latent_channels", (16,)),
            Setting("scaling_factor", (0.3611,)),
        ),
    ),
)
"""Everything that FLUX.1 brings."""
