from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.identify.port import Port
from modelshelf.schema.tensor import TensorIndex
from modelshelf.testing.tiny import write_onnx
from tests.unit.identify.layouts import index_of

Sides = Mapping[str, Sequence[int | str]]
CONV = {"conv_in.weight": (320, 4, 3, 3)}


def unet(text: int, **more: Sequence[int | str]) -> dict[str, Sequence[int | str]]:
    """Return the inputs of a UNet as diffusers' exporter writes them: most sides are words."""
    sample = ("batch", "channels", "height", "width")
    return {
        "sample": sample,
        "timestep": ("batch",),
        "encoder_hidden_states": ("batch", "sequence", text),
        **more,
    }


def write(
    path: Path,
    shapes: Mapping[str, Sequence[int]],
    inputs: Sides,
    outputs: Sides | None = None,
) -> Path:
    tensors = {name: ("F16", tuple(shape)) for name, shape in shapes.items()}
    return write_onnx(path, tensors, inputs=inputs, outputs=outputs)


@pytest.mark.parametrize(
    ("shapes", "inputs", "expected"),
    [
        (CONV, unet(768), ("unet", "sd-1", "normal")),
        ({"unet.conv_in.weight": (320, 9, 3, 3)}, unet(768), ("unet", "sd-1", "inpaint")),
        ({}, unet(768, sample=("b", 4, "h", "w")), ("unet", "sd-1", "normal")),
        ({}, unet(768, sample=("b", 9, "h", "w")), ("unet", "sd-1", "inpaint")),
        (CONV, unet(1024), ("unet", "sd-2", "normal")),
        (CONV, unet(2048, text_embeds=("b", 1280), time_ids=("b", 6)), ("unet", "sdxl", "normal")),
        (CONV, unet(1280, text_embeds=("b", 1280)), ("unet", "sdxl-refiner", "normal")),
        (
            {},
            {
                "hidden_states": ("b", 16, "h", "w"),
                "encoder_hidden_states": ("b", "s", 4096),
                "pooled_projections": ("b", 2048),
            },
            ("transformer", "sd-3", ""),
        ),
        (
            {},
            {
                "hidden_states": ("b", "s", 64),
                "encoder_hidden_states": ("b", "s", 4096),
                "pooled_projections": ("b", 768),
                "img_ids": ("s", 3),
            },
            ("transformer", "flux", ""),
        ),
        (
            {"text_model.embeddings.token_embedding.weight": (49408, 768)},
            {"input_ids": ("b", "s")},
            ("text_encoder", "any", ""),
        ),
        ({}, {"clip_input": ("b", 3), "images": ("b", 3)}, ("safety_checker", "any", "")),
    ],
)
def test_a_graph_is_known_by_what_it_takes(
    tmp_path: Path,
    shapes: Mapping[str, Sequence[int]],
    inputs: Sides,
    expected: tuple[str, str, str],
) -> None:
    """Its matrices have no names of their own any more."""
    identity = identify(
        write(tmp_path / "model.onnx", {**shapes, "onnx::MatMul_7": (1, 1)}, inputs)
    )
    assert (identity.type.value, identity.base.value, identity.variant or "") == expected
    assert (identity.format.value, identity.precision) == ("onnx", "fp16")


@pytest.mark.parametrize(
    ("shapes", "inputs"),
    [
        (CONV, unet(2048)),
        (CONV, unet(640)),
        (CONV, unet(768, image_embeds=("b", 768))),
        (CONV, unet(768, controlnet_cond=("b", 3, 512, 512))),
        ({"conv_in.weight": (320, 4, 3, 3, 3)}, unet(1024)),
        ({"conv_in.weight": (320, 8, 3, 3)}, unet(1024)),
        ({}, {"images": (1, 3, 640, 640)}),
        ({}, {}),
    ],
)
def test_another_graph_is_unknown(
    tmp_path: Path, shapes: Mapping[str, Sequence[int]], inputs: Sides
) -> None:
    """Video models, ControlNets, detectors: nobody claims them."""
    identity = identify(write(tmp_path / "model.onnx", shapes, inputs))
    assert (identity.type.value, identity.format.value) == ("unknown", "onnx")


@pytest.mark.parametrize(
    ("shapes", "inputs", "outputs", "candidates"),
    [
        (
            {"decoder.conv_in.weight": (512, 4, 3, 3)},
            {"latent_sample": ("b", "c", "h", "w")},
            {},
            ["sd-1", "sd-2", "sdxl"],
        ),
        (
            {"encoder.conv_out.weight": (32, 512, 3, 3)},
            {"sample": ("b", 3, "h", "w")},
            {"latent_parameters": ("b", 32, "h", "w")},
            ["flux", "sd-3", "z-image", "lumina2", "chroma", "hidream"],
        ),
    ],
)
def test_half_a_vae_leaves_its_bases_open(
    tmp_path: Path,
    shapes: Mapping[str, Sequence[int]],
    inputs: Sides,
    outputs: Sides,
    candidates: list[str],
) -> None:
    """As a whole one in any container."""
    identity = identify(write(tmp_path / "model.onnx", shapes, inputs, outputs))
    assert (identity.type.value, identity.bases) == ("vae", ())
    assert [base.value for base in identity.candidates] == candidates


def test_a_pipeline_of_graphs_is_what_its_denoiser_is(tmp_path: Path) -> None:
    """The folders have no configuration; the graphs speak."""
    index = {
        "_class_name": "OnnxStableDiffusionPipeline",
        "unet": ["diffusers", "OnnxRuntimeModel"],
        "vae_decoder": ["diffusers", "OnnxRuntimeModel"],
    }
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    write(tmp_path / "unet" / "model.onnx", CONV, unet(768))
    decoder = {"decoder.conv_in.weight": (512, 4, 3, 3)}
    write(tmp_path / "vae_decoder" / "model.onnx", decoder, {"latent_sample": ("b",)})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("main", "sd-1")
    assert (identity.format.value, identity.repo_variant, identity.precision) == (
        "onnx",
        "onnx",
        "fp16",
    )


def test_a_file_that_claims_ports_has_none() -> None:
    """Metadata of other containers is text that anybody wrote."""
    index = index_of(CONV)
    words = {"input:encoder_hidden_states": "[b, s, 768]", "input:timestep": "[b]"}
    identity = identify(TensorIndex(index.tensors, metadata=words))
    assert identity.type.value == "unknown"


def test_a_port_says_what_it_asks_for() -> None:
    """Near misses are for people."""
    assert str(Port("input:sample", 1, (4, 9))) == "an ONNX input `sample` whose side 1 is 4/9"
    assert str(Port("output:latent")) == "an ONNX output `latent`"


@pytest.mark.parametrize("sample", [("b", 4, 16, "h", "w"), ("b", 8, "h", "w"), (4, "h", "w")])
def test_what_is_no_image_of_a_known_kind_is_no_unet(
    tmp_path: Path, sample: Sequence[int | str]
) -> None:
    """Clips have a side more; eight channels are two images; and a batch is no channel."""
    graph = write(tmp_path / "model.onnx", {}, unet(768, sample=sample))
    assert identify(graph).type == "unknown"
