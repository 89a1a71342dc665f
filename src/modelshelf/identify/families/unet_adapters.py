"""Adapters of the UNets of Stable Diffusion 1, 2 and XL, its refiner, SVD, and Stable Cascade.

All four image UNets are one design with other numbers, so their modules are written from those
numbers, once in the original names and once in diffusers'. What the text is like decides, or how many
blocks an attention has, or whether its projections are convolutions. Kolors has SDXL's modules, and is
known by the two that it adds.

Sources: `openaimodel.py` of CompVis/stable-diffusion and Stability-AI/generative-models,
`UNet2DConditionModel` of huggingface/diffusers, `networks/lora.py` of kohya-ss/sd-scripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.families.text_encoder_adapters import CLIP_G, KOHYA_CLIP_H, KOHYA_CLIP_L
from modelshelf.identify.family import Detail, Family
from modelshelf.identify.host import Host
from modelshelf.identify.saying import Says
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]


@dataclass(frozen=True)
class _UNet:
    """The numbers of one UNet."""

    text: int
    """Width of the text that it attends to."""
    widths: tuple[int, ...]
    """Width of each level."""
    depths: tuple[int, ...]
    """Blocks in each attention of a level; 0 for levels without."""
    middle: int
    """Blocks in the attention in the middle."""
    is_linear: bool
    """True where the projections around an attention are linear layers, not convolutions."""
    label: int = 0
    """Width of what it is told beside the text; 0 for nothing."""

    @property
    def top(self) -> int:
        return len(self.widths) - 1


_SD_1 = _UNet(768, (320, 640, 1280, 1280), (1, 1, 1, 0), 1, is_linear=False)
_SD_2 = _UNet(1024, (320, 640, 1280, 1280), (1, 1, 1, 0), 1, is_linear=True)
_SDXL = _UNet(2048, (320, 640, 1280), (0, 2, 10), 10, is_linear=True, label=2816)
_REFINER = _UNet(1280, (384, 768, 1536, 1536), (0, 4, 4, 0), 4, is_linear=True, label=2560)


def _attention(path: str, width: int, depth: int, unet: _UNet) -> str:
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


def _resnet(path: str, inputs: int, width: int, names: dict[str, str], unet: _UNet) -> str:
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


def _down(unet: _UNet) -> Iterator[tuple[int, int, int, int]]:
    """Yield level, place in it, width in and out of each residual layer on the way down."""
    width = unet.widths[0]
    for level, outputs in enumerate(unet.widths):
        for place in range(2):
            yield level, place, width, outputs
            width = outputs


def _up(unet: _UNet) -> Iterator[tuple[int, int, int, int]]:
    """The same on the way up, each with what was set aside on the way down."""
    aside = [unet.widths[0]]
    for level, outputs in enumerate(unet.widths):
        aside += [outputs] * (3 if level < unet.top else 2)
    width = unet.widths[-1]
    for level in range(unet.top, -1, -1):
        for place in range(3):
            yield level, place, width + aside.pop(), unet.widths[level]
            width = unet.widths[level]


def _original(unet: _UNet) -> str:
    first = unet.widths[0]
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
    for level, place, inputs, width in _down(unet):
        block = f"input_blocks.{1 + 3 * level + place}"
        lines.append(_resnet(f"{block}.0", inputs, width, _ORIGINAL, unet))
        lines += _attentions(f"{block}.1", level, unet)
        if place and level < unet.top:
            lines.append(f"input_blocks.{3 * level + 3}.0.op  {width} {width} 3x3")
    last = unet.widths[-1]
    lines += [_resnet(f"middle_block.{one}", last, last, _ORIGINAL, unet) for one in (0, 2)]
    lines.append(_attention("middle_block.1", last, unet.middle, unet))
    for level, place, inputs, width in _up(unet):
        block = f"output_blocks.{3 * (unet.top - level) + place}"
        lines.append(_resnet(f"{block}.0", inputs, width, _ORIGINAL, unet))
        lines += _attentions(f"{block}.1", level, unet)
        if place == 2 and level:  # noqa: PLR2004 -- the last of three
            lines.append(f"{block}.(1|2).conv  {width} {width} 3x3")
    return "\n".join(lines)


def _attentions(path: str, level: int, unet: _UNet) -> list[str]:
    depth = unet.depths[level]
    return [_attention(path, unet.widths[level], depth, unet)] if depth else []


def _diffusers(unet: _UNet) -> str:
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
    for level, place, inputs, width in _down(unet):
        lines.append(
            _resnet(f"down_blocks.{level}.resnets.{place}", inputs, width, _DIFFUSERS, unet)
        )
        lines += _attentions(f"down_blocks.{level}.attentions.{place}", level, unet)
        if place and level < unet.top:
            lines.append(f"down_blocks.{level}.downsamplers.0.conv  {width} {width} 3x3")
    last = unet.widths[-1]
    lines.append(_resnet("mid_block.resnets.{2}", last, last, _DIFFUSERS, unet))
    lines.append(_attention("mid_block.attentions.0", last, unet.middle, unet))
    for level, place, inputs, width in _up(unet):
        block = f"up_blocks.{unet.top - level}"
        lines.append(_resnet(f"{block}.resnets.{place}", inputs, width, _DIFFUSERS, unet))
        lines += _attentions(f"{block}.attentions.{place}", level, unet)
        if place == 2 and level:  # noqa: PLR2004 -- the last of three
            lines.append(f"{block}.upsamplers.0.conv  {width} {width} 3x3")
    return "\n".join(lines)


def _motion(unet: _UNet) -> str:
    """AnimateDiff's motion modules, which its motion LoRAs adapt: one behind every residual layer."""
    lines = []
    for stack, count in (("down_blocks", 2), ("up_blocks", 3)):
        for level, width in enumerate(unet.widths):
            number = level if count == 2 else unet.top - level  # noqa: PLR2004 -- as above
            module = f"{stack}.{number}.motion_modules.{{{count}}}"
            lines.append(_motion_module(module, width))
    lines.append(_motion_module("mid_block.motion_modules.0", unet.widths[-1]))
    return "\n".join(lines)


