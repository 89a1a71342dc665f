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
    """An adapter of a CLIP text encoder: its matrices are square, or four times as wide one way."""
    module = f"{model}:*encoder_layers_#_*"
    sides = (width, 4 * width)
    return Either((Adapts(module, inputs=sides), Adapts(module, outputs=sides)))


CLIP_G = _clip("text_2", 1280)
"""SDXL's second encoder, and SD 3's."""
FIRST_CLIP_L = Either((_clip("text", 768), _clip("text_1", 768)))
"""CLIP-L as the only or the first encoder: FLUX.1's, and not that of its look-alikes."""
KOHYA_CLIP_L = (Named(AdapterNaming.KOHYA), _clip("text", 768))
"""The one encoder of SD 1, as kohya's scripts call it."""
KOHYA_CLIP_H = (Named(AdapterNaming.KOHYA), _clip("text", 1024))
"""The one encoder of SD 2."""

_ALONE = (Never(Adapts("denoiser:*")), Never(Adapts("prior:*")))
_T5 = "encoder_block_#_layer_#_*"
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
        Never(Adapts("text_[23]:*")),
        bases=(_SD_1, _SDXL, _FLUX, _SD_3),
    ),
    _text(
        "numbered-clip-l",
        _clip("text_1", 768),
        Never(Adapts("text_[23]:*")),
        bases=(_SDXL, _FLUX, _SD_3),
    ),
    _text("clip-g", CLIP_G, Never(Adapts("text_3:*")), bases=(_SDXL,)),
    _text("clip-g-and-t5", CLIP_G, Adapts(f"text_3:{_T5}"), bases=(_SD_3,)),
    _text("second-t5", Adapts(f"text_2:{_T5}"), bases=(_FLUX,)),
    _text(
        "third-t5",
        Adapts(f"text_3:{_T5}"),
        Never(Adapts("text_2:*")),
        bases=(_FLUX, _SD_3),
    ),
)
"""Text encoders alone."""
