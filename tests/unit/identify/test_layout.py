from __future__ import annotations

import pytest

from modelshelf.identify.layout import Layout, Part, fold
from tests.unit.identify.layouts import index_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("input_blocks.4.1.attn2.to_k.weight", "input_blocks.#.#.attn2.to_k.weight"),
        ("time_embedding.linear_1.weight", "time_embedding.linear_1.weight"),
        ("a.7", "a.#"),
        ("7.a", "7.a"),
        ("lora_unet_mid_block_0_ff_net_2.alpha", "lora_unet_mid_block_#_ff_net_#.alpha"),
        ("lora_te1_text_model_layers_11_fc1.alpha", "lora_te1_text_model_layers_#_fc1.alpha"),
        ("unet:12:down", "unet:#:down"),
        ("line\nbreak.3.weight", "line break.#.weight"),
        ("", ""),
    ],
)
def test_numbers_that_are_steps_are_folded(name: str, expected: str) -> None:
    """Digits inside a word tell modules apart and stay."""
    assert fold([name]) == [expected]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("model.diffusion_model.x", Part.DENOISER),
        ("module.model.diffusion_model.x", Part.DENOISER),
        ("_orig_mod.x", Part.BARE),
        ("first_stage_model.x", Part.VAE),
        ("diffusion_model.first_stage_model.x", Part.VAE),
        ("conditioner.embedders.1.model.transformer.x", Part.TEXT),
        ("cond_stage_model.transformer.x", Part.TEXT),
        ("control_model.x", Part.CONTROL),
        ("model_ema.diffusion_model.x", Part.EMA),
        ("x", Part.BARE),
    ],
)
def test_wrappers_are_stripped_and_name_the_part(name: str, part: Part) -> None:
    """A prefix is a fact about the file and never a condition."""
    layout = Layout(index_of({name: (1,)}))
    wanted = "diffusion_model.x" if part is Part.EMA else "x"
    assert list(layout.groups(part)) == [wanted]
    assert layout.leading is (Part.BARE if part is Part.EMA else part)


def test_a_denoiser_speaks_for_a_bundle() -> None:
    """Before its VAE and text encoders, and behind a ControlNet that brings it along."""
    shapes = {
        "first_stage_model.a": (1,),
        "cond_stage_model.a": (1,),
        "model.diffusion_model.a": (1,),
    }
    assert Layout(index_of(shapes)).leading is Part.DENOISER
    assert Layout(index_of(shapes | {"control_model.a": (1,)})).leading is Part.CONTROL
