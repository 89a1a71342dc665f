"""Stable Diffusion XL and its refiner: text 2048 and 1280 wide, a label of size and crop."""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.unet import (
    CHANNELS,
    MARKED_PREDICTION,
    config_variants,
    control_config,
    control_config_of_another_width,
    control_ldm,
    diffusers_variants,
    ldm_variants,
    unet_config,
    unet_config_of_another_width,
    unet_diffusers,
    unet_ldm,
    unet_ldm_of_another_width,
)
from modelshelf.identify.family import Architecture, Detail, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_SDXL = (BaseModelType.SDXL,)
_REFINER = (BaseModelType.SDXL_REFINER,)
_TEXT, _REFINER_TEXT = 2048, 1280
_WIDTH, _REFINER_WIDTH = 320, 384
# Pooled text and six numbers of 256 each: 1280 + 6 x 256, and 1280 + 5 x 256. Kolors has 5632.
_LABEL, _REFINER_LABEL = 2816, 2560
# SSD-1B, Vega and KOALA are cut from SDXL and have fewer; adapters do not fit them.
_LAYERS = Setting("transformer_layers_per_block", ([1, 2, 10], [0, 2, 10]))
# Playground v2.5 keeps the statistics of its latents in the file, CosXL its range of noise: both are
# SDXL by everything else.
_EDM = (
    Trait(SchedulerPredictionType.EDM, Marker("edm_mean")),
    Trait(Architecture("playground-v2.5"), Marker("edm_mean")),
    Trait(SchedulerPredictionType.V_PREDICTION, Marker("edm_vpred.sigma_max")),
    Trait(Architecture("cosxl"), Marker("edm_vpred.sigma_max")),
)

