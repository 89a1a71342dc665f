from __future__ import annotations

import weakref

import pytest

from modelshelf.identify.facts import Facts
from modelshelf.identify.folding import fold, group_by_fold
from modelshelf.identify.layout import Layout, Part
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import index_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("input_blocks.4.1.attn2.to_k.weight", "input_blocks.#.#.attn2.to_k.weight"),
        ("time_embedding.linear_1.weight", "time_embedding.linear_1.weight"),
        ("a.7", "a.#"),
        ("7.a", "#.a"),
        ("7", "#"),
        ("diffusion_modelinput_blocks00weight", "diffusion_modelinput_blocks00weight"),
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
        ("base_model.x", Part.BARE),
        ("first_stage_model.x", Part.VAE),
        ("diffusion_model.first_stage_model.x", Part.VAE),
        ("conditioner.embedders.1.model.transformer.x", Part.TEXT),
        ("cond_stage_model.transformer.x", Part.TEXT),
        ("control_model.x", Part.CONTROL),
        ("model_ema.diffusion_model.x", Part.EMA),
        ("ema.diffusion_model.x", Part.EMA),
        ("text_encoders.qwen25_7b.transformer.x", Part.TEXT),
        ("state_dict.x", Part.BARE),
        ("params.x", Part.BARE),
        ("x", Part.BARE),
    ],
)
def test_wrappers_are_stripped_and_name_the_part(name: str, part: Part) -> None:
    """A prefix is a fact about the file and never a condition."""
    layout = Layout(index_of({name: (1,)}))
    assert list(layout.groups(part)) == ["x"]
    assert layout.leading is part


def test_what_a_controlnet_holds_is_its_own() -> None:
    """A wrapper inside is a step of its names."""
    layout = Layout(index_of({"control_model.vae.x": (1,)}))
    assert list(layout.groups(Part.CONTROL)) == ["vae.x"]


def test_a_denoiser_speaks_for_a_bundle() -> None:
    """Before its VAE and text encoders, and behind a ControlNet that brings it along."""
    shapes = {
        "first_stage_model.a": (1,),
        "cond_stage_model.a": (1,),
        "model.diffusion_model.a": (1,),
    }
    assert Layout(index_of(shapes)).leading is Part.DENOISER
    assert Layout(index_of(shapes | {"control_model.a": (1,)})).leading is Part.CONTROL


def test_a_few_loose_tensors_do_not_speak_for_the_file() -> None:
    """A VAE with two leftovers is a VAE; a denoiser without wrapper beside a VAE is a denoiser."""
    vae = {f"vae.{number}.weight": (1,) for number in range(9)}
    assert Layout(index_of(vae | {"alphas": (1,), "betas": (1,)})).leading is Part.VAE
    bare = {f"blocks.{number}.weight": (1,) for number in range(10)}
    assert Layout(index_of(vae | bare)).leading is Part.BARE


def test_frames_around_a_loras_names_are_taken_off() -> None:
    """Adapters are read by `folded`, which keeps only wrappers that name a part."""
    names = {"module.model.lora_unet_mid_block_0.alpha": (1,), "state_dict.unet.a": (1,)}
    assert list(Layout(index_of(names)).folded) == ["lora_unet_mid_block_#.alpha", "unet.a"]


@pytest.mark.parametrize(
    "names",
    [
        ["a.weight", "a.weight_scale", "a.input_scale", "scaled_fp8"],
        ["a.weight", "a.scale_weight", "a.comfy_quant"],
        ["a.weight", "a.weight.absmax", "a.weight.quant_state.bitsandbytes__nf4"],
        ["a.qweight", "a.wscales", "a.smooth_factor", "a.proj_up", "a.lora_down"],
        ["a.qweight", "a.qzeros", "a.scales", "a.g_idx"],
        ["a.weight", "a.scale", "a.zero_point"],
        ["a.weight_packed", "a.weight_scale", "a.weight_shape", "a.weight_global_scale"],
    ],
)
def test_scales_of_quantised_weights_stand_apart(names: list[str]) -> None:
    """A rule sees the same model whatever it was quantised with."""
    layout = Layout(index_of(dict.fromkeys(names, (1,))))
    assert list(layout.groups(Part.BARE)) == ["a.weight"]
    assert sorted(layout.companions) == sorted(names[1:])


