"""What joins a denoiser to its surroundings: the text that it takes, the latents that it takes and gives.

Who changes one of these has trained another model with the same blocks, and no other part of the base
fits it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelshelf.identify import identify
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from modelshelf.testing import tiny
from tests.unit.identify import layouts
from tests.unit.identify.recorded import RECORDED

_JOINTS = """
    anima.original x_embedder.proj.1.weight 1
    anima.original final_layer.linear.weight 0
    auraflow.original init_x_linear.weight 0
    auraflow.original final_linear.weight 0
    auraflow pos_embed.proj.weight 1
    auraflow proj_out.weight 0
    boogu x_embedder.weight 1
    boogu time_caption_embed.caption_embedder.0.weight 0
    chroma.original txt_in.weight 1
    chroma.original final_layer.linear.weight 0
    chroma context_embedder.weight 1
    chroma proj_out.weight 0
    cogview4 patch_embed.text_proj.weight 1
    cogview4 proj_out.weight 0
    ernie-image text_proj.weight 1
    flex-2 proj_out.weight 0
    flux-depth proj_out.weight 0
    flux-dev proj_out.weight 0
    flux2-dev.original final_layer.linear.weight 0
    flux2-dev proj_out.weight 0
    flux2-klein-9b.original final_layer.linear.weight 0
    hidream x_embedder.proj.weight 1
    hidream final_layer.linear.weight 0
    hunyuan-dit-1.1.original final_layer.linear.weight 0
    hunyuan-dit-1.1 proj_out.weight 0
    hunyuan-image-refiner.original txt_in.input_embedder.weight 1
    hunyuan-image-refiner.original final_layer.linear.weight 0
    hunyuan-image-refiner context_embedder.proj_in.weight 1
    hunyuan-image-refiner proj_out.weight 0
    hunyuan-image.original txt_in.input_embedder.weight 1
    hunyuan-image.original final_layer.linear.weight 0
    hunyuan-image context_embedder.proj_in.weight 1
    hunyuan-image proj_out.weight 0
    ideogram-4.original input_proj.weight 1
    ideogram-4.original final_layer.linear.weight 0
    ideogram-4 input_proj.weight 1
    ideogram-4 final_layer.linear.weight 0
    kandinsky-5-image text_embeddings.in_layer.weight 1
    kandinsky-5-image pooled_text_embeddings.in_layer.weight 1
    kandinsky-5-video-lite text_embeddings.in_layer.weight 1
    kandinsky-5-video-lite pooled_text_embeddings.in_layer.weight 1
    krea-2.original first.weight 1
    krea-2.original last.linear.weight 0
    krea-2 img_in.weight 1
    krea-2 final_layer.linear.weight 0
    lumina-next.original x_embedder.weight 1
    lumina2.original final_layer.linear.weight 0
    lumina2.original x_embedder.weight 1
    lumina2 x_embedder.weight 1
    omnigen2 x_embedder.weight 1
    pixart-alpha-512.original y_embedder.y_proj.fc1.weight 1
    pixart-alpha-512.original final_layer.linear.weight 0
    pixart-sigma caption_projection.linear_1.weight 1
    pixart-sigma proj_out.weight 0
    qwen-image txt_in.weight 1
    qwen-image img_in.weight 1
    sana-0.6b.original y_embedder.y_proj.fc1.weight 1
    sana-0.6b.original final_layer.linear.weight 0
    sana-0.6b caption_projection.linear_1.weight 1
    sana-0.6b proj_out.weight 0
    sd-3-medium proj_out.weight 0
    sd-3.5-medium proj_out.weight 0
    stable-cascade-c clip_txt_mapper.weight 1
    stable-cascade-c clip_txt_pooled_mapper.weight 1
    stable-cascade-c clip_img_mapper.weight 1
    wan-2.1-video-as-prompt condition_embedder.text_embedder.linear_1.weight 1
    wan-2.1-video-as-prompt proj_out.weight 0
    wan-animate-2.original text_embedding.0.weight 1
    wan-animate-2.original head.head.weight 0
    wan-animate-2 text_embedding.0.weight 1
    wan-animate-2 head.head.weight 0
    z-image.original x_embedder.weight 1
    z-image.original final_layer.linear.weight 0
    z-image all_x_embedder.2-1.weight 1
    z-image all_final_layer.2-1.linear.weight 0
