from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import pytest

from modelshelf.identify import BUILT_IN, identify
from modelshelf.identify.facts import Facts
from modelshelf.identify.folding import fold
from modelshelf.schema.identity import Identity
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import (
    SD_1,
    SD_2,
    Shapes,
    diffusers_unet,
    index_of,
    prefixed,
    unet_settings,
)
from tests.unit.identify.recorded import RECORDED

KNOWN = [name for name, one in RECORDED.items() if one.base]
STRANGERS = [name for name, one in RECORDED.items() if not one.base]
CONFIGURED = [name for name in KNOWN if RECORDED[name].config]

SILENT_CONFIGS = {
    # Which lite form a stage of Stable Cascade is, and that its class is a UNet's.
    "stable-cascade-b-lite": "stable-cascade-b",
    "stable-cascade-c-lite": "stable-cascade-c",
}
"""Where the configuration tells a coarser architecture than the tensors."""


def answer(identity: Identity) -> tuple[str, str, str, str]:
    base = identity.base.value if identity.bases else ""
    return identity.type.value, base, identity.variant or "", identity.architecture


def grouped(shapes: Shapes) -> dict[str, list[str]]:
    """Return names by the name that they have without numbers."""
    found: dict[str, list[str]] = {}
    for name, folded in zip(shapes, fold(shapes), strict=True):
        found.setdefault(folded, []).append(name)
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_a_published_denoiser_is_known_by_its_tensors(name: str) -> None:
    """Type, base, variant and architecture, and every answer cites tensors of the file."""
    one = RECORDED[name]
    identity = identify(index_of(one.shapes))
    assert answer(identity) == one.expected
    assert {found.where for found in identity.evidence} & one.shapes.keys()


@pytest.mark.parametrize(
    "prefix", ["model.diffusion_model.", "diffusion_model.", "pipe.dit.", "module."]
)
@pytest.mark.parametrize("name", KNOWN)
def test_a_wrapper_changes_nothing(name: str, prefix: str) -> None:
    """A prefix says who wrote the file, never what it is."""
    one = RECORDED[name]
    assert answer(identify(index_of(prefixed(prefix, one.shapes)))) == one.expected


@pytest.mark.parametrize("name", STRANGERS)
def test_a_model_without_family_has_no_base(name: str) -> None:
    """They share blocks, widths and names with families of a base, and are none of them."""
    one = RECORDED[name]
    assert answer(identify(index_of(one.shapes))) == one.expected


@pytest.mark.parametrize("name", RECORDED)
def test_no_second_family_agrees(name: str) -> None:
    """Not even one that stands behind: what is excluded cannot win when the order changes."""
    facts = Facts(index_of(RECORDED[name].shapes))
    agreed = [family.id for family in BUILT_IN if family.judge(facts).missing is None]
    assert len(agreed) == (0 if RECORDED[name].expected[0] == "unknown" else 1), agreed


@pytest.mark.parametrize("name", CONFIGURED)
def test_the_component_folder_is_known_by_its_configuration(name: str, tmp_path: Path) -> None:
    """The same base as its tensors; the type is the component's."""
    one = RECORDED[name]
    (tmp_path / "config.json").write_text(json.dumps(one.config))
    identity = identify(tmp_path)
    assert identity.type.value == ("unet" if "UNet" in one.config["_class_name"] else "transformer")
    assert identity.base.value == one.base
    assert (identity.variant or "") == one.expected[2]
    assert identity.architecture == SILENT_CONFIGS.get(name, one.expected[3])


@pytest.mark.parametrize("name", [name for name in STRANGERS if RECORDED[name].config])
def test_the_folder_of_a_model_without_family_has_no_base(name: str, tmp_path: Path) -> None:
    """Its class says that it is a denoiser, and no more."""
    (tmp_path / "config.json").write_text(json.dumps(RECORDED[name].config))
    identity = identify(tmp_path)
    assert (identity.type.value in {"transformer", "unet"}, identity.bases) == (True, ())
    assert identity.architecture == RECORDED[name].expected[3]


@pytest.mark.parametrize("name", KNOWN)
def test_without_one_anchor_it_is_no_sibling(name: str) -> None:
    """Whatever decides, taken away: the same base or none, never another."""
    one = RECORDED[name]
    groups = grouped(one.shapes)
    cited = {found.where for found in identify(index_of(one.shapes)).evidence}
    for names in groups.values():
        if cited.isdisjoint(names):
            continue
        left = {key: shape for key, shape in one.shapes.items() if key not in names}
        assert identify(index_of(left)).base.value in {one.base, "unknown"}, names[0]