def test_a_norm_called_scale_is_no_companion() -> None:
    """FLUX calls the weights of its norms so."""
    layout = Layout(index_of({"norm.query_norm.scale": (128,)}))
    assert list(layout.groups(Part.BARE)) == ["norm.query_norm.scale"]


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        ({"a.weight": ("F16", (3, 4))}, [(3, 4)]),
        ({"a.weight": ("", ())}, []),
        (
            {
                "a.weight": ("U8", (48, 1)),
                "a.weight.absmax": ("F32", (2,)),
                "a.bias": ("F16", (8,)),
            },
            [(8, 12)],
        ),
        ({"a.weight": ("U8", (48, 1)), "a.weight.absmax": ("F32", (2,))}, []),
        (
            {"a.weight": ("U8", (8, 6)), "a.weight_scale_2": ("F32", ())},
            [(8, 12)],
        ),
        ({"a.qweight": ("I8", (8, 6))}, [(8, 12)]),
        ({"a.qweight": ("I32", (8, 6))}, []),
        ({"a.weight": ("I8", (8, 12)), "a.SCB": ("F32", (8,))}, [(8, 12)]),
        ({"a.weight": ("I8", (8, 6)), "a.weight_s_channel": ("F32", (8,))}, [(8, 12)]),
        (
            {
                "a.weight": ("I8", (8, 6)),
                "a.weight_scale": ("F32", (8,)),
                "a.comfy_quant": ("U8", (72,)),
            },
            [(8, 12)],
        ),
        (
            {
                "a.weight": ("I8", (8, 12)),
                "a.weight_scale": ("F32", (8,)),
                "a.comfy_quant": ("U8", (29,)),
                "norm.bias": ("F32", (12,)),
            },
            [(8, 12)],
        ),
        ({"a.weight": ("I8", (8, 12)), "a.weight_scale": ("F32", (8,))}, [(8, 12)]),
        ({"a.weight": ("I8", (8, 12)), "a.weight_scale": ("F16", (8,))}, [(8, 12)]),
        ({"a.weight": ("I8", (8, 12)), "a.weight_scale": ("F32", (8, 1))}, [(8, 12)]),
        ({"a.weight": ("I8", (8, 12)), "a.weight_scale": ("F32", ())}, [(8, 12)]),
        (
            {"a.weight": ("I8", (24, 48, 32, 128)), "a.smooth_factor": ("BF16", (3072,))},
            [(3072, 3072)],
        ),
        ({"a.weight": ("U8", (48, 1)), "a.scale": ("F32", (8,))}, []),
        ({"a.weight": ("U8", (48,)), "a.scale": ("F32", (8, 2, 1))}, []),
        (
            {
                "a.weight": ("U8", (48,)),
                "a.scale": ("F32", (8, 2, 1)),
                "a.svd_up": ("F16", (8, 4)),
                "a.svd_down": ("F16", (4, 12)),
            },
            [(8, 12)],
        ),
        (
            {
                "a.weight": ("U8", (48,)),
                "a.scale": ("F32", (8, 2, 1)),
                "a.svd_up": ("F16", (4, 8)),
                "a.svd_down": ("F16", (12, 4)),
            },
            [(8, 12)],
        ),
        (
            {
                "a.qweight": ("I32", (16, 64)),
                "a.scales": ("F16", (1, 64)),
                "a.g_idx": ("I32", (128,)),
            },
            [(64, 128)],
        ),
        (
            {
                "a.qweight": ("I32", (32, 64)),
                "a.scales": ("F16", (1, 64)),
                "a.qzeros": ("I32", (1, 16)),
            },
            [(64, 128)],
        ),
        (
            {
                "a.qweight": ("I32", (128, 8)),
                "a.scales": ("F16", (1, 64)),
                "a.qzeros": ("I32", (1, 8)),
            },
            [(64, 128)],
        ),
        ({"a.qweight": ("I32", (128, 8)), "a.scales": ("F16", (1, 64))}, []),
        (
            {"a.weight_packed": ("I32", (96, 16)), "a.weight_scale": ("BF16", (96, 2))},
            [(96, 128)],
        ),
        ({"a.weight_packed": ("I32", (96, 16)), "a.weight_scale": ("BF16", (96, 1))}, []),
        ({"a.weight_packed": ("I32", (64, 16)), "a.weight_scale": ("BF16", (64, 1))}, [(64, 64)]),
        (
            {"a.weight_packed": ("I32", (128, 16)), "a.weight_scale": ("BF16", (128, 1))},
            [(128, 128)],
        ),
        (
            {"a.weight_packed": ("U8", (64, 64)), "a.weight_scale": ("F8_E4M3", (64, 8))},
            [(64, 128)],
        ),
    ],
)
def test_packed_shapes_are_unpacked_or_unknown(
    tensors: dict[str, tuple[str, tuple[int, ...]]], expected: list[tuple[int, ...]]
) -> None:
    """A packed weight's shape is no width."""
    index = TensorIndex(
        {name: TensorEntry(dtype, shape, 0, 0) for name, (dtype, shape) in tensors.items()}
    )
    assert sorted(Layout(index).groups(Part.BARE)["a.weight"].shapes) == expected


