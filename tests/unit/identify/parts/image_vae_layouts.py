"""Names and full-size shapes of VAEs of images, and of the tiny ones, from the published definitions."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts.convolution import conv


def kl_vae(
    latents: int, *, is_diffusers: bool = False, levels: int = 4, width: int = 512, quant: int = 0
) -> Shapes:
    """An autoencoder of residual blocks: the kind that SD, FLUX and FLUX.2 have."""
    widths = (128, 256, 512, 512)[:levels]
    down = "encoder.down_blocks.{0}.resnets.{1}" if is_diffusers else "encoder.down.{0}.block.{1}"
    up = "decoder.up_blocks.{0}.resnets.{1}" if is_diffusers else "decoder.up.{0}.block.{1}"
    found = conv("encoder.conv_in", (128, 3, 3, 3))
    found |= conv("encoder.conv_out", (2 * latents, 512, 3, 3))
    found |= conv("decoder.conv_in", (width, latents, 3, 3))
    found |= conv("decoder.conv_out", (3, 128, 3, 3))
    for level, channels in enumerate(widths):
        for number in range(3):
            if number < 2:
                found |= conv(down.format(level, number) + ".conv1", (channels, channels, 3, 3))
            found |= conv(up.format(level, number) + ".conv1", (channels, channels, 3, 3))
    if quant:
        found |= conv("quant_conv", (quant, quant, 1, 1))
        found |= conv("post_quant_conv", (quant // 2, quant // 2, 1, 1))
    return found


def cogview_4_vae(*, is_diffusers: bool = False) -> Shapes:
    """CogView4's: 16 channels, three blocks on each level down and four up."""
    down = "encoder.down_blocks.{0}.resnets.{1}" if is_diffusers else "encoder.down.{0}.block.{1}"
    up = "decoder.up_blocks.{0}.resnets.{1}" if is_diffusers else "decoder.up.{0}.block.{1}"
    found = conv("encoder.conv_in", (128, 3, 3, 3)) | conv("decoder.conv_in", (1024, 16, 3, 3))
    for level, channels in enumerate((128, 512, 1024, 1024)):
        for number in range(4):
            if number < 3:
                found |= conv(down.format(level, number) + ".conv1", (channels, channels, 3, 3))
            found |= conv(up.format(level, number) + ".conv1", (channels, channels, 3, 3))
    return found


def flux_2_vae(*, is_diffusers: bool = False) -> Shapes:
    """FLUX.2's: 32 channels, and running statistics of 128."""
    statistics: Shapes = {"bn.running_mean": (128,), "bn.running_var": (128,)}
    return kl_vae(32, is_diffusers=is_diffusers) | statistics


def hunyuan_image_vae(*, is_diffusers: bool = False) -> Shapes:
    """HunyuanImage 2.1's: 64 channels, six levels."""
    found = conv("decoder.conv_in", (1024, 64, 3, 3))
    found |= conv("encoder.conv_in", (128, 3, 3, 3))
    found |= conv("encoder.conv_out", (128, 1024, 3, 3))
    for number in range(12):
        level, block = divmod(number, 2)
        place = 3 * level + block
        name = (
            f"encoder.down_blocks.{place}"
            if is_diffusers
            else f"encoder.down.{level}.block.{block}"
        )
        found |= conv(f"{name}.conv1", (128, 128, 3, 3))
    for level in range(5):
        name = (
            f"encoder.down_blocks.{3 * level + 2}"
            if is_diffusers
            else f"encoder.down.{level}.downsample"
        )
        found |= conv(f"{name}.conv", (64, 128, 3, 3))
    return found


def dc_ae(*, is_diffusers: bool = True) -> Shapes:
    """Sana's deep compression autoencoder."""
    if is_diffusers:
        found = conv("encoder.conv_in", (128, 3, 3, 3)) | conv("decoder.conv_in", (1024, 32, 3, 3))
        found |= conv("encoder.conv_out", (32, 1024, 3, 3))
        for level in range(6):
            for number in range(3):
                for side in ("encoder.down_blocks", "decoder.up_blocks"):
                    found |= conv(f"{side}.{level}.{number}.conv1", (128, 128, 3, 3))
        return found
    found = conv("encoder.project_in.conv", (128, 3, 3, 3))
    found |= conv("encoder.project_out.main.op_list.0.conv", (32, 1024, 3, 3))
    found |= conv("decoder.project_in.main.conv", (1024, 32, 3, 3))
    for level in range(6):
        found |= conv(f"encoder.stages.{level}.op_list.0.main.conv1.conv", (128, 128, 3, 3))
    return found


