from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelshelf.identify import identify
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify.more_video_layouts import COSMOS_2_2B, cosmos_diffusers

WAN: dict[str, Any] = {
    "_class_name": "WanTransformer3DModel",
    "num_attention_heads": 40,
    "attention_head_dim": 128,
    "in_channels": 16,
    "num_layers": 40,
    "image_dim": None,
    "added_kv_proj_dim": None,
    "pos_embed_seq_len": None,
}
WAN_SMALL = WAN | {"num_attention_heads": 12, "num_layers": 30}
WAN_IMAGE = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
WAN_OWN = {
    "_class_name": "WanModel",
    "dim": 5120,
    "num_heads": 40,
    "in_dim": 16,
    "model_type": "t2v",
}
HUNYUAN: dict[str, Any] = {
    "_class_name": "HunyuanVideoTransformer3DModel",
    "in_channels": 16,
    "num_attention_heads": 24,
    "num_layers": 20,
    "num_single_layers": 40,
}
COGVIDEOX: dict[str, Any] = {
    "_class_name": "CogVideoXTransformer3DModel",
    "in_channels": 16,
    "num_attention_heads": 48,
    "num_layers": 42,
    "patch_size_t": None,
    "ofs_embed_dim": None,
    "use_learned_positional_embeddings": False,
}
COSMOS: dict[str, Any] = {
    "_class_name": "CosmosTransformer3DModel",
    "in_channels": 16,
    "num_attention_heads": 32,
    "adaln_lora_dim": 256,
    "extra_pos_embed_type": "learnable",
}
SVD: dict[str, Any] = {
    "_class_name": "UNetSpatioTemporalConditionModel",
    "in_channels": 8,
    "cross_attention_dim": 1024,
    "projection_class_embeddings_input_dim": 768,
}
LTX: dict[str, Any] = {"_class_name": "LTXVideoTransformer3DModel", "cross_attention_dim": 2048}
MINIMAX_H3: dict[str, Any] = {
    "_class_name": "MiniMaxH3Transformer3DModel",
    "hidden_size": 5376,
    "text_dim": 5120,
    "in_channels": 24,
    "audio_in_channels": 32,
}
MOTION: dict[str, Any] = {
    "_class_name": "MotionAdapter",
    "block_out_channels": [320, 640, 1280, 1280],
    "motion_max_seq_length": 32,
    "use_motion_mid_block": True,
}
PREDICT: dict[str, Any] = {"num_attention_heads": 16, "extra_pos_embed_type": None}

