from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from blake3 import blake3

from modelshelf.blobs.fingerprint import fingerprint
from modelshelf.blobs.model_hashes import imohash_of
from modelshelf.formats import read_tree
from modelshelf.schema.quick_hash import quick_hash_of_folder
from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run


@pytest.fixture
def model(run: Run, tmp_path: Path) -> Path:
    """Add one model."""
    path = tiny.textual_inversion(tmp_path / "word.safetensors", base="sd-1")
    assert run("add", path).exit == 0
    return path


@pytest.mark.parametrize("upper", [True, False])
def test_the_hashes_of_other_programs_find_a_model(run: Run, model: Path, *, upper: bool) -> None:
    """AutoV2 is ten digits of SHA-256, AutoV3 twelve over the tensors; either case will do."""
    content = model.read_bytes()
    sha256, own = hashlib.sha256(content).hexdigest(), blake3(content).hexdigest()
    tensors = content[8 + int.from_bytes(content[:8], "little") :]
    autov3 = hashlib.sha256(tensors).hexdigest()[:12]
    for text in (sha256[:10], sha256, own, own[:6], autov3, imohash_of(content, len(content))):
        done = run("find", text.upper() if upper else text, "-q")
        assert (done.exit, len(done.out.split())) == (0, 1)
    assert run("find", f"sha256:{sha256[:10]}", "-q").exit == 0


def test_a_hash_is_found_as_it_is_pasted(run: Run, model: Path) -> None:
    """ModelSpec writes `0x` before it, web sites its kind; spaces come along with the mouse."""
    content = model.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    tensors = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
    pasted = [f"0x{tensors}", f"0X{tensors[:12].upper()}", f" {sha256[:10]} "]
    pasted += [f"AutoV2: {sha256[:10].upper()}", f"AutoV3:{tensors[:12]}", f"SHA256: {sha256}"]
    pasted += [f"[{sha256[:10]}]", f"loras/any name.safetensors [{sha256[:10].upper()}]"]
    for text in pasted:
        done = run("find", text, "-q")
        assert (done.exit, len(done.out.split())) == (0, 1)
    assert run("find", f"0x{sha256[:5]}", "-q").exit == 4


def test_the_quick_hash_of_a_folder_finds_it(run: Run, tmp_path: Path) -> None:
    """As it stands in the record, by `find` and in a selector, whose signs it has."""
    folder = tiny.vae(tmp_path / "vae", base="sd-1", folder=True)
    assert run("add", folder).exit == 0
    key = run("ls", "-q").out.strip()
    known = quick_hash_of_folder(
        (file.member, file.size, fingerprint(file).imohash) for file in read_tree(folder).files
    )
    digits = known.removeprefix("imohash-tree:")
    for words in ((known,), (digits[:8],), (f"hash:{known}",), ("type:vae", f"hash:{digits[:6]}")):
        assert run("find", "-q", *words).out.split() == [key]
    assert run("show", "-q", known).out.split() == [key]
    assert run("ls", "-q", f"-hash:{known}").out == ""


@pytest.mark.usefixtures("model")
def test_a_hash_that_nothing_has_is_exit_4(run: Run) -> None:
    """Finding nothing is no success, and sends nobody to the command that has just found nothing."""
    done = run("find", "0123456789")
    assert done.exit == 4
    assert "nothing in the library fits `0123456789`" in done.err
    assert "shelf find" not in done.err


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("text", ["", " "])
def test_nothing_to_look_for_is_a_mistake(run: Run, text: str) -> None:
    """It would fit every model: an empty variable of a script, and `rm` behind it."""
    done = run("find", "-q", text)
    assert (done.exit, done.out) == (2, "")


@pytest.mark.usefixtures("model")
def test_words_with_a_condition_are_a_selector(run: Run) -> None:
    """Attributes, comparisons and bare words select as `shelf ls` does; nothing selected is exit 4."""
    for words in (("type:embedding",), ("base:sd-1", "word"), ("size<1MB",), ("-type:lora word",)):
        done = run("find", "-q", *words)
        assert (done.exit, len(done.out.split())) == (0, 1)
    assert run("find", "type:lora").exit == 4


def test_text_with_a_colon_stays_text(run: Run, tmp_path: Path) -> None:
    """Neither a source, nor a path with signs in it, nor several words are conditions."""
    path = tiny.textual_inversion(tmp_path / "type:x=1.safetensors", base="sd-1")
    assert run("add", path, "--name", "two words").exit == 0
    for words in (("two", "words"), (path,)):
        done = run("find", "-q", *words)
        assert (done.exit, len(done.out.split())) == (0, 1)
    for text in ("https://civitai.com/models/1", "blake3:0123456789", "civitai: 12"):
        assert run("find", text).exit == 4


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("text", ["~nobody-has-this-name/ type:lora", "x" * 300 + "/ type:lora"])
def test_what_can_be_no_path_may_be_a_selector(run: Run, text: str) -> None:
    """A home that nobody has, and a name that no folder could have, are words."""
    assert run("find", text).exit == 4


