from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.errors import InvalidPipelineError
from modelshelf.formats import read_modular_pipeline, read_pipeline, read_tree
from modelshelf.schema.pipeline import PipelineIndex, PipelineSlot


def pipeline(tmp_path: Path, document: object) -> PipelineIndex | None:
    (tmp_path / "model_index.json").write_text(json.dumps(document))
    return read_pipeline(read_tree(tmp_path))


def test_components_are_listed_and_settings_are_not(tmp_path: Path) -> None:
    """Null says that the pipeline was saved without a component; other values are its settings."""
    found = pipeline(
        tmp_path,
        {
            "_class_name": "StableDiffusionPipeline",
            "_diffusers_version": "0.21.0",
            "_ignore_files": ["a", "b"],
            "vae": ["diffusers", "AutoencoderKL"],
            "safety_checker": [None, None],
            "image_encoder": None,
            "requires_safety_checker": False,
            "latent_dim_scale": 10.67,
            "sizes": [1, 2],
            "scheduler": ["diffusers", "PNDMScheduler"],
        },
    )
    assert found is not None
    assert found.class_name == "StableDiffusionPipeline"
    assert found.slots == (
        PipelineSlot("scheduler", "diffusers", "PNDMScheduler"),
        PipelineSlot("vae", "diffusers", "AutoencoderKL"),
    )
    assert found.slot("vae") == found.slots[1]
    assert found.slot("unet") is None
    assert found.member.member == "model_index.json"


def test_a_class_name_may_be_a_list(tmp_path: Path) -> None:
    """Custom pipelines name their module as well."""
    found = pipeline(tmp_path, {"_class_name": ["pipeline_mine", "MyPipeline"]})
    assert found is not None
    assert found.class_name == "MyPipeline"


def test_other_folders_and_files_hold_no_pipeline(tmp_path: Path) -> None:
    """Only `model_index.json` makes one."""
    path = tmp_path / "config.json"
    path.write_text("{}")
    assert read_pipeline(read_tree(tmp_path)) is None
    assert read_pipeline(read_tree(path)) is None


@pytest.mark.parametrize("class_name", [None, 7, "", [], [None], {}])
def test_a_pipeline_without_a_class_is_invalid(tmp_path: Path, class_name: object) -> None:
    """Nothing could load it."""
    with pytest.raises(InvalidPipelineError, match="_class_name"):
        pipeline(tmp_path, {"_class_name": class_name})


@pytest.mark.parametrize("name", ["..", "../vae", "a/b", "/etc", "", ".", "a\0b"])
def test_a_component_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    """The file comes from strangers, and its keys become folder names."""
    with pytest.raises(InvalidPipelineError, match="no plain folder name"):
        pipeline(tmp_path, {"_class_name": "X", name: ["diffusers", "AutoencoderKL"]})


def test_an_array_is_no_pipeline(tmp_path: Path) -> None:
    """The table of contents is an object."""
    with pytest.raises(InvalidPipelineError, match="expected an object"):
        pipeline(tmp_path, [])


@pytest.mark.parametrize("name", ["modular_model_index.json", "model_index.json"])
def test_components_of_a_modular_pipeline_say_their_classes_here_or_there(
    tmp_path: Path, name: str
) -> None:
    """A component of another repository has nulls, and a hint; settings stay settings.

    MiniMax-H3 was published with the same contents under both names.
    """
    there = {"repo": "acme/x", "subfolder": "unet", "type_hint": ["diffusers", "UNet2DModel"]}
    document = {
        "_class_name": "XModularPipeline",
        "unet": [None, None, there],
        "vae": ["diffusers", "AutoencoderKL", {"repo": None}],
        "guider": [None, None, {"repo": "acme/x"}],
        "sizes": [1, 2],
    }
    (tmp_path / name).write_text(json.dumps(document))
    tree = read_tree(tmp_path)
    reads = {"modular_model_index.json": read_modular_pipeline, "model_index.json": read_pipeline}
    found = reads.pop(name)(tree)
    assert found is not None
    assert found.class_name == "XModularPipeline"
    assert found.slots == (
        PipelineSlot("unet", "diffusers", "UNet2DModel"),
        PipelineSlot("vae", "diffusers", "AutoencoderKL"),
    )
    assert [read(tree) for read in reads.values()] == [None]
    assert read_modular_pipeline(read_tree(tmp_path / name)) is None
