"""Stable Video Diffusion and SV3D: Stable Diffusion 2's UNet, with a second stack for time.

It attends to an image's CLIP embedding, 1024 wide, takes the image's latents beside its own, and is
told frame rate, motion and noise as 3 x 256 numbers; SV3D 256 (u) or 1280 (p, with the camera).
ModelScope's text-to-video and I2VGen-XL are 1024 wide as well and convolve over time instead.

Sources: `configs/` and `sgm/modules/diffusionmodules/video_model.py` of
Stability-AI/generative-models, `UNetSpatioTemporalConditionModel` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Setting
from modelshelf.identify.families.denoiser import main_file, where_set
from modelshelf.identify.families.video import vectors
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_SVD = (BaseModelType.SVD,)
_TEXT, _WIDTH, _INPUTS = 1024, 320, 8
_LABELS = {"svd": 768, "sv3d-u": 256, "sv3d-p": 1280}


def _entrances(label: str, image: str) -> tuple[Condition, ...]:
    """What it is told and what it takes: one of both is there, and neither says otherwise."""
    is_told = Tensor(label, (None, tuple(_LABELS.values())), rank=2)
    takes = Tensor(image, (_WIDTH, _INPUTS, 3, 3))
    return (
        Either((is_told, takes)),
        Either((is_told, Absent(label))),
        Either((takes, Absent(image))),
    )


def _architectures(label: str) -> tuple[Trait, ...]:
    return tuple(
        Trait(Architecture(name), Tensor(label, (None, width), rank=2))
        for name, width in _LABELS.items()
    )


FAMILIES = (
    main_file(
        BaseModelType.SVD,
        "ldm",
        Tensor("input_blocks.#.#.time_stack.#.attn2.to_k.weight", (None, _TEXT)),
        Tensor("output_blocks.#.#.time_stack.#.attn2.to_k.weight", (None, _TEXT)),
        Tensor("input_blocks.#.#.transformer_blocks.#.attn2.to_k.weight", (None, _TEXT)),
        *_entrances("label_emb.0.0.weight", "input_blocks.0.0.weight"),
        Absent("zero_convs.*"),
        Absent("*time_mixer_motion*"),
        traits=(
            Trait(ModelVariantType.I2V, Tensor("input_blocks.0.0.weight", (_WIDTH, _INPUTS))),
            *_architectures("label_emb.0.0.weight"),
        ),
        prediction=SchedulerPredictionType.V_PREDICTION,
    ),
    main_file(
        BaseModelType.SVD,
        "diffusers",
        Tensor(
            "down_blocks.#.attentions.#.temporal_transformer_blocks.#.attn2.to_k.weight",
            (None, _TEXT),
        ),
        Tensor(
            "up_blocks.#.attentions.#.temporal_transformer_blocks.#.attn2.to_k.weight",
            (None, _TEXT),
        ),
        Either(
            (
                vectors("down_blocks.#.resnets.#.time_mixer.mix_factor", 1),
                vectors("up_blocks.#.resnets.#.time_mixer.mix_factor", 1),
            )
        ),
        *_entrances("add_embedding.linear_1.weight", "conv_in.weight"),
        Absent("controlnet*"),
        traits=(
            Trait(ModelVariantType.I2V, Tensor("conv_in.weight", (_WIDTH, _INPUTS))),
            *_architectures("add_embedding.linear_1.weight"),
        ),
        prediction=SchedulerPredictionType.V_PREDICTION,
    ),
    Family(
        id="svd/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SVD,
        conditions=(
            Setting("class", ("UNetSpatioTemporalConditionModel",)),
            Setting("cross_attention_dim", (_TEXT,)),
            Setting("in_channels", (_INPUTS,)),
            Setting("projection_class_embeddings_input_dim", tuple(_LABELS.values())),
            *where_set(out_channels=4),
        ),
        traits=(
            Trait(ModelVariantType.I2V, Setting("in_channels", (_INPUTS,))),
            *(
                Trait(
                    Architecture(name),
                    Setting("projection_class_embeddings_input_dim", (width,)),
                )
                for name, width in _LABELS.items()
            ),
        ),
        prediction_type=SchedulerPredictionType.V_PREDICTION,
    ),
)
"""Everything that Stable Video Diffusion brings as a denoiser."""
