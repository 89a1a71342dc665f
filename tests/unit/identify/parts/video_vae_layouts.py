"""Names and full-size shapes of VAEs of videos, from the published definitions."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts.convolution import conv
from tests.unit.identify.parts.image_vae_layouts import kl_vae


def wan_vae(
    *, is_diffusers: bool = False, width: int = 96, pixels: int = 3, latents: int = 16
) -> Shapes:
    """Wan's: causal 3-D convolutions with gammas for norms."""
    names = (
        (
            "encoder.conv_in",
            "decoder.conv_in",
            "post_quant_conv",
            "encoder.mid_block.resnets.0.norm1",
        )
        if is_diffusers
        else ("encoder.conv1", "decoder.conv1", "conv2", "encoder.downsamples.0.residual.0")
    )
    kernel = (3, 3, 3)
    found = conv(names[0], (width, pixels, *kernel)) | conv(names[1], (384, latents, *kernel))
    found |= conv(names[2], (latents, latents, 1, 1, 1))
    return found | {f"{names[3]}.gamma": (width, 1, 1, 1)}


def causal_vae(
    first: tuple[int, int],
    second: tuple[int, int],
    out: tuple[int, int],
    block: str,
    blocks: int = 8,
) -> Shapes:
    """Nested 3-D convolutions: HunyuanVideo, CogVideoX, LTX."""
    kernel = (3, 3, 3)
    found = conv("encoder.conv_in.conv", (*first, *kernel))
    found |= conv("decoder.conv_in.conv", (*second, *kernel))
    found |= conv("encoder.conv_out.conv", (*out, *kernel))
    for number in range(blocks):
        name = block.format(*divmod(number, 2))
        found |= conv(f"{name}.conv1.conv", (128, 128, *kernel))
    return found


def hunyuan_video_vae(*, is_diffusers: bool = True) -> Shapes:
    """HunyuanVideo's, in either way of naming."""
    block = "encoder.down_blocks.{}.resnets.{}" if is_diffusers else "encoder.down.{}.block.{}"
    found = causal_vae((128, 3), (512, 16), (32, 512), block)
    return (
        found | conv("post_quant_conv", (16, 16, 1, 1, 1)) | conv("quant_conv", (32, 32, 1, 1, 1))
    )


def cogvideox_vae(*, is_diffusers: bool = True) -> Shapes:
    """CogVideoX': norms that look at the latents."""
    block = "encoder.down_blocks.{}.resnets.{}" if is_diffusers else "encoder.down.{}.block.{}"
    up = "decoder.up_blocks.0.resnets.0" if is_diffusers else "decoder.up.0.block.0"
    found = causal_vae((128, 3), (512, 16), (32, 512), block)
    return found | conv(f"{up}.norm1.conv_y.conv", (512, 16, 1, 1, 1))


def svd_vae(*, is_diffusers: bool = True) -> Shapes:
    """SVD's: SD's encoder, and a decoder that sees neighbouring frames."""
    found = kl_vae(4, is_diffusers=is_diffusers, quant=8)
    if is_diffusers:
        block = "decoder.up_blocks.0.resnets.0.temporal_res_block.conv1"
        return (
            found
            | conv(block, (512, 512, 3, 1, 1))
            | conv("decoder.time_conv_out", (3, 3, 3, 1, 1))
        )
    found |= conv("decoder.up.0.block.0.time_stack.in_layers.2", (512, 512, 3, 1, 1))
    return found | conv("decoder.conv_out.time_mix_conv", (3, 3, 3, 1, 1))
