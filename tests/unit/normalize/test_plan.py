from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.errors import InvalidNameError
from modelshelf.formats import read_pipeline, read_tree
from modelshelf.normalize import model_name_of, plan_import
from modelshelf.schema.identity import Component, Evidence, Identity
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from tests.shelves import plain_pipeline

VAE = Identity(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SD_1, BaseModelType.SD_2))
PIPELINE = Identity(
    ModelType.MAIN,
    ModelFormat.DIFFUSERS,
    (BaseModelType.SD_1,),
    evidence=(Evidence("rule", "where", "found"),),
    components=(Component("vae", "AutoencoderKL", VAE),),
)


def plan_of(folder: Path, identity: Identity = PIPELINE, name: str | None = None) -> ImportPlan:
    """Plan what is in *folder*."""
    tree = read_tree(folder)
    pipeline = None if tree.is_file else read_pipeline(tree)
    return plan_import(tree, identity, pipeline, name=name)


def members(plan: ImportPlan) -> dict[str, list[str]]:
    """Return the members of each part, by folder."""
    return {
        part.folder: [*(member for member, _ in part.files), *(f"{f}/" for f in part.empty_folders)]
        for part in plan.all_parts
    }


def test_one_part_per_component_and_one_for_the_rest(tmp_path: Path) -> None:
    """Declared folders are parts; everything else, wherever it lies, is the last part."""
    folder = plain_pipeline(tmp_path / "m", {"README": b"", "more/a/b": b"", "vae/deep/c": b""})
    (folder / "vae" / "empty").mkdir()
    (folder / "more" / "empty").mkdir()
    assert members(plan_of(folder)) == {
        "unet": ["config.json", "weights.bin"],
        "vae": ["config.json", "deep/c", "weights.bin", "empty/"],
        "": ["README", "model_index.json", "more/a/b", "more/empty/"],
    }


def test_every_file_is_in_exactly_one_part(tmp_path: Path) -> None:
    """The sizes of the parts add up to the source."""
    folder = plain_pipeline(tmp_path / "m", {"vae.txt": b"1", "vaenot/x": b"22", "unet.json": b"3"})
    plan = plan_of(folder)
    assert plan.size == read_tree(folder).size
    assert members(plan)[""] == ["model_index.json", "unet.json", "vae.txt", "vaenot/x"]


def test_declared_components_that_are_not_there(tmp_path: Path) -> None:
    """A folder that is declared and missing is no part; an empty one survives with the rest."""
    index = {"_class_name": "P", "vae": ["d", "V"], "lost": ["d", "L"], "hollow": ["d", "H"]}
    folder = plain_pipeline(tmp_path / "m", {"model_index.json": json.dumps(index).encode()})
    (folder / "hollow").mkdir()
    assert list(members(plan_of(folder))) == ["vae", ""]
    assert "hollow/" in members(plan_of(folder))[""]


def test_parts_have_their_own_bases_or_the_pipelines(tmp_path: Path) -> None:
    """A component that was recognised has its own type and bases, any other those of the whole."""
    unet, vae = plan_of(plain_pipeline(tmp_path / "m")).parts
    assert (vae.type, vae.bases) == (ModelType.VAE, VAE.bases)
    assert (unet.type, unet.bases) == (ModelType.UNKNOWN, PIPELINE.bases)


def test_a_single_file_is_one_part_under_a_plain_name(tmp_path: Path) -> None:
    """The name of the file is kept beside the part, so that a copy under another name is the same."""
    (tmp_path / "Ink v2.SafeTensors").write_bytes(b"1")
    plan = plan_of(tmp_path / "Ink v2.SafeTensors", Identity(ModelType.LORA, ModelFormat.LYCORIS))
    assert members(plan) == {"": ["model.safetensors"]}
    assert (plan.name, plan.file_name) == ("Ink v2", "Ink v2.SafeTensors")
    assert plan.bases == (BaseModelType.UNKNOWN,)
    assert not plan.is_pipeline


def test_detail_keeps_what_was_found(tmp_path: Path) -> None:
    """Evidence is kept as JSON; what says nothing is left out."""
    detail = json.loads(plan_of(plain_pipeline(tmp_path / "m")).detail)
    assert detail == {
        "bases": ["sd-1"],
        "evidence": [{"rule": "rule", "where": "where", "found": "found"}],
        "format": "diffusers",
        "status": "identified",
    }


@pytest.mark.parametrize("name", ["", " ", "x" * 501, "a\0", "\ud800"])
def test_refuses_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    """The error shows the name in a way that can be printed."""
    with pytest.raises(InvalidNameError) as caught:
        plan_of(plain_pipeline(tmp_path / "m"), name=name)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("path", "is_file", "expected"),
    [
        ("/models/ink.safetensors", True, "ink"),
        ("/models/v1.5.ckpt", True, "v1.5"),
        ("/models/sd-1.5", False, "sd-1.5"),
        ("/c/models--acme--tiny/snapshots/4f1c", False, "tiny"),
        ("/c/models--gpt2/snapshots/4f1c", False, "gpt2"),
        ("/c/models--acme--tiny/snapshots/4f1c/vae", False, "vae"),
        ("/c/models--acme--tiny/snapshots/4f1c/vae.bin", True, "vae"),
        ("/models/.hidden", True, ".hidden"),
    ],
)
def test_names_a_model_after_where_it_lies(path: str, *, is_file: bool, expected: str) -> None:
    """A file without its suffix, a folder as it is, a hub's snapshot after its repository."""
    assert model_name_of(Path(path), is_file=is_file) == expected
