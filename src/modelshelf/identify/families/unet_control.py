"""What steers a UNet besides a whole ControlNet: control-LoRAs, LLLite, and ControlNets of other cuts.

The width of the text decides the base, and the label where two share it; widths of the middle are
1280 in all of them and decide nothing.

Sources: `comfy/cldm/control_types.py` and `comfy/controlnet.py` of Comfy-Org/ComfyUI,
`networks/control_net_lllite.py` of kohya-ss/sd-scripts, `ControlNetModel` and `ControlNetXSAdapter` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Setting
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
    is_fallback: bool = False,
    is_diffusers: bool = False,
) -> Family:
    return Family(
        id=id_,
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS if is_diffusers else ModelFormat.CHECKPOINT,
        bases=(base,),
        conditions=conditions,
        architecture=architecture,
        is_fallback=is_fallback,
    )


_ATTENTION = "transformer_blocks.#.attn2.to_k"
_NO_KOLORS = Absent("encoder_hid_proj*")
_KOLORS_LABEL = 5632


def _control_lora(context: int) -> tuple[Condition, ...]:
    return (
        Tensor(f"input_blocks.#.#.{_ATTENTION}.down", (None, context)),
        Tensor("input_hint_block.#.weight"),
        Tensor("zero_convs.#.#.weight"),
        Marker("lora_controlnet"),
    )


def _cut_ldm(context: int, label: Condition) -> tuple[Condition, ...]:
    """Any number of attentions: pruned and grown ControlNets steer the same base."""
    return (
        Tensor("input_hint_block.#.weight"),
        Tensor("zero_convs.#.#.weight"),
        Tensor(f"input_blocks.#.#.{_ATTENTION}.weight", (None, context)),
        Tensor(f"middle_block.#.{_ATTENTION}.weight", (None, context)),
        label,
        _NO_KOLORS,
    )


def _cut_diffusers(context: int, label: Condition) -> tuple[Condition, ...]:
    return (
        Tensor("controlnet_cond_embedding.conv_in.weight"),
        Tensor("controlnet_down_blocks.#.weight"),
        Tensor(f"down_blocks.#.attentions.#.{_ATTENTION}.weight", (None, context)),
        Tensor(f"mid_block.attentions.#.{_ATTENTION}.weight", (None, context)),
        label,
        _NO_KOLORS,
        Absent("*motion_modules*"),
        Absent("*temporal_*"),
    )


_LDM_LABELS: dict[BaseModelType, Condition] = {
    BaseModelType.SD_1: Absent("label_emb.*"),
    BaseModelType.SD_2: Absent("label_emb.*"),
    BaseModelType.SDXL: Tensor("label_emb.0.0.weight", (None, 2816)),
}
_DIFFUSERS_LABELS: dict[BaseModelType, Condition] = {
    BaseModelType.SD_1: Absent("add_embedding.*"),
    BaseModelType.SD_2: Absent("add_embedding.*"),
    BaseModelType.SDXL: Tensor("add_embedding.linear_1.weight", (None, 2816)),
}
# Both ways between a UNet and a small one beside it; the small one alone is any width.
_XS = (Tensor("down_blocks.#.base_to_ctrl.#.weight"), Tensor("down_blocks.#.ctrl_to_base.#.weight"))
_LLLITE = "lllite_unet_{place}_transformer_blocks_{block}_attn1_to_q.down.0.weight"

FAMILIES = (
    *(
        _control(f"{base}/control-lora", base, *_control_lora(context), architecture="control-lora")
        for base, context in _CONTEXT
    ),
    *(
        _control(
            f"{base}/controlnet/ldm-any-depth",
            base,
            *_cut_ldm(context, _LDM_LABELS[base]),
            is_fallback=True,
        )
        for base, context in _CONTEXT
    ),
    *(
        _control(
            f"{base}/controlnet/diffusers-any-depth",
            base,
            *_cut_diffusers(context, _DIFFUSERS_LABELS[base]),
            is_fallback=True,
            is_diffusers=True,
        )
        for base, context in _CONTEXT
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
