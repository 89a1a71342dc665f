from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from modelshelf.errors import EmptySourceError, ModelshelfError, SourceNotFoundError
from modelshelf.install.placed_models import PlacedModels
from modelshelf.install.wish import ModelWish
from modelshelf.records.services import ModelRecordServiceSQL
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.schema.taxonomy import BaseModelType, ModelType
from modelshelf.testing import tiny


@pytest.fixture
def placed(tmp_path: Path) -> PlacedModels:
    records = ModelRecordServiceSQL.from_db_file(tmp_path / "records.db")
    return PlacedModels(records, apart=[tmp_path / "library"])


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a LoRA, a pipeline, and something that is no model."""
    folder = tmp_path / "mine"
    tiny.lora(folder / "loras" / "ink.safetensors", base="sd-1")
    tiny.pipeline(folder / "dream", base="sd-1")
    (folder / "notes.txt").write_text("nothing")
    return folder


def picture(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What lies there, so that a write would be seen."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.stat().st_ino)
        for path in [folder, *folder.rglob("*")]
    }


def never(path: Path, error: ModelshelfError) -> None:
    raise AssertionError(path) from error


def test_a_model_is_entered_where_it_lies(placed: PlacedModels, mine: Path) -> None:
    """With what was found out, over it what the caller says, and nothing is written there."""
    before = picture(mine)
    source = LocalModelSource(path=mine / "loras" / "ink.safetensors", inplace=True)
    config = placed.register(source, ModelWish.parse({"name": "Ink", "tags": ["line"]}))
    assert (config.name, config.model_type, config.base_model) == (
        "Ink",
        ModelType.LORA,
        BaseModelType.SD_1,
    )
    assert (config.path, config.tags) == (str(source.path), ["line"])
    assert config.size == source.path.stat().st_size
    assert str(config.source_type) == "path"
    assert placed.register(source, ModelWish()).key == config.key
    assert picture(mine) == before


def test_every_model_of_a_folder_is_adopted_once(placed: PlacedModels, mine: Path) -> None:
    """Again it is known, and what the library stores itself is left out."""
    tiny.lora(mine.parent / "library" / "stored.safetensors", base="sd-1")
    first = [(config.name, is_new) for config, is_new in placed.adopt(mine.parent, never)]
    assert first == [("dream", True), ("ink", True)]
    tiny.vae(mine / "vae.safetensors", base="sd-1")
    again = [(config.name, is_new) for config, is_new in placed.adopt(mine, never)]
    assert sorted(again) == [("dream", False), ("ink", False), ("vae", True)]


def test_a_damaged_model_does_not_stop_the_others(placed: PlacedModels, mine: Path) -> None:
    """It is told, with its path."""
    broken = mine / "broken.safetensors"
    broken.write_bytes(b"\x08" + bytes(7) + b"no json!")
    told: list[tuple[Path, str]] = []
    names = [
        config.name
        for config, _ in placed.adopt(mine, lambda path, error: told.append((path, error.code)))
    ]
    assert names == ["dream", "ink"]
    assert told == [(broken, "safetensors-invalid")]


def test_what_was_moved_is_missing_and_found_again(placed: PlacedModels, mine: Path) -> None:
    """A file by its samples, a folder by those of its files; keys and words stay."""
    adopted = {config.name: config for config, _ in placed.adopt(mine, never)}
    assert placed.missing() == []
    moved = mine.parent / "moved"
    shutil.move(mine, moved)
    (moved / "loras" / "ink.safetensors").rename(moved / "renamed.safetensors")
    assert {config.name for config in placed.missing()} == {"ink", "dream"}
    found = {one.config.name: one for one in placed.relink([moved])}
    assert {name: one.config.key for name, one in found.items()} == {
        name: config.key for name, config in adopted.items()
    }
    assert found["ink"].config.path == str(moved / "renamed.safetensors")
    assert found["ink"].before == mine / "loras" / "ink.safetensors"
    assert found["dream"].config.path == str(moved / "dream")
    assert placed.missing() == []


def test_another_model_is_not_taken_for_a_missing_one(placed: PlacedModels, mine: Path) -> None:
    """Even of the same name and size; and one that is entered already stays whose it is."""
    ink = mine / "loras" / "ink.safetensors"
    list(placed.adopt(mine, never))
    content = bytearray(ink.read_bytes())
    ink.unlink()
    content[-1] ^= 1
    (mine / "ink.safetensors").write_bytes(content)
    assert list(placed.relink([mine])) == []
    assert [config.name for config in placed.missing()] == ["ink"]


def test_a_file_of_another_length_is_missing(placed: PlacedModels, mine: Path) -> None:
    """Somebody put another file in its place, or it was cut."""
    list(placed.adopt(mine, never))
    os.truncate(mine / "loras" / "ink.safetensors", 100)
    assert [config.name for config in placed.missing()] == ["ink"]


def test_what_is_no_model_is_refused(placed: PlacedModels, mine: Path) -> None:
    """With the library's own errors."""
    with pytest.raises(SourceNotFoundError):
        placed.register(LocalModelSource(path=mine / "nothing"), ModelWish())
    with pytest.raises(EmptySourceError):
        placed.register(LocalModelSource(path=mine / "loras"), ModelWish())
