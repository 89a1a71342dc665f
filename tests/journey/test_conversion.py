"""A checkpoint through the whole library: in as one file, used as a pipeline, out as it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from modelshelf.errors import (
    BlobCorruptError,
    ConversionError,
    FormatError,
    SourceChangedError,
    UnknownSubmodelError,
)
from modelshelf.formats import read_safetensors
from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.override import Override
from modelshelf.schema.progress import Progress
from modelshelf.schema.report import FindingKind
from modelshelf.schema.taxonomy import BaseModelType
from modelshelf.testing import tiny
from tests.shelves import contents, open_shelf, stored_bytes, tar_contents

BASES = ("sd-1", "sd-2", "sdxl", "sdxl-refiner")


@pytest.fixture
def shelf(tmp_path: Path) -> NormalizedModelManager:
    """An empty library."""
    return open_shelf(tmp_path / "shelf")


@pytest.mark.parametrize("base", BASES)
def test_a_checkpoint_becomes_a_pipeline_and_comes_back(
    tmp_path: Path, shelf: NormalizedModelManager, base: str
) -> None:
    """It can be asked for by its parts, and an export or an archive of it is the file that was added."""
    source = tiny.checkpoint(tmp_path / "model.safetensors", base=base)
    model = shelf.import_model(source)
    assert [info.name for info in shelf.list_pipelines()] == ["model"]
    assert shelf.list_models() == []
    for part in shelf.get_model(model).parts:
        found = shelf.get_pipeline_by_name("model", base, submodel=part.folder)
        assert contents(found.path) == contents(part.path)
    for method in ("link", "copy"):
        made = shelf.export("model", base, destination=tmp_path / method, method=method).path
        assert made.name == source.name
        assert made.read_bytes() == source.read_bytes()
    assert tar_contents(shelf, model) == {"": source.read_bytes()}
    assert shelf.verify().clean


def test_the_folder_that_it_became_can_be_loaded_and_exported(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """What a person sees and what `diffusers` gives is the pipeline, without what brings the file back."""
    model = shelf.import_model(tiny.checkpoint(tmp_path / "model.safetensors"))
    made = shelf.export(selector=model, destination=tmp_path, layout="diffusers").path
    assert contents(made) == contents(shelf.get_pipeline_by_name("model", "sd-1").path)
    assert {path.name for path in made.iterdir()} == {
        "model_index.json",
        "scheduler",
        "text_encoder",
        "tokenizer",
        "unet",
        "vae",
    }
    assert tar_contents_of(shelf, model) == contents(made)
    with pytest.raises(UnknownSubmodelError):
        shelf.get_pipeline_by_name("model", "sd-1", submodel=".original")


def tar_contents_of(shelf: NormalizedModelManager, model: int) -> dict[str, bytes | None]:
    """Return what the archive of the folder holds."""
    return {file.member: Path(file.location).read_bytes() for file in shelf.files(model)}


def test_a_checkpoint_shares_with_folders_and_other_checkpoints(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """The same VAE and text encoder, in a folder and in two files: stored once, one inode each."""
    shelf.add(tiny.pipeline(tmp_path / "folder", base="sd-1"))
    first = shelf.add(tiny.checkpoint(tmp_path / "first.safetensors", seed=1))
    second = shelf.add(tiny.checkpoint(tmp_path / "second.safetensors", seed=2))
    # All that is new is the UNet: even the recipe is that of the first.
    unet = second.info.path / "unet" / "diffusion_pytorch_model.safetensors"
    assert second.bytes_stored == unet.stat().st_size
    for folder, name in (("vae", "diffusion_pytorch_model"), ("text_encoder", "model")):
        inodes = {
            (info.path / folder / f"{name}.safetensors").stat().st_ino
            for info in (first.info, second.info, shelf.get_model("folder"))
        }
        assert len(inodes) == 1
    assert stored_bytes(tmp_path / "shelf") == shelf.usage().stored


def test_adding_again_stores_nothing(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Under the same name it is the same pipeline; under another it is another, and comes back too."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    first = shelf.add(source)
    again = shelf.add(source)
    assert (again.is_new, again.info.id, again.bytes_stored) == (False, first.info.id, 0)
    other = shelf.add(source, name="other")
    assert (other.is_new, other.bytes_stored) == (True, 0)
    made = shelf.export("other", "sd-1", destination=tmp_path / "out").path
    assert made.read_bytes() == source.read_bytes()


def test_it_is_found_by_what_it_was(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """By the file itself, and by the digest that a hub shows for it."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    info = shelf.add(source).info
    assert info.original is not None
    assert info.original.size == source.stat().st_size
    for text in (str(source), info.original.sha256.hexadecimal, info.original.blake3.hexadecimal):
        assert [found.key for found in shelf.find(text)] == [info.key]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_is_split_without_running_it(
    tmp_path: Path, shelf: NormalizedModelManager, *, legacy: bool
) -> None:
    """A `.ckpt` of either of torch's layouts becomes safetensors, and comes back as the pickle."""
    layout = read_safetensors(tiny.checkpoint(tmp_path / "layout.safetensors"))
    payload = {name: tiny.TorchTensor(one.dtype, one.shape) for name, one in layout.tensors.items()}
    source = tiny.write_torch(
        tmp_path / "model.ckpt",
        {"epoch": 3, **layout.metadata, "state_dict": payload},
        legacy=legacy,
    )
    model = shelf.import_model(source)
    made = shelf.export(selector=model, destination=tmp_path / "out").path
    assert (made.name, made.read_bytes()) == ("model.ckpt", source.read_bytes())
    vae = shelf.get_pipeline_by_name("model", "sd-1", submodel="vae").path
    assert sorted(path.suffix for path in vae.iterdir()) == [".json", ".safetensors"]
    other = tmp_path / "other.ckpt"
    tiny.write_torch(other, {**layout.metadata, "state_dict": payload}, legacy=not legacy)
    # The layout around the numbers is all that differs.
    assert shelf.add(other).bytes_stored < 400_000


