"""Published video models that no base is named for: what they are, so that nobody takes them for kin.

Most are an image or video model of a base with something added, and none is loaded as that base: what
is added decides. Sources: the classes of huggingface/diffusers and modelscope/DiffSynth-Studio with the
published configurations; `models/dit_v2` and `models/video_vae_v3` of ByteDance-Seed/SeedVR.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting, Unset
from modelshelf.identify.families.denoiser import weight_or_bias
from modelshelf.identify.families.other_model import OtherModel, families_of
from modelshelf.identify.families.video import NO_CONTROL, vectors
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import ModelType, SchedulerPredictionType

__all__ = ["FAMILIES"]

_FLOW, _EPSILON, _V = (
    SchedulerPredictionType.FLOW,
    SchedulerPredictionType.EPSILON,
    SchedulerPredictionType.V_PREDICTION,
)
_SEED = (2560, 3072)
"""Widths of SeedVR2, of 3B and of 7B."""
_OF_TIME = "down_blocks.#.temp_convs.*"


_OTHERS = (
    OtherModel(
        "allegro",
        (
            Tensor("transformer_blocks.#.scale_shift_table", (6, 2304), below=32),
            Tensor("pos_embed.proj.weight", (2304, 4), rank=4),
            weight_or_bias("caption_projection.linear_1", 2304),
            Absent("caption_norm.*"),
        ),
        "AllegroTransformer3DModel",
        prediction=_V,
    ),
    OtherModel(
        "latte",
        (
            Tensor("temporal_transformer_blocks.#.scale_shift_table", (6, 1152), below=28),
            Tensor("transformer_blocks.#.scale_shift_table", (6, 1152), below=28),
            Tensor("pos_embed.proj.weight", (1152, 4), rank=4),
        ),
        "LatteTransformer3DModel",
        prediction=_EPSILON,
    ),
    OtherModel(
        "easyanimate",
        (
            vectors("transformer_blocks.#.norm1.linear.bias", 18432, below=48),
            vectors("transformer_blocks.#.attn1.norm_added_k.weight", 64),
            weight_or_bias("text_proj", 3072),
            Tensor("proj.weight", (3072,), rank=4),
        ),
        "EasyAnimateTransformer3DModel",
        prediction=_FLOW,
    ),
    OtherModel(
        "consisid",
        (
            Marker("local_facial_extractor.*"),
            vectors("transformer_blocks.#.norm1.linear.bias", 18432, below=42),
            weight_or_bias("patch_embed.text_proj", 3072),
        ),
        "ConsisIDTransformer3DModel",
        prediction=_V,
    ),
    OtherModel(
        "sana-video",
        (
            Tensor("transformer_blocks.#.ff.conv_temp.weight", rank=4),
            Tensor("transformer_blocks.#.scale_shift_table", (6, 2240)),
            Tensor("caption_norm.weight", (2240,)),
            Tensor("patch_embedding.weight", (2240,), rank=5),
        ),
        "SanaVideoTransformer3DModel",
        prediction=_FLOW,
    ),
    OtherModel(
        "helios",
        (
            Tensor("blocks.#.scale_shift_table", (1, 6, 5120), rank=3),
            Tensor("patch_short.weight", (5120, 16), rank=5),
            Tensor("patch_mid.weight", (5120, 16), rank=5),
            Tensor("patch_long.weight", (5120, 16), rank=5),
            *NO_CONTROL,
        ),
        "HeliosTransformer3DModel",
        prediction=_FLOW,
    ),
    OtherModel(
        "lingbot-video",
        (
            Tensor("blocks.#.scale_shift_table", (1, 12288), rank=2),
            vectors("blocks.#.norm_post_attn.weight", 2048, below=48),
            vectors("text_embedder.norm.weight", 2560),
            weight_or_bias("patch_embedder", 2048),
            *NO_CONTROL,
        ),
        "LingBotVideoTransformer3DModel",
        prediction=_FLOW,
    ),
    OtherModel(
        # Makes sound beside the pictures: each block is two, that look at each other.
        "kandinsky-6",
        (
            vectors(
                "visual_transformer_blocks.#.video_dec_block.self_attention.query_norm.weight", 128
            ),
            vectors("visual_transformer_blocks.#.va_cross_attention.query_norm.weight", 128),
            Tensor("visual_embeddings.in_layer.bias", (4096,)),
            Tensor("audio_embeddings.in_layer.bias", (4096,)),
        ),
        "Kandinsky6Transformer3DModel",
        prediction=_FLOW,
    ),
    OtherModel(
        # Restores videos: it sees noise, the video and a mask, 33 channels in patches of four.
        "seedvr2",
        (
            Tensor("vid_in.proj.weight", (_SEED, 132)),
            vectors("blocks.#.attn.norm_q.vid.weight", 128, below=36),
            weight_or_bias("vid_out.proj", 64),
            weight_or_bias("emb_in.proj_in", _SEED),
        ),
        prediction=None,
    ),
    OtherModel(
        "modelscope-t2v",
        (
            Marker(_OF_TIME),
            vectors("transformer_in.norm.weight", 320),
            Tensor("conv_in.weight", (320, 4), rank=4),
            Tensor("conv_out.weight", (4, 320), rank=4),
            *NO_CONTROL,
        ),
        "UNet3DConditionModel",
        # Hotshot-XL's is SDXL's with layers over time, and Tune-A-Video's SD 1's.
        settings=(
            Unset("addition_embed_type"),
            Either((Setting("cross_attention_dim", (1024,)), Unset("cross_attention_dim"))),
        ),
        type=ModelType.UNET,
        prediction=None,
    ),
    OtherModel(
        "i2vgen-xl",
        (
            Marker(_OF_TIME),
            vectors("transformer_in.norm.weight", 320),
            Tensor("conv_in.weight", (320, 8), rank=4),
            vectors("image_latents_temporal_encoder.norm1.weight", 4),
        ),
        "I2VGenXLUNet",
        type=ModelType.UNET,
        prediction=None,
    ),
)

FAMILIES = families_of(_OTHERS)
