"""Stable Cascade: stage C makes a small image from text, stage B a large one from that.

Each has a lite form, narrower and shallower. Stage A is the VAE, and ControlNets steer stage C. Both
stages take the pooled text; C alone takes the words and an image, B alone stage C's result. Sources:
`modules/stage_c.py`, `stage_b.py` and `controlnet.py` of Stability-AI/StableCascade,
`StableCascadeUNet` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Setting, Unset
from modelshelf.identify.families.denoiser import diffusers_names
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_CASCADE = (BaseModelType.STABLE_CASCADE,)
_POOLED = 1280
# Full, lite.
_C_WIDTHS, _B_WIDTHS = (2048, 1536), (640, 576)


def _stage(letter: str, traits: tuple[Trait, ...], *conditions: Condition) -> Family:
    return Family(
        id=f"stable-cascade/main/stage-{letter}",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_CASCADE,
        conditions=(
            *conditions,
            Tensor("down_blocks.#.#.depthwise.bias", rank=1),
            Tensor("up_blocks.#.#.depthwise.bias", rank=1),
            Absent("controlnet*"),
        ),
        traits=(*traits, diffusers_names("down_blocks.#.#.attention.to_q.weight")),
        architecture=f"stable-cascade-{letter}",
        prediction_type=SchedulerPredictionType.EPSILON,
    )


def _folder(letter: str, fields: str, *conditions: Condition) -> Family:
    return Family(
        id=f"stable-cascade/unet/stage-{letter}{fields}",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_CASCADE,
        conditions=(Setting("class", ("StableCascadeUNet", "StableCascadeUnet")), *conditions),
        architecture=f"stable-cascade-{letter}",
        prediction_type=SchedulerPredictionType.EPSILON,
    )


FAMILIES = (
    Family(
        id="stable-cascade/controlnet",
        type=ModelType.CONTROLNET,
        format=ModelFormat.CHECKPOINT,
        bases=_CASCADE,
        conditions=(
            # An EfficientNet sees the image, and eight blocks of stage C are told what it sees.
            Tensor("projections.#.#.weight", ((_POOLED, *_C_WIDTHS), _POOLED), rank=4, count=16),
            Tensor("projections.#.2.weight", (_C_WIDTHS,), rank=4),
            Marker("backbone.*"),
        ),
    ),
    _stage(
        "c",
        (
            Trait(
                Architecture("stable-cascade-c-lite"),
                Tensor("clip_txt_mapper.bias", _C_WIDTHS[1:]),
            ),
        ),
        Tensor("clip_txt_mapper.bias", (_C_WIDTHS,)),
        Tensor("clip_img_mapper.bias", rank=1),
        Tensor("clip_txt_pooled_mapper.bias", rank=1),
        NoOther("clip_txt_mapper.weight", (_C_WIDTHS, _POOLED)),
        NoOther("clip_txt_pooled_mapper.weight", (None, _POOLED)),
        NoOther("clip_img_mapper.weight", (None, 768)),
        Absent("effnet_mapper.*"),
    ),
    _stage(
        "b",
        (
            Trait(
                Architecture("stable-cascade-b-lite"),
                Tensor("down_blocks.1.0.depthwise.bias", _B_WIDTHS[1:]),
            ),
        ),
        Tensor("effnet_mapper.#.bias", rank=1),
        Tensor("pixels_mapper.#.bias", rank=1),
        # Stability AI's own name, and the one that diffusers gives it after stage C's.
        Either((Tensor("clip_mapper.bias", rank=1), Tensor("clip_txt_pooled_mapper.bias", rank=1))),
        Tensor("down_blocks.1.0.depthwise.bias", (_B_WIDTHS,)),
        Absent("clip_img_mapper.*"),
    ),
    _folder("c", "", Setting("clip_image_in_channels"), Unset("effnet_in_channels")),
    _folder("b", "", Setting("effnet_in_channels"), Unset("clip_image_in_channels")),
    # The first releases called the same fields otherwise.
    _folder("c", "-old", Setting("c_clip_img"), Unset("c_effnet")),
    _folder("b", "-old", Setting("c_effnet"), Unset("c_clip_img")),
)
"""Everything that Stable Cascade brings as a denoiser."""