def test_one_file_is_found_by_the_hashes_of_other_programs(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Civitai's and kohya's digits and the quick hash, of a LoRA and of a checkpoint that was split."""
    for source in (
        tiny.lora(tmp_path / "ink.safetensors"),
        tiny.checkpoint(tmp_path / "model.safetensors"),
    ):
        model = shelf.import_model(source)
        (file,) = shelf.files(model, layout="original")
        content = source.read_bytes()
        header = int.from_bytes(content[:8], "little")
        assert file.autov2 == hashlib.sha256(content).hexdigest()[:10]
        assert file.autov3 == hashlib.sha256(content[8 + header :]).hexdigest()[:12]
        for digits in (file.autov2, file.autov3.upper(), file.imohash):
            assert [info.id for info in shelf.find(digits)] == [model]


def test_a_file_known_from_a_folder_gets_its_other_hashes(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Nobody asks for the hash of a folder's file until it is added alone."""
    folder = tiny.vae(tmp_path / "folder", folder=True)
    shelf.add(folder)
    source = tmp_path / "alone.safetensors"
    source.write_bytes((folder / "diffusion_pytorch_model.safetensors").read_bytes())
    added = shelf.add(source)
    assert added.bytes_stored == 0
    (file,) = shelf.files(added.info.id)
    assert [info.name for info in shelf.find(file.autov3)] == ["alone"]


def test_what_is_held_whole_is_not_stored_again_unasked(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Kept whole by a user's word or an older release, it stays so until somebody asks."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    first = shelf.add(source, convert=False)
    again = shelf.add(source)
    assert (again.is_new, again.info.key) == (False, first.info.key)
    assert shelf.add(source, convert=True).info.is_pipeline


def test_each_keeps_the_suffix_that_it_came_with(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """The same content under two names with two suffixes is given back under each."""
    first = tiny.checkpoint(tmp_path / "one.safetensors")
    second = tmp_path / "two.sft"
    second.write_bytes(first.read_bytes())
    for source in (first, second):
        shelf.add(source)
        assert shelf.export(source.stem, destination=tmp_path / "out").path.name == source.name


def test_a_base_that_a_user_knows_better_is_known_again(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Adding the same file again is adding nothing, whatever its base is called by now."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    info = shelf.add(source).info
    shelf.override(info.key, Override(bases=(BaseModelType.KOLORS,)))
    again = shelf.add(source)
    assert (again.is_new, again.info.key, again.info.base) == (False, info.key, "kolors")


def test_a_file_where_a_folder_belongs_is_left_alone(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """The model is there and says what is in the way; once that has gone, it is shown."""
    foreign = tmp_path / "shelf" / "models" / "sd-1"
    foreign.write_text("mine")
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    model = shelf.import_model(source)
    shelf.add(tiny.lora(tmp_path / "ink.safetensors", base="sdxl"))
    assert foreign.read_text() == "mine"
    (found,) = [one for one in shelf.verify().findings if one.kind is FindingKind.VIEW_BROKEN]
    assert "in the way" in found.detail
    assert shelf.export(selector=model, destination=tmp_path / "out").path.is_file()
    foreign.unlink()
    assert (shelf.get_pipeline_by_name("model", "sd-1").path / "model_index.json").is_file()
    assert shelf.verify().clean


def test_it_can_be_kept_whole(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Who says so gets one part that is the file; so does a library whose settings say so."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    info = shelf.add(source, convert=False).info
    assert (info.is_pipeline, info.original) == (False, None)
    assert info.path.read_bytes() == source.read_bytes()


def test_a_move_takes_the_file_away_when_all_of_it_is_stored(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """And only the file."""
    source = tiny.checkpoint(tmp_path / "models" / "model.safetensors")
    before = source.read_bytes()
    (source.parent / "notes.txt").write_text("mine")
    shelf.add(source, move=True)
    assert [path.name for path in source.parent.iterdir()] == ["notes.txt"]
    assert shelf.export("model", destination=tmp_path).path.read_bytes() == before


def test_a_checkpoint_is_put_together_before_it_is_taken_away(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Damage on the way to the disk is noticed as long as there is a file to take it from again."""
    source = tiny.checkpoint(tmp_path / "model.safetensors", size=8_000_000)
    before = source.read_bytes()

    def damage() -> None:
        parts = (tmp_path / "shelf" / "models" / "blob").glob(
            "*/diffusion_pytorch_model.safetensors"
        )
        flip(max(parts, key=lambda path: path.stat().st_size))

    with pytest.raises(ConversionError):
        shelf.add(source, move=True, progress=at_stage("checking", damage))
    assert source.read_bytes() == before
    assert shelf.list_pipelines() == []


def test_deleting_one_leaves_the_others_whole(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Parts that another needs stay; the trash and `undo` work as for any model."""
    sources = [tiny.checkpoint(tmp_path / f"{n}.safetensors", seed=n) for n in (1, 2)]
    for source in sources:
        shelf.add(source)
    shelf.undo(shelf.delete("1").trash_id)
    assert (
        shelf.export("1", destination=tmp_path / "a").path.read_bytes() == sources[0].read_bytes()
    )
    shelf.delete("1")
    shelf.collect_garbage(expire_trash=timedelta(0))
    assert shelf.verify().clean
    assert stored_bytes(tmp_path / "shelf") == shelf.usage().stored
    assert (
        shelf.export("2", destination=tmp_path / "b").path.read_bytes() == sources[1].read_bytes()
    )
    # What was proven of the first is gone with it, and proven again.
    shelf.add(sources[0])
    assert (
        shelf.export("1", destination=tmp_path / "b").path.read_bytes() == sources[0].read_bytes()
    )


@pytest.mark.parametrize("member", ["recipe.json", "rest.bin", "model.safetensors", "vae"])
def test_damage_is_found_and_never_passed_on(
    tmp_path: Path, shelf: NormalizedModelManager, member: str
) -> None:
    """A flipped bit in any part: `verify` names the model, and no wrong checkpoint comes out."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    shelf.add(source)
    blobs = sorted((tmp_path / "shelf" / "models" / "blob").rglob("*"))
    part = shelf.get_pipeline_by_name("model", "sd-1", submodel="vae").path
    (victim,) = [
        path
        for path in blobs
        if path.name == member or (member == "vae" and path.parent == part and "model" in path.name)
    ]
    flip(victim)
    damage = [found for found in shelf.verify().findings if found.kind is FindingKind.CORRUPT]
    assert damage
    assert all("model" in found.models for found in damage)
    out = tmp_path / "out"
    # A recipe with another digit may be none at all; whatever it is, it is an error with a name.
    with pytest.raises((BlobCorruptError, FormatError)):
        shelf.export("model", destination=out)
    assert not list(out.iterdir())
    shelf.add(source)
    assert shelf.verify().clean
    assert shelf.export("model", destination=out).path.read_bytes() == source.read_bytes()


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(0o444)


def at_stage(stage: str, act: Callable[[], object]) -> Callable[[Progress], None]:
    """Do something once, when a stage has begun."""
    done: list[object] = []

    def report(step: Progress) -> None:
        if step.stage == stage and not done:
            done.append(act())

    return report


def test_a_checkpoint_that_changes_meanwhile_is_refused(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """While its parts are written: a typed error, and a library as before."""
    source = tiny.checkpoint(tmp_path / "model.safetensors", size=8_000_000)

    def change() -> None:
        with source.open("r+b") as opened:
            opened.seek(-1, os.SEEK_END)
            last = opened.read(1)
            opened.seek(-1, os.SEEK_END)
            opened.write(bytes([last[0] ^ 1]))

    with pytest.raises(SourceChangedError):
        shelf.add(source, progress=at_stage("copying", change))
    assert shelf.list_pipelines() == []
    assert shelf.verify().clean
    assert stored_bytes(tmp_path / "shelf") == 0
