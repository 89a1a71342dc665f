"""Adapters of Kandinsky 2's prior and decoder, and of DeepFloyd IF.

The decoder's UNet and IF's are one design: a level has one attention behind each residual layer, which looks
at the picture and at what was added to it at once. Widths tell them apart. The prior is a stack of
transformer blocks as wide as LTX-Video's and Cosmos-Predict2's, which have eight blocks more.

Sources: `UNet2DConditionModel` and `PriorTransformer` of huggingface/diffusers with the published
configurations, and its scripts that train such adapters.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Either
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.families.unet_modules import UNet, down, up
from modelshelf.identify.host import Host, Spans
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_SQUARE, _ADDED = "(to_q|to_k|to_v|to_out.0)", "(add_k_proj|add_v_proj)"


def _level(path: str, width: str) -> str:
    return f"""
        {path}.{_SQUARE}  {width} {width}
        {path}.{_ADDED}  text {width}
        {path}.(group_norm|norm_cross)
    """


def _layers(first: int, *widths: int, layers: int = 3) -> str:
    """The residual layers around the attentions, and what tells them the time."""
    time = 4 * first
    unet = UNet(0, (first, *widths), (), 0, is_linear=True, layers=layers)
    lines = [
        f"""
        conv_in  ? {first} 3x3
        time_embedding.linear_1  {first} {time}
        (time_embedding|class_embedding).linear_2  {time} {time}
        class_embedding.linear_1  {first} {time}
        add_embedding.pool.(q_proj|k_proj|v_proj)  4096 4096
        add_embedding.(proj|image_proj|text_proj)  ? {time}
        add_embedding.(norm1|norm2|image_norm|text_norm)
        add_embedding.input_hint_block.{{15}}  ? ?
        (encoder_hid_proj|encoder_hid_proj.image_embeds|encoder_hid_proj.text_proj)  ? ?
        encoder_hid_proj.norm
        conv_norm_out  {first}
        conv_out  {first} ? 3x3
        """
    ]
    for level, place, inputs, width in down(unet):
        block = f"down_blocks.{level}"
        lines.append(_layer(f"{block}.resnets.{place}", inputs, width, time))
        lines.append(_layer(f"{block}.downsamplers.0", width, width, time))
    for level, place, inputs, width in up(unet):
        block = f"up_blocks.{unet.top - level}"
        lines.append(_layer(f"{block}.resnets.{place}", inputs, width, time))
        lines.append(_layer(f"{block}.upsamplers.0", width, width, time))
    return "\n".join((*lines, _layer("mid_block.resnets.{2}", widths[-1], widths[-1], time)))


def _layer(path: str, inputs: int, width: int, time: int) -> str:
    return f"""
        {path}.norm1  {inputs}
        {path}.conv1  {inputs} {width} 3x3
        {path}.time_emb_proj  {time} {2 * width}
        {path}.norm2  {width}
        {path}.conv2  {width} {width} 3x3
        {path}.conv_shortcut  {inputs} {width} 1x1
    """


_MIDDLE = f"""
    {_level("down_blocks.3.attentions.{down}", "c")}
    {_level("mid_block.attentions.0", "c")}
    {_level("up_blocks.0.attentions.{up}", "c")}
    {_level("down_blocks.2.attentions.{down}", "b")}
    {_level("up_blocks.1.attentions.{up}", "b")}
"""
_WHOLE = f"""
    {_MIDDLE}
    {_level("down_blocks.1.attentions.{down}", "a")}
    {_level("up_blocks.2.attentions.{up}", "a")}
"""
_LAYERS = {"down": 3, "up": 4}
_PRIOR = Host(
    "kandinsky-2/prior",
    """
    (proj_in|embedding_proj|encoder_hidden_states_proj)  ? w
    (time_embedding.linear_1|time_embedding.linear_2)  w w
    transformer_blocks.{20}.attn1.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{20}.(norm1|norm3)  w
    norm_out  w
    transformer_blocks.{20}.ff.net.0.proj  w 4w
    transformer_blocks.{20}.ff.net.2  4w w
    proj_to_clip_embeddings  w ?
    """,
    {"w": 2048},
)
_IN_PROCESSORS = tuple(
    f"transformer_blocks.#.attn1.processor.{word}_lora.down.weight"
    for word in ("to_q", "to_k", "to_v", "to_out")
)
_DECODER = Host(
    "kandinsky-2/decoder",
    _WHOLE + _layers(384, 768, 1152, 1536),
    _LAYERS | {"a": 768, "b": 1152, "c": 1536, "text": 768},
)
_IF = (
    *(
        Host(
            f"deepfloyd-if/{name}",
            _WHOLE + _layers(c // 4, a, b, c),
            _LAYERS | {"a": a, "b": b, "c": c, "text": c},
        )
        for name, a, b, c in (
            ("i-xl", 1408, 2112, 2816),
            ("i-l", 640, 960, 1280),
            ("i-m", 384, 576, 768),
        )
    ),
    Host(
        "deepfloyd-if/ii-l",
        _MIDDLE + _layers(192, 384, 768, 1152, layers=2),
        {"down": 2, "up": 3, "b": 768, "c": 1152, "text": 1152},
    ),
)

FAMILIES = (
    lora(BaseModelType.KANDINSKY_2, _DECODER),
    lora(BaseModelType.KANDINSKY_2, _PRIOR),
    lora(
        BaseModelType.KANDINSKY_2,
        _PRIOR,
        # In these names alone it has been trained: in others, half of a larger one may be meant, which
        # came when diffusers kept its matrices in processors no longer.
        Either((Adapts("prior:*"), *(Tensor(name, rank=2) for name in _IN_PROCESSORS))),
        Spans("*:transformer_blocks_#_attn1_*", 20),
        rule="prior-whole",
        special_case_of=(
            "kandinsky-2/lora/prior",
            "ltx-video/lora/2b",
            "cosmos/lora/2b-diffusers",
            "anima/lora/diffusers",
        ),
    ),
    *(lora(BaseModelType.DEEPFLOYD_IF, host) for host in _IF),
)
"""One per denoiser and layout."""
