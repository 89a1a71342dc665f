"""HunyuanVideo, its successor 1.5 and FramePack: double blocks of video and text, a token refiner.

HunyuanVideo is 3072 wide with 20 double and 40 single blocks, 1.5 is 2048 wide with 54 double blocks
alone, FramePack is HunyuanVideo with a second patch embedding for the frames that are done.
FLUX.1 has the same widths and neither a refiner nor patches of video, HunyuanImage 2.1 is 3584 wide,
Motif-Video has no refiner.

Image-to-video by token replacement, 1.5's text-to-video and image-to-video: equal by names and
shapes to what they come from.

Sources: `hyvideo/modules/models.py` of Tencent/HunyuanVideo, `hyvideo/models/transformers` of
Tencent-Hunyuan/HunyuanVideo-1.5, `HunyuanVideoTransformer3DModel`, `HunyuanVideo15Transformer3DModel`
and `HunyuanVideoFramepackTransformer3DModel` of huggingface/diffusers, ComfyUI's names for both.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Setting, Unset
from modelshelf.identify.families.denoiser import component, main_file, where_set
from modelshelf.identify.families.video import NO_CONTROL, every, patches, vectors
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_WIDTH, _DOUBLE, _SINGLE = 3072, 20, 40
_WIDTH_1_5, _DOUBLE_1_5 = 2048, 54
_HEAD, _TEXT, _TEXT_1_5 = 128, 4096, 3584
# 33: noise, image and mask. SkyReels V1 leaves the mask out.
_TEXT_INPUTS, _IMAGE_INPUTS = 16, (32, 33)


def _variants(name: str) -> tuple[Trait, ...]:
    return (
        Trait(ModelVariantType.T2V, patches(name, (_WIDTH,), _TEXT_INPUTS)),
        Trait(ModelVariantType.I2V, patches(name, (_WIDTH,), *_IMAGE_INPUTS)),
    )


# In diffusers' names, HunyuanVideo and FramePack alike.
_DIFFUSERS_BLOCKS: tuple[Condition, ...] = (
    Marker("context_embedder.token_refiner.*"),
    vectors("context_embedder.token_refiner.refiner_blocks.#.norm1.weight", _WIDTH),
    vectors("transformer_blocks.#.norm1.linear.bias", 6 * _WIDTH, below=_DOUBLE),
    vectors("transformer_blocks.#.attn.norm_added_q.weight", _HEAD),
    vectors("single_transformer_blocks.#.norm.linear.bias", 3 * _WIDTH, below=_SINGLE),
    Absent("time_guidance_embed.*"),
    NoOther("context_embedder.proj_in.weight", (_WIDTH, _TEXT)),
    NoOther("proj_out.weight", (64, _WIDTH)),
    *NO_CONTROL,
)
_DIFFUSERS_COUNTS = (("transformer_blocks", _DOUBLE), ("single_transformer_blocks", _SINGLE))
_IS_FRAMEPACK = Either((Marker("clean_x_embedder.*"), Marker("image_projection.*")))

FAMILIES = (
    main_file(
        BaseModelType.HUNYUAN_VIDEO,
        "original",
        Marker("txt_in.individual_token_refiner.*"),
        vectors("txt_in.individual_token_refiner.blocks.#.norm1.weight", _WIDTH),
        Either(
            (
                vectors("double_blocks.#.img_mod.linear.bias", 6 * _WIDTH, below=_DOUBLE),
                vectors("double_blocks.#.img_mod.lin.bias", 6 * _WIDTH, below=_DOUBLE),
            )
        ),
        Either(
            (
                vectors("single_blocks.#.modulation.linear.bias", 3 * _WIDTH, below=_SINGLE),
                vectors("single_blocks.#.modulation.lin.bias", 3 * _WIDTH, below=_SINGLE),
            )
        ),
        vectors("single_blocks.#.linear1.bias", 7 * _WIDTH),
        NoOther("txt_in.input_embedder.weight", (_WIDTH, _TEXT)),
        NoOther("vector_in.in_layer.weight", (_WIDTH, 768)),
        NoOther("final_layer.linear.weight", (64, _WIDTH)),
        Absent("byt5_in.*"),
        *NO_CONTROL,
        traits=_variants("img_in.proj.weight"),
        blocks=(("double_blocks", _DOUBLE), ("single_blocks", _SINGLE)),
    ),
    main_file(
        BaseModelType.HUNYUAN_VIDEO,
        "diffusers",
        *_DIFFUSERS_BLOCKS,
        Absent("clean_x_embedder.*"),
        Absent("image_projection.*"),
        traits=_variants("x_embedder.proj.weight"),
        blocks=_DIFFUSERS_COUNTS,
    ),
    component(
        BaseModelType.HUNYUAN_VIDEO,
        "HunyuanVideoTransformer3DModel",
        Setting("num_attention_heads", (_WIDTH // _HEAD,)),
        Setting("in_channels", (_TEXT_INPUTS, *_IMAGE_INPUTS)),
        *where_set(
            text_embed_dim=_TEXT,
            pooled_projection_dim=768,
            out_channels=16,
            num_attention_heads=_WIDTH // _HEAD,
            attention_head_dim=_HEAD,
        ),
        traits=(
            # An image that replaces a token adds no channels.
            Trait(ModelVariantType.I2V, Setting("image_condition_type")),
            Trait(
                ModelVariantType.T2V,
                every(Setting("in_channels", (_TEXT_INPUTS,)), Unset("image_condition_type")),
            ),
            Trait(ModelVariantType.I2V, Setting("in_channels", _IMAGE_INPUTS)),
        ),
    ),
    main_file(
        BaseModelType.FRAMEPACK,
        "diffusers",
        _IS_FRAMEPACK,
        *_DIFFUSERS_BLOCKS,
        traits=(Trait(ModelVariantType.I2V, _IS_FRAMEPACK),),
        blocks=_DIFFUSERS_COUNTS,
    ),
    Family(
        id="framepack/transformer/folder",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        bases=(BaseModelType.FRAMEPACK,),
        conditions=(
            Setting(
                "class",
                (
                    "HunyuanVideoFramepackTransformer3DModel",
                    "HunyuanVideoTransformer3DModelPacked",
                ),
            ),
            *where_set(
                text_embed_dim=_TEXT,
                pooled_projection_dim=768,
                out_channels=16,
                num_attention_heads=_WIDTH // _HEAD,
                attention_head_dim=_HEAD,
            ),
        ),
        traits=(Trait(ModelVariantType.I2V, Setting("has_clean_x_embedder", (True,))),),
        prediction_type=SchedulerPredictionType.FLOW,
    ),
    main_file(
        BaseModelType.HUNYUAN_VIDEO_1_5,
        "original",
        Marker("txt_in.individual_token_refiner.*"),
        vectors("txt_in.individual_token_refiner.blocks.#.norm1.weight", _WIDTH_1_5),
        Either(
            (
                vectors("double_blocks.#.img_mod.linear.bias", 6 * _WIDTH_1_5, below=_DOUBLE_1_5),
                vectors("double_blocks.#.img_mod.lin.bias", 6 * _WIDTH_1_5, below=_DOUBLE_1_5),
            )
        ),
        Either(
            (
                Tensor("cond_type_embedding.weight", (3, _WIDTH_1_5)),
                vectors("vision_in.proj.#.bias", 1152, _WIDTH_1_5),
                vectors("byt5_in.fc1.bias", _WIDTH_1_5),
            )
        ),
        NoOther("txt_in.input_embedder.weight", (_WIDTH_1_5, _TEXT_1_5)),
        NoOther("final_layer.linear.weight", (32, _WIDTH_1_5)),
        Absent("single_blocks.*"),
        *NO_CONTROL,
        blocks=(("double_blocks", _DOUBLE_1_5),),
    ),
    main_file(
        BaseModelType.HUNYUAN_VIDEO_1_5,
        "diffusers",
        Marker("context_embedder.token_refiner.*"),
        vectors("context_embedder.token_refiner.refiner_blocks.#.norm1.weight", _WIDTH_1_5),
        vectors("transformer_blocks.#.norm1.linear.bias", 6 * _WIDTH_1_5, below=_DOUBLE_1_5),
        Either(
            (
                Tensor("cond_type_embed.weight", (3, _WIDTH_1_5)),
                vectors("image_embedder.norm_out.weight", _WIDTH_1_5),
                vectors("context_embedder_2.linear_1.bias", _WIDTH_1_5),
            )
        ),
        NoOther("context_embedder.proj_in.weight", (_WIDTH_1_5, _TEXT_1_5)),
        NoOther("proj_out.weight", (32, _WIDTH_1_5)),
        Absent("single_transformer_blocks.*"),
        *NO_CONTROL,
        blocks=(("transformer_blocks", _DOUBLE_1_5),),
    ),
    Family(
        id="hunyuan-video-1.5/transformer/folder",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        bases=(BaseModelType.HUNYUAN_VIDEO_1_5,),
        conditions=(
            Setting("class", ("HunyuanVideo15Transformer3DModel", "HunyuanVideo_1_5_*")),
            Either((Setting("num_attention_heads", (16,)), Setting("hidden_size", (_WIDTH_1_5,)))),
            *where_set(text_embed_dim=_TEXT_1_5, out_channels=32, attention_head_dim=_HEAD),
        ),
        traits=(
            *(
                Trait(variant, Setting(field, (variant.value,)))
                for variant in (ModelVariantType.T2V, ModelVariantType.I2V)
                for field in ("task_type", "ideal_task")
            ),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
    ),
)
"""Everything that these three bring."""
