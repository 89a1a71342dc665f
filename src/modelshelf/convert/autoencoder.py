"""Image autoencoders (VAE): `decoder.up` counted from the end as `decoder.up_blocks` from the start.

Source: `ldm/modules/diffusionmodules/model.py` of CompVis/latent-diffusion, `AutoencoderKL` and
`loaders/single_file_utils.py` of huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from typing import Any

from modelshelf.convert.mapping import Bundle, Moved, UnconvertibleError, moved_all
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["autoencoder_config", "autoencoder_tensors"]

_MODULE = ("weight", "bias")
_RESNET = ("norm1", "conv1", "norm2", "conv2")
_ATTENTION = {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def autoencoder_tensors(bundle: Bundle) -> Iterator[Moved]:
    """Yield every tensor that diffusers expects of such an autoencoder."""
    levels = bundle.count("encoder.down.")
    for level in range(levels):
        there = f"encoder.down.{level}"
        for number in range(bundle.count(f"{there}.block.")):
            here = f"encoder.down_blocks.{level}.resnets.{number}"
            yield from _resnet(here, f"{there}.block.{number}", bundle)
        if level < levels - 1:
            here = f"encoder.down_blocks.{level}.downsamplers.0.conv"
            yield from moved_all(here, f"{there}.downsample.conv", _MODULE)
    for level in range(levels):
        there = f"decoder.up.{levels - 1 - level}"
        for number in range(bundle.count(f"{there}.block.")):
            here = f"decoder.up_blocks.{level}.resnets.{number}"
            yield from _resnet(here, f"{there}.block.{number}", bundle)
        if level < levels - 1:
            here = f"decoder.up_blocks.{level}.upsamplers.0.conv"
            yield from moved_all(here, f"{there}.upsample.conv", _MODULE)
    for side in ("encoder", "decoder"):
        yield from _ends(side, bundle)
    for name in ("quant_conv", "post_quant_conv"):
        if f"{name}.weight" in bundle:
            yield from moved_all(name, name, _MODULE)


def _ends(side: str, bundle: Bundle) -> Iterator[Moved]:
    yield from moved_all(f"{side}.conv_in", f"{side}.conv_in", _MODULE)
    for number in (0, 1):
        there = f"{side}.mid.block_{number + 1}"
        yield from _resnet(f"{side}.mid_block.resnets.{number}", there, bundle)
    here, there = f"{side}.mid_block.attentions.0", f"{side}.mid.attn_1"
    yield from moved_all(f"{here}.group_norm", f"{there}.norm", _MODULE)
    for name, original in _ATTENTION.items():
        rows, columns, *ones = bundle.shape(f"{there}.{original}.weight", 2)
        if any(one != 1 for one in ones):
            raise UnconvertibleError(reason=f"`{there}.{original}` looks at more than one pixel")
        # A 1x1 convolution there, a matrix here: the same numbers.
        yield Moved(f"{here}.{name}.weight", f"{there}.{original}.weight", shape=(rows, columns))
        yield Moved(f"{here}.{name}.bias", f"{there}.{original}.bias")
    yield from moved_all(f"{side}.conv_norm_out", f"{side}.norm_out", _MODULE)
    yield from moved_all(f"{side}.conv_out", f"{side}.conv_out", _MODULE)


def _resnet(here: str, there: str, bundle: Bundle) -> Iterator[Moved]:
    for name in _RESNET:
        yield from moved_all(f"{here}.{name}", f"{there}.{name}", _MODULE)
    if f"{there}.nin_shortcut.weight" in bundle:
        yield from moved_all(f"{here}.conv_shortcut", f"{there}.nin_shortcut", _MODULE)


_SCALING = {BaseModelType.SD_1: 0.18215, BaseModelType.SD_2: 0.18215}
_SAMPLE_SIZES = {BaseModelType.SD_1: 512, BaseModelType.SD_2: 768}


def autoencoder_config(bundle: Bundle, base: BaseModelType) -> dict[str, Any]:
    """Return `config.json` of such an autoencoder, with what no shape tells as published.

    Source: `vae/config.json` of the published models of each base.
    """
    levels = bundle.count("encoder.down.")
    channels = [
        bundle.shape(f"encoder.down.{level}.block.0.conv1.weight", 4)[0] for level in range(levels)
    ]
    if not channels:
        raise UnconvertibleError(reason="its VAE has no levels")
    config: dict[str, Any] = {
        "_class_name": "AutoencoderKL",
        "act_fn": "silu",
        "block_out_channels": channels,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "force_upcast": True,
        "in_channels": bundle.shape("encoder.conv_in.weight", 4)[1],
        "latent_channels": bundle.shape("decoder.conv_in.weight", 4)[1],
        "layers_per_block": bundle.count("encoder.down.0.block."),
        "norm_num_groups": gcd(32, *channels),
        "out_channels": bundle.shape("decoder.conv_out.weight", 4)[0],
        "sample_size": _SAMPLE_SIZES.get(base, 1024),
        "scaling_factor": _SCALING.get(base, 0.13025),
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }
    without = {
        f"use_{name}": False
        for name in ("quant_conv", "post_quant_conv")
        if f"{name}.weight" not in bundle
    }
    return config | without