FOLDERS: tuple[tuple[Mapping[str, Any], str, str | None, str | None, str], ...] = (
    (WAN, "wan", "t2v", "flow", "wan-t2v-14b"),
    (WAN_SMALL, "wan", "t2v", "flow", "wan-2.1-t2v-1.3b"),
    (WAN | WAN_IMAGE, "wan", "i2v", "flow", "wan-2.1-i2v-14b"),
    (WAN | WAN_IMAGE | {"pos_embed_seq_len": 514}, "wan", "flf2v", "flow", "wan-2.1-flf2v-14b"),
    (WAN | {"in_channels": 36}, "wan", "i2v", "flow", "wan-2.2-i2v-a14b"),
    (
        WAN | {"in_channels": 48, "num_attention_heads": 24, "num_layers": 30},
        "wan",
        None,
        "flow",
        "wan-2.2-ti2v-5b",
    ),
    (
        WAN_SMALL | WAN_IMAGE | {"in_channels": 48},
        "wan",
        "control",
        "flow",
        "wan-2.1-fun-control-1.3b",
    ),
    (
        WAN_SMALL | {"_class_name": "WanVACETransformer3DModel"},
        "wan",
        "vace",
        "flow",
        "wan-2.1-vace-1.3b",
    ),
    (
        WAN | WAN_IMAGE | {"_class_name": "WanAnimateTransformer3DModel"},
        "wan",
        "animate",
        "flow",
        "wan-2.2-animate-14b",
    ),
    (WAN | {"_class_name": "SkyReelsV2Transformer3DModel"}, "wan", "t2v", "flow", "wan-t2v-14b"),
    (
        WAN | WAN_IMAGE | {"_class_name": "ChronoEditTransformer3DModel"},
        "wan",
        "i2v",
        "flow",
        "wan-2.1-i2v-14b",
    ),
    (WAN_OWN, "wan", "t2v", "flow", "wan-t2v-14b"),
    (WAN_OWN | {"in_dim": 36, "model_type": "i2v"}, "wan", "i2v", "flow", "wan-2.1-i2v-14b"),
    (WAN_OWN | {"_class_name": "WanModel_S2V"}, "wan", "s2v", "flow", "wan-2.2-s2v-14b"),
    (HUNYUAN, "hunyuan-video", "t2v", "flow", ""),
    (
        HUNYUAN | {"image_condition_type": "token_replace"},
        "hunyuan-video",
        "i2v",
        "flow",
        "",
    ),
    (HUNYUAN | {"in_channels": 32}, "hunyuan-video", "i2v", "flow", ""),
    (
        HUNYUAN
        | {
            "_class_name": "HunyuanVideoFramepackTransformer3DModel",
            "has_clean_x_embedder": True,
        },
        "framepack",
        "i2v",
        "flow",
        "",
    ),
    (
        {
            "_class_name": "HunyuanVideo15Transformer3DModel",
            "num_attention_heads": 16,
            "task_type": "t2v",
        },
        "hunyuan-video-1.5",
        "t2v",
        "flow",
        "",
    ),
    (LTX, "ltx-video", None, "flow", "ltx-video-2b"),
    (LTX | {"cross_attention_dim": 4096}, "ltx-video", None, "flow", "ltx-video-13b"),
    (
        {
            "_class_name": "LTX2VideoTransformer3DModel",
            "cross_attention_dim": 4096,
            "cross_attn_mod": False,
        },
        "ltx-video",
        None,
        "flow",
        "ltx-2-19b",
    ),
    (COGVIDEOX, "cogvideox", "t2v", "v_prediction", "cogvideox-5b"),
    (
        COGVIDEOX | {"num_attention_heads": 30},
        "cogvideox",
        "t2v",
        "v_prediction",
        "cogvideox-2b",
    ),
    (
        COGVIDEOX | {"in_channels": 32, "patch_size_t": 2, "ofs_embed_dim": 512},
        "cogvideox",
        "i2v",
        "v_prediction",
        "cogvideox-1.5-5b",
    ),
    (
        {"_class_name": "MochiTransformer3DModel", "pooled_projection_dim": 1536},
        "mochi",
        "t2v",
        "flow",
        "",
    ),
    (COSMOS, "cosmos", "t2v", None, "cosmos-1-7b"),
    (COSMOS | PREDICT, "cosmos", None, "flow", "cosmos-predict2-2b"),
    (
        COSMOS | PREDICT | {"in_channels": 17},
        "cosmos",
        "i2v",
        "flow",
        "cosmos-predict2-2b",
    ),
    (
        COSMOS | PREDICT | {"in_channels": 17, "use_crossattn_projection": True},
        "cosmos",
        None,
        "flow",
        "cosmos-predict2.5",
    ),
    (
        {"_class_name": "Kandinsky5Transformer3DModel", "model_dim": 1792},
        "kandinsky-5",
        None,
        "flow",
        "kandinsky-5-video-lite",
    ),
    ({"_class_name": "MiniMaxH3DiTModel", "hidden_size": 5376}, "minimax-h3", None, "flow", ""),
    ({"_class_name": "MiniMaxH3Transformer3DModel"}, "minimax-h3", None, "flow", ""),
    (MINIMAX_H3, "minimax-h3", None, "flow", ""),
    (
        MINIMAX_H3 | {"_class_name": "MiniMaxH3PrunedTransformer3DModel"},
        "minimax-h3",
        None,
        "flow",
        "",
    ),
)
UNKNOWN: tuple[Mapping[str, Any], ...] = (
    # A class that is known, with numbers that no published model has.
    WAN | {"num_attention_heads": 7},
    COGVIDEOX | {"num_attention_heads": 40},
    LTX | {"cross_attention_dim": 1152},
    *(MINIMAX_H3 | {name: 4 * MINIMAX_H3[name]} for name in MINIMAX_H3 if name != "_class_name"),
    # Derived from a known one, and loaded as none.
    WAN | {"_class_name": "HeliosTransformer3DModel"},
    WAN | {"_class_name": "AnyFlowTransformer3DModel"},
    COGVIDEOX | {"_class_name": "ConsisIDTransformer3DModel"},
    HUNYUAN | {"_class_name": "MotifVideoTransformer3DModel"},
    {"_class_name": "AllegroTransformer3DModel", "cross_attention_dim": 2304},
    {"_class_name": "LatteTransformer3DModel", "cross_attention_dim": 1152},
    {"_class_name": "Kandinsky6Transformer3DModel", "model_dim": 4096},
)
# As wide as SD 1, SD 2 and SDXL, and none of them.
OTHER_UNETS: tuple[Mapping[str, Any], ...] = (
    {
        "_class_name": "UNet3DConditionModel",
        "cross_attention_dim": 1024,
        "in_channels": 4,
        "block_out_channels": [320, 640, 1280, 1280],
        "down_block_types": ["CrossAttnDownBlock3D"] * 3 + ["DownBlock3D"],
    },
    {
        "_class_name": "UNet3DConditionModel",
        "cross_attention_dim": 2048,
        "in_channels": 4,
        "addition_embed_type": "text_time",
        "projection_class_embeddings_input_dim": 2816,
        "block_out_channels": [320, 640, 1280],
        "down_block_types": ["DownBlock3D", "CrossAttnDownBlock3D", "CrossAttnDownBlock3D"],
    },
    {"_class_name": "I2VGenXLUNet", "cross_attention_dim": 1024, "in_channels": 4},
    {"_class_name": "UNetMotionModel", "cross_attention_dim": 768, "in_channels": 4},
    SVD | {"cross_attention_dim": 768},
)


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("config", "base", "variant", "prediction", "architecture"),
    FOLDERS,
)
def test_component_folder_is_a_transformer_of_its_base(
    tmp_path: Path,
    config: Mapping[str, Any],
    base: str,
    variant: str | None,
    prediction: str | None,
    architecture: str,
) -> None:
    """The class and the numbers that tell its models apart."""
    write(tmp_path / "config.json", config)
    found = identify(tmp_path)
    assert (found.type.value, found.base.value) == ("transformer", base)
    assert (found.variant, found.prediction_type) == (variant, prediction)
    assert found.architecture == architecture


