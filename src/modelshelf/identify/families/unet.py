"""The conditions that families with a UNet share, once per way of naming its tensors.

What joins a UNet to its surroundings decides: the width of the text, the label, the latent channels,
and how many attentions stand where. Its inner widths follow from these in every published model.

Sources: `configs/stable-diffusion/*.yaml` of CompVis/stable-diffusion and
Stability-AI/generative-models; `configs/retrieval-augmented-diffusion` of CompVis/latent-diffusion;
`UNet2DConditionModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Never, Setting, Unset
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.side import Side
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = [
    "CHANNELS",
    "MARKED_PREDICTION",
    "as_wide",
    "config_variants",
    "control_config",
    "control_config_of_another_width",
    "control_diffusers",
    "control_ldm",
    "diffusers_variants",
    "ldm_variants",
    "unet_blocks_diffusers",
    "unet_blocks_ldm",
    "unet_config",
    "unet_config_of_another_width",
    "unet_diffusers",
    "unet_ldm",
    "unet_ldm_of_another_width",
]

MARKED_PREDICTION = (Trait(SchedulerPredictionType.V_PREDICTION, Marker("v_pred")),)
"""Checkpoints trained for v-prediction carry an empty tensor that says so."""

CHANNELS = (320, 640, 1280)
"""Channels of all levels of the published UNets but the refiner's, and so of what steers them."""

_VARIANTS_BY_INPUT = {
    4: ModelVariantType.NORMAL,
    5: ModelVariantType.DEPTH,
    9: ModelVariantType.INPAINT,
}
# 4 latent channels; with a mask and a masked image 9, with a depth map 5, with an image 8, with
# two (IC-Light's foreground and background) 12, with three (Marigold's lighting) 16.
_IMAGE_INPUTS = (4, 5, 8, 9, 12, 16)

IMAGE_PIPELINE = Setting(
    "pipeline", ("*ImageVariation*", "*Zero123*", "*Zero1to3*", "PaintByExample*")
)
"""A pipeline that gives its UNet an image where the base takes text."""

# What video, multi-view and music models add to an image UNet.
_NO_OTHER_KIND = (
    Absent("*temporal_*"),
    Absent("*time_stack*"),
    Absent("*temp_convs*"),
    Absent("*motion_modules*"),
    # LaVie and Tune-A-Video, ModelScope's own spelling, and MVDream's views of one object.
    Absent("*.attn_temp.*"),
    Absent("*temopral_conv*"),
    Absent("camera_embed.*"),
    Absent("cc_projection*"),
    Absent("encoder_hid_proj*"),
    Absent("visual.*"),
    Absent("vision_model.*"),
    # A second UNet that steers the first, and none by itself.
    Absent("brushnet_*"),
)


# Four channels of latents, or of two or three pictures at once (Marigold's appearance and lighting). UNets
# that were trained for another VAE have its sixteen: adapters may fit, and no pipeline of the base.
_OUTPUTS = (4, 8, 12)
_LATENTS_OUT = Either(
    (Never(Tensor("conv_out.weight")), Tensor("conv_out.weight", (_OUTPUTS,), rank=4))
)
# CompVis' retrieval-augmented UNets read CLIP L as SD 1 does, and make latents of sixteen channels.
_FOUR_OUT = Either((Never(Tensor("out.2.weight")), Tensor("out.2.weight", (4,))))


def unet_ldm(context: int, blocks: tuple[int, int, int]) -> tuple[Condition, ...]:
    """A UNet in the names of the original code, and nothing that makes it another kind.

    Args:
        context: Width of the text that it attends to.
        blocks: Cross-attentions on the way down, in the middle, and on the way up.
    """
    return (*unet_blocks_ldm(context, blocks), _FOUR_OUT, *_NO_OTHER_KIND)