def _motion_module(path: str, width: int) -> str:
    return f"""
        {path}.(temporal_transformer.proj_in|temporal_transformer.proj_out)  {width} {width}
        {path}.temporal_transformer.transformer_blocks.0.attention_blocks.{{2}}.(to_q|to_k)  {width} {width}
        {path}.temporal_transformer.transformer_blocks.0.attention_blocks.{{2}}.(to_v|to_out.0)  {width} {width}
        {path}.transformer_blocks.0.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  {width} {width}
    """


_SVD = Host(
    "svd/diffusers",
    f"""
    {_diffusers(_SD_2)}
    {_diffusers(_SD_2).replace(".transformer_blocks.", ".temporal_transformer_blocks.")}
    """,
)
_KOLORS = Host(
    "kolors/diffusers",
    f"""
    {_diffusers(_UNet(2048, (320, 640, 1280), (0, 2, 10), 10, is_linear=True, label=5632))}
    encoder_hid_proj  4096 2048
    """,
)
# One layer in three of a level attends, after one that convolves and one that takes the time.
_CASCADE = """
    (down_blocks|up_blocks).{2}.{72}.attention.(to_q|to_k|to_v|to_out.0)  w w
    (down_blocks|up_blocks).{2}.{72}.attention.attn.(to_q|to_k|to_v|to_out.0|out_proj)  w w
    (down_blocks|up_blocks).{2}.{72}.kv_mapper.1  w w
    (down_blocks|up_blocks).{2}.{72}.channelwise.0  w 4w
    (down_blocks|up_blocks).{2}.{72}.channelwise.0  2w 4w
    (down_blocks|up_blocks).{2}.{72}.channelwise.4  4w w
    (down_blocks|up_blocks).{2}.{72}.depthwise  1 w 3x3
    (down_blocks|up_blocks).{2}.{72}.(mapper|mapper_sca|mapper_crp)  64 2w
    (down_downscalers|up_upscalers).{2}.1  w w 2x2
    (down_downscalers.1.1.blocks.0|up_upscalers.0.1.blocks.1)  w w 1x1
    embedding.1  ? w 1x1
    clf.1  w ? 1x1
    (clip_txt_mapper|clip_txt_pooled_mapper|clip_img_mapper|clip_mapper)  ? ?
"""

