"""Adapters of Kandinsky 2's prior and decoder, and of DeepFloyd IF.

The decoder's UNet and IF's are one design: a level has one attention behind each residual layer, which looks
at the picture and at what was added to it at once. Widths tell them apart. The prior is a stack of
transformer blocks as wide as LTX-Video's and Cosmos-Predict2's, which have eight blocks more.

Sources: `UNet2DConditionModel` and `PriorTransformer` of huggingface/diffusers with the published
configurations, and its scripts that train such adapters.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts, Named
from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.condition import Either
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.host import Host, Spans
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_SQUARE, _ADDED = "(to_q|to_k|to_v|to_out.0)", "(add_k_proj|add_v_proj)"


def _level(path: str, width: str) -> str:
    return f"""
        {path}.{_SQUARE}  {width} {width}
        {path}.{_ADDED}  text {width}
        {path}.group_norm  {width}
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
_DECODER = Host(
    "kandinsky-2/decoder", _WHOLE, _LAYERS | {"a": 768, "b": 1152, "c": 1536, "text": 768}
)
_IF = (
    Host("deepfloyd-if/i-xl", _WHOLE, _LAYERS | {"a": 1408, "b": 2112, "c": 2816, "text": 2816}),
    Host("deepfloyd-if/i-l", _WHOLE, _LAYERS | {"a": 640, "b": 960, "c": 1280, "text": 1280}),
    Host("deepfloyd-if/i-m", _WHOLE, _LAYERS | {"a": 384, "b": 576, "c": 768, "text": 768}),
    Host("deepfloyd-if/ii-l", _MIDDLE, {"down": 2, "up": 3, "b": 768, "c": 1152, "text": 1152}),
)

FAMILIES = (
    lora(BaseModelType.KANDINSKY_2, _DECODER),
    lora(BaseModelType.KANDINSKY_2, _PRIOR),
    lora(
        BaseModelType.KANDINSKY_2,
        _PRIOR,
        # In these names alone it has been trained: in others, half of a larger one may be meant.
        Either(
            (
                Adapts("prior:*"),
                Named(AdapterNaming.DIFFUSERS),
                Named(AdapterNaming.ORIGINAL),
            )
        ),
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