def unet_ldm_of_another_width(
    base: BaseModelType,
    context: int,
    blocks: tuple[int, int, int],
    width: int,
    *conditions: Condition,
    usual: SchedulerPredictionType | None = None,
) -> Family:
    """The same UNet with other channels than the published one, whose blocks and text say no more than that.

    Args:
        base: Whose text and blocks they are.
        context: Width of the text.
        blocks: Cross-attentions on the way down, in the middle, and on the way up.
        width: Channels of the published one's first level.
        conditions: What else the base asks for.
        usual: What models of the base mostly predict; None where nothing is usual.
    """
    return Family(
        id=f"{base}/main/ldm-of-another-width",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        candidates=(base, BaseModelType.UNKNOWN),
        conditions=(
            *unet_ldm(context, blocks),
            Never(Tensor("input_blocks.0.0.weight", (width,))),
            Absent("zero_convs.*"),
            *conditions,
        ),
        traits=(*ldm_variants(), *MARKED_PREDICTION),
        usual_prediction=usual,
        special_case_of=("other/main/ldm-text2im",),
    )


def unet_diffusers(context: int, blocks: tuple[int, int, int]) -> tuple[Condition, ...]:
    """The same UNet in the names of diffusers."""
    return (*unet_blocks_diffusers(context, blocks), _LATENTS_OUT, *_NO_OTHER_KIND)


def unet_blocks_ldm(
    context: int, blocks: tuple[int, int, int], inputs: Side = _IMAGE_INPUTS
) -> tuple[Condition, ...]:
    """The blocks of a UNet in the names of the original code, whatever else the file holds.

    Args:
        context: Width of the text that it attends to.
        blocks: Exactly so many cross-attentions on the way down, in the middle, and on the way up.
        inputs: Channels that the first convolution may take.
    """
    down, middle, up = blocks
    attention = "transformer_blocks.#.attn2.to_k.weight"
    return (
        Tensor(f"input_blocks.#.#.{attention}", (None, context), count=down),
        Tensor(f"middle_block.#.{attention}", (None, context), count=middle)
        if middle
        else Absent(f"middle_block.#.{attention}"),
        Tensor(f"output_blocks.#.#.{attention}", (None, context), count=up),
        Tensor("input_blocks.0.0.weight", (None, inputs), rank=4),
    )


def unet_blocks_diffusers(
    context: int, blocks: tuple[int, int, int], inputs: Side = _IMAGE_INPUTS
) -> tuple[Condition, ...]:
    """The same blocks in the names of diffusers."""
    down, middle, up = blocks
    attention = "attentions.#.transformer_blocks.#.attn2.to_k.weight"
    return (
        Tensor(f"down_blocks.#.{attention}", (None, context), count=down),
        Tensor(f"mid_block.{attention}", (None, context), count=middle)
        if middle
        else Absent(f"mid_block.{attention}"),
        Tensor(f"up_blocks.#.{attention}", (None, context), count=up),
        Tensor("conv_in.weight", (None, inputs), rank=4),
    )


def control_ldm(context: int, blocks: tuple[int, int]) -> tuple[Condition, ...]:
    """A ControlNet in the names of the original code: the way down, and convolutions from zero.

    Args:
        context: Width of the text that it attends to.
        blocks: Exactly so many cross-attentions on the way down and in the middle.
    """
    down, middle = blocks
    attention = "transformer_blocks.#.attn2.to_k.weight"
    return (
        Tensor("input_hint_block.#.weight"),
        Tensor("zero_convs.#.#.weight"),
        Tensor(f"input_blocks.#.#.{attention}", (CHANNELS, context), count=down),
        Tensor(f"middle_block.#.{attention}", (CHANNELS[-1], context), count=middle),
    )


def control_diffusers(context: int, blocks: tuple[int, int]) -> tuple[Condition, ...]:
    """The same ControlNet in the names of diffusers."""
    down, middle = blocks
    attention = "attentions.#.transformer_blocks.#.attn2.to_k.weight"
    return (
        Tensor("controlnet_cond_embedding.conv_in.weight"),
        Tensor("controlnet_down_blocks.#.weight"),
        Tensor(f"down_blocks.#.{attention}", (CHANNELS, context), count=down),
        Tensor(f"mid_block.{attention}", (CHANNELS[-1], context), count=middle),
        *_NO_OTHER_KIND,
    )


def ldm_variants(*, edits: bool = False) -> tuple[Trait, ...]:
    """What the first convolution takes says what the model was made for.

    Args:
        edits: Eight channels are an image to edit. Not so for SD 2, where they are Marigold's.
    """
    return _variants("input_blocks.0.0.weight", edits=edits)


