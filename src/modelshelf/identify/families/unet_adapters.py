"""Adapters of the UNets of Stable Diffusion 1, 2 and XL, its refiner, SVD, and Stable Cascade.

All four image UNets are one design with other numbers (`unet_modules.py`). What the text is like decides,
or how many blocks an attention has, or whether its projections are convolutions. Kolors has SDXL's
modules, and is known by the two that it adds. BK-SDM is SD 1 with fewer layers.

Sources: `openaimodel.py` of CompVis/stable-diffusion and Stability-AI/generative-models,
`UNet2DConditionModel` of huggingface/diffusers, `networks/lora.py` of kohya-ss/sd-scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Condition, Either, Never
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.families.text_encoder_adapters import CLIP_G, KOHYA_CLIP_H, KOHYA_CLIP_L
from modelshelf.identify.families.unet_modules import UNet, diffusers_modules, original_modules
from modelshelf.identify.family import Detail, Family
from modelshelf.identify.host import Fits, Host
from modelshelf.identify.saying import Says
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]


_SD_1 = UNet(768, (320, 640, 1280, 1280), (1, 1, 1, 0), 1, is_linear=False)
_SD_2 = UNet(1024, (320, 640, 1280, 1280), (1, 1, 1, 0), 1, is_linear=True)
_SDXL = UNet(2048, (320, 640, 1280), (0, 2, 10), 10, is_linear=True, label=2816)
_REFINER = UNet(1280, (384, 768, 1536, 1536), (0, 4, 4, 0), 4, is_linear=True, label=2560)
_BK_SDM = {
    "small": UNet(768, _SD_1.widths, _SD_1.depths, 0, is_linear=False, layers=1),
    "tiny": UNet(768, (320, 640, 1280), (1, 1, 1), 0, is_linear=False, layers=1),
}
_KOLORS = replace(_SDXL, label=5632)
_ANIMATED = (_SD_1, _SDXL)


def _motion(unet: UNet) -> str:
    """AnimateDiff's motion modules, which its motion LoRAs adapt: one behind every residual layer."""
    lines = []
    for stack, count in (("down_blocks", 2), ("up_blocks", 3)):
        for level, width in enumerate(unet.widths):
            number = level if count == 2 else unet.top - level  # noqa: PLR2004 -- as above
            module = f"{stack}.{number}.motion_modules.{{{count}}}"
            lines.append(_motion_module(module, width))
    # The beta for SDXL has none in the middle.
    if unet is _SD_1:
        lines.append(_motion_module("mid_block.motion_modules.0", unet.widths[-1]))
    return "\n".join(lines)


def _motion_module(path: str, width: int) -> str:
    return f"""
        {path}.(temporal_transformer.proj_in|temporal_transformer.proj_out)  {width} {width}
        {path}.(proj_in|proj_out)  {width} {width}
        {path}.(norm|transformer_blocks.0.norm1|transformer_blocks.0.norm2)  {width}
        {path}.transformer_blocks.0.norm3  {width}
        {path}.transformer_blocks.0.ff.net.0.proj  {width} {8 * width}
        {path}.transformer_blocks.0.ff.net.2  {4 * width} {width}
        {path}.temporal_transformer.transformer_blocks.0.attention_blocks.{{2}}.(to_q|to_k)  {width} {width}
        {path}.temporal_transformer.transformer_blocks.0.attention_blocks.{{2}}.(to_v|to_out.0)  {width} {width}
        {path}.transformer_blocks.0.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  {width} {width}
    """


def _over_time(modules: str, stack: str, position: tuple[str, str], *resnet: str) -> str:
    """SVD's layers: those in space, beside each the same over time, and the number of the frame.

    Args:
        modules: Those in space, as SD 2 has them.
        stack: What blocks over time are called.
        position: What the two layers are called that take the number of a frame.
        resnet: A pattern of a residual layer's modules, and what becomes of its path over time.
    """
    found = [modules]
    for line in modules.splitlines():
        if ".transformer_blocks." in line:
            over = line.replace(".transformer_blocks.", f".{stack}.")
            found += [over, over.replace(".ff.", ".ff_in.")]
            found.append(over.replace("(norm1|norm2|norm3)", "norm_in"))
    for path, width in re.findall(r"(\S+)\.\(proj_in\|proj_out\)  (\d+)", modules):
        into, out_of = (f"{path}.{name}" for name in position)
        found.append(f"{into}  {width} {4 * int(width)}")
        found.append(f"{out_of}  {4 * int(width)} {width}")
    return "\n".join((*found, *_layers_over_time(modules, *resnet)))