"""
"""Recorded model, tensor, and which of its sides is the joint."""
_ROWS = [tuple(line.split()) for line in _JOINTS.strip().splitlines()]

_CONFIGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "AuraFlowTransformer2DModel": (
        {"joint_attention_dim": 2048},
        {"in_channels": 4, "out_channels": 4, "num_attention_heads": 12, "attention_head_dim": 256},
    ),
    "ChromaTransformer2DModel": (
        {"joint_attention_dim": 4096},
        {"in_channels": 64, "num_attention_heads": 24, "attention_head_dim": 128},
    ),
    "CogVideoXTransformer3DModel": (
        {"num_attention_heads": 30},
        {"text_embed_dim": 4096, "out_channels": 16, "attention_head_dim": 64},
    ),
    "CogView4Transformer2DModel": (
        {"text_embed_dim": 4096, "attention_head_dim": 128, "num_attention_heads": 32},
        {"out_channels": 16},
    ),
    "CosmosControlNetModel": ({}, {"text_embed_dim": 1024, "attention_head_dim": 128}),
    "CosmosTransformer3DModel": (
        {"num_attention_heads": 32, "in_channels": 16, "adaln_lora_dim": 256},
        {"text_embed_dim": 1024, "out_channels": 16, "attention_head_dim": 128},
    ),
    "ErnieImageTransformer2DModel": (
        {"hidden_size": 4096, "text_in_dim": 3072},
        {"in_channels": 128, "out_channels": 128},
    ),
    "Flux2Transformer2DModel": (
        {"joint_attention_dim": 15360},
        {"in_channels": 128, "num_attention_heads": 48, "attention_head_dim": 128},
    ),
    "FluxControlNetModel": (
        {"joint_attention_dim": 4096},
        {"num_attention_heads": 24, "attention_head_dim": 128},
    ),
    "FluxTransformer2DModel": (
        {"joint_attention_dim": 4096, "pooled_projection_dim": 768, "in_channels": 384},
        {"out_channels": 64, "num_attention_heads": 24, "attention_head_dim": 128},
    ),
    "HiDreamImageTransformer2DModel": (
        {"num_attention_heads": 20, "attention_head_dim": 128},
        {"in_channels": 16, "out_channels": 16, "text_emb_dim": 2048},
    ),
    "HunyuanDiT2DControlNetModel": ({}, {"cross_attention_dim": 1024, "hidden_size": 1408}),
    "HunyuanDiT2DModel": ({"cross_attention_dim": 1024, "hidden_size": 1408}, {"in_channels": 4}),
    "HunyuanImageTransformer2DModel": (
        {},
        {
            "text_embed_dim": 3584,
            "out_channels": 64,
            "num_attention_heads": 28,
            "attention_head_dim": 128,
        },
    ),
    "HunyuanVideo15Transformer3DModel": (
        {"num_attention_heads": 16},
        {"text_embed_dim": 3584, "out_channels": 32, "attention_head_dim": 128},
    ),
    "HunyuanVideoFramepackTransformer3DModel": (
        {},
        {
            "text_embed_dim": 4096,
            "pooled_projection_dim": 768,
            "out_channels": 16,
            "num_attention_heads": 24,
            "attention_head_dim": 128,
        },
    ),
    "HunyuanVideoTransformer3DModel": (
        {"num_attention_heads": 24, "in_channels": 16},
        {
            "text_embed_dim": 4096,
            "pooled_projection_dim": 768,
            "out_channels": 16,
            "attention_head_dim": 128,
        },
    ),
    "Ideogram4Transformer2DModel": (
        {"llm_features_dim": 53248},
        {"in_channels": 128, "attention_head_dim": 256},
    ),
    "Kandinsky5Transformer3DModel": (
        {"model_dim": 2560},
        {"in_text_dim": 3584, "in_text_dim2": 768, "out_visual_dim": 16},
    ),
    "Krea2Transformer2DModel": (
        {"text_hidden_dim": 2560},
        {"in_channels": 64, "attention_head_dim": 128},
    ),
    "LTX2VideoTransformer3DModel": (
        {"cross_attention_dim": 4096},
        {"in_channels": 128, "out_channels": 128},
    ),
    "LTXVideoTransformer3DModel": (
        {"cross_attention_dim": 2048},
        {
            "caption_channels": 4096,
            "in_channels": 128,
            "out_channels": 128,
            "attention_head_dim": 64,
        },
    ),
    "Lumina2Transformer2DModel": ({"hidden_size": 2304, "cap_feat_dim": 2304}, {"in_channels": 16}),
    "LuminaNextDiT2DModel": (
        {"cross_attention_dim": 2048},
        {"in_channels": 4, "hidden_size": 2304},
    ),
    "MochiTransformer3DModel": (
        {"pooled_projection_dim": 1536},
        {
            "text_embed_dim": 4096,
            "in_channels": 12,
            "num_attention_heads": 24,
            "attention_head_dim": 128,
        },
    ),
    "OmniGen2Transformer2DModel": (
        {"hidden_size": 2520, "text_feat_dim": 2048},
        {"in_channels": 16},
    ),
    "PixArtTransformer2DModel": (
        {"caption_channels": 4096, "in_channels": 4},
        {"out_channels": 8, "num_attention_heads": 16, "attention_head_dim": 72},
    ),
    "QwenImageControlNetModel": (
        {},
        {"joint_attention_dim": 3584, "num_attention_heads": 24, "attention_head_dim": 128},
    ),
    "QwenImageTransformer2DModel": (
        {"joint_attention_dim": 3584, "in_channels": 64},
        {"out_channels": 16, "num_attention_heads": 24, "attention_head_dim": 128},
    ),
    "SD3ControlNetModel": (
        {},
        {"joint_attention_dim": 4096, "num_attention_heads": 24, "attention_head_dim": 64},
    ),
    "SD3Transformer2DModel": (
        {"joint_attention_dim": 4096, "pooled_projection_dim": 2048, "in_channels": 16},
        {"out_channels": 16, "num_attention_heads": 38, "attention_head_dim": 64},
    ),
    "SanaControlNetModel": (
        {},
        {"caption_channels": 2304, "num_attention_heads": 36, "attention_head_dim": 32},
    ),
    "SanaTransformer2DModel": (
        {"caption_channels": 2304, "in_channels": 32},
        {"out_channels": 32, "num_attention_heads": 70, "attention_head_dim": 32},
    ),
    "UNetSpatioTemporalConditionModel": (
        {
            "cross_attention_dim": 1024,
            "in_channels": 8,
            "projection_class_embeddings_input_dim": 768,
        },
        {"out_channels": 4},
    ),
    "WanModel": ({"dim": 5120}, {"text_dim": 4096, "out_dim": 16}),
    "WanTransformer3DModel": (
        {"num_attention_heads": 40},
        {"text_dim": 4096, "out_channels": 16, "attention_head_dim": 128},
    ),
    "ZImageControlNetModel": ({}, {"dim": 3840}),
    "ZImageTransformer2DModel": ({"dim": 3840, "cap_feat_dim": 2560}, {"in_channels": 16}),
}
"""Class → what its configuration must say, and what it says of joints and its width if it says it."""


def _index(shapes: layouts.Shapes) -> TensorIndex:
    return TensorIndex({name: TensorEntry("BF16", shape, 0, 0) for name, shape in shapes.items()})


def _changed(shapes: layouts.Shapes, name: str, axis: int, times: float) -> layouts.Shapes:
    """Return *shapes* with one side of a tensor so many times as long, and its bias with it."""
    module = name.rpartition(".")[0]
    sides = list(shapes[name])
    old, sides[axis] = sides[axis], int(sides[axis] * times)
    bias = f"{module}.bias"
    changed = {**shapes, name: tuple(sides)}
    if axis == 0 and shapes.get(bias) == (old,):
        changed[bias] = (sides[0],)
    return changed


@pytest.mark.parametrize(("model", "name", "axis"), _ROWS)
def test_a_model_with_another_joint_is_of_another_base(model: str, name: str, axis: str) -> None:
    """Half of it and twice as much alike."""
    shapes = RECORDED[model].shapes
    whole = identify(_index(shapes))
    assert whole.base != "unknown"
    for times in (0.5, 2):
        found = identify(_index(_changed(shapes, name, int(axis), times)))
        assert not {*found.bases, *found.candidates}
        assert (found.prediction_type, found.variant, found.architecture) == (None, None, "")


def test_a_model_with_another_joint_is_still_a_denoiser_that_says_what_it_is_not() -> None:
    """All that is inside is that of the base: a loader of the type may try."""
    shapes = _changed(RECORDED["qwen-image"].shapes, "txt_in.weight", 1, 2)
    found = identify(_index(shapes))
    assert (found.type, found.status, found.base) == ("main", "undecided", "unknown")
    assert found.near_misses[0].missing == (
        "no tensor `txt_in.weight` of another shape than [3072, 3584]"
    )
    del shapes["txt_norm.weight"]
    assert identify(_index(shapes)).type == "unknown"


@pytest.mark.parametrize(
    ("model", "name"), [(model, name) for model, name, axis in _ROWS if axis == "0"]
)
def test_a_model_that_lost_what_it_gives_is_still_itself(model: str, name: str) -> None:
    """What is not there speaks against nothing."""
    shapes = RECORDED[model].shapes
    module = name.rpartition(".")[0] + "."
    left = {one: shape for one, shape in shapes.items() if not one.startswith(module)}
    assert identify(_index(left)).base == identify(_index(shapes)).base


@pytest.mark.parametrize("class_name", _CONFIGS)
def test_a_configuration_with_another_joint_is_of_another_base(
    class_name: str, tmp_path: Path
) -> None:
    """Fields that are left out, or null, are the class's own."""
    needed, joints = _CONFIGS[class_name]
    whole = {"_class_name": class_name, **needed, **joints}

    def base_of(config: dict[str, Any]) -> str:
        (tmp_path / "config.json").write_text(json.dumps(config))
        return identify(tmp_path).base.value

    base = base_of(whole)
    assert base != "unknown"
    assert base_of(whole | dict.fromkeys(joints)) == base
    for name, value in joints.items():
        assert base_of(whole | {name: 5 * value}) == "unknown", name


@pytest.mark.parametrize("base", ["flux", "sd-3"])
def test_a_narrow_transformer_is_no_base_unless_it_says_so(base: str, tmp_path: Path) -> None:
    """Its joints are the base's, and adapters do not fit it: as with a narrow UNet."""
    pipeline = tiny.pipeline(tmp_path / "tiny", base=base)
    config = pipeline / "transformer" / "config.json"
    assert identify(pipeline).base == identify(pipeline / "transformer").base == base
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_name_or_path": None}))
    for path in (pipeline, pipeline / "transformer"):
        found = identify(path)
        assert (found.bases, found.status) == ((), "undecided")
        assert [one.value for one in found.candidates] == [base, "unknown"]
