"""UNets of SD 1 and SD 2 that start from an image: upscalers, unCLIP, Zero123, image variations.

They have the widths of their base. Where the text is replaced by an image, the base would be a wrong
answer: the type is certain, and the architecture.
Sources: `configs/stable-diffusion/x4-upscaling.yaml` and `v2-1-stable-unclip-*.yaml` of
Stability-AI/stablediffusion, cvlab-columbia/zero123, `UNet2DConditionModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Setting
from modelshelf.identify.families.unet import (
    IMAGE_PIPELINE,
    unet_blocks_diffusers,
    unet_blocks_ldm,
)
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Marker, Some, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_SD_2 = (BaseModelType.SD_2,)
_SD_1_TEXT, _SD_2_TEXT = 768, 1024
_BLOCKS = (6, 1, 9)
# Latents and the small image's three colours; noise levels of the small image.
_UPSCALER_INPUTS, _UPSCALER_CHANNELS, _NOISE_LEVELS = 7, 256, 1000
# Twice the width of CLIP L's and CLIP H's image: it and its noise level.
_UNCLIP_LABELS = (1536, 2048)
_V = SchedulerPredictionType.V_PREDICTION


def _upscaler(layout: str, model_format: ModelFormat, *conditions: Condition) -> Family:
    return Family(
        id=f"sd-2/main/{layout}-upscaler",
        type=ModelType.MAIN,
        format=model_format,
        bases=_SD_2,
        conditions=conditions,
        architecture="sd-x4-upscaler",
        traits=(Trait(ModelVariantType.UPSCALER, conditions[0]),),
        prediction_type=_V,
    )


def _unclip(layout: str, model_format: ModelFormat, *conditions: Condition) -> Family:
    return Family(
        id=f"sd-2/main/{layout}-unclip",
        type=ModelType.MAIN,
        format=model_format,
        bases=_SD_2,
        conditions=conditions,
        architecture="sd-2.1-unclip",
        traits=(Trait(ModelVariantType.NORMAL, conditions[0]),),
        prediction_type=_V,
    )


FAMILIES = (
    _upscaler(
        "ldm",
        ModelFormat.CHECKPOINT,
        Some("label_emb.weight", (_NOISE_LEVELS, None)),
        Tensor("input_blocks.0.0.bias", (_UPSCALER_CHANNELS,)),
        *unet_blocks_ldm(_SD_2_TEXT, _BLOCKS, _UPSCALER_INPUTS),
    ),
    _upscaler(
        "diffusers",
        ModelFormat.DIFFUSERS,
        # AudioLDM has the same names, and reads sounds.
        Some("class_embedding.weight", (_NOISE_LEVELS, None)),
        Tensor("conv_in.bias", (_UPSCALER_CHANNELS,)),
        *unet_blocks_diffusers(_SD_2_TEXT, _BLOCKS, _UPSCALER_INPUTS),
    ),
    _unclip(
        "ldm",
        ModelFormat.CHECKPOINT,
        Tensor("label_emb.0.0.weight", (None, _UNCLIP_LABELS)),
        *unet_blocks_ldm(_SD_2_TEXT, _BLOCKS, 4),
    ),
    _unclip(
        "diffusers",
        ModelFormat.DIFFUSERS,
        Tensor("class_embedding.linear_1.weight", (None, _UNCLIP_LABELS)),
        *unet_blocks_diffusers(_SD_2_TEXT, _BLOCKS, 4),
    ),
    Family(
        id="sd-2/unet/folder-upscaler",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_2,
        conditions=(
            Setting("class", ("UNet2DConditionModel",)),
            Setting("num_class_embeds", (_NOISE_LEVELS,)),
            Setting("cross_attention_dim", (_SD_2_TEXT,)),
            Setting("in_channels", (_UPSCALER_INPUTS,)),
        ),
        architecture="sd-x4-upscaler",
        traits=(Trait(ModelVariantType.UPSCALER, Setting("in_channels")),),
        prediction_type=_V,
    ),
    Family(
        id="sd-2/unet/folder-unclip",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SD_2,
        conditions=(
            Setting("class", ("UNet2DConditionModel",)),
            Setting("class_embed_type", ("projection",)),
            Setting("projection_class_embeddings_input_dim", _UNCLIP_LABELS),
            Setting("cross_attention_dim", (_SD_2_TEXT,)),
        ),
        architecture="sd-2.1-unclip",
        traits=(Trait(ModelVariantType.NORMAL, Setting("class")),),
        prediction_type=_V,
    ),
    Family(
        id="unet/image-to-views/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        # By its own configuration and tensors it would be the base's: the pipeline knows better.
        candidates=(BaseModelType.UNKNOWN,),
        conditions=(Setting("class", ("UNet2DConditionModel",)), IMAGE_PIPELINE),
        architecture="sd-image-variations",
        traits=(Trait(Architecture("zero123"), Setting("pipeline", ("*Zero1*",))),),
    ),
    Family(
        id="main/image-to-views/ldm",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        conditions=(
            *unet_blocks_ldm(_SD_1_TEXT, _BLOCKS),
            Either(
                (
                    Tensor("cc_projection.weight"),
                    Marker("cc_projection.weight"),
                    Marker("visual.*"),
                    Marker("vision_model.*"),
                )
            ),
        ),
        architecture="sd-image-variations",
        traits=(Trait(Architecture("zero123"), Marker("cc_projection.weight")),),
    ),
)
"""Every published kind."""
