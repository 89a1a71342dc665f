"""The UNets of sd-1, sd-2, sdxl and its refiner, and their ControlNets, tensor by tensor.

Every published tensor is there under its published name. What another part or a reader relies on
keeps its published size at any width: channels in and out, the width of the text that
cross-attention reads, the label vector, the number of blocks. Only the channels inside (published:
320, 384 in the refiner) can be narrower.

Source: diffusers `UNet2DConditionModel` and `ControlNetModel`, and the `unet/config.json` of the
published models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from modelshelf.testing.tiny.layout import (
    Layout,
    Shape,
    attention,
    convolution,
    linear,
    norm,
    prefixed,
)

__all__ = [
    "UNETS",
    "UNetFamily",
    "controlnet_layout",
    "ldm_controlnet_name",
    "ldm_unet_name",
    "unet_layout",
]

RESNETS = 2
"""Residual blocks at each level on the way down; one more on the way up."""


@dataclass(frozen=True, slots=True)
class UNetFamily:
    """What sets one family of UNets apart."""

    width: int
    """Published channels of the first level."""
    multiples: tuple[int, ...]
    """Channels of each level, in multiples of the first."""
    depths: tuple[int, ...]
    """Transformer blocks in each attention of a level; 0 means that the level has none."""
    mid_depth: int
    """Transformer blocks in the middle."""
    context: int
    """Width of the text that cross-attention reads."""
    heads: int | tuple[int, ...]
    """`attention_head_dim` as published: heads, in spite of its name."""
    sample_size: int
    """Latent pixels on a side."""
    linear_projection: bool = True
    """Whether `proj_in` is a matrix; a convolution in sd-1."""
    label: int | None = None
    """Width of the additional embedding (`text_time`); None where there is none."""

    def channels(self, width: int) -> tuple[int, ...]:
        """Channels of each level when the first has *width*."""
        return tuple(width * multiple for multiple in self.multiples)


UNETS: Mapping[str, UNetFamily] = MappingProxyType(
    {
        "sd-1": UNetFamily(320, (1, 2, 4, 4), (1, 1, 1, 0), 1, 768, 8, 64, linear_projection=False),
        "sd-2": UNetFamily(320, (1, 2, 4, 4), (1, 1, 1, 0), 1, 1024, (5, 10, 20, 20), 96),
        "sdxl": UNetFamily(320, (1, 2, 4), (0, 2, 10), 10, 2048, (5, 10, 20), 128, label=2816),
        "sdxl-refiner": UNetFamily(
            384, (1, 2, 4, 4), (0, 4, 4, 0), 4, 1280, (6, 12, 24, 24), 128, label=2560
        ),
    }
)
"""The families by base."""


def unet_layout(base: str, *, width: int | None = None, in_channels: int = 4) -> Layout:
    """Name and size every tensor of a UNet as diffusers saves it.

    Args:
        base: A key of `UNETS`.
        width: Channels of the first level; None means as published.
        in_channels: 9 for an inpainting model.

    Example:
        >>> unet_layout("sd-1")["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"]
        (320, 768)
    """
    family = UNETS[base]
    channels = family.channels(width or family.width)
    return {
        **_entry(family, channels, in_channels),
        **_middle(family, channels),
        **_way_up(family, channels),
        **norm("conv_norm_out", channels[0]),
        **convolution("conv_out", 4, channels[0]),
    }


def controlnet_layout(base: str, *, width: int | None = None) -> Layout:
    """Name and size every tensor of a ControlNet as diffusers saves it.

    Args:
        base: A key of `UNETS`.
        width: Channels of the first level; None means as published.

    Example:
        >>> controlnet_layout("sd-1")["controlnet_down_blocks.0.weight"]
        (320, 320, 1, 1)
    """
    family = UNETS[base]
    channels = family.channels(width or family.width)
    layout = _entry(family, channels, 4) | _middle(family, channels)
    layout |= _hint(channels[0])
    for number, skip in enumerate(_skips(channels)):
        layout |= convolution(f"controlnet_down_blocks.{number}", skip, skip, 1)
    return layout | convolution("controlnet_mid_block", channels[-1], channels[-1], 1)


def _entry(family: UNetFamily, channels: tuple[int, ...], in_channels: int) -> dict[str, Shape]:
    first, time = channels[0], 4 * channels[0]
    layout = {
        **convolution("conv_in", first, in_channels),
        **linear("time_embedding.linear_1", time, first),
        **linear("time_embedding.linear_2", time, time),
    }
    if family.label is not None:
        layout |= linear("add_embedding.linear_1", time, family.label)
        layout |= linear("add_embedding.linear_2", time, time)
    into = first
    for level, out in enumerate(channels):
        here = f"down_blocks.{level}."
        for number in range(RESNETS):
            layout |= _resnet(f"{here}resnets.{number}", out, into, time)
            layout |= _transformer(f"{here}attentions.{number}", out, family, family.depths[level])
            into = out
        if level < len(channels) - 1:
            layout |= convolution(f"{here}downsamplers.0.conv", out, out)
    return layout


def _middle(family: UNetFamily, channels: tuple[int, ...]) -> dict[str, Shape]:
    width, time = channels[-1], 4 * channels[0]
    return {
        **_resnet("mid_block.resnets.0", width, width, time),
        **_transformer("mid_block.attentions.0", width, family, family.mid_depth),
        **_resnet("mid_block.resnets.1", width, width, time),
    }


def _way_up(family: UNetFamily, channels: tuple[int, ...]) -> dict[str, Shape]:
    layout: dict[str, Shape] = {}
    time, skips, into = 4 * channels[0], _skips(channels), channels[-1]
    levels = list(zip(channels, family.depths, strict=True))[::-1]
    for level, (out, depth) in enumerate(levels):
        here = f"up_blocks.{level}."
        for number in range(RESNETS + 1):
            layout |= _resnet(f"{here}resnets.{number}", out, into + skips.pop(), time)
            layout |= _transformer(f"{here}attentions.{number}", out, family, depth)
            into = out
        if level < len(levels) - 1:
            layout |= convolution(f"{here}upsamplers.0.conv", out, out)
    return layout


def _skips(channels: tuple[int, ...]) -> list[int]:
    """Channels of each output on the way down, which the way up and ControlNets read."""
    skips = [channels[0]]
    for level, width in enumerate(channels):
        last = level == len(channels) - 1
        skips += [width] * (RESNETS if last else RESNETS + 1)
    return skips


def _resnet(name: str, out: int, into: int, time: int) -> dict[str, Shape]:
    return {
        **norm(f"{name}.norm1", into),
        **convolution(f"{name}.conv1", out, into),
        **linear(f"{name}.time_emb_proj", out, time),
        **norm(f"{name}.norm2", out),
        **convolution(f"{name}.conv2", out, out),
        **(convolution(f"{name}.conv_shortcut", out, into, 1) if into != out else {}),
    }


def _transformer(name: str, width: int, family: UNetFamily, depth: int) -> dict[str, Shape]:
    if not depth:
        return {}
    projection = linear if family.linear_projection else _point
    layout = {
        **norm(f"{name}.norm", width),
        **projection(f"{name}.proj_in", width, width),
        **projection(f"{name}.proj_out", width, width),
    }
    block = {
        **norm("norm1", width),
        **attention("attn1", width, width),
        **norm("norm2", width),
        **attention("attn2", width, family.context),
        **norm("norm3", width),
        **linear("ff.net.0.proj", 8 * width, width),
        **linear("ff.net.2", width, 4 * width),
    }
    for number in range(depth):
        layout |= prefixed(f"{name}.transformer_blocks.{number}.", block)
    return layout


def _point(name: str, out: int, into: int) -> dict[str, Shape]:
    return convolution(name, out, into, 1)


def _hint(width: int) -> dict[str, Shape]:
    here, widths = "controlnet_cond_embedding", (16, 32, 96, 256)
    layout = convolution(f"{here}.conv_in", widths[0], 3)
    for number, (into, out) in enumerate(pairwise(widths)):
        layout |= convolution(f"{here}.blocks.{2 * number}", into, into)
        layout |= convolution(f"{here}.blocks.{2 * number + 1}", out, into)
    return layout | convolution(f"{here}.conv_out", width, widths[-1])


_RESNET_NAMES = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_BLOCK = re.compile(
    r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)"
)
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def ldm_unet_name(name: str, base: str) -> str:
    """The name that a tensor of a diffusers UNet has in the original file, but for its prefix.

    Source: `diffusers/loaders/single_file_utils.py`, read backwards.

    Example:
        >>> ldm_unet_name("down_blocks.1.resnets.0.conv_shortcut.weight", "sd-1")
        'input_blocks.4.0.skip_connection.weight'
    """
    if block := _BLOCK.fullmatch(name):
        return _ldm_block_name(base, *block.groups())
    if middle := _MIDDLE.fullmatch(name):
        kind, number, rest = middle.groups()
        place = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{place}.{_inner(kind, rest)}"
    stem, _, leaf = name.rpartition(".")
    return f"{_ENDS[stem]}.{leaf}"


def _ldm_block_name(base: str, way: str, level: str, kind: str, number: str, rest: str) -> str:
    family, at, step = UNETS[base], int(level), RESNETS + 1
    if kind == "downsamplers":
        return f"input_blocks.{(at + 1) * step}.0.{rest.replace('conv', 'op')}"
    if kind == "upsamplers":
        place = 2 if family.depths[::-1][at] else 1
        return f"output_blocks.{at * step + RESNETS}.{place}.{rest}"
    place = int(kind == "attentions")
    if way == "down":
        return f"input_blocks.{at * step + 1 + int(number)}.{place}.{_inner(kind, rest)}"
    return f"output_blocks.{at * step + int(number)}.{place}.{_inner(kind, rest)}"


def _inner(kind: str, rest: str) -> str:
    if kind == "attentions":
        return rest
    stem, _, leaf = rest.rpartition(".")
    return f"{_RESNET_NAMES[stem]}.{leaf}"


def ldm_controlnet_name(name: str, base: str) -> str:
    """The name that a tensor of a ControlNet has in the original file, but for its prefix.

    Example:
        >>> ldm_controlnet_name("controlnet_down_blocks.3.weight", "sd-1")
        'zero_convs.3.0.weight'
    """
    stem, _, leaf = name.rpartition(".")
    if stem == "controlnet_mid_block":
        return f"middle_block_out.0.{leaf}"
    if stem.startswith("controlnet_down_blocks."):
        return f"zero_convs.{stem.rpartition('.')[2]}.0.{leaf}"
    if stem.startswith("controlnet_cond_embedding."):
        return f"input_hint_block.{_hint_place(stem)}.{leaf}"
    return ldm_unet_name(name, base)


def _hint_place(stem: str) -> int:
    """Every second module of the original is an activation, which has no tensors."""
    if stem.endswith("conv_in"):
        return 0
    if stem.endswith("conv_out"):
        return 14
    return 2 + 2 * int(stem.rpartition(".")[2])
