"""AnimateDiff's motion modules: what a UNet for images needs to make frames that belong together.

Version 1 counts 24 frames, 2 has a module in the middle, 3 is 2 without it; the beta for SDXL has
three levels of channels instead of four. AnimateLCM, Lightning and PIA are modules of these kinds,
PIA with a first convolution for a given image; LongAnimateDiff counts 64 frames. SparseCtrl is a
ControlNet with motion modules of its own. Hotshot-XL calls its layers temporal attentions, and no
base is known by them.

Sources: `animatediff/models/motion_module.py` of guoyww/AnimateDiff, `MotionAdapter` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Never, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL
from modelshelf.identify.families.unet import unet_blocks_diffusers
from modelshelf.identify.families.video import every, vectors
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_SD_1, _SDXL = (BaseModelType.SD_1,), (BaseModelType.SDXL,)
_CHANNELS = (320, 640, 1280)
_SD_1_TEXT, _SDXL_TEXT = 768, 2048
_SPARSE = "animatediff-sparsectrl"

# A UNet that holds motion modules, or a SparseCtrl, is another model.
_MODULES_ALONE: tuple[Condition, ...] = (
    Absent("*.resnets.*"),
    Absent("*.attentions.*"),
    Absent("conv_out.*"),
    Absent("controlnet*"),
    Absent("input_blocks.*"),
)


def _norm(place: str, inner: str, width: int) -> Condition:
    return vectors(f"{place}.motion_modules.0.{inner}norm.weight", width)


def _has_four_levels(inner: str) -> Condition:
    return Either((_norm("down_blocks.3", inner, 1280), _norm("up_blocks.3", inner, 320)))


def _has_three_levels(inner: str) -> Condition:
    return Either((_norm("up_blocks.1", inner, 640), _norm("up_blocks.2", inner, 320)))


def _conditions(inner: str, table: str) -> tuple[Condition, ...]:
    return (
        Tensor(table, (1, None, None), rank=3),
        vectors(f"down_blocks.#.motion_modules.#.{inner}norm.weight", *_CHANNELS),
        vectors(f"up_blocks.#.motion_modules.#.{inner}norm.weight", *_CHANNELS),
        *_MODULES_ALONE,
    )


def _versions(table: str) -> tuple[Trait, ...]:
    middle, long = Marker("mid_block.motion_modules.*"), Tensor(table, (1, 32))
    return (
        Trait(Architecture("animatediff-v1"), Tensor(table, (1, 24))),
        Trait(Architecture("animatediff-v2"), every(long, middle)),
        Trait(Architecture("animatediff-v3"), every(long, Never(middle))),
    )


def _modules(layout: str, model_format: ModelFormat, inner: str, table: str) -> tuple[Family, ...]:
    return (
        Family(
            id=f"sd-1/motion-adapter/{layout}",
            type=ModelType.MOTION_ADAPTER,
            format=model_format,
            bases=_SD_1,
            conditions=(*_conditions(inner, table), _has_four_levels(inner)),
            traits=_versions(table),
        ),
        Family(
            id=f"sdxl/motion-adapter/{layout}",
            type=ModelType.MOTION_ADAPTER,
            format=model_format,
            bases=_SDXL,
            conditions=(
                *_conditions(inner, table),
                _has_three_levels(inner),
                Never(_has_four_levels(inner)),
            ),
            architecture="animatediff-sdxl-beta",
        ),
    )


def _folder(base: BaseModelType, levels: list[int], architecture: str) -> Family:
    return Family(
        id=f"{base}/motion-adapter/folder",
        type=ModelType.MOTION_ADAPTER,
        format=ModelFormat.DIFFUSERS,
        bases=(base,),
        conditions=(
            Setting("class", ("MotionAdapter",)),
            Setting("block_out_channels", (levels,)),
        ),
        traits=(
            ()
            if architecture
            else (
                Trait(Architecture("animatediff-v1"), Setting("motion_max_seq_length", (24,))),
                *(
                    Trait(
                        Architecture(f"animatediff-{version}"),
                        every(
                            Setting("motion_max_seq_length", (32,)),
                            Setting("use_motion_mid_block", (has_middle,)),
                        ),
                    )
                    for version, has_middle in (("v2", True), ("v3", False))
                ),
            )
        ),
        architecture=architecture,
    )


FAMILIES = (
    *_modules(
        "original",
        ModelFormat.CHECKPOINT,
        "temporal_transformer.",
        "down_blocks.#.motion_modules.#.temporal_transformer."
        "transformer_blocks.#.attention_blocks.#.pos_encoder.pe",
    ),
    *_modules(
        "diffusers",
        ModelFormat.DIFFUSERS,
        "",
        "down_blocks.#.motion_modules.#.transformer_blocks.#.pos_embed.pe",
    ),
    Family(
        id="sd-1/controlnet/sparse",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(
            Marker("down_blocks.#.motion_modules.*"),
            Marker("controlnet_down_blocks.*"),
            Tensor(
                "down_blocks.#.attentions.#.transformer_blocks.#.attn2.to_k.weight",
                (None, _SD_1_TEXT),
            ),
            Tensor("controlnet_mid_block.weight", (1280, 1280, 1, 1)),
        ),
        architecture=_SPARSE,
    ),
    Family(
        id="sd-1/controlnet/sparse-folder",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_1,
        conditions=(
            Setting("class", ("SparseControlNetModel",)),
            Setting("cross_attention_dim", (_SD_1_TEXT,)),
        ),
        architecture=_SPARSE,
    ),
    *(
        # It makes clips where its base makes images, and is loaded as neither: type without base.
        Family(
            id=f"animatediff/main/{levels}-levels",
            type=ModelType.MAIN,
            format=ModelFormat.DIFFUSERS,
            conditions=(
                Marker("down_blocks.#.motion_modules.*"),
                *unet_blocks_diffusers(context, blocks),
                *NO_CONTROL,
            ),
            architecture="animatediff",
        )
        for levels, context, blocks in ((4, _SD_1_TEXT, (6, 1, 9)), (3, _SDXL_TEXT, (24, 10, 36)))
    ),
    Family(
        id="animatediff/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        conditions=(Setting("class", ("UNetMotionModel",)),),
        architecture="animatediff",
    ),
    _folder(BaseModelType.SD_1, [320, 640, 1280, 1280], ""),
    _folder(BaseModelType.SDXL, [320, 640, 1280], "animatediff-sdxl-beta"),
)
"""Motion modules, by the base whose UNet they go into."""
