from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from modelshelf import ModelFormat, ModelType
from modelshelf.errors import InvalidModelConfigException, UnknownModelException
from modelshelf.install.placed_models import PlacedModels
from modelshelf.install.wish import ModelWish
from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.metadata import Field
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.schema.override import Override
from modelshelf.testing import tiny
from tests.shelves import open_shelf, plain_pipeline


@pytest.fixture
def shelf(tmp_path: Path) -> NormalizedModelManager:
    """An empty library."""
    return open_shelf(tmp_path / "library")


def test_a_converted_checkpoint_has_one_format(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """Both doors say what lies at its path; only the original tells what it came as."""
    info = shelf.add(tiny.checkpoint(tmp_path / "main.safetensors")).info
    record = shelf.store.get_model(info.key)
    assert info.format is record.format is ModelFormat.DIFFUSERS
    assert (shelf.get_pipeline_by_name(info.name, info.base).path / "model_index.json").is_file()
    assert record.converted_at is not None
    assert info.original is not None
    for wrong in ({"format": "checkpoint"}, {"type": "vae"}):
        with pytest.raises(InvalidModelConfigException) as caught:
            shelf.store.update_model(info.key, wrong)
        assert caught.value.fields == f"model_{next(iter(wrong))}"


def test_a_format_that_is_said_is_said_through_both_doors(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """A change of the record's format alone is a change of the model's."""
    info = shelf.add(tiny.vae(tmp_path / "vae.safetensors", base="sd-1")).info
    assert shelf.store.get_model(info.key).format is info.format is ModelFormat.CHECKPOINT
    shelf.store.update_model(info.key, {"format": "diffusers"})
    assert shelf.get_model(info.key).format is ModelFormat.DIFFUSERS


def test_a_main_model_of_unknown_variant_is_of_its_class(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """What nobody found out is what the class takes for usual."""
    info = shelf.add(plain_pipeline(tmp_path / "pipe")).info
    record = shelf.store.get_model(info.key)
    assert (type(record).__name__, record.variant) == ("MainDiffusersConfig", "normal")
    shelf.store.update_model(info.key, {"description": "words"})
    assert shelf.get_model(info.key).detail == info.detail


def test_all_files_of_a_pipeline_are_found_by_their_hashes(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """Those that lie loose beside the components too, and the checkpoint that it was."""
    folder = tiny.pipeline(tmp_path / "pipe", base="sd-1")
    (folder / "README.md").write_text("Read me.")
    shelf.add(folder)
    single = tiny.checkpoint(tmp_path / "single.safetensors", seed=5)
    shelf.add(single)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert "pipe" in [one.name for one in shelf.store.search_by_hash(digest)], file
    digest = hashlib.sha256(single.read_bytes()).hexdigest()
    assert [one.name for one in shelf.store.search_by_hash(digest[:10])] == ["single"]


def test_all_that_was_written_about_a_model_is_kept(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """Each statement with its place, as long as the model can come back."""
    source = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    info_file = {"model": {"name": "Ink", "tags": ["line", "art"]}, "trainedWords": ["inked"]}
    (tmp_path / "ink.civitai.info").write_text(json.dumps(info_file))
    key = shelf.add(source).info.key
    said = shelf.store.metadata(key)
    assert said == shelf.plan(source).said
    assert said.all(Field.TAG) == ("line", "art")
    assert "ink.civitai.info" in said.read
    shelf.store.update_model(key, {"tags": ["other"]})
    shelf.delete(key)
    shelf.undo(shelf.trash()[0].trash_id)
    assert shelf.store.metadata(key) == said
    shelf.store.add_model("elsewhere", {**shelf.store.get_model(key).model_dump(), "hash": ""})
    assert not shelf.store.metadata("elsewhere")
    for unknown in ("nobody", "\ud800"):
        with pytest.raises(UnknownModelException):
            shelf.store.metadata(unknown)


def test_what_no_record_can_hold_is_left_out(shelf: NormalizedModelManager, tmp_path: Path) -> None:
    """A sidecar that says too much of one thing hides nothing else, and not what the model is."""
    source = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    sidecar = {"model": {"name": "Ink", "tags": ["line"], "creator": {"username": "a" * 5_000}}}
    sidecar["creator"] = {"username": "a" * 5_000}
    (tmp_path / "ink.civitai.info").write_text(json.dumps(sidecar))
    record = shelf.store.get_model(shelf.add(source).info.key)
    assert (record.type, record.tags) == (ModelType.LORA, ["line"])
    assert type(record).__name__ == "LoRALyCORISConfig"
    assert record.author is None or len(record.author) <= 4_096


def test_what_a_record_says_is_a_users_word(shelf: NormalizedModelManager, tmp_path: Path) -> None:
    """It stays when the model is identified again, until it is taken back."""
    path = tiny.write_safetensors(tmp_path / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1)
    before = shelf.add(path).info
    said = {"type": "lora", "format": "lycoris", "bases": ["sdxl", "sd-1"], "precision": "fp8"}
    shelf.store.update_model(before.key, said)
    shelf.store.update_model(before.key, {"base": "sd-1", "tags": ["odd"]})
    info = shelf.get_model("odd")
    assert (info.type, info.bases, info.format) == ("lora", ("sd-1", "sdxl"), "lycoris")
    assert shelf.identify_again(["odd"]) == []
    assert shelf.get_model("odd") == info
    record = shelf.store.get_model(info.key)
    assert (record.precision, record.tags) == ("fp8", ["odd"])
    shelf.as_detected("odd")
    assert shelf.get_model("odd") == before
    record = shelf.store.get_model(info.key)
    assert (record.type, record.bases, record.tags) == (before.type, before.bases, ["odd"])


def test_a_word_that_names_no_base_leaves_it_open(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """Whoever looks for models that need a word finds it still, as after identifying it again."""
    path = tiny.write_safetensors(tmp_path / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1)
    key = shelf.add(path).info.key
    shelf.store.update_model(key, {"type": "lora", "format": "lycoris"})
    said = shelf.get_model("odd")
    assert (said.type, json.loads(said.detail)["status"]) == ("lora", "unknown")
    assert shelf.identify_again(["odd"]) == []
    assert shelf.get_model("odd") == said


def test_of_a_pipeline_the_base_alone_is_said(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """It is kept as a word too, and the links move to where it belongs."""
    info = shelf.add(plain_pipeline(tmp_path / "pipe")).info
    shelf.store.update_model(info.key, {"base": "sdxl"})
    shelf.identify_again(["pipe"])
    assert shelf.get_pipeline_by_name("pipe", "sdxl").path.parts[-3:] == ("sdxl", "main", "pipe")
    assert shelf.as_detected("pipe").bases == info.bases
    assert shelf.store.get_model(info.key).bases == info.bases


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "~%", "~_", "", "x" * 10_000])
def test_texts_that_nothing_is_called_find_nothing(
    shelf: NormalizedModelManager, tmp_path: Path, text: str
) -> None:
    """Whatever a program or a shell hands on is looked up, or is nothing that can be looked up."""
    shelf.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    with pytest.raises(UnknownModelException):
        shelf.get_model(text)
    with pytest.raises(UnknownModelException):
        shelf.get_model_by_name(text, "lora")
    with pytest.raises(UnknownModelException):
        shelf.store.del_model(text)
    assert shelf.find(text) == (shelf.list_models() if text == "" else [])


def test_a_record_has_the_digest_that_hubs_know_the_file_by(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """Of a model that is one file, or was one; a folder has none."""
    file = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    single = tiny.checkpoint(tmp_path / "single.safetensors")
    for source in (file, single):
        record = shelf.store.get_model(shelf.add(source).info.key)
        assert record.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert (record.source, record.source_type) == (str(source), "path")
    folder = shelf.add(tiny.vae(tmp_path / "vae", base="sd-1", folder=True), source="acme/vae").info
    record = shelf.store.get_model(folder.key)
    assert (record.sha256, record.source_type) == (None, None)


@pytest.mark.parametrize("kind", ["file", "folder", "pipeline", "checkpoint"])
def test_the_hash_of_a_record_is_the_quick_one(
    shelf: NormalizedModelManager, tmp_path: Path, kind: str
) -> None:
    """It is that of the model as it came, the same whether it is stored or stays where it is."""
    source = {
        "file": lambda: tiny.lora(tmp_path / "ink.safetensors", base="sd-1"),
        "folder": lambda: tiny.vae(tmp_path / "vae", base="sd-1", folder=True),
        "pipeline": lambda: plain_pipeline(tmp_path / "pipe"),
        "checkpoint": lambda: tiny.checkpoint(tmp_path / "main.safetensors"),
    }[kind]()
    if source.is_dir():
        (source / "samples").mkdir()
        (source / "samples" / "Ä b.txt").write_text("Read me.")
    placed = PlacedModels(shelf.store).register(LocalModelSource(path=source), ModelWish())
    record = shelf.store.get_model(shelf.add(source).info.key)
    assert record.hash == placed.hash
    assert record.hash.partition(":")[0] == ("imohash-tree" if source.is_dir() else "imohash")
    digits = record.hash.partition(":")[2]
    for asked in (record.hash, record.hash.upper(), digits, digits[:7]):
        both = shelf.store.search_by_hash(asked)
        assert {one.key for one in both} == {record.key, placed.key}
    shelf.store.del_model(placed.key)
    for asked in (record.hash, digits, digits[:7], record.blake3 or ""):
        assert shelf.get_model(asked).key == record.key
        assert [one.key for one in shelf.store.search_by_hash(asked)] == [record.key]
    if source.is_file():
        found = shelf.files(record.key)
        assert all(
            [one.key for one in shelf.store.search_by_hash(file.sha256[:10])] == [record.key]
            for file in found
        )


def test_a_form_without_a_class_of_records_is_unknown_there(
    shelf: NormalizedModelManager, tmp_path: Path
) -> None:
    """The store knows the form, and keeps it whatever else is said of the model."""
    path = tiny.write_safetensors(tmp_path / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1)
    key = shelf.add(path).info.key
    form = shelf.get_model("odd").format
    shelf.override("odd", Override(type=ModelType.TOKENIZER))
    record = shelf.store.get_model(key)
    assert (record.type, record.format) == (ModelType.TOKENIZER, ModelFormat.UNKNOWN)
    shelf.store.update_model(key, {"base": "sdxl"})
    assert shelf.get_model("odd").format is form