@pytest.mark.parametrize(
    ("config", "base", "variant"),
    [one[:3] for one in FOLDERS],
)
def test_pipeline_is_what_its_transformer_is(
    tmp_path: Path, config: Mapping[str, Any], base: str, variant: str | None
) -> None:
    """Whatever its own class says."""
    index = {"_class_name": "AnyPipeline", "transformer": ["diffusers", config["_class_name"]]}
    write(tmp_path / "model_index.json", index)
    write(tmp_path / "transformer" / "config.json", config)
    found = identify(tmp_path)
    assert (found.type.value, found.base.value, found.variant) == ("main", base, variant)


@pytest.mark.parametrize("has_config", [True, False])
@pytest.mark.parametrize("has_weights", [True, False])
@pytest.mark.parametrize(
    ("pipeline", "base"),
    [
        ("AnimaPipeline", "anima"),
        ("AnimaModularPipeline", "anima"),
        ("Cosmos2TextToImagePipeline", "cosmos"),
    ],
)
def test_a_denoiser_of_cosmos_is_animas_in_its_pipeline(
    tmp_path: Path, pipeline: str, base: str, *, has_weights: bool, has_config: bool
) -> None:
    """Anima keeps what it adds in a component of its own: the denoiser alone is the one of Cosmos."""
    transformer = ["diffusers", "CosmosTransformer3DModel"]
    write(tmp_path / "model_index.json", {"_class_name": pipeline, "transformer": transformer})
    if has_config:
        write(tmp_path / "transformer" / "config.json", COSMOS | PREDICT)
    if has_weights:
        weights = tmp_path / "transformer" / "diffusion_pytorch_model.safetensors"
        weights.parent.mkdir(exist_ok=True)
        write_safetensors(weights, cosmos_diffusers(*COSMOS_2_2B))
    assert identify(tmp_path).base.value == base


