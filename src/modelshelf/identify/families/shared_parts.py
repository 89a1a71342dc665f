"""Parts that several bases share: where structure leaves the base open, candidates or `any`."""

from __future__ import annotations

from modelshelf.identify.condition import (
    Absent,
    Adapts,
    Both,
    Either,
    Never,
    Setting,
    Tensor,
    Unset,
    Wrapped,
)
from modelshelf.identify.families.unet import DIFFUSERS_NAMES
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.layout import Part
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_ANY = (BaseModelType.ANY,)
_SD_KIND = (BaseModelType.SD_1, BaseModelType.SD_2, BaseModelType.SDXL)
_SIXTEEN = (BaseModelType.FLUX, BaseModelType.SD_3)
# CLIP L is 768 wide with 12 layers, G 1280 with 32.
_CLIP = ((768, 1280),)

_NO_VIDEO = (Absent("*time_stack*"), Absent("*time_mix_conv*"), Absent("quantize.*"))

# What these classes of diffusers take where the file is silent, so loading it means just that.
_EPSILON_UNLESS_SAID = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
)
_PREDICTIONS = (
    *(
        Trait(value, Setting("prediction_type", (value.value,)))
        for value in SchedulerPredictionType
    ),
    Trait(
        SchedulerPredictionType.EPSILON,
        Both(Unset("prediction_type"), Setting("class", _EPSILON_UNLESS_SAID)),
    ),
)