@pytest.mark.parametrize("name", KNOWN)
def test_one_lost_tensor_makes_no_sibling(name: str) -> None:
    """What a sibling lacks it lacks whole: the first or the last of its kind may be lost."""
    shapes = RECORDED[name].shapes
    whole = identify(index_of(shapes))
    for names in grouped(shapes).values():
        for lost in {names[0], names[-1]}:
            left = {key: shape for key, shape in shapes.items() if key != lost}
            assert_is_no_other(identify(index_of(left)), whole)


@pytest.mark.parametrize("name", KNOWN)
def test_three_times_as_wide_is_another_model(name: str) -> None:
    """Names alone never decide: every width of the model is part of the rule."""
    wide = {
        key: tuple(3 * side if side > 128 else side for side in shape)
        for key, shape in RECORDED[name].shapes.items()
    }
    assert identify(index_of(wide)).bases == ()


@pytest.mark.parametrize("name", KNOWN)
def test_block_numbers_alone_are_no_model(name: str) -> None:
    """The tensors of one kind of block, left over from a model, are too little of it."""
    blocks = [names for names in grouped(RECORDED[name].shapes).values() if len(names) > 1]
    for names in blocks[:8]:
        left = {key: RECORDED[name].shapes[key] for key in names}
        assert identify(index_of(left)).bases == ()


