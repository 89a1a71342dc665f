"""The pipelines that the makers make."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from modelshelf.testing import tiny

UNETS = ("sd-1", "sd-2", "sdxl", "sdxl-refiner")


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file of a tree with its bytes, every folder with None."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a safetensors header gives."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: tuple(one["shape"]) for name, one in header.items() if name != "__metadata__"}


def config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """What a JSON file of a component says."""
    loaded: dict[str, Any] = json.loads((folder / name).read_bytes())
    return loaded


def size_of(folder: Path) -> int:
    """Bytes of all files of a tree."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_equal_arguments_give_equal_folders(tmp_path: Path) -> None:
    """A pipeline depends on its arguments alone, wherever it is made."""
    first = tiny.pipeline(tmp_path / "a", size=1_000_000)
    second = tiny.pipeline(tmp_path / "b", size=1_000_000)

    assert contents(first) == contents(second)


def test_pipelines_with_one_share_seed_differ_in_the_denoiser_alone(tmp_path: Path) -> None:
    """Another seed changes the UNet's weights and no other byte."""
    first = contents(tiny.pipeline(tmp_path / "a", size=1_000_000, seed=1))
    second = contents(tiny.pipeline(tmp_path / "b", size=1_000_000, seed=2))

    differing = {name for name in first if first[name] != second[name]}
    assert first.keys() == second.keys()
    assert differing == {"unet/diffusion_pytorch_model.safetensors"}


def test_without_a_share_seed_all_weights_differ(tmp_path: Path) -> None:
    """`share_seed=None` makes every part's weights follow the seed."""
    first = contents(tiny.pipeline(tmp_path / "a", size=1_000_000, seed=1, share_seed=None))
    second = contents(tiny.pipeline(tmp_path / "b", size=1_000_000, seed=2, share_seed=None))

    weights = {name for name in first if name.endswith(".safetensors")}
    assert {name for name in first if first[name] != second[name]} == weights


@pytest.mark.parametrize("size", [None, 3_000_000])
def test_sd_2_has_the_vae_of_sd_1(tmp_path: Path, size: int | None) -> None:
    """Both bases share the VAE folder, config and all."""
    first = tiny.pipeline(tmp_path / "a", base="sd-1", size=size)
    second = tiny.pipeline(tmp_path / "b", base="sd-2", size=size)

    assert contents(first / "vae") == contents(second / "vae")


def test_inpainting_shares_everything_but_the_denoiser(tmp_path: Path) -> None:
    """An inpainting pipeline of any size has the other parts of its plain sister."""
    first = contents(tiny.pipeline(tmp_path / "a", size=2_000_000))
    second = contents(tiny.pipeline(tmp_path / "b", size=2_000_000, inpaint=True))

    changed = {name.partition("/")[0] for name in first if first[name] != second[name]}
    assert changed == {"unet", "model_index.json"}


def test_flux_has_the_text_encoder_of_sd_1(tmp_path: Path) -> None:
    """At the default size CLIP-L is the same folder in both."""
    first = tiny.pipeline(tmp_path / "a", base="sd-1")
    second = tiny.pipeline(tmp_path / "b", base="flux")

    assert contents(first / "text_encoder") == contents(second / "text_encoder")


@pytest.mark.parametrize("base", tiny.BASES)
@pytest.mark.parametrize("size", [5_000_000, 40_000_000, 2_000_000_000])
def test_size_is_kept(tmp_path: Path, base: str, size: int) -> None:
    """The folder has the wanted size within a tenth."""
    folder = tiny.pipeline(tmp_path / "a", base=base, size=size, hollow=True)

    assert size_of(folder) == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize("base", UNETS)
def test_unet_configs_agree_with_the_tensors(tmp_path: Path, base: str) -> None:
    """What the UNet's config says of widths is what its tensors have."""
    unet = tiny.pipeline(tmp_path / "a", base=base, hollow=True) / "unet"
    said, found = config(unet), shapes(unet / "diffusion_pytorch_model.safetensors")

    reading = {shape[1] for name, shape in found.items() if name.endswith("attn2.to_k.weight")}
    assert reading == {said["cross_attention_dim"]}
    assert found["conv_in.weight"][:2] == (said["block_out_channels"][0], said["in_channels"])
    assert said["block_out_channels"][0] % said["norm_num_groups"] == 0
    label = found.get("add_embedding.linear_1.weight", (0, None))[1]
    assert label == said.get("projection_class_embeddings_input_dim")


@pytest.mark.parametrize("base", tiny.BASES)
def test_parts_fit_each_other(tmp_path: Path, base: str) -> None:
    """Every component that `model_index.json` names is there, and every folder with a class is named."""
    folder = tiny.pipeline(tmp_path / "a", base=base, hollow=True, extras=False)
    index = config(folder, "model_index.json")

    named = {name for name, value in index.items() if isinstance(value, list) and value[0]}
    assert named == {path.name for path in folder.iterdir() if path.is_dir()}