FAMILIES = (
    Family(
        id="sdxl/main/ldm",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_SDXL,
        conditions=(
            *unet_ldm(_TEXT, (24, 10, 36)),
            Tensor("input_blocks.0.0.weight", (_WIDTH,)),
            Tensor("label_emb.0.0.weight", (None, _LABEL)),
            Absent("zero_convs.*"),
        ),
        traits=(*ldm_variants(edits=True), *MARKED_PREDICTION, *_EDM),
    ),
    unet_ldm_of_another_width(
        BaseModelType.SDXL,
        _TEXT,
        (24, 10, 36),
        _WIDTH,
        Tensor("label_emb.0.0.weight", (None, _LABEL)),
    ),
    Family(
        id="sdxl/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_SDXL,
        conditions=(
            *unet_diffusers(_TEXT, (24, 10, 36)),
            Tensor("conv_in.weight", (_WIDTH,)),
            Tensor("add_embedding.linear_1.weight", (None, _LABEL)),
        ),
        traits=(*diffusers_variants(edits=True), *MARKED_PREDICTION, *_EDM),
    ),
    Family(
        id="sdxl/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SDXL,
        conditions=(
            *unet_config(_TEXT, "-xx"),
            _LAYERS,
            Setting("projection_class_embeddings_input_dim", (_LABEL,)),
        ),
        traits=config_variants(edits=True),
    ),
    unet_config_of_another_width(
        BaseModelType.SDXL,
        _TEXT,
        "-xx",
        _LAYERS,
        Setting("projection_class_embeddings_input_dim", (_LABEL,)),
    ),
    Family(
        id="sdxl/controlnet/ldm",
        type=ModelType.CONTROLNET,
        format=ModelFormat.CHECKPOINT,
        bases=_SDXL,
        conditions=(
            *control_ldm(_TEXT, (24, 10)),
            Tensor("label_emb.0.0.weight", (None, _LABEL)),
        ),
    ),
    Family(
        id="sdxl/controlnet/diffusers",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SDXL,
        conditions=(
            Tensor("controlnet_cond_embedding.conv_in.weight"),
            Tensor("add_embedding.linear_1.weight", (1280, _LABEL)),
            # The small and mid forms of SDXL's ControlNets have fewer or no attentions.
            Either(
                (
                    Tensor(
                        "down_blocks.#.attentions.#.transformer_blocks.#.attn2.to_k.weight",
                        (CHANNELS, _TEXT),
                    ),
                    Absent("down_blocks.#.attentions.*"),
                )
            ),
            Absent("encoder_hid_proj*"),
        ),
        traits=(Trait(Detail("control", "union"), Tensor("task_embedding")),),
    ),
    Family(
        id="sdxl/controlnet/folder",
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS,
        bases=_SDXL,
        conditions=(
            *control_config(_TEXT, "-xx"),
            Setting("projection_class_embeddings_input_dim", (_LABEL,)),
        ),
    ),
    control_config_of_another_width(
        BaseModelType.SDXL,
        _TEXT,
        "-xx",
        Setting("projection_class_embeddings_input_dim", (_LABEL,)),
    ),
    Family(
        id="sdxl/ip-adapter",
        type=ModelType.IP_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        bases=_SDXL,
        conditions=(
            Tensor("ip_adapter.#.to_k_ip.weight", (CHANNELS, _TEXT), count=70, below=140),
            # 1024 is ViT-H and 1280 bigG; Kolors' adapters have another encoder.
            Either(
                (
                    Tensor("image_proj.proj.weight", (None, (1024, 1280))),
                    Tensor("image_proj.proj_in.weight", (None, (1280, 1664))),
                )
            ),
        ),
    ),
    Family(
        id="sdxl/embedding/file",
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=_SDXL,
        conditions=(
            Tensor("clip_g", (None, 1280), rank=2),
            Tensor("clip_l", (None, 768), rank=2),
            Absent("t5*"),
        ),
    ),
    Family(
        id="sdxl/text-encoders/ldm",
        type=ModelType.CLIP_EMBED,
        format=ModelFormat.CHECKPOINT,
        bases=_SDXL,
        conditions=(
            Tensor("text_model.encoder.layers.#.mlp.fc1.weight", (3072, 768), count=12),
            Tensor("resblocks.#.attn.in_proj_weight", (3840, 1280), count=32),
        ),
    ),
    Family(
        id="sdxl/t2i-adapter/folder",
        type=ModelType.T2I_ADAPTER,
        format=ModelFormat.DIFFUSERS,
        bases=_SDXL,
        conditions=(
            Setting("class", ("T2IAdapter",)),
            Setting("adapter_type", ("full_adapter_xl",)),
        ),
    ),
    Family(
        id="sdxl/vae/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        bases=_SDXL,
        conditions=(
            Setting("class", ("AutoencoderKL",)),
            Setting("latent_channels", (4,)),
            Setting("scaling_factor", (0.13025,)),
        ),
    ),
    Family(
        id="sdxl-refiner/main/ldm",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_REFINER,
        conditions=(
            *unet_ldm(_REFINER_TEXT, (16, 4, 24)),
            Tensor("input_blocks.0.0.weight", (_REFINER_WIDTH,)),
            Tensor("label_emb.0.0.weight", (None, _REFINER_LABEL)),
        ),
        traits=(*ldm_variants(), *MARKED_PREDICTION),
        usual_prediction=SchedulerPredictionType.EPSILON,
    ),
    unet_ldm_of_another_width(
        BaseModelType.SDXL_REFINER,
        _REFINER_TEXT,
        (16, 4, 24),
        _REFINER_WIDTH,
        Tensor("label_emb.0.0.weight", (None, _REFINER_LABEL)),
        usual=SchedulerPredictionType.EPSILON,
    ),
    Family(
        id="sdxl-refiner/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_REFINER,
        conditions=(
            *unet_diffusers(_REFINER_TEXT, (16, 4, 24)),
            Tensor("conv_in.weight", (_REFINER_WIDTH,)),
            Tensor("add_embedding.linear_1.weight", (None, _REFINER_LABEL)),
        ),
        traits=diffusers_variants(),
        usual_prediction=SchedulerPredictionType.EPSILON,
    ),
    Family(
        id="sdxl-refiner/unet/folder",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=_REFINER,
        conditions=(
            *unet_config(_REFINER_TEXT, "-xx-"),
            Setting("projection_class_embeddings_input_dim", (_REFINER_LABEL,)),
        ),
        traits=config_variants(),
    ),
    unet_config_of_another_width(
        BaseModelType.SDXL_REFINER,
        _REFINER_TEXT,
        "-xx-",
        Setting("projection_class_embeddings_input_dim", (_REFINER_LABEL,)),
    ),
)
"""Everything that Stable Diffusion XL and its refiner bring."""