def _layers_over_time(modules: str, pattern: str, *paths: str) -> Iterator[str]:
    for line in modules.splitlines():
        for path in paths if re.search(pattern, line) else ():
            yield re.sub(pattern, path, line.split()[0])


_SVD = {
    "original": _over_time(
        original_modules(_SD_2),
        "time_stack",
        ("time_pos_embed.0", "time_pos_embed.2"),
        r"\.((?:in|emb|out)_layers\.\d)",
        r".time_stack.\1",
    ),
    "diffusers": _over_time(
        diffusers_modules(_SD_2),
        "temporal_transformer_blocks",
        ("time_pos_embed.linear_1", "time_pos_embed.linear_2"),
        r"(\.resnets\.[^.]+)\.",
        r"\1.spatial_res_block.",
        r"\1.temporal_res_block.",
    ),
}
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
# The stage that draws details: its inner levels attend, and a wider one is joined on the way up.
_CASCADE_B = """
    embedding.1  16 a 1x1
    (effnet_mapper.0|pixels_mapper.0)  ? 1280 1x1
    (effnet_mapper.2|pixels_mapper.2)  1280 a 1x1
    clf.1  a 16 1x1
    (clip_txt_pooled_mapper|clip_mapper)  1280 ?
    (down_blocks.0.{outer}|up_blocks.3.{outer}).channelwise.0  a 4a
    up_blocks.3.0.channelwise.0  2a 4a
    (down_blocks.0.{outer}|up_blocks.3.{outer}).channelwise.4  4a a
    (down_blocks.0.{outer}|up_blocks.3.{outer}).depthwise  1 a 3x3
    (down_blocks.0.{outer}|up_blocks.3.{outer}).(mapper|mapper_sca|mapper_crp)  64 2a
    (down_blocks.1.{next}|up_blocks.2.{next}).channelwise.0  b 4b
    up_blocks.2.0.channelwise.0  2b 4b
    (down_blocks.1.{next}|up_blocks.2.{next}).channelwise.4  4b b
    (down_blocks.1.{next}|up_blocks.2.{next}).depthwise  1 b 3x3
    (down_blocks.1.{next}|up_blocks.2.{next}).(mapper|mapper_sca|mapper_crp)  64 2b
    {inner}.channelwise.0  c 4c
    up_blocks.1.0.channelwise.0  2c 4c
    {inner}.channelwise.4  4c c
    {inner}.depthwise  1 c 3x3
    {inner}.(mapper|mapper_sca|mapper_crp)  64 2c
    {inner}.attention.(to_q|to_k|to_v|to_out.0)  c c
    {inner}.attention.attn.(to_q|to_k|to_v|to_out.0|out_proj)  c c
    {inner}.kv_mapper.1  1280 c
    down_downscalers.1.1  a b 2x2
    down_downscalers.2.1  b c 2x2
    down_downscalers.3.1  c c 2x2
    up_upscalers.{3}.1  ? ? 2x2
    up_repeat_mappers.{2}.{2}  c c 1x1
    up_repeat_mappers.2.{2}  b b 1x1
    up_repeat_mappers.3.{2}  a a 1x1
""".replace(
    "{inner}", "(down_blocks.2.{inner}|down_blocks.3.{last}|up_blocks.0.{last}|up_blocks.1.{inner})"
)
_CASCADE_B_SIZES = {
    "stage-b": {"a": 320, "b": 640, "c": 1280, "outer": 4, "next": 12, "inner": 84, "last": 18},
    "stage-b-lite": {"a": 320, "b": 576, "c": 1152, "outer": 4, "next": 8, "inner": 42, "last": 12},
}