def test_a_folder_of_models_is_each_of_them(run: Run, model: Path, tmp_path: Path) -> None:
    """Whatever they are called there; what is not here is a line too, and exit 3."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "other.safetensors").write_bytes(model.read_bytes())
    folder = tiny.vae(mine / "deep" / "vae", base="sd-1", folder=True)
    assert run("add", folder).exit == 0
    done = run("find", mine)
    assert (done.exit, done.err) == (0, "2 of 2 models here\n")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["NAME", "TYPE", "BASE", "KEY", "PATH"]
    assert [(row[0], row[-1]) for row in rows[1:]] == [
        ("vae", str(folder)),
        ("word", str(mine / "other.safetensors")),
    ]
    stranger = tiny.lora(mine / "stranger.safetensors", base="sd-1")
    done = run("find", mine)
    assert (done.exit, done.err) == (3, "2 of 3 models here\n")
    assert done.out.splitlines()[-1].split() == ["-", "-", "-", "-", str(stranger)]
    document = run("find", mine, "--json")
    assert [info["name"] for info in json.loads(document.out)] == ["vae", "word"]
    assert json.loads(document.err)["code"] == "nothing-found"
    assert len(run("find", mine, "-q").out.split()) == 2


def test_a_folder_of_which_nothing_is_here_is_exit_4(run: Run, model: Path, tmp_path: Path) -> None:
    """Said once, and of the folder; what cannot be read is told beside it."""
    assert model.exists()
    mine = tmp_path / "mine"
    for name in ("one", "two"):
        tiny.lora(mine / f"{name}.safetensors", base="sd-1")
    done = run("find", mine)
    assert (done.exit, done.out) == (4, "")
    assert f"nothing in the library fits `{mine}`" in done.err


def test_the_library_in_a_folder_is_not_looked_up_in_itself(
    run: Run, model: Path, tmp_path: Path
) -> None:
    """What it stores is found all the same where it is named."""
    tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    done = run("find", tmp_path)
    assert (done.exit, done.err) == (3, "1 of 2 models here\n")
    assert done.out.splitlines()[-1].endswith(str(model))
    stored = json.loads(run("show", "word", "--json").out)["location"]
    assert run("find", stored, "-q").exit == 0


def test_an_adopted_model_is_found_by_its_file(run: Run, tmp_path: Path) -> None:
    """By a copy of it too, as long as nobody sees a difference; and after it was moved away."""
    mine, copies = tmp_path / "mine", tmp_path / "copies"
    path = tiny.lora(mine / "ink.safetensors", base="sd-1")
    folder = tiny.vae(mine / "vae", base="sd-1", folder=True)
    assert run("adopt", mine).exit == 0
    assert run("find", path, "-q").exit == 0
    done = run("find", mine)
    assert (done.exit, done.err) == (0, "2 of 2 models here\n")
    content = path.read_bytes()
    copies.mkdir()
    copy = copies / "copy.safetensors"
    copy.write_bytes(content)
    assert run("find", copy, "-q").exit == 0
    # Between the samples.
    copy.write_bytes(content[:20_000] + b"other" + content[20_005:])
    other = run("find", copy, "-q").exit
    path.rename(copy)
    shutil.rmtree(folder)
    assert (other, run("find", copy, "-q").exit) == (4, 0)


@pytest.mark.usefixtures("model")
def test_a_word_that_is_also_a_folder_is_looked_for_as_text(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who meant the folder is told how to say so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "word").mkdir()
    done = run("find", "word")
    assert done.exit == 0
    assert done.err == "looked for as text: `./word` is the file or folder of that name\n"
    assert run("find", "wor").err == ""


def test_a_folder_in_which_nobody_sees_a_model_is_all_its_files(run: Run, tmp_path: Path) -> None:
    """Of whatever model they are; one file that no model has is enough for none."""
    pipeline = tiny.pipeline(tmp_path / "pipe", base="sd-1")
    (pipeline / "README.md").write_text("Read me.")
    assert run("add", pipeline).exit == 0
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "first.txt").write_text("Read me.")
    assert len(run("find", notes, "-q").out.split()) == 1
    (notes / "second.txt").write_text("Nobody has me.")
    assert run("find", notes).exit == 4
