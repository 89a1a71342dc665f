"""UNets: CompVis' and Stability's `input_blocks` as diffusers' `down_blocks`.

The module tree is rebuilt from a few shapes, and each of its tensors is then asked for by name: what the
family does not have, or has and the file lacks, is noticed.

Source: `ldm/modules/diffusionmodules/openaimodel.py` of CompVis/stable-diffusion, `UNet2DConditionModel`
and `loaders/single_file_utils.py` of huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from typing import Any

from modelshelf.convert.mapping import Bundle, Moved, UnconvertibleError, moved_all
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["UNet", "read_unet", "unet_config", "unet_tensors"]

_RESNETS = 2
"""Residual blocks of a level on the way down, in every published model of these families."""
_STEP = _RESNETS + 1
_MODULE = ("weight", "bias")
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
}
_ATTENTION = ("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight", "to_out.0.bias")
_PLAIN = ("norm1", "norm2", "norm3", "ff.net.0.proj", "ff.net.2")


@dataclass(frozen=True, slots=True)
class UNet:
    """What the shapes of a UNet say about its modules."""

    channels: tuple[int, ...]
    """Of each level."""
    depths: tuple[int, ...]
    """Transformer blocks in each attention of a level; 0 for a level without."""
    mid_depth: int
    """The same in the middle."""
    inputs: int
    """Channels that it takes."""
    outputs: int
    """Channels that it gives."""
    context: int
    """Width of the text that it reads."""
    label: int | None
    """Width of the additional embedding; None where there is none."""
    is_linear: bool
    """Whether `proj_in` is a matrix; a convolution in sd-1."""


def read_unet(bundle: Bundle) -> UNet:
    """Read the module tree off a few shapes.

    Raises:
        UnconvertibleError: It is not built like a UNet of Stable Diffusion.
    """
    channels: list[int] = []
    depths: list[int] = []
    while (first := f"input_blocks.{len(channels) * _STEP + 1}.0.out_layers.3.weight") in bundle:
        channels.append(bundle.shape(first, 4)[0])
        depths.append(bundle.count(f"input_blocks.{len(depths) * _STEP + 1}.1.transformer_blocks."))
    middle = "middle_block.1."
    mid_depth = bundle.count(f"{middle}transformer_blocks.")
    if not channels or not mid_depth:
        raise UnconvertibleError(reason="the UNet has no middle block with attention")
    label = "label_emb.0.0.weight"
    return UNet(
        channels=tuple(channels),
        depths=tuple(depths),
        mid_depth=mid_depth,
        inputs=bundle.shape("input_blocks.0.0.weight", 4)[1],
        outputs=bundle.shape("out.2.weight", 4)[0],
        context=bundle.matrix(f"{middle}transformer_blocks.0.attn2.to_k.weight")[1],
        label=bundle.matrix(label)[1] if label in bundle else None,
        is_linear=len(bundle.shape(f"{middle}proj_in.weight", 2)) == 2,  # noqa: PLR2004 - a matrix
    )


def unet_tensors(unet: UNet, bundle: Bundle) -> Iterator[Moved]:
    """Yield every tensor that diffusers expects of such a UNet."""
    yield from moved_all("conv_in", "input_blocks.0.0", _MODULE)
    for number in (1, 2):
        yield from moved_all(
            f"time_embedding.linear_{number}", f"time_embed.{2 * number - 2}", _MODULE
        )
        if unet.label is not None:
            yield from moved_all(
                f"add_embedding.linear_{number}", f"label_emb.0.{2 * number - 2}", _MODULE
            )
    last = len(unet.channels) - 1
    for level, depth in enumerate(unet.depths):
        for number in range(_RESNETS):
            there = f"input_blocks.{level * _STEP + 1 + number}"
            yield from _block(f"down_blocks.{level}", number, there, depth, bundle)
        if level < last:
            there = f"input_blocks.{(level + 1) * _STEP}.0.op"
            yield from moved_all(f"down_blocks.{level}.downsamplers.0.conv", there, _MODULE)
    yield from _resnet("mid_block.resnets.0", "middle_block.0", bundle)
    yield from _transformer("mid_block.attentions.0", "middle_block.1", unet.mid_depth)
    yield from _resnet("mid_block.resnets.1", "middle_block.2", bundle)
    for level, depth in enumerate(reversed(unet.depths)):
        for number in range(_STEP):
            there = f"output_blocks.{level * _STEP + number}"
            yield from _block(f"up_blocks.{level}", number, there, depth, bundle)
        if level < last:
            there = f"output_blocks.{level * _STEP + _RESNETS}.{2 if depth else 1}.conv"
            yield from moved_all(f"up_blocks.{level}.upsamplers.0.conv", there, _MODULE)
    yield from moved_all("conv_norm_out", "out.0", _MODULE)
    yield from moved_all("conv_out", "out.2", _MODULE)


def _block(here: str, number: int, there: str, depth: int, bundle: Bundle) -> Iterator[Moved]:
    yield from _resnet(f"{here}.resnets.{number}", f"{there}.0", bundle)
    if depth:
        yield from _transformer(f"{here}.attentions.{number}", f"{there}.1", depth)


def _resnet(here: str, there: str, bundle: Bundle) -> Iterator[Moved]:
    for name, original in _RESNET.items():
        yield from moved_all(f"{here}.{name}", f"{there}.{original}", _MODULE)
    # Only where the number of channels changes.
    if f"{there}.skip_connection.weight" in bundle:
        yield from moved_all(f"{here}.conv_shortcut", f"{there}.skip_connection", _MODULE)


def _transformer(here: str, there: str, depth: int) -> Iterator[Moved]:
    for name in ("norm", "proj_in", "proj_out"):
        yield from moved_all(f"{here}.{name}", f"{there}.{name}", _MODULE)
    for number in range(depth):
        block = f".transformer_blocks.{number}"
        for name in ("attn1", "attn2"):
            yield from moved_all(f"{here}{block}.{name}", f"{there}{block}.{name}", _ATTENTION)
        for name in _PLAIN:
            yield from moved_all(f"{here}{block}.{name}", f"{there}{block}.{name}", _MODULE)


_SAMPLE_SIZES = {BaseModelType.SD_1: 64, BaseModelType.SD_2: 96}
_HEAD_WIDTH = 64
"""Channels of one head in every family after sd-1, which has 8 heads at any width."""


def unet_config(unet: UNet, base: BaseModelType) -> dict[str, Any]:
    """Return `config.json` of such a UNet, with what no shape tells as published.

    Source: `unet/config.json` of the published models of each base.
    """
    down = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in unet.depths]
    up = ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(unet.depths)]
    config: dict[str, Any] = {
        "_class_name": "UNet2DConditionModel",
        "act_fn": "silu",
        "attention_head_dim": [max(1, width // _HEAD_WIDTH) for width in unet.channels],
        "block_out_channels": list(unet.channels),
        "center_input_sample": False,
        "cross_attention_dim": unet.context,
        "down_block_types": down,
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "in_channels": unet.inputs,
        "layers_per_block": _RESNETS,
        "mid_block_scale_factor": 1,
        "norm_eps": 1e-05,
        "norm_num_groups": gcd(32, *unet.channels),
        "out_channels": unet.outputs,
        "sample_size": _SAMPLE_SIZES.get(base, 128),
        "up_block_types": up,
        "use_linear_projection": unet.is_linear,
    }
    if base is BaseModelType.SD_1:
        config["attention_head_dim"] = gcd(8, *unet.channels)
    if base is BaseModelType.SD_2:
        config["upcast_attention"] = True
    if unet.label is not None:
        deepest = [depth or 1 for depth in unet.depths]
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": unet.label,
            # One number serves all levels where the middle is no deeper than they are.
            "transformer_layers_per_block": deepest
            if unet.mid_depth == unet.depths[-1]
            else unet.mid_depth,
        }
    return config