@pytest.mark.parametrize(
    ("base", "layout"),
    [
        *((base, tiny.unet_layout(base)) for base in UNETS),
        ("sd-3", tiny.sd3_layout()),
        ("flux", tiny.flux_layout()),
    ],
)
def test_denoisers_have_all_published_tensors(
    tmp_path: Path, base: str, layout: dict[str, tuple[int, ...]]
) -> None:
    """A small denoiser has the tensor names of the published one, in shapes of the same rank."""
    folder = tiny.pipeline(tmp_path / "a", base=base, hollow=True)
    part = "transformer" if base in {"sd-3", "flux"} else "unet"
    found = shapes(folder / part / "diffusion_pytorch_model.safetensors")

    assert {name: len(shape) for name, shape in found.items()} == {
        name: len(shape) for name, shape in layout.items()
    }


def test_full_hollow_pipelines_have_published_sizes(tmp_path: Path) -> None:
    """The published FLUX.1 transformer has 11.9 billion weights, and takes no disk here."""
    folder = tiny.pipeline(tmp_path / "a", base="flux", full=True, hollow=True, dtype="BF16")
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"

    assert weights.stat().st_size == pytest.approx(2 * 11.9e9, rel=0.01)
    assert weights.stat().st_blocks * 512 <= 1 << 20


def test_variant_names_the_weight_files(tmp_path: Path) -> None:
    """`fp16` stands between the stem and the ending of every weight file."""
    folder = tiny.pipeline(tmp_path / "a", size=1_000_000, variant="fp16")

    names = {path.name for path in folder.rglob("*.safetensors")}
    assert names == {"model.fp16.safetensors", "diffusion_pytorch_model.fp16.safetensors"}


def test_both_variants_lie_beside_each_other(tmp_path: Path) -> None:
    """`both` gives each part a plain file in F32 and one of half its weights' size."""
    folder = tiny.pipeline(tmp_path / "a", size=2_000_000, variant="both")

    plain = (folder / "vae" / "diffusion_pytorch_model.safetensors").stat().st_size
    half = (folder / "vae" / "diffusion_pytorch_model.fp16.safetensors").stat().st_size
    assert half < plain < 2 * half


def test_shards_hold_what_the_index_says(tmp_path: Path) -> None:
    """The index maps every tensor to the shard that has it, and no shard is empty."""
    folder = tiny.pipeline(tmp_path / "a", base="flux", sharded=True, hollow=True)

    for part, stem in (("transformer", "diffusion_pytorch_model"), ("text_encoder_2", "model")):
        index = config(folder / part, f"{stem}.safetensors.index.json")
        shards = sorted((folder / part).glob("*.safetensors"))
        found = {name: path.name for path in shards for name in shapes(path)}
        assert index["weight_map"] == found
        assert len(shards) == len(set(found.values())) == 2


def test_inpainting_takes_nine_channels(tmp_path: Path) -> None:
    """Class, config and tensor agree that a masked image comes in."""
    folder = tiny.pipeline(tmp_path / "a", size=1_000_000, inpaint=True)

    found = shapes(folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert config(folder, "model_index.json")["_class_name"] == "StableDiffusionInpaintPipeline"
    assert (config(folder / "unet")["in_channels"], found["conv_in.weight"][1]) == (9, 9)


def test_prediction_type_reaches_the_scheduler(tmp_path: Path) -> None:
    """What is asked for stands in the scheduler's config; as published, sd-2 says v_prediction."""
    asked = tiny.pipeline(tmp_path / "a", base="sd-2", prediction_type="epsilon", hollow=True)
    published = tiny.pipeline(tmp_path / "b", base="sd-2", hollow=True)

    assert config(asked / "scheduler", "scheduler_config.json")["prediction_type"] == "epsilon"
    assert (
        config(published / "scheduler", "scheduler_config.json")["prediction_type"]
        == "v_prediction"
    )


def test_without_safety_checker_the_index_says_null(tmp_path: Path) -> None:
    """Neither the folder nor a class for it remains."""
    folder = tiny.pipeline(tmp_path / "a", size=1_000_000, with_safety_checker=False)

    assert not (folder / "safety_checker").exists()
    assert config(folder, "model_index.json")["safety_checker"] == [None, None]


def test_extras_are_outside_the_components(tmp_path: Path) -> None:
    """Extras add files at the top, a nested folder and an empty one."""
    plain = contents(tiny.pipeline(tmp_path / "a", size=1_000_000, extras=False))
    extra = contents(tiny.pipeline(tmp_path / "b", size=1_000_000))

    added = {"README.md", "LICENSE", ".gitattributes", "assets"}
    assert extra.keys() - plain.keys() == added | {
        "images",
        "images/examples",
        "images/examples/a.png",
    }
    assert list((tmp_path / "b" / "assets").iterdir()) == []
