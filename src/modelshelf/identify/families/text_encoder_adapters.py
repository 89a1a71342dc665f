"""Adapters whose text encoders tell more than their denoiser, or that adapt text encoders alone.

CLIP-L is in every base of Stability's and in FLUX.1; how trainers number the encoders tells some apart.
kohya's scripts number them from SDXL on and call SD 1's and 2's single one `lora_te_`.

Source: `networks/lora*.py` of kohya-ss/sd-scripts.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts, Named
from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.condition import Condition, Either, Never
from modelshelf.identify.families.adapters import DIFFUSERS_FORMAT
from modelshelf.identify.family import Family
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["CLIP_G", "FAMILIES", "FIRST_CLIP_L", "KOHYA_CLIP_H", "KOHYA_CLIP_L"]


def _clip(model: str, width: int) -> Condition:
    """An adapter of a CLIP text encoder: its attention is square, its perceptron four times as wide."""
    attention = f"{model}:*encoder_layers_#_self_attn_*"
    perceptron = f"{model}:*encoder_layers_#_mlp_fc*"
    sides = (width, 4 * width)
    return Either(
        (
            Adapts(attention, inputs=width),
            Adapts(attention, outputs=width),
            Adapts(perceptron, inputs=sides),
            Adapts(perceptron, outputs=sides),
        )
    )


CLIP_G = _clip("text_2", 1280)
"""SDXL's second encoder, and SD 3's."""
FIRST_CLIP_L = Either((_clip("text", 768), _clip("text_1", 768)))
"""CLIP-L as the only or the first encoder: FLUX.1's, and not that of its look-alikes."""
KOHYA_CLIP_L = (Named(AdapterNaming.KOHYA), _clip("text", 768))
"""The one encoder of SD 1, as kohya's scripts call it."""
KOHYA_CLIP_H = (Named(AdapterNaming.KOHYA), _clip("text", 1024))
"""The one encoder of SD 2."""

_ALONE = (Never(Adapts("denoiser:*")), Never(Adapts("prior:*")))
_UP_TO_THIRD = Never(Adapts("text_4:*"))


def _t5(model: str) -> Condition:
    """An adapter of T5 XXL, whose attention is as wide as it is: Hunyuan reads smaller ones."""
    module = f"{model}:*encoder_block_#_layer_#_SelfAttention_*"
    perceptron = f"{model}:*encoder_block_#_layer_#_DenseReluDense_*"
    return Either(
        (
            Adapts(module, inputs=4096),
            Adapts(module, outputs=4096),
            Adapts(perceptron, inputs=(4096, 10240)),
            Adapts(perceptron, outputs=(4096, 10240)),
        )
    )


_SD_1, _SDXL = BaseModelType.SD_1, BaseModelType.SDXL
_SD_3, _FLUX = BaseModelType.SD_3, BaseModelType.FLUX


def _text(rule: str, *conditions: Condition, bases: tuple[BaseModelType, ...] = ()) -> Family:
    is_proven = len(bases) == 1
    return Family(
        id=f"lora/text-encoder/{rule}",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=bases if is_proven else (),
        candidates=() if is_proven else bases,
        conditions=(*conditions, *_ALONE),
        traits=DIFFUSERS_FORMAT,
    )


FAMILIES = (
    _text("kohya-clip-l", *KOHYA_CLIP_L, bases=(_SD_1,)),
    _text("clip-h", _clip("text", 1024), bases=(BaseModelType.SD_2,)),
    _text(
        "clip-l",
        _clip("text", 768),
        Never(Named(AdapterNaming.KOHYA)),
        Never(Adapts("text_[234]:*")),
        bases=(_SD_1, _SDXL, _FLUX, _SD_3),
    ),
    _text(
        "numbered-clip-l",
        _clip("text_1", 768),
        Never(Adapts("text_[234]:*")),
        bases=(_SDXL, _FLUX, _SD_3),
    ),
    _text("clip-g", CLIP_G, Never(Adapts("text_3:*")), _UP_TO_THIRD, bases=(_SDXL,)),
    _text("clip-g-and-t5", CLIP_G, _t5("text_3"), _UP_TO_THIRD, bases=(_SD_3,)),
    _text("second-t5", _t5("text_2"), bases=(_FLUX,)),
    _text(
        "third-t5",
        _t5("text_3"),
        Never(Adapts("text_2:*")),
        _UP_TO_THIRD,
        bases=(_FLUX, _SD_3),
    ),
    # Nobody else has four.
    _text(
        "fourth-llama",
        Adapts("text_4:*layers_#_self_attn_*", inputs=4096),
        bases=(BaseModelType.HIDREAM,),
    ),
)
"""Text encoders alone."""
