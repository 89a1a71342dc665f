from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.formats import read_tensors, read_tree
from modelshelf.identify import Recollection, identify
from modelshelf.testing import tiny


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Make files about which more is known than their tensors: a name, a neighbour, metadata."""
    shard = tiny.lora(tmp_path / "model-00001-of-00002.safetensors", base="sd-1")
    folder = tiny.vae(tmp_path / "vae", base="sdxl", folder=True)
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"conv_in.weight": "gone.safetensors"}}))
    nothing = tmp_path / "notes.txt"
    nothing.write_text("no tensors")
    adapter = tiny.lora(tmp_path / "style.safetensors", base="sd-1")
    return [shard, folder / "diffusion_pytorch_model.safetensors", index, nothing, adapter]


def test_a_header_that_was_read_gives_the_same_answer(files: list[Path]) -> None:
    """What stands in the name and beside the file counts as if nobody had read it."""
    for path in files:
        tree = read_tree(path)
        assert identify(tree, header=read_tensors(tree.files[0])) == identify(path)


def test_what_a_run_remembers_gives_the_same_answer(files: list[Path]) -> None:
    """Names and neighbours are each file's own, also where its tensors are known already."""
    known = Recollection()
    for path in (*files, *files):
        assert identify(path, known=known) == identify(path)


def test_equal_tensors_under_other_names_are_other_files(tmp_path: Path) -> None:
    """A shard's name says something that the same tensors under a plain name do not."""
    plain = tiny.lora(tmp_path / "style.safetensors", base="sd-1")
    shard = tmp_path / "style-00001-of-00002.safetensors"
    shard.write_bytes(plain.read_bytes())
    known = Recollection()
    found = [identify(path, known=known).status.value for path in (plain, shard, plain)]
    assert found == ["identified", "partial", "identified"]