def test_both_experts_of_wan_2_2_make_one_pipeline(tmp_path: Path) -> None:
    """Two transformers of one base, alike but for their weights."""
    transformer = ["diffusers", "WanTransformer3DModel"]
    index = {"_class_name": "WanPipeline", "transformer": transformer, "transformer_2": transformer}
    write(tmp_path / "model_index.json", index | {"boundary_ratio": 0.875})
    write(tmp_path / "transformer" / "config.json", WAN)
    write(tmp_path / "transformer_2" / "config.json", WAN)
    found = identify(tmp_path)
    assert (found.base.value, found.variant, len(found.components)) == ("wan", "t2v", 2)


@pytest.mark.parametrize(
    ("label", "architecture"), [(768, "svd"), (256, "sv3d-u"), (1280, "sv3d-p")]
)
def test_svd_and_sv3d_are_unets_told_apart_by_their_label(
    tmp_path: Path, label: int, architecture: str
) -> None:
    """Frame rate, motion and noise for video; the camera, or noise alone, around an object."""
    write(tmp_path / "config.json", SVD | {"projection_class_embeddings_input_dim": label})
    found = identify(tmp_path)
    assert (found.type.value, found.base.value, found.variant) == ("unet", "svd", "i2v")
    assert found.architecture == architecture


@pytest.mark.parametrize(
    ("changes", "base", "architecture"),
    [
        ({"motion_max_seq_length": 24, "use_motion_mid_block": False}, "sd-1", "animatediff-v1"),
        ({}, "sd-1", "animatediff-v2"),
        ({"use_motion_mid_block": False}, "sd-1", "animatediff-v3"),
        ({"block_out_channels": [320, 640, 1280]}, "sdxl", "animatediff-sdxl-beta"),
    ],
)
def test_motion_adapter_belongs_to_the_base_with_its_levels(
    tmp_path: Path, changes: dict[str, Any], base: str, architecture: str
) -> None:
    """SDXL's UNet has three levels, SD 1's four."""
    write(tmp_path / "config.json", MOTION | changes)
    found = identify(tmp_path)
    assert (found.type.value, found.base.value) == ("motion_adapter", base)
    assert found.architecture == architecture


@pytest.mark.parametrize("config", [*UNKNOWN, *OTHER_UNETS])
def test_look_alike_has_no_base(tmp_path: Path, config: Mapping[str, Any]) -> None:
    """A width or a class that a known model has too is not enough."""
    write(tmp_path / "config.json", config)
    found = identify(tmp_path)
    assert (found.bases, found.candidates) == ((), ())
    assert found.type.value in {"transformer", "unet"}


def test_a_unet_of_videos_that_grew_from_sdxl_is_not_called_modelscopes(tmp_path: Path) -> None:
    """Hotshot-XL's class has the name of ModelScope's, which embeds nothing beside the time."""
    modelscope, hotshot = OTHER_UNETS[:2]
    write(tmp_path / "a" / "config.json", modelscope)
    write(tmp_path / "b" / "config.json", hotshot)
    assert identify(tmp_path / "a").architecture == "modelscope-t2v"
    assert (identify(tmp_path / "b").type, identify(tmp_path / "b").architecture) == ("unet", "")


def test_a_unet_of_videos_that_reads_clip_l_is_not_called_modelscopes(tmp_path: Path) -> None:
    """Tune-A-Video's is SD 1's with attentions over time, under the same name of a class."""
    write(tmp_path / "config.json", {**OTHER_UNETS[0], "cross_attention_dim": 768})
    found = identify(tmp_path)
    assert (found.type.value, found.bases, found.architecture) == ("unet", (), "")
