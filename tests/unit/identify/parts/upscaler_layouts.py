"""Names and shapes of upscalers, small but complete in what tells them apart."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts.convolution import conv


def esrgan(naming: str, blocks: int = 3, first: int = 3) -> Shapes:
    """ESRGAN in the names of Real-ESRGAN or BSRGAN."""
    body, dense = ("body", "rdb") if naming == "real" else ("RRDB_trunk", "RDB")
    found = conv("conv_first", (64, first, 3, 3)) | conv("conv_last", (3, 64, 3, 3))
    ups = ("conv_up1", "conv_up2") if naming == "real" else ("upconv1", "upconv2")
    for up in ups:
        found |= conv(up, (64, 64, 3, 3))
    for number in range(blocks):
        for dense_number in (1, 2, 3):
            for place in range(1, 6):
                name = f"{body}.{number}.{dense}{dense_number}.conv{place}"
                found |= conv(name, (32, 32 + 32 * place, 3, 3))
    return found


def old_esrgan(doublings: int = 2, blocks: int = 3) -> Shapes:
    """ESRGAN as one nested list."""
    found = conv("model.0", (64, 3, 3, 3))
    for number in range(blocks):
        for dense in (1, 2, 3):
            for place in range(1, 6):
                found |= conv(f"model.1.sub.{number}.RDB{dense}.conv{place}.0", (32, 64, 3, 3))
    place = 3
    for _ in range(doublings + 1):
        found |= conv(f"model.{place}", (64, 64, 3, 3))
        place += 3
    return found | conv(f"model.{place}", (3, 64, 3, 3))


def compact(scale: int, features: int = 64, layers: int = 16, colours: int = 3) -> Shapes:
    """Convolutions and activations in turn, and a last one that makes all pixels at once."""
    found = conv("body.0", (features, colours, 3, 3)) | {"body.1.weight": (features,)}
    for number in range(layers):
        found |= conv(f"body.{2 * number + 2}", (features, features, 3, 3))
        found[f"body.{2 * number + 3}.weight"] = (features,)
    return found | conv(f"body.{2 * layers + 2}", (colours * scale * scale, features, 3, 3))


def attention_upscaler(blocks: Shapes, shuffles: int = 2) -> Shapes:
    """A first convolution, blocks, shuffles of four pixels each, a last convolution."""
    found = conv("conv_first", (96, 3, 3, 3)) | conv("conv_last", (3, 64, 3, 3)) | blocks
    for number in range(shuffles):
        found |= conv(f"upsample.{2 * number}", (256, 64, 3, 3))
    return found


_SWIN = "layers.{}.residual_group.blocks.{}"


def swin_blocks(extra: Shapes | None = None) -> Shapes:
    """Blocks of SwinIR, which its descendants keep."""
    found: Shapes = dict(extra or {})
    for level in range(2):
        for number in range(2):
            block = _SWIN.format(level, number)
            found[f"{block}.norm1.weight"] = (96,)
            found[f"{block}.attn.relative_position_bias_table"] = (225, 6)
            found |= conv(f"{block}.attn.qkv", (288, 96))
    return found


def hat_blocks() -> Shapes:
    """HAT adds a convolution to each block and one attention that overlaps."""
    extra = conv("layers.0.residual_group.blocks.0.conv_block.cab.0", (32, 96, 3, 3))
    extra["layers.0.residual_group.overlap_attn.relative_position_bias_table"] = (225, 6)
    return swin_blocks(extra)