def packed(shapes: Shapes) -> TensorIndex:
    """Return the tensors as bitsandbytes writes them: matrices as columns of half bytes."""
    found: dict[str, TensorEntry] = {}
    for name, shape in shapes.items():
        if not name.endswith(".weight") or len(shape) != len(("out", "in")) or min(shape) < 64:
            found[name] = TensorEntry("BF16", shape, 0, 2)
            continue
        found[name] = TensorEntry("U8", (prod(shape) // 2, 1), 0, 2)
        found[f"{name}.absmax"] = TensorEntry("F32", (prod(shape) // 64,), 0, 2)
        found[f"{name}.quant_map"] = TensorEntry("F32", (16,), 0, 2)
        found[f"{name}.quant_state.bitsandbytes__nf4"] = TensorEntry("U8", (80,), 0, 2)
    return TensorIndex(found)


def scaled(shapes: Shapes) -> TensorIndex:
    """Return the tensors in eight bits, with a scale beside every matrix."""
    found = {name: TensorEntry("F8_E4M3", shape, 0, 2) for name, shape in shapes.items()}
    for name in shapes:
        if name.endswith(".weight"):
            found[name.removesuffix("weight") + "scale_weight"] = TensorEntry("F32", (1,), 0, 2)
    return TensorIndex({**found, "scaled_fp8": TensorEntry("F8_E4M3", (2,), 0, 2)})


def flat(shapes: Shapes) -> TensorIndex:
    """Return the tensors as SDNQ writes them: matrices as one row of half bytes."""
    found: dict[str, TensorEntry] = {}
    for name, shape in shapes.items():
        found[name] = TensorEntry("BF16", shape, 0, 2)
        if name.endswith(".weight") and len(shape) == len(("out", "in")):
            found[name] = TensorEntry("U8", (prod(shape) // 2,), 0, 2)
            scale = TensorEntry("F32", (shape[0], shape[1] // 32, 1), 0, 2)
            found[name.removesuffix("weight") + "scale"] = scale
    return TensorIndex(found)


def assert_is_no_other(identity: Identity, whole: Identity) -> None:
    """What is finer than the base is that of the whole model, or open."""
    assert identity.variant in {whole.variant, None}
    assert identity.architecture in {whole.architecture, ""}
    assert identity.prediction_type in {whole.prediction_type, None}


@pytest.mark.parametrize("form", [packed, scaled, flat])
@pytest.mark.parametrize("name", KNOWN)
def test_quantising_leaves_the_base(name: str, form: Callable[[Shapes], TensorIndex]) -> None:
    """Rules look at what every form keeps, or at what a matrix was before it was packed."""
    one = RECORDED[name]
    identity = identify(form(one.shapes))
    assert identity.base.value == one.base
    assert_is_no_other(identity, identify(index_of(one.shapes)))


@pytest.mark.parametrize(
    ("text", "expected"), [(768, ["sd-1"]), (1024, []), (1280, [])], ids=["sd-1", "other", "sounds"]
)
def test_four_bits_leave_how_many_numbers_a_matrix_has(text: int, expected: list[str]) -> None:
    """What is no multiple of the width of SD 1's text is not its UNet."""
    identity = identify(packed(diffusers_unet(replace(SD_1, context=text))))
    assert [base.value for base in identity.bases] == expected


@pytest.mark.parametrize("name", RECORDED)
def test_the_names_of_an_index_suffice_or_leave_it_open(name: str, tmp_path: Path) -> None:
    """Its shards are missing, so no shape is known: the same base, or none and both siblings."""
    one = RECORDED[name]
    weights = dict.fromkeys(one.shapes, "diffusion_pytorch_model-00001-of-00002.safetensors")
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weights}))
    identity = identify(tmp_path)
    assert identity.base.value in {one.base, "unknown"}
    assert_is_no_other(identity, identify(index_of(one.shapes)))


def write_pipeline(path: Path, class_name: str, folder: str, config: dict[str, Any]) -> Path:
    """Write a pipeline folder that holds one component."""
    (path / folder).mkdir()
    index = {"_class_name": class_name, folder: ["diffusers", config["_class_name"]]}
    (path / "model_index.json").write_text(json.dumps(index))
    (path / folder / "config.json").write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(
    ("pipeline", "name", "architecture"),
    [
        ("FluxPipeline", "flux-dev", ""),
        ("FluxKontextPipeline", "flux-dev", "flux-kontext"),
        ("QwenImagePipeline", "qwen-image", ""),
        ("QwenImageEditPlusPipeline", "qwen-image", "qwen-image-edit"),
    ],
)
def test_a_pipeline_names_what_its_denoiser_cannot(
    pipeline: str, name: str, architecture: str, tmp_path: Path
) -> None:
    """Equal by configuration and tensors: the class of the pipeline is the evidence."""
    one = RECORDED[name]
    identity = identify(write_pipeline(tmp_path, pipeline, "transformer", one.config))
    assert (identity.type.value, identity.base.value) == ("main", one.base)
    assert identity.architecture == architecture


@pytest.mark.parametrize(
    ("pipeline", "base"),
    [
        ("StableDiffusionPipeline", "sd-1"),
        ("StableDiffusionImageVariationPipeline", "unknown"),
        ("Zero1to3StableDiffusionPipeline", "unknown"),
    ],
)
def test_a_pipeline_that_feeds_images_is_no_plain_base(
    pipeline: str, base: str, tmp_path: Path
) -> None:
    """The UNet's configuration is the base's, what it attends to is not."""
    identity = identify(write_pipeline(tmp_path, pipeline, "unet", unet_settings(SD_1)))
    assert (identity.type.value, identity.base.value) == ("main", base)


def test_a_prior_of_several_bases_follows_the_denoiser_beside_it(tmp_path: Path) -> None:
    """Karlo before an SD 2, Kandinsky 2.1's own before Kandinsky's UNet: the same network."""
    unclip = unet_settings(SD_2) | {
        "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": 1536,
    }
    write_pipeline(tmp_path, "StableUnCLIPPipeline", "unet", unclip)
    prior = {"_class_name": "PriorTransformer", "embedding_dim": 768}
    (tmp_path / "prior").mkdir()
    (tmp_path / "prior/config.json").write_text(json.dumps(prior))
    index = {
        "_class_name": "StableUnCLIPPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "prior": ["diffusers", "PriorTransformer"],
    }
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    identity = identify(tmp_path)
    assert (identity.base.value, identity.architecture) == ("sd-2", "sd-2.1-unclip")


@pytest.mark.parametrize(
    ("name", "blocks", "status"),
    [
        ("chroma.original", r"(double|single)_blocks\.", "partial"),
        ("hidream", r"(double|single)_stream_blocks\.", "partial"),
        ("z-image.original", r"layers\.", "partial"),
        ("lumina2", r"layers\.", "partial"),
        ("flux-8b", r"no blocks", "identified"),
    ],
)
def test_half_of_the_blocks_is_part_of_a_model(name: str, blocks: str, status: str) -> None:
    """Known for what it is, and told from the whole; a pruned model is whole by itself."""
    one = RECORDED[name]
    last_half = re.compile(blocks + r"(1[0-9]|[2-9][0-9])\.")
    left = {key: shape for key, shape in one.shapes.items() if not last_half.match(key)}
    identity = identify(index_of(left))
    assert (identity.base.value, identity.status.value) == (one.base, status)
