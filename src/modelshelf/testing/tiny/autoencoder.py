"""The image autoencoders (VAE) of the Stable Diffusion and FLUX.1 families, tensor by tensor.

Every published tensor is there under its published name; image and latent channels have their
published number at any width, and only the channels inside (published: 128) can be narrower.

Source: diffusers `AutoencoderKL`, the `vae/config.json` of the published models, CompVis
latent-diffusion names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Layout, Shape, convolution, linear, norm, prefixed

__all__ = ["AUTOENCODERS", "AutoencoderFamily", "autoencoder_layout", "ldm_autoencoder_name"]

PUBLISHED_WIDTH = 128
MULTIPLES = (1, 2, 4, 4)


@dataclass(frozen=True, slots=True)
class AutoencoderFamily:
    """What sets one family of autoencoders apart."""

    latent: int
    """Latent channels."""
    sample_size: int
    """Pixels on a side, as `config.json` says."""
    scaling: float | None = None
    """`scaling_factor` as published; None where the config leaves it out and means 0.18215."""
    shift: float | None = None
    """`shift_factor`; None where there is none."""
    quant: bool = True
    """Whether `quant_conv` and `post_quant_conv` are there."""


AUTOENCODERS: Mapping[str, AutoencoderFamily] = MappingProxyType(
    {
        "sd-1": AutoencoderFamily(4, 512),
        "sd-2": AutoencoderFamily(4, 512),
        "sdxl": AutoencoderFamily(4, 1024, 0.13025),
        "sdxl-refiner": AutoencoderFamily(4, 1024, 0.13025),
        "sd-3": AutoencoderFamily(16, 1024, 1.5305, 0.0609, quant=False),
        "flux": AutoencoderFamily(16, 1024, 0.3611, 0.1159, quant=False),
    }
)
"""The families by base. sd-1 and sd-2 use the very same file."""


def autoencoder_layout(base: str, *, width: int | None = None) -> Layout:
    """Name and size every tensor of a VAE as diffusers saves it.

    Args:
        base: A key of `AUTOENCODERS`.
        width: Channels of the first level; None means as published.

    Example:
        >>> autoencoder_layout("flux")["decoder.conv_in.weight"]
        (512, 16, 3, 3)
    """
    family = AUTOENCODERS[base]
    channels = tuple((width or PUBLISHED_WIDTH) * multiple for multiple in MULTIPLES)
    layout = prefixed("encoder.", _encoder(channels, family.latent))
    layout |= prefixed("decoder.", _decoder(channels, family.latent))
    if family.quant:
        layout |= convolution("quant_conv", 2 * family.latent, 2 * family.latent, 1)
        layout |= convolution("post_quant_conv", family.latent, family.latent, 1)
    return layout


def _encoder(channels: tuple[int, ...], latent: int) -> dict[str, Shape]:
    layout = convolution("conv_in", channels[0], 3)
    into = channels[0]
    for level, out in enumerate(channels):
        here = f"down_blocks.{level}."
        for number in range(2):
            layout |= _resnet(f"{here}resnets.{number}", out, into)
            into = out
        if level < len(channels) - 1:
            layout |= convolution(f"{here}downsamplers.0.conv", out, out)
    layout |= _middle(into)
    layout |= norm("conv_norm_out", into)
    return layout | convolution("conv_out", 2 * latent, into)


def _decoder(channels: tuple[int, ...], latent: int) -> dict[str, Shape]:
    into = channels[-1]
    layout = convolution("conv_in", into, latent) | _middle(into)
    for level, out in enumerate(channels[::-1]):
        here = f"up_blocks.{level}."
        for number in range(3):
            layout |= _resnet(f"{here}resnets.{number}", out, into)
            into = out
        if level < len(channels) - 1:
            layout |= convolution(f"{here}upsamplers.0.conv", out, out)
    layout |= norm("conv_norm_out", into)
    return layout | convolution("conv_out", 3, into)


def _middle(width: int) -> dict[str, Shape]:
    here = "mid_block.attentions.0"
    layout = norm(f"{here}.group_norm", width)
    for name in ("to_q", "to_k", "to_v", "to_out.0"):
        layout |= linear(f"{here}.{name}", width, width)
    for number in range(2):
        layout |= _resnet(f"mid_block.resnets.{number}", width, width)
    return layout


def _resnet(name: str, out: int, into: int) -> dict[str, Shape]:
    return {
        **norm(f"{name}.norm1", into),
        **convolution(f"{name}.conv1", out, into),
        **norm(f"{name}.norm2", out),
        **convolution(f"{name}.conv2", out, out),
        **(convolution(f"{name}.conv_shortcut", out, into, 1) if into != out else {}),
    }


_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_LEVEL = re.compile(
    r"(encoder|decoder)\.(?:down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.+)"
)
_MIDDLE = re.compile(
    r"(encoder|decoder)\.mid_block\.(resnets|attentions)\.0*(\d+)\.(.+)\.(weight|bias)"
)


def ldm_autoencoder_name(name: str) -> str:
    """The name that a tensor of a diffusers VAE has in the original file, but for its prefix.

    Up blocks are numbered backwards there, and the attention's matrices are 1x1 convolutions of the
    same bytes.

    Example:
        >>> ldm_autoencoder_name("decoder.up_blocks.0.resnets.1.conv1.weight")
        'decoder.up.3.block.1.conv1.weight'
    """
    if level := _LEVEL.fullmatch(name):
        return _ldm_level_name(*level.groups())
    if middle := _MIDDLE.fullmatch(name):
        side, kind, number, inner, leaf = middle.groups()
        place = "attn_1" if kind == "attentions" else f"block_{int(number) + 1}"
        return f"{side}.mid.{place}.{_inner(inner)}.{leaf}"
    return name.replace("conv_norm_out", "norm_out")


def _ldm_level_name(side: str, level: str, kind: str, number: str, rest: str) -> str:
    way, at = ("down", int(level)) if side == "encoder" else ("up", len(MULTIPLES) - 1 - int(level))
    if kind == "resnets":
        return f"{side}.{way}.{at}.block.{number}.{rest.replace('conv_shortcut', 'nin_shortcut')}"
    return f"{side}.{way}.{at}.{kind[:-3]}e.{rest}"


def _inner(name: str) -> str:
    return _ATTENTION.get(name, name.replace("conv_shortcut", "nin_shortcut"))