_UNETS = {
    BaseModelType.SD_1: _SD_1,
    BaseModelType.SD_2: _SD_2,
    BaseModelType.SDXL: _SDXL,
    BaseModelType.SDXL_REFINER: _REFINER,
}
_HOSTS = {
    (base, layout): Host(f"{base}/{layout}", modules)
    for base, unet in _UNETS.items()
    for layout, modules in (
        ("original", _original(unet)),
        ("diffusers", _diffusers(unet) + (_motion(unet) if unet is _SD_1 else "")),
    )
}
_ENCODERS = {
    BaseModelType.SD_1: KOHYA_CLIP_L,
    BaseModelType.SD_2: KOHYA_CLIP_H,
    BaseModelType.SDXL: (CLIP_G,),
}


def _with_encoder(layout: str, base: BaseModelType) -> Family:
    """Where the denoiser leaves several open, the text encoder beside it may decide."""
    return lora(
        base,
        _HOSTS[base, layout],
        *_ENCODERS[base],
        rule=f"{layout}-with-text-encoder",
        special_case_of=tuple(f"{one}/lora/{layout}" for one in _UNETS),
    )


def _cloneofsimo(base: BaseModelType, *conditions: Condition) -> Family:
    """The first LoRAs of all number the matrices and name no module; tokens may lie beside them."""
    return Family(
        id=f"{base}/lora/cloneofsimo",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=(base,),
        conditions=conditions,
        details=(Detail("layout", "cloneofsimo"), Detail("network", "lora")),
    )


FAMILIES = (
    *(lora(base, host) for (base, _), host in _HOSTS.items()),
    *(
        # Some programs write a convolution of single points as the matrix that it is.
        lora(
            BaseModelType.SD_1,
            Host(f"sd-1/{layout}-matrices", modules),
            Adapts("denoiser:*_proj_in", rank=2),
            Adapts("denoiser:*_attn2_to_[kv]", inputs=_SD_1.text),
        )
        for layout, modules in (
            ("original", _original(replace(_SD_1, is_linear=True))),
            ("diffusers", _diffusers(replace(_SD_1, is_linear=True))),
        )
    ),
    lora(
        BaseModelType.KOLORS,
        _KOLORS,
        Either(
            (
                Says(BaseModelType.KOLORS),
                Adapts("denoiser:encoder_hid_proj"),
                Adapts("denoiser:add_embedding_linear_#", inputs=(5632, 1280), outputs=1280),
            )
        ),
        special_case_of=("sdxl/lora/diffusers",),
    ),
    lora(
        BaseModelType.SVD,
        _SVD,
        # Its spatial layers are SD 2's; those over time are its own.
        Adapts("denoiser:*_temporal_transformer_blocks_#_*"),
    ),
    lora(BaseModelType.STABLE_CASCADE, Host("stable-cascade/stage-c", _CASCADE, {"w": 2048})),
    lora(BaseModelType.STABLE_CASCADE, Host("stable-cascade/stage-c-lite", _CASCADE, {"w": 1536})),
    *(_with_encoder(layout, base) for layout in ("original", "diffusers") for base in _ENCODERS),
    _cloneofsimo(
        BaseModelType.SD_1,
        Tensor("text_encoder:#:down", (None, _SD_1.text)),
        Tensor("unet:#:down", rank=2),
    ),
    _cloneofsimo(
        BaseModelType.SD_2,
        Tensor("text_encoder:#:down", (None, _SD_2.text)),
        Tensor("unet:#:down", rank=2),
    ),
)
"""One per denoiser and layout."""
