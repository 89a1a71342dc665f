"""Kandinsky 2.1 and 2.2: a prior from text to CLIP's image space, a UNet from there to MoVQ's latents.

The UNet is 768 to 1536 wide from 384 channels, predicts its variance too, and attends to what
`encoder_hid_proj` makes of an image. The prior of 2.1 equals Karlo's by structure.
Sources: ai-forever/Kandinsky-2, `UNet2DConditionModel` and `PriorTransformer` of huggingface/diffusers.
"""

from __future__ import annotations

from dataclasses import replace

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.denoiser import component
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_KANDINSKY_2 = (BaseModelType.KANDINSKY_2,)
_CHANNELS, _CONTEXT, _WITH_VARIANCE = 384, 768, 8
_INPUTS = (4, 8, 9)
_IMAGE_2_2, _PRIOR_WIDTH = 1280, 2048
_2_1, _2_2 = Architecture("kandinsky-2.1"), Architecture("kandinsky-2.2")
_VARIANTS = {4: ModelVariantType.NORMAL, 8: ModelVariantType.CONTROL, 9: ModelVariantType.INPAINT}
_EPSILON = SchedulerPredictionType.EPSILON

FAMILIES = (
    Family(
        id="kandinsky-2/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_KANDINSKY_2,
        conditions=(
            Tensor("encoder_hid_proj.image_embeds.bias", rank=1),
            Tensor("down_blocks.#.attentions.#.add_k_proj.weight", (None, _CONTEXT)),
            Tensor("conv_in.weight", (_CHANNELS, _INPUTS), rank=4),
            Tensor("conv_out.weight", (_WITH_VARIANCE, _CHANNELS)),
        ),
        traits=(
            *(
                Trait(variant, Tensor("conv_in.weight", (None, inputs)))
                for inputs, variant in _VARIANTS.items()
            ),
            Trait(_2_1, Tensor("encoder_hid_proj.text_proj.weight")),
            Trait(_2_2, Absent("encoder_hid_proj.text_proj.*")),
        ),
        prediction_type=_EPSILON,
    ),
    Family(
        id="kandinsky-2/main/original",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_KANDINSKY_2,
        conditions=(
            Tensor("input_blocks.#.#.encoder_kv.weight", (None, _CONTEXT), rank=3),
            Tensor("input_blocks.0.0.weight", (_CHANNELS, _INPUTS), rank=4),
            Some("out.#.weight", (_WITH_VARIANCE, _CHANNELS, 3, 3)),
        ),
        prediction_type=_EPSILON,
    ),
    Family(
        id="kandinsky-2/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_KANDINSKY_2,
        conditions=(
            Setting("class", ("UNet2DConditionModel",)),
            Setting("encoder_hid_dim_type", ("image_proj", "text_image_proj")),
            Setting("addition_embed_type", ("image", "text_image", "image_hint")),
            Setting("cross_attention_dim", (_CONTEXT,)),
            Setting("in_channels", _INPUTS),
        ),
        traits=(
            *(
                Trait(variant, Setting("in_channels", (inputs,)))
                for inputs, variant in _VARIANTS.items()
            ),
            Trait(_2_1, Setting("encoder_hid_dim_type", ("text_image_proj",))),
            Trait(_2_2, Setting("encoder_hid_dim_type", ("image_proj",))),
        ),
        prediction_type=_EPSILON,
    ),
    Family(
        id="kandinsky-2/prior/file",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_KANDINSKY_2,
        conditions=(
            Tensor("prd_embedding", (1, 1, _PRIOR_WIDTH)),
            Tensor("clip_mean", (1, _IMAGE_2_2)),
            Tensor("transformer_blocks.#.norm3.weight", (_PRIOR_WIDTH,)),
            Tensor("proj_to_clip_embeddings.bias", (_IMAGE_2_2,)),
        ),
        architecture="kandinsky-2.2-prior",
        prediction_type=SchedulerPredictionType.SAMPLE,
    ),
    Family(
        id="kandinsky-2/prior/file-768",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        # Karlo, the prior of an SD 2 that starts from images, is the same network.
        candidates=(BaseModelType.KANDINSKY_2, BaseModelType.SD_2, BaseModelType.UNKNOWN),
        conditions=(
            Tensor("prd_embedding", (1, 1, _PRIOR_WIDTH)),
            Tensor("clip_mean", (1, 768)),
            Tensor("transformer_blocks.#.norm3.weight", (_PRIOR_WIDTH,)),
            Tensor("proj_to_clip_embeddings.bias", (768,)),
        ),
        architecture="unclip-prior",
        prediction_type=SchedulerPredictionType.SAMPLE,
    ),
    component(
        BaseModelType.KANDINSKY_2,
        "PriorTransformer",
        Setting("embedding_dim", (_IMAGE_2_2,)),
        architecture="kandinsky-2.2-prior",
        prediction=SchedulerPredictionType.SAMPLE,
        kind="prior-folder",
    ),
    replace(
        component(
            BaseModelType.KANDINSKY_2,
            "PriorTransformer",
            Setting("embedding_dim", (768,)),
            # Karlo's prior is in a pipeline of another class.
            Setting("pipeline", ("Kandinsky*",)),
            architecture="kandinsky-2.1-prior",
            prediction=SchedulerPredictionType.SAMPLE,
            kind="prior-folder-2.1",
        ),
        special_case_of=("kandinsky-2/transformer/prior-folder-768",),
    ),
    Family(
        id="kandinsky-2/transformer/prior-folder-768",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        candidates=(BaseModelType.KANDINSKY_2, BaseModelType.SD_2, BaseModelType.UNKNOWN),
        conditions=(
            Setting("class", ("PriorTransformer",)),
            Setting("embedding_dim", (768,)),
        ),
        architecture="unclip-prior",
        prediction_type=SchedulerPredictionType.SAMPLE,
    ),
)
"""Everything that Kandinsky 2 brings as a denoiser."""
