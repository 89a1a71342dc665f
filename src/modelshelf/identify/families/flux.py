"""FLUX.1: 19 double and 38 single blocks, 3072 wide, with a modulation of their own each.

FLUX.2, Chroma, HunyuanVideo, Ovis and LongCat-Image share `double_blocks` or its attention and
differ in names, in the widths of text that they take, or in what the conditions below exclude.
Sources: `src/flux/model.py` of black-forest-labs/flux, `FluxTransformer2DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import (
    Absent,
    Adapts,
    Both,
    Condition,
    Either,
    Never,
    Setting,
    Tensor,
    Unset,
)
from modelshelf.identify.families.denoiser import component, main_file
from modelshelf.identify.families.unet import DIFFUSERS_NAMES
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
)

__all__ = ["FAMILIES"]

_FLUX = (BaseModelType.FLUX,)
_WIDTH, _TEXT, _POOLED = 3072, 4096, 768
_DOUBLE, _SINGLE = 19, 38
_LITE = 8
# 128 is an image and a depth map or edges; 196 is Flex.2, which joins a mask and a control image.
_VARIANTS = {
    64: ModelVariantType.DEV,
    128: ModelVariantType.DEV_CONTROL,
    384: ModelVariantType.DEV_FILL,
}
_INPUTS = (*_VARIANTS, 196)
_KEY_NORM = "double_blocks.#.img_attn.norm.key_norm.scale"

_MLP_IN = 4 * _WIDTH
_LINEAR1_OUT = 7 * _WIDTH
_LINEAR2_IN = 5 * _WIDTH


def _traits(image: str, guidance: str, blocks: str) -> tuple[Trait, ...]:
    """Variants of a file: schnell alone is not told a guidance; what comes in says the others."""
    guided = Tensor(guidance)
    return (
        Trait(ModelVariantType.SCHNELL, Both(Tensor(image, (None, 64)), Absent(guidance))),
        *(
            Trait(variant, Both(Tensor(image, (None, inputs)), guided))
            for inputs, variant in _VARIANTS.items()
        ),
        Trait(Architecture("flex.2"), Tensor(image, (None, 196))),
        # Flex.1 and FLUX.1 lite left eleven double blocks out, and are equal by structure.
        Trait(
            Architecture("flux-8b"),
            Both(Tensor(image, (None, 64)), Tensor(blocks, rank=1, count=_LITE)),
        ),
    )


# In original names, as kohya and ai-toolkit write them. HunyuanVideo has the same widths, but
# `img_mlp_fc1` and `img_mod_linear`, one double block and two single blocks more.
_HAS_MODULATION = Either(
    (
        Adapts("denoiser:double_blocks_#_img_mod_lin", inputs=_WIDTH, below=_DOUBLE),
        Adapts("denoiser:double_blocks_#_txt_mod_lin", inputs=_WIDTH, below=_DOUBLE),
        Adapts("denoiser:single_blocks_#_modulation_lin", inputs=_WIDTH, below=_SINGLE),
    )
)
_HAS_MLP = Either(
    (
        Adapts("denoiser:double_blocks_#_img_mlp_#", inputs=(_WIDTH, _MLP_IN), below=_DOUBLE),
        Adapts("denoiser:double_blocks_#_txt_mlp_#", inputs=(_WIDTH, _MLP_IN), below=_DOUBLE),
    )
)
_NO_HUNYUAN: tuple[Condition, ...] = (
    Never(Adapts("denoiser:*_mlp_fc[12]")),
    Never(Adapts("denoiser:*_mod_linear")),
    Never(Adapts("denoiser:*_modulation_linear")),
    Never(Adapts("denoiser:txt_in_*")),
)
_FLUX_WIDE: tuple[Condition, ...] = (
    Either(
        (
            Never(Adapts("denoiser:*_img_mlp_#")),
            Adapts("denoiser:*_img_mlp_#", outputs=(_WIDTH, _MLP_IN)),
        )
    ),
    Either(
        (
            Never(Adapts("denoiser:single_blocks_#_linear1")),
            Adapts("denoiser:single_blocks_#_linear1", inputs=_WIDTH, outputs=_LINEAR1_OUT),
            Adapts("denoiser:single_blocks_#_linear1", inputs=_WIDTH),
        )
    ),
)

FAMILIES = (
    main_file(
        BaseModelType.FLUX,
        "original",
        Tensor(_KEY_NORM, rank=1, below=_DOUBLE),
        Tensor("double_blocks.#.img_mod.lin.weight"),
        Tensor("single_blocks.#.norm.key_norm.scale", rank=1, below=_SINGLE),
        Tensor("img_in.weight", (_WIDTH, _INPUTS), rank=2),
        Tensor("txt_in.weight", (_WIDTH, _TEXT), rank=2),
        Tensor("vector_in.in_layer.weight", (_WIDTH, _POOLED)),
        Absent("distilled_guidance_layer.*"),
        Absent("controlnet_*"),
        Absent("*.img_mlp.gate_proj*"),
        traits=_traits("img_in.weight", "guidance_in.in_layer.weight", _KEY_NORM),
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
        traits=_traits(
            "x_embedder.weight",
            "time_text_embed.guidance_embedder.linear_1.weight",
            "transformer_blocks.#.norm1.linear.bias",
        ),
    ),
    component(
        BaseModelType.FLUX,
        "FluxTransformer2DModel",
        Setting("joint_attention_dim", (_TEXT,)),
        Setting("pooled_projection_dim", (_POOLED,)),
        Setting("in_channels", _INPUTS),
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
            Trait(
                Architecture("flux-8b"),
                Both(Setting("num_layers", (_LITE,)), Setting("in_channels", (64,))),
            ),
        ),
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
    Family(
        id="flux/lora/original",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=_FLUX,
        conditions=(
            Either((_HAS_MODULATION, _HAS_MLP)),
            *_NO_HUNYUAN,
            *_FLUX_WIDE,
        ),
        traits=DIFFUSERS_NAMES,
    ),
    Family(
        id="flux/lora/xlabs",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=_FLUX,
        conditions=(
            Tensor(
                "double_blocks.#.processor.qkv_lora1.down.weight", (None, _WIDTH), below=_DOUBLE
            ),
        ),
    ),
    Family(
        id="flux/lora/diffusers",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=_FLUX,
        conditions=(
            Adapts(
                "denoiser:single_transformer_blocks_#_attn_to_[qkv]", inputs=_WIDTH, below=_SINGLE
            ),
            Never(Adapts("denoiser:single_transformer_blocks_#_attn_to_qkv_mlp_proj")),
        ),
        traits=DIFFUSERS_NAMES,
    ),
    Family(
        id="flux/lora/attention-only",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=(BaseModelType.FLUX, BaseModelType.UNKNOWN),
        conditions=(
            # Attention alone could be Chroma's, Qwen-Image's or HunyuanVideo's as well.
            Either(
                (
                    Adapts(
                        "denoiser:transformer_blocks_#_attn_to_[qkv]",
                        inputs=_WIDTH,
                        below=_DOUBLE,
                    ),
                    Adapts("denoiser:double_blocks_#_img_attn_*", inputs=_WIDTH, below=_DOUBLE),
                )
            ),
            Never(Adapts("denoiser:single_transformer_blocks_*")),
            Never(Adapts("denoiser:*_mlp_*")),
            Never(Adapts("denoiser:*_mod_*")),
            Never(Adapts("denoiser:*modulation*")),
        ),
        traits=DIFFUSERS_NAMES,
    ),
)
"""Everything that FLUX.1 brings."""
