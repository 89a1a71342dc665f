"""What steers a UNet besides a whole ControlNet: control-LoRAs, LLLite, and ControlNets of other cuts.

The width of the text decides the base, and the label where two share it. Their own widths are one in
all published; a ControlNet of other widths steers a UNet that somebody made smaller, and maybe none of
the base's.

Sources: `comfy/cldm/control_types.py` and `comfy/controlnet.py` of Comfy-Org/ComfyUI,
`networks/control_net_lllite.py` of kohya-ss/sd-scripts, `ControlNetModel` and `ControlNetXSAdapter` of
huggingface/diffusers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from modelshelf.identify.condition import Both, Condition, Either, Never, Setting
from modelshelf.identify.families.denoiser import where_set
from modelshelf.identify.families.unet import CHANNELS
from modelshelf.identify.family import Family
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_CONTEXT = (
    (BaseModelType.SD_1, 768),
    (BaseModelType.SD_2, 1024),
    (BaseModelType.SDXL, 2048),
)


def _control(
    id_: str,
    base: BaseModelType,
    *conditions: Condition,
    architecture: str = "",
    is_diffusers: bool = False,
) -> Family:
    return Family(
        id=id_,
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS if is_diffusers else ModelFormat.CHECKPOINT,
        bases=(base,),
        conditions=conditions,
        architecture=architecture,
    )


_ATTENTION = "transformer_blocks.#.attn2.to_k"
_NO_KOLORS = Absent("encoder_hid_proj*")
_LABEL, _KOLORS_LABEL = 2816, 5632


def _control_lora(context: int) -> tuple[Condition, ...]:
    return (
        Tensor(f"input_blocks.#.#.{_ATTENTION}.down", (None, context)),
        Tensor("input_hint_block.#.weight"),
        Tensor("zero_convs.#.#.weight"),
        Marker("lora_controlnet"),
    )


class _Names(NamedTuple):
    """How one way of naming calls the parts of a ControlNet."""

    way: str
    format: ModelFormat
    hint: str
    """What reads the picture that steers."""
    zeroes: str
    """The convolutions from zero, by which it steers."""
    down: str
    """The attention to text on the way down."""
    middle: str
    """The same in the middle."""
    label: str
    """What reads SDXL's label."""


_LDM = _Names(
    "ldm",
    ModelFormat.CHECKPOINT,
    "input_hint_block.#.weight",
    "zero_convs.#.#.weight",
    f"input_blocks.#.#.{_ATTENTION}.weight",
    f"middle_block.#.{_ATTENTION}.weight",
    "label_emb.0.0.weight",
)
_DIFFUSERS = _Names(
    "diffusers",
    ModelFormat.DIFFUSERS,
    "controlnet_cond_embedding.conv_in.weight",
    "controlnet_down_blocks.#.weight",
    f"down_blocks.#.attentions.#.{_ATTENTION}.weight",
    f"mid_block.attentions.#.{_ATTENTION}.weight",
    "add_embedding.linear_1.weight",
)


def _cuts(base: BaseModelType, context: int, names: _Names) -> tuple[Family, Family]:
    """Any number of attentions: pruned and grown ControlNets steer the same base.

    Where its channels are others than the base's, it steers a UNet that somebody made anew with the
    base's text: what it says of itself decides.
    """
    label = f"{names.label.partition('.')[0]}.*"
    conditions = (
        Tensor(names.hint),
        Tensor(names.zeroes),
        Tensor(names.down, (None, context)),
        Tensor(names.middle, (None, context)),
        Tensor(names.label, (None, _LABEL)) if base is BaseModelType.SDXL else Absent(label),
        _NO_KOLORS,
        Absent("*motion_modules*"),
        Absent("*temporal_*"),
    )
    as_wide = Both(Tensor(names.down, (CHANNELS,)), Tensor(names.middle, (CHANNELS[-1],)))
    any_depth = Family(
        id=f"{base}/controlnet/{names.way}-any-depth",
        type=ModelType.CONTROLNET,
        format=names.format,
        bases=(base,),
        conditions=(*conditions, as_wide),
        is_fallback=True,
    )
    return any_depth, replace(
        any_depth,
        id=f"{base}/controlnet/{names.way}-of-another-width",
        bases=(),
        candidates=(base, BaseModelType.UNKNOWN),
        conditions=(*conditions, Never(as_wide)),
    )


# Both ways between a UNet and a small one beside it; the small one alone is any width.
_XS = (
    Tensor("down_blocks.#.base_to_ctrl.#.weight", (CHANNELS, CHANNELS)),
    Tensor("down_blocks.#.ctrl_to_base.#.weight", (CHANNELS,)),
)
_LLLITE = "lllite_unet_{place}_transformer_blocks_{block}_attn1_to_q.down.0.weight"


FAMILIES = (
    *(
        _control(f"{base}/control-lora", base, *_control_lora(context), architecture="control-lora")
        for base, context in _CONTEXT
    ),
    *(
        family
        for base, context in _CONTEXT
        for names in (_LDM, _DIFFUSERS)
        for family in _cuts(base, context, names)
    ),
    *(
        _control(
            f"{base}/controlnet-xs/{lies}",
            base,
            *conditions,
            architecture="controlnet-xs",
            is_diffusers=True,
        )
        for base, context in _CONTEXT
        for lies, conditions in (
            (
                "file",
                (
                    *_XS,
                    Tensor(f"down_blocks.#.attentions.#.{_ATTENTION}.weight", (None, context)),
                    _NO_KOLORS,
                ),
            ),
            (
                "folder",
                (
                    Setting("class", ("ControlNetXSAdapter",)),
                    Setting("cross_attention_dim", (context,)),
                    *where_set(base_block_out_channels=([*CHANNELS], [*CHANNELS, CHANNELS[-1]])),
                ),
            ),
        )
    ),
    _control(
        "kolors/controlnet/diffusers",
        BaseModelType.KOLORS,
        Tensor("encoder_hid_proj.weight", (2048, 4096)),
        Tensor("controlnet_cond_embedding.conv_in.weight"),
        Tensor("controlnet_down_blocks.#.weight"),
        Tensor("add_embedding.linear_1.weight", (None, _KOLORS_LABEL)),
        is_diffusers=True,
    ),
    _control(
        "kolors/controlnet/folder",
        BaseModelType.KOLORS,
        Setting("class", ("ControlNetModel",)),
        Setting("encoder_hid_dim", (4096,)),
        Setting("projection_class_embeddings_input_dim", (_KOLORS_LABEL,)),
        is_diffusers=True,
    ),
    _control(
        "sdxl/controlnet-lllite",
        BaseModelType.SDXL,
        # SD 1 and 2 have one block at this place, SDXL two.
        Either(
            (
                Tensor(_LLLITE.format(place="input_blocks_4_1", block=1), (None, 640)),
                Tensor(_LLLITE.format(place="output_blocks_3_1", block=1), (None, 640)),
                Tensor(_LLLITE.format(place="middle_block_1", block=1), (None, 1280)),
            )
        ),
        architecture="controlnet-lllite",
    ),
)
"""What the bases' own modules do not hold."""