def _attending_to_text_alone(modules: str) -> str:
    """The upscaler's UNet: its outer levels attend to the text twice, and the noise is a label."""
    own = modules.replace("attn1.(to_k|to_v)  512 512", "attn1.(to_k|to_v)  1024 512")
    return f"""
        {own}
        (class_embedding|label_emb)  1024 1000
    """


_UPSCALER = UNet(1024, (256, 512, 512, 1024), (0, 1, 1, 1), 1, is_linear=True)
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
        ("original", original_modules(unet)),
        ("diffusers", diffusers_modules(unet) + (_motion(unet) if unet in _ANIMATED else "")),
    )
}
_BEHIND = {(BaseModelType.SDXL, "diffusers"): tuple(f"sd-1/lora/bk-sdm-{size}" for size in _BK_SDM)}
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
    *(
        # Few have adapted BK-SDM, which has single blocks of SDXL's where SD 1 has none.
        lora(base, host, special_case_of=_BEHIND.get((base, layout), ()))
        for (base, layout), host in _HOSTS.items()
    ),
    *(
        # Some programs write a convolution of single points as the matrix that it is.
        lora(
            BaseModelType.SD_1,
            Host(f"sd-1/{layout}-matrices", modules),
            Adapts("denoiser:*_proj_in", rank=2),
            Adapts("denoiser:*_attn2_to_[kv]", inputs=_SD_1.text),
        )
        for layout, modules in (
            ("original", original_modules(replace(_SD_1, is_linear=True))),
            ("diffusers", diffusers_modules(replace(_SD_1, is_linear=True))),
        )
    ),
    *(
        lora(BaseModelType.SD_1, Host(f"sd-1/bk-sdm-{size}", diffusers_modules(unet)))
        for size, unet in _BK_SDM.items()
    ),
    *(
        lora(
            BaseModelType.KOLORS,
            Host(f"kolors/{layout}", f"{modules}\nencoder_hid_proj  4096 2048"),
            # It has all that SDXL has, but a label of another width, and a layer for its text.
            Either(
                (Says(BaseModelType.KOLORS), Adapts("denoiser:encoder_hid_proj"), Adapts(label))
            ),
            Either((Says(BaseModelType.KOLORS), Never(Fits(_HOSTS[BaseModelType.SDXL, layout])))),
            special_case_of=(f"sdxl/lora/{layout}",),
        )
        for layout, modules, label in (
            ("original", original_modules(_KOLORS), "denoiser:label_emb_*"),
            ("diffusers", diffusers_modules(_KOLORS), "denoiser:add_embedding_*"),
        )
    ),
    *(
        lora(
            BaseModelType.SVD,
            Host(f"svd/{layout}", modules),
            # Its spatial layers are SD 2's; those over time are its own.
            Either(tuple(Adapts(f"denoiser:*_{word}_*") for word in words)),
        )
        for (layout, modules), words in zip(
            _SVD.items(),
            (
                ("time_stack", "time_pos_embed"),
                (
                    "temporal_transformer_blocks",
                    "time_pos_embed",
                    "temporal_res_block",
                    "spatial_res_block",
                ),
            ),
            strict=True,
        )
    ),
    lora(BaseModelType.STABLE_CASCADE, Host("stable-cascade/stage-c", _CASCADE, {"w": 2048})),
    lora(BaseModelType.STABLE_CASCADE, Host("stable-cascade/stage-c-lite", _CASCADE, {"w": 1536})),
    *(
        lora(BaseModelType.STABLE_CASCADE, Host(f"stable-cascade/{stage}", _CASCADE_B, sizes))
        for stage, sizes in _CASCADE_B_SIZES.items()
    ),
    *(
        lora(
            BaseModelType.SD_2,
            Host(f"sd-2/x4-upscaler-{layout}", _attending_to_text_alone(modules)),
        )
        for layout, modules in (
            ("original", original_modules(_UPSCALER)),
            ("diffusers", diffusers_modules(_UPSCALER)),
        )
    ),
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