def test_of_a_column_of_half_bytes_the_number_is_left() -> None:
    """Nothing tells the rows without a bias; what is not packed so has a shape, or nobody knows."""
    tensors = {
        "a.0.weight": TensorEntry("U8", (48, 1), 0, 48),
        "a.0.weight.absmax": TensorEntry("F32", (2,), 0, 8),
        "a.1.weight": TensorEntry("U8", (48,), 0, 48),
        "a.1.scale": TensorEntry("F32", (8, 2, 1), 0, 64),
        "a.2.weight": TensorEntry("F16", (4, 4), 0, 32),
    }
    assert Layout(TensorIndex(tensors)).groups(Part.BARE)["a.#.weight"].sizes == {96}
    assert Layout(index_of({"a.weight": (4, 4)})).groups(Part.BARE)["a.weight"].sizes == frozenset()


def test_what_was_read_is_gone_with_its_last_holder() -> None:
    """Nothing waits for a search for cycles, which takes longer than a header."""
    facts = Facts(index_of({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": (4, 8)}))
    assert facts.groups
    assert facts.targets
    layout = weakref.ref(facts.layout)
    del facts
    assert layout() is None


def test_digits_inside_of_words_part_names() -> None:
    """One digit or several of them; those that are steps do not."""
    names = ["a.0.attn1", "a.11.attn1", "a.0.attn2", "b1.0.c1", "b1.1.c2", "b2.0.c1", "#.3.d4"]
    assert group_by_fold(names) == {
        "a.#.attn1": ["a.0.attn1", "a.11.attn1"],
        "a.#.attn2": ["a.0.attn2"],
        "b1.#.c1": ["b1.0.c1"],
        "b1.#.c2": ["b1.1.c2"],
        "b2.#.c1": ["b2.0.c1"],
        "#.#.d4": ["#.3.d4"],
    }


def test_a_frame_around_some_names_does_not_part_them() -> None:
    """They are tensors of the same name, whoever saved them."""
    layout = Layout(index_of({"module.a.0.b": (1,), "a.1.b": (2,), "a.2.b": (2,)}))
    assert list(layout.folded) == ["a.#.b"]
    assert sorted(layout.groups(Part.BARE)["a.#.b"].names) == ["a.1.b", "a.2.b", "module.a.0.b"]
