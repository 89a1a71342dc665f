"""Models of which the library has only a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf import Settings, normalized_model_manager
from modelshelf.errors import DuplicateModelException, ModelElsewhereError
from modelshelf.install.placed_models import PlacedModels
from modelshelf.install.wish import ModelWish
from modelshelf.records.names import read_names
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.schema.taxonomy import BaseModelType
from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run

KEY = "31e2becb55de96b9033154647902828f"
SHA256 = "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Make a library that stores a LoRA, and knows another on another disk."""
    settings = Settings(root=tmp_path / "library")
    with normalized_model_manager(settings) as manager:
        manager.add(tiny.lora(tmp_path / "Lines.safetensors", base="sd-1"))
        manager.store.add_model(
            KEY,
            {
                "name": "Ink",
                "type": "lora",
                "format": "lycoris",
                "base": "sdxl",
                "path": "/mnt/other/ink.safetensors",
                "description": "Black lines",
                "source": "acme/ink",
                "sha256": SHA256,
                "size": 2_000_000,
                "tags": ["line art"],
            },
        )
    return settings


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ls",), {"Ink", "Lines"}),
        (("ls", "base:sdxl"), {"Ink"}),
        (("ls", "-base:sdxl"), {"Lines"}),
        (("ls", "--type", "lora", "--sort", "size", "--limit", "1"), {"Lines"}),
        (("ls", 'tag:"line art"'), {"Ink"}),
        (("find", "ink"), {"Ink"}),
        (("find", "acme"), {"Ink"}),
        (("find", "black LINES"), {"Ink"}),
        (("find", SHA256[:10]), {"Ink"}),
        (("find", "size>1MB", "lines"), {"Ink", "Lines"}),
        (("find", KEY[:8]), {"Ink"}),
    ],
)
def test_they_are_listed_and_found(run: Run, words: tuple[str, ...], expected: set[str]) -> None:
    """By all that others are listed and found by."""
    done = run(*words, "--json")
    assert done.exit == 0, done.err
    found = {model["name"]: model for model in json.loads(done.out)}
    assert found.keys() == expected
    assert [name for name, model in found.items() if not model["is_stored"]] == [
        name for name in found if name == "Ink"
    ]


@pytest.mark.usefixtures("settings")
def test_people_see_that_they_are_elsewhere(run: Run) -> None:
    """In place of a size, because they take no space here."""
    line = next(line for line in run("ls").out.splitlines() if line.startswith("Ink"))
    assert line.split() == ["Ink", "lora", "sdxl", "lycoris", "elsewhere", KEY]
    shown = run("show", "Ink").out
    assert "path           /mnt/other/ink.safetensors" not in shown.splitlines()[0]
    assert "lies elsewhere" in shown
    assert "line art" in shown
    document = json.loads(run("show", KEY[:6], "--json", "--files").out)
    assert (document["location"], document["files"]) == ("/mnt/other/ink.safetensors", [])
    usage = json.loads(run("du", "--json").out)
    assert "Ink" not in json.dumps(usage)


def test_they_are_edited_and_forgotten(run: Run, settings: Settings) -> None:
    """`edit` changes the record; `rm` forgets it, and says that no file goes."""
    assert run("edit", "Ink", "--name", "Wash", "--tag", "wet").exit == 0
    assert json.loads(run("show", "Wash", "--json").out)["tags"] == ["line art", "wet"]
    assert read_names(settings.db_path, "W") == ["Wash"]
    planned = run("rm", "Wash", "--dry-run")
    assert "its record goes for good, its files stay" in planned.out
    gone = json.loads(run("rm", "Wash", "-y", "--json").out)["removed"]
    assert (gone[0]["is_stored"], gone[0]["bytes_freed"]) == (False, 0)
    assert run("show", "Wash").exit == 4
    assert run("undo").out == ""


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    "words",
    [
        ("export", "Ink", "."),
        ("export", "Ink", "--to-tar", "-"),
    ],
)
def test_what_needs_its_files_says_where_it_lies(run: Run, words: tuple[str, ...]) -> None:
    """A verb that needs the bytes is refused with the path, and with how to store it."""
    done = run(*words)
    assert done.exit == 4
    assert "lies elsewhere, at `/mnt/other/ink.safetensors`" in done.err
    assert "shelf add /mnt/other/ink.safetensors" in done.err


