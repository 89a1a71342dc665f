"""The configuration files of encoders and what stands before them: published values, and sizes of tensors.

Source: `config.json` and `preprocessor_config.json` of the published models (stable-diffusion-v1-5,
stable-diffusion-2-1, stable-diffusion-xl-base-1.0, stable-diffusion-3-medium, FLUX.1-dev), as
transformers writes them.
"""

from __future__ import annotations

from modelshelf.testing.tiny.config import Config
from modelshelf.testing.tiny.text import T5, Clip, Vision

__all__ = [
    "clip_config",
    "preprocessor_config",
    "safety_checker_config",
    "t5_config",
    "vision_config",
]

TORCH_NAMES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32"}


def clip_config(clip: Clip, dtype: str) -> Config:
    """`config.json` of a CLIP text encoder."""
    kind = "CLIPTextModel" if clip.projection is None else "CLIPTextModelWithProjection"
    return {
        "architectures": [kind],
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "dropout": 0.0,
        "eos_token_id": 2,
        "hidden_act": clip.activation,
        "hidden_size": clip.hidden,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "intermediate_size": clip.feed,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 77,
        "model_type": "clip_text_model",
        "num_attention_heads": clip.heads,
        "num_hidden_layers": clip.layers,
        "pad_token_id": 1,
        "projection_dim": clip.projection or (512 if clip.activation == "gelu" else clip.hidden),
        "torch_dtype": TORCH_NAMES.get(dtype, "float32"),
        "transformers_version": "4.25.0.dev0",
        "vocab_size": clip.vocabulary,
    }


def t5_config(t5: T5, dtype: str) -> Config:
    """`config.json` of a T5 encoder."""
    return {
        "architectures": ["T5EncoderModel"],
        "classifier_dropout": 0.0,
        "d_ff": t5.feed,
        "d_kv": 64,
        "d_model": t5.hidden,
        "decoder_start_token_id": 0,
        "dense_act_fn": "gelu_new",
        "dropout_rate": 0.1,
        "eos_token_id": 1,
        "feed_forward_proj": "gated-gelu",
        "initializer_factor": 1.0,
        "is_encoder_decoder": True,
        "is_gated_act": True,
        "layer_norm_epsilon": 1e-06,
        "model_type": "t5",
        "num_decoder_layers": t5.layers,
        "num_heads": t5.heads,
        "num_layers": t5.layers,
        "output_past": True,
        "pad_token_id": 0,
        "relative_attention_max_distance": 128,
        "relative_attention_num_buckets": 32,
        "tie_word_embeddings": False,
        "torch_dtype": TORCH_NAMES.get(dtype, "float32"),
        "transformers_version": "4.41.0.dev0",
        "use_cache": True,
        "vocab_size": t5.vocabulary,
    }


def vision_config(vision: Vision, dtype: str) -> Config:
    """`config.json` of a CLIP image encoder."""
    return {
        "architectures": ["CLIPVisionModelWithProjection"],
        "attention_dropout": 0.0,
        "dropout": 0.0,
        "hidden_act": vision.activation,
        "hidden_size": vision.hidden,
        "image_size": 224,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "intermediate_size": vision.feed,
        "layer_norm_eps": 1e-05,
        "model_type": "clip_vision_model",
        "num_attention_heads": vision.heads,
        "num_channels": 3,
        "num_hidden_layers": vision.layers,
        "patch_size": vision.patch,
        "projection_dim": vision.projection,
        "torch_dtype": TORCH_NAMES.get(dtype, "float32"),
        "transformers_version": "4.28.0.dev0",
    }


def safety_checker_config(vision: Vision, dtype: str) -> Config:
    """`config.json` of a safety checker."""
    return {
        "_name_or_path": "CompVis/stable-diffusion-safety-checker",
        "architectures": ["StableDiffusionSafetyChecker"],
        "initializer_factor": 1.0,
        "logit_scale_init_value": 2.6592,
        "model_type": "clip",
        "projection_dim": vision.projection,
        "text_config": {
            "dropout": 0.0,
            "hidden_size": 768,
            "intermediate_size": 3072,
            "model_type": "clip_text_model",
            "num_attention_heads": 12,
        },
        "torch_dtype": TORCH_NAMES.get(dtype, "float32"),
        "transformers_version": "4.35.2",
        "vision_config": {
            "dropout": 0.0,
            "hidden_size": vision.hidden,
            "intermediate_size": vision.feed,
            "model_type": "clip_vision_model",
            "num_attention_heads": vision.heads,
            "num_hidden_layers": vision.layers,
            "patch_size": vision.patch,
        },
    }


def preprocessor_config() -> Config:
    """`preprocessor_config.json` of the CLIP feature extractor."""
    return {
        "crop_size": 224,
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
        "size": 224,
    }
