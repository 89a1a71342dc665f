"""DeepFloyd IF: UNets over pixels that attend to T5; stage II also takes the image to enlarge.

Stage III is Stable Diffusion's x4 upscaler. Sources: `deepfloyd_if/model/unet.py` of
deep-floyd/IF, `UNet2DConditionModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_IF = (BaseModelType.DEEPFLOYD_IF,)
_T5 = 4096
# Three colours, and three more of the small image in stage II.
_I, _II = 3, 6
_STAGE_I, _STAGE_II = Architecture("deepfloyd-if-1"), Architecture("deepfloyd-if-2")
_EPSILON = SchedulerPredictionType.EPSILON


def _stages(name: str) -> tuple[Trait, ...]:
    return (
        Trait(_STAGE_I, Tensor(name, (None, _I))),
        Trait(_STAGE_II, Tensor(name, (None, _II))),
        Trait(ModelVariantType.NORMAL, Tensor(name, (None, _I))),
        Trait(ModelVariantType.UPSCALER, Tensor(name, (None, _II))),
    )


FAMILIES = (
    Family(
        id="deepfloyd-if/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_IF,
        conditions=(
            Tensor("add_embedding.pool.positional_embedding", (1, _T5)),
            Tensor("add_embedding.norm1.weight", (_T5,)),
            Tensor("encoder_hid_proj.weight", (None, _T5)),
            Tensor("conv_in.weight", (None, (_I, _II)), rank=4),
            Tensor("down_blocks.#.attentions.#.add_k_proj.weight"),
        ),
        traits=_stages("conv_in.weight"),
        prediction_type=_EPSILON,
    ),
    Family(
        id="deepfloyd-if/main/original",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_IF,
        conditions=(
            Tensor("encoder_pooling.1.positional_embedding", (1, _T5)),
            Tensor("encoder_proj.weight", (None, _T5)),
            Tensor("input_blocks.0.0.weight", (None, (_I, _II)), rank=4),
        ),
        traits=_stages("input_blocks.0.0.weight"),
        prediction_type=_EPSILON,
    ),
    Family(
        id="deepfloyd-if/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_IF,
        conditions=(
            Setting("class", ("UNet2DConditionModel",)),
            Setting("encoder_hid_dim", (_T5,)),
            Setting("addition_embed_type", ("text",)),
            Setting("in_channels", (_I, _II)),
        ),
        traits=(
            Trait(_STAGE_I, Setting("in_channels", (_I,))),
            Trait(_STAGE_II, Setting("in_channels", (_II,))),
            Trait(ModelVariantType.NORMAL, Setting("in_channels", (_I,))),
            Trait(ModelVariantType.UPSCALER, Setting("in_channels", (_II,))),
        ),
        prediction_type=_EPSILON,
    ),
)
"""Everything that DeepFloyd IF brings as a denoiser."""