def test_one_name_here_and_elsewhere_is_two(settings: Settings) -> None:
    """Who asks by name is told of both, and chooses by key, which may be any text."""
    with normalized_model_manager(settings) as manager:
        stored = manager.get_model("Lines")
        record = manager.store.get_model(KEY)
        record.name = "Lines"
        manager.store.add_model("my key", record)
        with pytest.raises(DuplicateModelException):
            manager.get_model("Lines")
        assert manager.get_model(stored.key) == stored
        assert manager.get_model("my key").location == "/mnt/other/ink.safetensors"
        assert manager.get_model_by_name("Lines", "lora") == stored
        assert [one.key for one in manager.elsewhere()] == [KEY, "my key"]
        assert [one.name for one in manager.list_models()] == ["Lines"]
        with pytest.raises(ModelElsewhereError) as caught:
            manager.files("my key")
        assert caught.value.path == "/mnt/other/ink.safetensors"


def test_their_files_are_deleted_only_by_word(run: Run, tmp_path: Path) -> None:
    """Each path is named, and without a terminal `-y` is needed."""
    mine = tmp_path / "mine"
    ink = tiny.lora(mine / "ink.safetensors", base="sd-1")
    link = mine / "link.safetensors"
    link.symlink_to(tiny.lora(tmp_path / "target.safetensors", base="sd-1", seed=2))
    stored = tiny.lora(tmp_path / "stored.safetensors", base="sd-1", seed=3)
    assert run("adopt", mine).exit == 0
    assert run("add", stored).exit == 0
    asked = run("rm", "--files", "ink", "link", "stored")
    assert asked.exit == 5
    assert f"for good: {ink}" in asked.err
    assert "for good: " in run("rm", "--files", "ink", "-q").err
    planned = json.loads(run("rm", "--files", "ink", "--dry-run", "--json").out)
    assert planned["files"] == [str(ink)]
    assert ink.exists()
    done = run("rm", "--files", "ink", "link", "stored", "-y")
    assert done.exit == 0, done.err
    assert "removed  ink  its record and its files go for good" in done.out
    assert (ink.exists(), link.is_symlink()) == (False, False)
    assert (tmp_path / "target.safetensors").exists()
    assert stored.exists()
    assert json.loads(run("undo", "--json").out)[0]["name"] == "stored"
    assert run("rm", "--files", "nothing", "-y").exit == 4


