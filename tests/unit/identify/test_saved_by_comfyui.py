"""ComfyUI renames what it loads and saves it so: the model is the same, whoever wrote the names."""

from __future__ import annotations

import re

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from tests.unit.identify.layouts import Shapes, flux, index_of
from tests.unit.identify.other_video_layouts import COGVIDEOX_2B, COGVIDEOX_5B, cogvideox
from tests.unit.identify.recorded import RECORDED

FLUX = {f"flux of {inputs}": flux(inputs) for inputs in (64, 128, 384)}
SCALED = FLUX | {
    name: one.shapes
    for name, one in RECORDED.items()
    if any(tensor.endswith(".scale") for tensor in one.shapes)
}
HUNYUAN_IMAGES = ("hunyuan-image", "hunyuan-image-distilled", "hunyuan-image-refiner")
HUNYUAN = (
    (r"_mod\.linear\.", "_mod.lin."),
    (r"\.modulation\.linear\.", ".modulation.lin."),
    (r"_attn_qkv\.", "_attn.qkv."),
    (r"_attn_proj\.", "_attn.proj."),
    (r"mlp\.fc1\.", "mlp.0."),
    (r"mlp\.fc2\.", "mlp.2."),
    (r"_attn_(q|k)_norm\.weight", r"_attn.norm.\1_norm.weight"),
    (r"_in\.mlp\.0\.", "_in.in_layer."),
    (r"_in\.mlp\.2\.", "_in.out_layer."),
    (r"norm\.q_norm", "norm.query_norm"),
    (r"norm\.k_norm", "norm.key_norm"),
)
COGVIDEO = (
    (r"transformer_blocks\.", "blocks."),
    (r"(time|ofs)_embedding\.linear", r"\1_embedding_linear"),
    (r"attn1\.to_out\.0\.", "attn_out."),
    (r"attn1\.(?:to_)?", ""),
    (r"ff\.net\.0\.proj\.", "ff_proj."),
    (r"ff\.net\.2\.", "ff_out."),
)


def renamed(shapes: Shapes, rules: tuple[tuple[str, str], ...], prefix: str = "") -> Shapes:
    found = {}
    for own, shape in shapes.items():
        name = own
        for pattern, word in rules:
            name = re.sub(pattern, word, name)
        found[prefix + name] = shape
    return found


def said(identity: Identity) -> tuple[str, ...]:
    return (
        identity.type,
        identity.base,
        identity.variant or "",
        identity.architecture,
        identity.status,
    )


@pytest.mark.parametrize("name", SCALED)
def test_norms_may_be_weights(name: str) -> None:
    """FLUX and its kin call them scales, and ComfyUI as everybody else does."""
    weights = renamed(SCALED[name], ((r"\.scale$", ".weight"),), "model.diffusion_model.")
    assert said(identify(index_of(weights))) == said(identify(index_of(SCALED[name])))


@pytest.mark.parametrize("name", HUNYUAN_IMAGES)
def test_hunyuan_image_may_have_the_names_of_flux(name: str) -> None:
    """All but what only HunyuanImage has."""
    shapes = RECORDED[f"{name}.original"].shapes
    saved = renamed(shapes, HUNYUAN, "model.model.")
    assert said(identify(index_of(saved))) == said(identify(index_of(shapes)))


@pytest.mark.parametrize("size", [COGVIDEOX_2B, COGVIDEOX_5B])
def test_cogvideox_may_have_flat_blocks(size: tuple[int, int]) -> None:
    """Its attention has no module of its own there."""
    shapes = cogvideox(*size)
    saved = renamed(shapes, COGVIDEO, "model.diffusion_model.")
    assert said(identify(index_of(saved))) == said(identify(index_of(shapes)))


@pytest.mark.parametrize("name", ["stable-cascade-b", "stable-cascade-b-lite"])
def test_stage_b_is_known_by_the_name_that_its_publisher_gave_its_text(name: str) -> None:
    """Diffusers calls it as in stage C."""
    shapes = renamed(RECORDED[name].shapes, (("clip_txt_pooled_mapper", "clip_mapper"),))
    assert said(identify(index_of(shapes))) == said(identify(index_of(RECORDED[name].shapes)))


def test_a_z_image_of_pixels_is_named() -> None:
    """It takes patches of 32 by 32 pixels, and has a small network where the others have a last layer."""
    latents = RECORDED["z-image.original"].shapes
    pixels = {name: latents[name] for name in latents if not name.startswith("final_layer.")} | {
        "x_embedder.weight": (3840, 3 * 32 * 32),
        "dec_net.cond_embed.weight": (3840, 3840),
    }
    identity = identify(index_of(pixels))
    assert (identity.base, identity.architecture) == ("z-image", "z-image-pixel")


def test_qwen_image_2_1_may_have_one_gated_layer() -> None:
    """Both halves come out of one matrix there."""
    shapes = RECORDED["qwen-image-2.1"].shapes
    saved = {
        name.replace("gate_layer", "gate_up"): (2 * shape[0], *shape[1:])
        if "gate_layer" in name
        else shape
        for name, shape in shapes.items()
        if "img_mlp.proj" not in name
    }
    assert said(identify(index_of(saved))) == said(identify(index_of(shapes)))
