"""VAEs of videos and of sound, as files: 3-D convolutions, or none of pixels at all.

Sources: `wan/modules/vae2_1.py` and `vae2_2.py` of Wan-Video/Wan2.2, `hyvideo/vae` of
Tencent-Hunyuan/HunyuanVideo, `src/genmo/mochi_preview/vae` of genmoai/mochi,
`ltx_video/models/autoencoders` of Lightricks/LTX-Video, `models/video_vae_v3` of ByteDance-Seed/SeedVR,
`diffsynth/models` of modelscope/DiffSynth-Studio, and the `autoencoders` folder of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.families.video import every
from modelshelf.identify.family import Detail, Family, Trait
from modelshelf.identify.side import Side
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType

__all__ = ["FAMILIES"]


def _video(
    kind: str,
    bases: tuple[BaseModelType, ...],
    latents: int,
    *conditions: Condition,
    is_diffusers: bool = False,
    variant: ModelVariantType | None = None,
    architecture: str = "",
) -> Family:
    return Family(
        id=f"vae/{kind}",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS if is_diffusers else ModelFormat.CHECKPOINT,
        bases=bases if len(bases) == 1 else (),
        candidates=bases if len(bases) > 1 else (),
        conditions=conditions,
        architecture=architecture,
        details=(Detail("latent_channels", str(latents)),),
        traits=(Trait(variant, conditions[0]),) if variant else (),
    )


def _wan(encoder: tuple[Side, int], latents: int) -> tuple[Condition, ...]:
    return (
        Tensor("encoder.conv1.weight", encoder, rank=5),
        Tensor("decoder.conv1.weight", (None, latents), rank=5),
        Tensor("conv2.weight", (latents, latents), rank=5),
        Either(
            (
                Tensor("encoder.downsamples.#.residual.#.gamma", rank=4),
                Tensor("encoder.downsamples.#.downsamples.#.residual.#.gamma", rank=4),
            )
        ),
    )


def _wan_diffusers(encoder: tuple[int, int], latents: int) -> tuple[Condition, ...]:
    return (
        Tensor("encoder.conv_in.weight", encoder, rank=5),
        Tensor("decoder.conv_in.weight", (None, latents), rank=5),
        Tensor("encoder.mid_block.resnets.#.norm1.gamma", rank=4),
        Tensor("post_quant_conv.weight", (latents, latents), rank=5),
    )


def _causal(
    encoder: tuple[Side, Side], decoder: tuple[Side, Side], rank: int = 5
) -> tuple[Condition, ...]:
    """Convolutions that wait for no later frame: each is nested in a module of its own."""
    return (
        Tensor("encoder.conv_in.conv.weight", encoder, rank=rank),
        Tensor("decoder.conv_in.conv.weight", decoder, rank=rank),
    )


def _ends(half: str, first: tuple[Side, Side], last: int, rank: int = 5) -> tuple[Tensor, Tensor]:
    """Both ends of an encoder or a decoder: the shape of its first layer, and what its last gives."""
    return (
        Tensor(f"{half}.conv_in.conv.weight", first, rank=rank),
        Tensor(f"{half}.conv_out.conv.weight", (last,), rank=rank),
    )


def _either_half(
    encoder: tuple[Tensor, Tensor], decoder: tuple[Tensor, Tensor], *others: Tensor
) -> Condition:
    """One of the two, as they are passed on alone; what stands beside it is the other of this kind.

    *others* tell decoders of another design that were made for the same encoder.
    """
    return Either(
        (
            every(*encoder, Either((*decoder, *others, Absent("decoder.*")))),
            every(*decoder, Either((*encoder, Absent("encoder.*")))),
        )
    )


# As Wan publishes it, and cut by a quarter, a half and three quarters to be faster.
_WIDTHS = (96, 72, 48, 24)
_WAN = (BaseModelType.WAN,)
_WAN_KIND = (BaseModelType.WAN, BaseModelType.QWEN_IMAGE)
_QWEN = (BaseModelType.QWEN_IMAGE,)
_LAYERED = ModelVariantType.LAYERED
_HUNYUAN_QUANT = Tensor("post_quant_conv.weight", (16, 16), rank=5)
_NO_SPATIAL_NORM = Absent("*.conv_y.conv.weight")
_SVD_CONDITIONS: tuple[Condition, ...] = (
    Tensor("decoder.conv_in.weight", (512, 4), rank=4),
    Tensor("quant_conv.weight", (8, 8)),
)

FAMILIES = (
    _video("wan-2.1/original", _WAN_KIND, 16, *_wan((_WIDTHS, 3), 16)),
    _video("wan-2.1/diffusers", _WAN_KIND, 16, *_wan_diffusers((96, 3), 16), is_diffusers=True),
    _video("qwen-layered/original", _QWEN, 16, *_wan((96, 4), 16), variant=_LAYERED),
    _video(
        "qwen-layered/diffusers",
        _QWEN,
        16,
        *_wan_diffusers((96, 4), 16),
        is_diffusers=True,
        variant=_LAYERED,
    ),
    _video("wan-2.2/original", _WAN, 48, *_wan((160, 12), 48), architecture="wan-2.2"),
    _video(
        "wan-2.2/diffusers",
        _WAN,
        48,
        *_wan_diffusers((160, 12), 48),
        is_diffusers=True,
        architecture="wan-2.2",
    ),
    _video(
        "hunyuan-video/diffusers",
        (BaseModelType.HUNYUAN_VIDEO,),
        16,
        *_causal((128, 3), (512, 16)),
        Tensor("encoder.down_blocks.#.resnets.#.conv1.conv.weight", count=8),
        _HUNYUAN_QUANT,
        _NO_SPATIAL_NORM,
        is_diffusers=True,
    ),
    _video(
        "hunyuan-video/ldm",
        (BaseModelType.HUNYUAN_VIDEO,),
        16,
        *_causal((128, 3), (512, 16)),
        Tensor("encoder.down.#.block.#.conv1.conv.weight", count=8),
        _HUNYUAN_QUANT,
        _NO_SPATIAL_NORM,
    ),
    # The refiner of HunyuanImage 2.1 has the VAE of HunyuanVideo 1.5, with other values.
    _video(
        "hunyuan-32-channels/nested",
        (BaseModelType.HUNYUAN_VIDEO_1_5, BaseModelType.HUNYUAN_IMAGE),
        32,
        *_causal((128, 3), (1024, 32)),
        Tensor("encoder.conv_out.conv.weight", (64, 1024), rank=5),
    ),
    _video(
        "hunyuan-video-1.5/original",
        (BaseModelType.HUNYUAN_VIDEO_1_5,),
        32,
        Tensor("encoder.conv_in.weight", (128, 3), rank=5),
        # Names alone are every autoencoder's.
        Some("decoder.conv_in.weight", (1024, 32, None, None, None)),
        Tensor("encoder.conv_out.weight", (64, 1024), rank=5),
    ),
    _video(
        "cogvideox/diffusers",
        (BaseModelType.COGVIDEOX,),
        16,
        *_causal((128, 3), (512, 16)),
        Tensor("decoder.up_blocks.#.resnets.#.norm1.conv_y.conv.weight", (None, 16), rank=5),
        is_diffusers=True,
    ),
    _video(
        "cogvideox/original",
        (BaseModelType.COGVIDEOX,),
        16,
        *_causal((128, 3), (512, 16)),
        Tensor("decoder.up.#.block.#.norm1.conv_y.conv.weight", (None, 16), rank=5),
    ),
    _video(
        "ltx",
        (BaseModelType.LTX_VIDEO,),
        128,
        # Pixels in squares of four: 48 numbers instead of 3. LTX-2.5 draws them step by step.
        _either_half(
            _ends("encoder", (None, 48), 129),
            _ends("decoder", (None, 128), 48),
            Tensor("decoder.conv_in_x_t.weight", (None, 48), rank=2),
        ),
    ),
    _video(
        "ltx-2-audio",
        (BaseModelType.LTX_VIDEO,),
        8,
        _either_half(_ends("encoder", (128, 2), 16, rank=4), _ends("decoder", (512, 8), 2, rank=4)),
        architecture="ltx-2-audio",
    ),
    _video(
        "mochi/diffusers",
        (BaseModelType.MOCHI,),
        12,
        Tensor("encoder.proj_in.weight", (64, 15)),
        Tensor("decoder.conv_in.weight", (768, 12), rank=5),
        is_diffusers=True,
    ),
    _video(
        "mochi/original",
        (BaseModelType.MOCHI,),
        12,
        # Decoder and encoder were published as two files; other programs join them.
        Either(
            (
                Tensor("decoder.blocks.0.0.weight", (768, 12), rank=5),
                Tensor("blocks.0.0.weight", (768, 12), rank=5),
                Tensor("encoder.layers.0.weight", (64, 15), rank=2),
                Tensor("layers.0.weight", (64, 15), rank=2),
            )
        ),
        Either(
            (
                Tensor("decoder.blocks.#.blocks.#.stack.#.weight"),
                Tensor("blocks.#.blocks.#.stack.#.weight"),
                Tensor("encoder.layers.#.layers.#.attn_block.attn.qkv.weight", rank=2),
                Tensor("layers.#.layers.#.attn_block.attn.qkv.weight", rank=2),
            )
        ),
    ),
    _video(
        "svd/diffusers",
        (BaseModelType.SVD,),
        4,
        Tensor("decoder.time_conv_out.weight", (3, 3, 3)),
        Tensor("decoder.up_blocks.#.resnets.#.temporal_res_block.conv1.weight", rank=5),
        *_SVD_CONDITIONS[:1],
        is_diffusers=True,
    ),
    _video(
        "svd/ldm",
        (BaseModelType.SVD,),
        4,
        Tensor("decoder.conv_out.time_mix_conv.weight", (3, 3, 3)),
        Tensor("decoder.up.#.block.#.time_stack.in_layers.#.weight"),
        *_SVD_CONDITIONS[:1],
    ),
    _video(
        "cosmos/diffusers",
        (BaseModelType.COSMOS,),
        16,
        Tensor("encoder.conv_in.conv_s.weight", (128, 192), rank=5),
        Tensor("decoder.conv_in.conv_s.weight", (None, 16), rank=5),
        is_diffusers=True,
    ),
    _video(
        "cosmos/original",
        (BaseModelType.COSMOS,),
        16,
        Tensor("decoder.unpatcher3d.wavelets"),
        Tensor("decoder.conv_in.0.conv3d.weight", (None, 16), rank=5),
    ),
    # Its decoder is a transformer over patches of pixels.
    _video(
        "minimax-h3",
        (BaseModelType.MINIMAX_H3,),
        24,
        Tensor("decoder.register_tokens", (1, 4, 2048)),
        Tensor("decoder.transformer_blocks.#.norm1.weight", (2048,)),
        Tensor("post_quant_conv.weight", (24, 24), rank=5),
    ),
    _video(
        "minimax-h3-audio",
        (BaseModelType.MINIMAX_H3,),
        32,
        Tensor("dec_in_proj.weight", (2048, 32, 1)),
        Tensor("mean_proj.weight", (32, 32, 1)),
        Tensor("pre_block.mlp.norm.weight", (32,)),
        architecture="minimax-h3-audio",
    ),
    Family(
        id="vae/qwen-image-2.1",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        conditions=(
            # Flat convolutions under the names of Wan's, over pixels with alpha.
            Tensor("encoder.conv_in.weight", (96, 4), rank=4),
            Tensor("decoder.conv_in.weight", (1152, 64), rank=4),
            Tensor("decoder.norm_out.gamma", (144,), rank=4),
        ),
        architecture="qwen-image-2.1",
        details=(Detail("latent_channels", "64"),),
    ),
    Family(
        id="vae/seedvr2",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        conditions=(
            # Grows by a convolution that gives the pixels of more frames, where others repeat them.
            Tensor("decoder.up_blocks.#.upsamplers.#.upscale_conv.weight", rank=5),
            Tensor("decoder.conv_in.weight", (512, 16), rank=5),
            Tensor("encoder.conv_in.weight", (128, 3), rank=5),
        ),
        architecture="seedvr2",
        details=(Detail("latent_channels", "16"),),
    ),
    Family(
        id="vae/oobleck/diffusers",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        conditions=(
            # Sound: the base would be a model of music, of which modelshelf knows none.
            Tensor("encoder.block.#.res_unit1.snake1.alpha", (1, None, 1), rank=3),
            Tensor("decoder.block.#.res_unit1.snake1.alpha", (1, None, 1), rank=3),
            # Codecs of sound are built the same, around a list of codes.
            Absent("quantizer*"),
        ),
        architecture="oobleck",
    ),
    Family(
        id="vae/oobleck/original",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        conditions=(
            Tensor("decoder.layers.#.layers.#.beta", rank=1),
            Tensor("decoder.layers.#.layers.#.layers.#.weight_v", rank=3),
            Tensor("encoder.layers.#.weight_v", rank=3),
        ),
        architecture="oobleck",
    ),
)
"""One per kind and way of naming."""