def test_a_user_knows_better_of_a_model_that_lies_elsewhere(run: Run, tmp_path: Path) -> None:
    """The word is taken without a look at the file, and back with one; nothing is written there."""
    mine = tmp_path / "mine"
    path = tiny.vae(mine / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    assert run("adopt", mine).exit == 0
    before = path.stat()
    assert run("identify", "soft").err == "nothing else is known than before\n"
    (said,) = json.loads(run("identify", "soft", "--base", "sdxl", "--json").out)
    assert (said["type"], said["bases"]) == ("vae", ["sdxl"])
    assert run("identify", "soft").err == "nothing else is known than before\n"
    assert run("ls", "base:sdxl", "-q").out.split() == [said["key"]]
    (taken_back,) = json.loads(run("identify", "soft", "--as-detected", "--json").out)
    assert taken_back["bases"] == ["unknown"]
    assert f"`shelf identify {said['key']} --base BASE` settles it" in run("show", "soft").err
    assert path.stat() == before


def test_what_nobody_knew_elsewhere_is_looked_at_again(run: Run, tmp_path: Path) -> None:
    """Here since a sidecar says it; a word of the user's would stay."""
    mine = tmp_path / "mine"
    path = tiny.vae(mine / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    assert run("adopt", mine).exit == 0
    path.with_suffix(".json").write_text(json.dumps({"sd version": "SDXL"}))
    (known,) = json.loads(run("identify", "soft", "--json").out)
    assert known["bases"] == ["sdxl"]


@pytest.mark.usefixtures("settings")
def test_what_is_not_there_cannot_be_looked_at(run: Run) -> None:
    """A word is taken all the same."""
    assert run("identify", "Ink", "--base", "sd-1").exit == 0
    assert run("ls", "base:sd-1", "--json").out.count('"Ink"') > 0
    done = run("identify", "Ink", "--as-detected")
    assert done.exit == 4
    assert "nothing exists at `/mnt/other/ink.safetensors`" in done.err


def test_what_is_open_of_a_model_elsewhere_is_told(run: Run, tmp_path: Path) -> None:
    """Its candidates as those of a stored one, and then the word of who knows which."""
    mine = tmp_path / "mine"
    path = tiny.vae(mine / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    assert run("adopt", mine).exit == 0
    assert run("add", path, "--name", "stored").exit == 0
    told = [
        next(line.split() for line in run("show", name).out.splitlines() if "candidates" in line)
        for name in ("soft", "stored")
    ]
    assert told[0] == told[1] == ["candidates", "sd-1", "or", "sd-2", "or", "sdxl"]
    path.unlink()
    assert run("identify", "soft", "--base", "sdxl", "--architecture", "soft").exit == 0
    shown = [line.split() for line in run("show", "soft").out.splitlines()]
    assert ["your", "word", "architecture:", "soft;", "base:", "sdxl"] in shown
    assert ["detected", "architecture:", "unknown;", "base:", "unknown"] in shown
    assert not [line for line in shown if line[0] == "candidates"]


def test_words_on_a_model_elsewhere_are_taken_back_one_by_one(run: Run, tmp_path: Path) -> None:
    """What was not taken back stays, also when the model is looked at again."""
    mine = tmp_path / "mine"
    tiny.vae(mine / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    assert run("adopt", mine).exit == 0
    before = json.loads(run("show", "soft", "--json").out)
    assert run("identify", "soft", "--base", "sdxl", "--architecture", "soft").exit == 0
    words = ("identify", "soft", "--forget", "base")
    done = run(*words, "--dry-run")
    assert done.out == "would identify  soft  base: sdxl → unknown\n"
    (info,) = json.loads(run(*words, "--json").out)
    assert info["detail"] == {
        **before["detail"],
        "architecture": "soft",
        "override": {"architecture": "soft"},
    }
    assert run("identify", "soft").err == "nothing else is known than before\n"
    (info,) = json.loads(run("identify", "soft", "--forget", "architecture", "--json").out)
    assert info["detail"] == before["detail"]


def test_a_record_that_is_edited_says_a_word(settings: Settings, tmp_path: Path) -> None:
    """Whoever changes a fact through the record of a model that was adopted knows better, too."""
    source = LocalModelSource(path=tiny.lora(tmp_path / "wash.safetensors", base="sdxl"))
    with normalized_model_manager(settings) as manager:
        key = PlacedModels(manager.store).register(source, ModelWish()).key
        for change in ({"base": "sd-1"}, {"architecture": "pony"}, {"tags": ["wet"]}):
            said = manager.store.update_model(key, change).detail
        assert said is not None
        assert said.model_dump(mode="json", exclude_none=True) == {
            "status": "identified",
            "candidates": [],
            "override": {"bases": ["sd-1"], "architecture": "pony"},
            "detected": {"bases": ["sdxl"]},
        }
        assert manager.as_detected(key).bases == (BaseModelType.SDXL,)
        # Of one that nobody looked at, nobody knows what would be detected.
        assert manager.store.update_model(KEY, {"base": "sd-1"}).detail is None


def test_what_is_adopted_without_a_base_is_counted(run: Run, tmp_path: Path) -> None:
    """Once for all of them, with what lists them."""
    mine = tmp_path / "mine"
    tiny.vae(mine / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    tiny.lora(mine / "ink.safetensors", base="sd-1")
    told = "of 1 model the base is unknown: `shelf ls base:unknown` lists them"
    assert told in run("adopt", mine).err
    assert "unknown" not in run("adopt", mine, "-q").err
    (mine / "soft.safetensors").unlink()
    assert "unknown" not in run("adopt", mine).err


def test_what_nobody_knows_elsewhere_stays_so(run: Run, tmp_path: Path) -> None:
    """Also when a word says something of it that is not its type."""
    mine = tmp_path / "mine"
    tiny.write_safetensors(mine / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1)
    assert run("adopt", mine).exit == 0
    assert run("identify", "odd").err == "nothing else is known than before\n"
    assert run("identify", "odd", "--base", "sdxl").exit == 0
    assert run("identify", "odd").err == "nothing else is known than before\n"
    (info,) = json.loads(run("identify", "odd", "--as-detected", "--json").out)
    assert (info["type"], info["bases"]) == ("unknown", ["unknown"])
