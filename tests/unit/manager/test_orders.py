"""What a library says of a part that models share, whichever of them it met first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import BaseModelType, ModelType
from modelshelf.testing import tiny
from tests.shelves import contents, open_shelf, said


def library(root: Path, sources: Iterable[tuple[str, Path]]) -> Iterator[NormalizedModelManager]:
    """Open a library, add models in this order, and take it away again."""
    with open_shelf(root) as shelf:
        for name, path in sources:
            shelf.import_model(path, name=name)
        yield shelf
    shutil.rmtree(root)


def answers(root: Path, sources: Iterable[tuple[str, Path]]) -> dict[str, object]:
    """Return what a library says to which models were added in this order."""
    (found,) = [said(shelf, root) for shelf in library(root, sources)]
    return found


def with_component(folder: Path, name: str, source: Path, class_name: str) -> None:
    """Give a pipeline a further component."""
    shutil.copytree(source, folder / name)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, name: ["x", class_name]}))


@pytest.mark.parametrize("base", ["sd-1", "sdxl", "flux"])
def test_a_component_is_the_same_whether_it_came_alone_or_in_a_pipeline_first(
    tmp_path: Path, base: str
) -> None:
    """And by itself it is what a look at it alone says: type, format, variant, precision and all."""
    folder = tiny.pipeline(tmp_path / "pipe", base=base)
    if base == "sd-1":
        with_component(
            folder, "image_encoder", tiny.clip_vision(tmp_path / "eye"), "CLIPVisionModel"
        )
        control = tiny.controlnet(tmp_path / "control", folder=True)
        with_component(folder, "controlnet", control, "ControlNetModel")
    components = [
        (path.name, path)
        for path in sorted(folder.iterdir())
        if path.is_dir() and path.name not in {"assets", "images"}
    ]
    first = answers(tmp_path / "a", [("pipe", folder), *components])
    assert answers(tmp_path / "b", [*components, ("pipe", folder)]) == first
    for shelf in library(tmp_path / "c", [("pipe", folder), *reversed(components)]):
        assert said(shelf, tmp_path / "c") == first
        assert shelf.verify().clean
        for name, path in components:
            found, alone = shelf.get_model(name), shelf.probe(path)
            assert (found.type, found.format, found.base) == (alone.type, alone.format, alone.base)
            detail = json.loads(found.detail)
            assert detail.get("precision") == alone.precision
            assert detail.get("variant") == alone.variant
        kinds = {part.folder: part.type for part in shelf.list_pipelines()[0].parts}
        assert kinds["text_encoder"] is ModelType.TEXT_ENCODER
        assert kinds.get("image_encoder") in {None, ModelType.IMAGE_ENCODER}


def test_who_shares_a_part_may_come_in_any_order(tmp_path: Path) -> None:
    """Pipelines of two bases, the VAE of both alone, and a checkpoint that holds it, too."""
    one = tiny.pipeline(tmp_path / "one", base="sd-1")
    sources = [
        ("one", one),
        ("two", tiny.pipeline(tmp_path / "two", base="sd-2")),
        ("vae", one / "vae"),
        ("checkpoint", tiny.checkpoint(tmp_path / "checkpoint.safetensors", base="sd-1")),
    ]
    found = [answers(tmp_path / "shelf", order) for order in list(permutations(sources))[::5]]
    assert all(one == found[0] for one in found)


def test_a_file_that_was_a_component_without_configuration_has_all_its_hashes(
    tmp_path: Path,
) -> None:
    """The same content is the same part; a folder's file is no model that others know by its tensors."""
    folder = tiny.pipeline(tmp_path / "pipe", base="sd-1")
    (folder / "text_encoder" / "config.json").unlink()
    alone = tmp_path / "clip.safetensors"
    shutil.copy(folder / "text_encoder" / "model.safetensors", alone)
    twin = tmp_path / "vae.safetensors"
    shutil.copy(folder / "vae" / "diffusion_pytorch_model.safetensors", twin)
    sources = [("pipe", folder), ("clip", alone), ("vae", twin)]
    first, last = sources, sources[::-1]
    assert answers(tmp_path / "a", first) == answers(tmp_path / "b", last)
    for shelf in library(tmp_path / "c", first):
        assert shelf.files("clip")[0].autov3
        assert shelf.files("vae")[0].autov3
        assert shelf.find(shelf.files("vae")[0].autov3) == [shelf.get_model("vae")]


def test_a_word_said_of_a_part_outlives_whoever_brings_it_again(tmp_path: Path) -> None:
    """Its user knows better than a pipeline and than a look at it, before and after."""
    folder = tiny.pipeline(tmp_path / "pipe", base="sd-1")
    for shelf in library(tmp_path / "shelf", [("vae", folder / "vae")]):
        shelf.override("vae", Override(bases=(BaseModelType.KOLORS,)))
        shelf.import_model(folder, name="pipe")
        shelf.import_model(folder / "vae", name="again")
        kinds = {one.name: (one.type, one.bases) for one in shelf.list_models()}
        said_so = (ModelType.VAE, (BaseModelType.KOLORS,))
        assert kinds == {"vae": said_so, "again": said_so}
        assert shelf.verify().clean


def test_what_a_pipeline_brought_is_shown_where_it_belongs_once_it_is_known(
    tmp_path: Path,
) -> None:
    """A name that is added to a component moves nothing out of place, and an export is as it came."""
    folder = tiny.pipeline(tmp_path / "pipe", base="sd-1")
    for shelf in library(
        tmp_path / "shelf", [("pipe", folder), ("encoder", folder / "text_encoder")]
    ):
        found = shelf.get_model("encoder")
        assert found.type is ModelType.CLIP_EMBED
        assert (tmp_path / "shelf/models/any/clip_embed/encoder").is_dir()
        shelf.delete("encoder")
        shelf.undo(shelf.trash()[0].trash_id)
        assert shelf.get_model("encoder").type is ModelType.CLIP_EMBED
        shelf.export(selector="pipe", destination=tmp_path / "out")
        assert contents(tmp_path / "out" / "pipe") == contents(folder)