def movq(*, is_diffusers: bool = False) -> Shapes:
    """Kandinsky 2's: a codebook, and norms that look at the latents."""
    found = kl_vae(4, is_diffusers=is_diffusers) | {"quantize.embedding.weight": (16384, 4)}
    block = "decoder.up_blocks.0.resnets.0" if is_diffusers else "decoder.up.0.block.0"
    return found | conv(f"{block}.norm1.conv_y", (512, 4, 1, 1))


def stage_a() -> Shapes:
    """Stable Cascade's VQGAN."""
    found: Shapes = {"vquantizer.codebook.weight": (8192, 4)}
    found |= conv("in_block.1", (192, 12, 1, 1)) | conv("out_block.0", (12, 192, 1, 1))
    return found | conv("down_blocks.0.depthwise.1", (192, 1, 3, 3))


def asymmetric_vae() -> Shapes:
    """A larger decoder that sees mask and image."""
    found = kl_vae(4, is_diffusers=True, width=768, quant=8)
    for number in range(5):
        found |= conv(f"decoder.condition_encoder.layers.{number}", (192, 3, 3, 3))
    return found


def consistency_decoder() -> Shapes:
    """A UNet that decodes, beside SD's encoder."""
    found = conv("encoder.conv_in", (128, 3, 3, 3)) | conv("quant_conv", (8, 8, 1, 1))
    return found | {
        "decoder_unet.conv_in.weight": (320, 7, 3, 3),
        "decoder_unet.time_proj.weight": (1024, 320),
    }


def _tiny_block(place: str) -> Shapes:
    return {
        key: shape
        for layer in (0, 2, 4)
        for key, shape in conv(f"{place}.conv.{layer}", (64, 64, 3, 3)).items()
    }


def tiny_encoder(prefix: str, latents: int, *, has_pools: bool = False) -> Shapes:
    """A list of layers that ends in latents."""
    found = conv(f"{prefix}0", (64, 3, 3, 3)) | conv(f"{prefix}14", (latents, 64, 3, 3))
    for block in (1, 3, 4, 5, 7, 8, 9, 11, 12, 13):
        found |= _tiny_block(f"{prefix}{block}")
    for plain in (2, 6, 10):
        found[f"{prefix}{plain}.weight"] = (64, 64, 3, 3)
    if has_pools:
        found |= {f"{prefix}{block}.pool.0.weight": (256, 64, 1, 1) for block in (11, 12, 13)}
    return found


def tiny_decoder(prefix: str, latents: int, first: int = 1, *, has_pools: bool = False) -> Shapes:
    """A list of layers that begins with latents."""
    found = conv(f"{prefix}{first}", (64, latents, 3, 3))
    found |= conv(f"{prefix}{first + 18}", (3, 64, 3, 3))
    for block in (2, 3, 4, 7, 8, 9, 12, 13, 14, 17):
        found |= _tiny_block(f"{prefix}{first + block}")
    for plain in (6, 11, 16):
        found[f"{prefix}{first + plain}.weight"] = (64, 64, 3, 3)
    if has_pools:
        found |= {f"{prefix}{first + block}.pool.0.weight": (256, 64, 1, 1) for block in (2, 3, 4)}
    return found


def tiny_sana_encoder(prefix: str = "") -> Shapes:
    """Sana's begins narrower and goes one level deeper."""
    found = conv(f"{prefix}0", (32, 3, 3, 3)) | conv(f"{prefix}2", (64, 32, 3, 3))
    found |= conv(f"{prefix}17", (32, 64, 3, 3))
    for block in (4, 6, 7, 8, 10, 11, 12, 14, 15, 16):
        found |= _tiny_block(f"{prefix}{block}")
    return found


def tiny_video(latents: int = 16, pixels: int = 3) -> Shapes:
    """A tiny VAE of videos, whose blocks see the frame before."""
    found = conv("encoder.0", (64, pixels, 3, 3)) | conv("decoder.1", (256, latents, 3, 3))
    return (
        found
        | conv("decoder.3.conv.0", (256, 512, 3, 3))
        | conv("encoder.4.conv.0", (64, 128, 3, 3))
    )