def diffusers_variants(*, edits: bool = False) -> tuple[Trait, ...]:
    """The same for diffusers' names."""
    return _variants("conv_in.weight", edits=edits)


def _variants(name: str, *, edits: bool) -> tuple[Trait, ...]:
    return tuple(
        Trait(variant, Tensor(name, (None, side))) for side, variant in _channels(edits=edits)
    )


def _channels(*, edits: bool) -> list[tuple[int, ModelVariantType]]:
    return [*_VARIANTS_BY_INPUT.items(), *([(8, ModelVariantType.INSTRUCT)] if edits else [])]


def as_wide(widths: list[int]) -> Condition:
    """The channels of each level are these; diffusers takes a UNet that names none for SD's."""
    return Either((Setting("block_out_channels", (widths,)), Unset("block_out_channels")))


def unet_config(context: int, levels: str) -> tuple[Condition, ...]:
    """The configuration of a UNet folder, as wide as the published one.

    Args:
        context: Width of the text that it attends to.
        levels: Its levels on the way down: `x` with cross-attention, `-` without.
    """
    return (*_unet_config(context, levels), as_wide(_WIDTHS[levels]))


def unet_config_of_another_width(
    base: BaseModelType, context: int, levels: str, *conditions: Condition
) -> Family:
    """A UNet that has a base's text and latents and is narrower or wider inside, which nobody published.

    Somebody may have made the base smaller, for a test or to train it anew: adapters of the base do not
    fit it, the other components do. What it says of itself decides.
    """
    asked = (*_unet_config(context, levels), *conditions)
    return _of_another_width(base, ModelType.UNET, levels, asked, config_variants())


def control_config(context: int, levels: str) -> tuple[Condition, ...]:
    """The configuration of a ControlNet's folder, as wide as the UNet that it steers."""
    return (*_control_config(context), as_wide(_WIDTHS[levels]))


def control_config_of_another_width(
    base: BaseModelType, context: int, levels: str, *conditions: Condition
) -> Family:
    """The same for a UNet that is narrower or wider than the base's, as above."""
    asked = (*_control_config(context), *conditions)
    return _of_another_width(base, ModelType.CONTROLNET, levels, asked)


def _of_another_width(
    base: BaseModelType,
    kind: ModelType,
    levels: str,
    conditions: tuple[Condition, ...],
    traits: tuple[Trait, ...] = (),
) -> Family:
    return Family(
        id=f"{base}/{kind}/folder-of-another-width",
        type=kind,
        format=ModelFormat.DIFFUSERS,
        candidates=(base, BaseModelType.UNKNOWN),
        conditions=(*conditions, Never(as_wide(_WIDTHS[levels]))),
        traits=traits,
    )


def _control_config(context: int) -> tuple[Condition, ...]:
    return (
        Setting("class", ("ControlNetModel", "ControlNetUnionModel")),
        Setting("cross_attention_dim", (context,)),
    )


_WIDTHS = {"xxx-": [*CHANNELS, 1280], "-xx": [*CHANNELS], "-xx-": [384, 768, 1536, 1536]}
"""Levels → their channels in every published model."""


def _unet_config(context: int, levels: str) -> tuple[Condition, ...]:
    names = {"x": "CrossAttnDownBlock2D", "-": "DownBlock2D"}
    return (
        Setting("class", ("UNet2DConditionModel",)),
        Setting("cross_attention_dim", (context,)),
        Setting("down_block_types", ([names[level] for level in levels],)),
        Setting("in_channels", _IMAGE_INPUTS),
        Either((Setting("out_channels", _OUTPUTS), Unset("out_channels"))),
        # Distilled UNets left every second block out.
        Never(Setting("layers_per_block", (1,))),
        Unset("encoder_hid_dim"),
        Unset("encoder_hid_dim_type"),
        Unset("class_embed_type"),
        Unset("num_class_embeds"),
        Never(IMAGE_PIPELINE),
    )


def config_variants(*, edits: bool = False) -> tuple[Trait, ...]:
    """The variants by the configuration's `in_channels`."""
    return tuple(
        Trait(variant, Setting("in_channels", (side,))) for side, variant in _channels(edits=edits)
    )
