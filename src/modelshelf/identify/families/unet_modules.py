"""The modules of Stable Diffusion's UNets, written from a few numbers, for hosts of adapters.

Sources: `openaimodel.py` of CompVis/stable-diffusion and Stability-AI/generative-models,
`UNet2DConditionModel` of huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["UNet", "diffusers_modules", "down", "original_modules", "up"]


@dataclass(frozen=True)
class UNet:
    """The numbers of one UNet."""

    text: int
    """Width of the text that it attends to."""
    widths: tuple[int, ...]
    """Width of each level."""
    depths: tuple[int, ...]
    """Blocks in each attention of a level; 0 for levels without."""
    middle: int
    """Blocks in the attention in the middle; 0 for no middle, in diffusers' names."""
    is_linear: bool
    """True where the projections around an attention are linear layers, not convolutions."""
    label: int = 0
    """Width of what it is told beside the text; 0 for nothing."""
    layers: int = 2
    """Residual layers of a level on the way down; one more on the way up."""

    @property
    def top(self) -> int:
        """The number of the level where the picture is smallest."""
        return len(self.widths) - 1


def _attention(path: str, width: int, depth: int, unet: UNet) -> str:
    kernel = "" if unet.is_linear else "1x1"
    block = f"{path}.transformer_blocks.{{{depth}}}"
    return f"""
        {path}.norm  {width}
        {path}.(proj_in|proj_out)  {width} {width} {kernel}
        {block}.(norm1|norm2|norm3)  {width}
        {block}.(attn1|attn2).(to_q|to_out.0)  {width} {width}
        {block}.attn1.(to_k|to_v)  {width} {width}
        {block}.attn2.(to_k|to_v)  {unet.text} {width}
        {block}.ff.net.0.proj  {width} {8 * width}
        {block}.ff.net.2  {4 * width} {width}
    """


def _resnet(path: str, inputs: int, width: int, names: dict[str, str], unet: UNet) -> str:
    return f"""
        {path}.{names["norm1"]}  {inputs}
        {path}.{names["conv1"]}  {inputs} {width} 3x3
        {path}.{names["time"]}  {4 * unet.widths[0]} {width}
        {path}.{names["norm2"]}  {width}
        {path}.{names["conv2"]}  {width} {width} 3x3
        {path}.{names["skip"]}  {inputs} {width} 1x1
    """


_DIFFUSERS = {
    "norm1": "norm1",
    "conv1": "conv1",
    "time": "time_emb_proj",
    "norm2": "norm2",
    "conv2": "conv2",
    "skip": "conv_shortcut",
}
_ORIGINAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "skip": "skip_connection",
}


def down(unet: UNet) -> Iterator[tuple[int, int, int, int]]:
    """Yield level, place in it, width in and out of each residual layer on the way down."""
    width = unet.widths[0]
    for level, outputs in enumerate(unet.widths):
        for place in range(unet.layers):
            yield level, place, width, outputs
            width = outputs


def up(unet: UNet) -> Iterator[tuple[int, int, int, int]]:
    """The same on the way up, each with what was set aside on the way down."""
    aside = [unet.widths[0]]
    for level, outputs in enumerate(unet.widths):
        aside += [outputs] * (unet.layers + (level < unet.top))
    width = unet.widths[-1]
    for level in range(unet.top, -1, -1):
        for place in range(unet.layers + 1):
            yield level, place, width + aside.pop(), unet.widths[level]
            width = unet.widths[level]


def original_modules(unet: UNet) -> str:
    """Return the lines of a host in the names of CompVis' and Stability's code."""
    first, step = unet.widths[0], unet.layers + 1
    lines = [
        f"""
        time_embed.0  {first} {4 * first}
        time_embed.2  {4 * first} {4 * first}
        label_emb.0.0  {unet.label} {4 * first}
        label_emb.0.2  {4 * first} {4 * first}
        input_blocks.0.0  ? {first} 3x3
        out.0  {first}
        out.2  {first} ? 3x3
        """
    ]
    for level, place, inputs, width in down(unet):
        block = f"input_blocks.{1 + step * level + place}"
        lines.append(_resnet(f"{block}.0", inputs, width, _ORIGINAL, unet))
        lines += _attentions(f"{block}.1", level, unet)
        if place == unet.layers - 1 and level < unet.top:
            lines.append(f"input_blocks.{step * level + step}.0.op  {width} {width} 3x3")
    last = unet.widths[-1]
    lines += [_resnet(f"middle_block.{one}", last, last, _ORIGINAL, unet) for one in (0, 2)]
    lines.append(_attention("middle_block.1", last, unet.middle, unet))
    for level, place, inputs, width in up(unet):
        block = f"output_blocks.{step * (unet.top - level) + place}"
        lines.append(_resnet(f"{block}.0", inputs, width, _ORIGINAL, unet))
        lines += _attentions(f"{block}.1", level, unet)
        if place == unet.layers and level:
            lines.append(f"{block}.(1|2).conv  {width} {width} 3x3")
    return "\n".join(lines)


def _attentions(path: str, level: int, unet: UNet) -> list[str]:
    depth = unet.depths[level]
    return [_attention(path, unet.widths[level], depth, unet)] if depth else []


def diffusers_modules(unet: UNet) -> str:
    """Return the same lines in the names of diffusers."""
    first = unet.widths[0]
    lines = [
        f"""
        time_embedding.linear_1  {first} {4 * first}
        time_embedding.linear_2  {4 * first} {4 * first}
        time_embedding.cond_proj  ? {first}
        class_embedding.linear_1  ? {4 * first}
        class_embedding.linear_2  {4 * first} {4 * first}
        add_embedding.linear_1  {unet.label} {4 * first}
        add_embedding.linear_2  {4 * first} {4 * first}
        conv_in  ? {first} 3x3
        conv_norm_out  {first}
        conv_out  {first} ? 3x3
        """
    ]
    for level, place, inputs, width in down(unet):
        lines.append(
            _resnet(f"down_blocks.{level}.resnets.{place}", inputs, width, _DIFFUSERS, unet)
        )
        lines += _attentions(f"down_blocks.{level}.attentions.{place}", level, unet)
        if place == unet.layers - 1 and level < unet.top:
            lines.append(f"down_blocks.{level}.downsamplers.0.conv  {width} {width} 3x3")
    if unet.middle:
        last = unet.widths[-1]
        lines.append(_resnet("mid_block.resnets.{2}", last, last, _DIFFUSERS, unet))
        lines.append(_attention("mid_block.attentions.0", last, unet.middle, unet))
    for level, place, inputs, width in up(unet):
        block = f"up_blocks.{unet.top - level}"
        lines.append(_resnet(f"{block}.resnets.{place}", inputs, width, _DIFFUSERS, unet))
        lines += _attentions(f"{block}.attentions.{place}", level, unet)
        if place == unet.layers and level:
            lines.append(f"{block}.upsamplers.0.conv  {width} {width} 3x3")
    return "\n".join(lines)