FAMILIES = (
    Family(
        id="vae/4-channels/ldm",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        candidates=_SD_KIND,
        conditions=(
            Tensor("decoder.conv_in.weight", (None, 4), rank=4),
            Tensor("encoder.conv_in.weight", (None, 3), rank=4),
            Tensor("encoder.down.#.block.#.conv1.weight", count=8),
            Tensor("decoder.up.#.block.#.conv1.weight", count=12),
            Tensor("quant_conv.weight", (8, 8)),
            *_NO_VIDEO,
        ),
    ),
    Family(
        id="vae/4-channels/diffusers",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        candidates=_SD_KIND,
        conditions=(
            Tensor("decoder.conv_in.weight", (None, 4), rank=4),
            Tensor("encoder.conv_in.weight", (None, 3), rank=4),
            Tensor("encoder.down_blocks.#.resnets.#.conv1.weight", count=8),
            Tensor("decoder.up_blocks.#.resnets.#.conv1.weight", count=12),
            Tensor("quant_conv.weight", (8, 8)),
            *_NO_VIDEO,
        ),
    ),
    Family(
        id="vae/4-channels/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        # No doubt between the two: at this scale the latents of both mean the same.
        bases=_SD_KIND[:2],
        conditions=(
            Setting("class", ("AutoencoderKL",)),
            Setting("latent_channels", (4,)),
            # Old configurations leave it out, and diffusers takes the same number for them.
            Either((Setting("scaling_factor", (0.18215,)), Unset("scaling_factor"))),
        ),
    ),
    Family(
        id="vae/16-channels/original",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        candidates=_SIXTEEN,
        conditions=(
            Tensor("decoder.conv_in.weight", (None, 16), rank=4),
            Tensor("encoder.conv_in.weight", (None, 3), rank=4),
            Tensor("encoder.conv_out.weight", (32,), rank=4),
            Tensor("encoder.down.#.block.#.conv1.weight", count=8),
            Absent("quant_conv.*"),
            *_NO_VIDEO,
        ),
    ),
    Family(
        id="vae/16-channels/diffusers",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        candidates=_SIXTEEN,
        conditions=(
            Tensor("decoder.conv_in.weight", (None, 16), rank=4),
            Tensor("encoder.conv_in.weight", (None, 3), rank=4),
            Tensor("encoder.conv_out.weight", (32,), rank=4),
            Tensor("encoder.down_blocks.#.resnets.#.conv1.weight", count=8),
            Absent("quant_conv.*"),
            *_NO_VIDEO,
        ),
    ),
    Family(
        id="vae/tiny/diffusers",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        candidates=_SD_KIND,
        conditions=(
            Tensor("decoder.layers.0.weight", (64, 4, 3, 3)),
            Tensor("encoder.layers.#.conv.#.weight", (64, 64, 3, 3), count=30),
            Tensor("decoder.layers.#.conv.#.weight", (64, 64, 3, 3), count=30),
        ),
    ),
    Family(
        id="clip-text/file",
        type=ModelType.CLIP_EMBED,
        format=ModelFormat.DIFFUSERS,
        bases=_ANY,
        conditions=(
            Tensor("text_model.embeddings.token_embedding.weight", (None, *_CLIP)),
            # 77 positions; SigLIP, of the same names, has 64.
            Tensor("text_model.embeddings.position_embedding.weight", (77, *_CLIP)),
            Tensor("text_model.encoder.layers.#.mlp.fc1.weight", (None, *_CLIP)),
            Absent("vision_model.*"),
            Absent("resblocks.*"),
        ),
        traits=(Trait(ModelFormat.CHECKPOINT, Wrapped(Part.TEXT)),),
    ),
    Family(
        id="t5/file",
        type=ModelType.T5_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=(
            Tensor("shared.weight", (None, 4096)),
            # One relative bias for all blocks; UMT5 and Pile-T5 have one in each.
            Tensor("encoder.block.#.layer.#.SelfAttention.relative_attention_bias.weight", count=1),
            Tensor("encoder.block.#.layer.#.DenseReluDense.wi_0.weight", (None, 4096)),
            Absent("decoder.*"),
        ),
    ),
    Family(
        id="clip-vision/file",
        type=ModelType.CLIP_VISION,
        format=ModelFormat.DIFFUSERS,
        bases=_ANY,
        conditions=(
            Tensor("vision_model.embeddings.class_embedding", ((1024, 1280, 1664),)),
            Tensor("vision_model.embeddings.patch_embedding.weight", (None, 3)),
            Tensor("vision_model.encoder.layers.#.mlp.fc1.weight", (None, (1024, 1280, 1664))),
            Absent("text_model.*"),
            # The safety checker is such an encoder with a list of concepts behind it.
            Absent("concept_embeds*"),
        ),
    ),
    Family(
        id="lora/clip-l-only",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=(BaseModelType.SDXL, BaseModelType.FLUX, BaseModelType.SD_3),
        conditions=(
            Adapts("text_1:text_model_encoder_layers_#_*", inputs=(768, 3072)),
            Never(Adapts("denoiser:*")),
            Never(Adapts("text_[23]:*")),
        ),
        traits=DIFFUSERS_NAMES,
    ),
    Family(
        id="safety-checker/folder",
        type=ModelType.SAFETY_CHECKER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("class", ("*SafetyChecker",)),),
    ),
    Family(
        id="scheduler/folder",
        type=ModelType.SCHEDULER,
        format=ModelFormat.DIFFUSERS,
        bases=_ANY,
        conditions=(
            Either(
                (
                    Setting("config", ("scheduler_config.json",)),
                    Setting("class", ("*Scheduler",)),
                )
            ),
        ),
        traits=_PREDICTIONS,
    ),
    Family(
        id="feature-extractor/folder",
        type=ModelType.FEATURE_EXTRACTOR,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("config", ("preprocessor_config.json",)),),
    ),
    Family(
        id="tokenizer/folder",
        type=ModelType.TOKENIZER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("tokenizer", (True,)),),
    ),
    Family(
        id="clip-vision/folder",
        type=ModelType.CLIP_VISION,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("class", ("CLIPVisionModel", "CLIPVisionModelWithProjection")),),
    ),
    Family(
        id="t5/folder",
        type=ModelType.T5_ENCODER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("class", ("T5EncoderModel",)),),
    ),
    Family(
        id="clip-text/folder",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(
            Setting("class", ("CLIPTextModel", "CLIPTextModelWithProjection")),
            Setting("hidden_size", (768, 1280)),
        ),
    ),
)
"""Parts that no one base owns."""
