from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a folder as people have it: models of several kinds, a damaged one, words beside them."""
    folder = tmp_path / "models"
    (folder / "loras").mkdir(parents=True)
    tiny.lora(folder / "loras" / "ink.safetensors", base="sd-1")
    tiny.vae(folder / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    tiny.vae(folder / "warm", base="sd-1", folder=True, scaling_factor=0.18215)
    (folder / "cut.safetensors").write_bytes(b"\xff\0\0\0\0\0\0\0{")
    (folder / "notes.txt").write_text("no model")
    return folder


def test_one_model_is_told_in_words(run: Run, tree: Path) -> None:
    """Its path, and below it what it is."""
    path = tree / "loras" / "ink.safetensors"
    done = run("probe", path)
    assert (done.exit, done.err) == (0, "")
    assert done.out.splitlines() == [str(path), "  lora  sd-1  lycoris  fp16"]


def test_one_model_that_is_left_open_says_how_to_ask_why(run: Run, tree: Path) -> None:
    """The explanation itself does not."""
    path = tree / "soft.safetensors"
    assert run("probe", path).err == "`--explain` tells why no more is known\n"
    assert run("probe", path, "--explain").err == ""


def test_a_tree_is_a_line_a_model_and_the_counts(run: Run, tree: Path) -> None:
    """Sorted, every cell filled; words and counts are no data."""
    done = run("probe", tree)
    header, *lines = [line.split() for line in done.out.splitlines()]
    assert header == ["TYPE", "BASE", "VARIANT", "PREDICTION", "PRECISION", "FORMAT", "PATH"]
    assert [(line[0], line[1], line[5], Path(line[6]).name) for line in lines] == [
        ("broken", "-", "safetensors-invalid", "cut.safetensors"),
        ("lora", "sd-1", "lycoris", "ink.safetensors"),
        ("vae", "sd-1|sd-2|sdxl?", "checkpoint", "soft.safetensors"),
        ("vae", "sd-1,sd-2", "diffusers", "warm"),
    ]
    first, *counts = done.err.splitlines()
    assert first.startswith("4 models in ")
    assert counts == [
        "types: 2 vae, 1 lora",
        "bases: 2 sd-1",
        "left: 1 undecided, 1 broken; `shelf probe --explain` tells why",
    ]


def test_a_broken_model_among_others_is_exit_3(run: Run, tree: Path) -> None:
    """The rest is done; the whole error is in the explanation."""
    done = run("probe", tree, "--explain")
    assert done.exit == 3
    assert "error:" not in done.err
    assert "  broken: `" in done.out
    assert "the file ends at 9" in done.out


def test_a_broken_model_alone_is_its_own_error(run: Run, tree: Path) -> None:
    """Then there is nothing else to show."""
    done = run("probe", tree / "cut.safetensors")
    assert (done.exit, done.out) == (2, "")
    assert "is not a valid safetensors file" in done.err


def test_nothing_there_is_exit_4(run: Run, tree: Path) -> None:
    """And a folder without models is none of the models that were asked for."""
    assert run("probe", tree / "nowhere").exit == 4
    empty = tree / "empty"
    empty.mkdir()
    assert run("probe", empty).exit != 0


@pytest.mark.parametrize("verb", ["probe", "adopt", "relink"])
def test_an_empty_path_is_a_mistake(run: Run, verb: str) -> None:
    """It is a variable that held nothing, and not the current folder."""
    done = run(verb, "")
    assert (done.exit, done.out) == (2, "")
    assert "an empty path names nothing" in done.err


def test_a_sidecar_narrows_what_tensors_leave_open(run: Run, tree: Path) -> None:
    """It chooses among the candidates, is cited, and never adds one."""
    (tree / "soft.json").write_text(json.dumps({"sd version": "SDXL"}))
    done = run("probe", tree / "soft.safetensors", "--explain")
    assert done.out.splitlines()[1] == "  vae  sdxl  checkpoint  fp16"
    assert "soft.json:sd version says 'SDXL'  [claim/sidecar]" in done.out
    (tree / "soft.json").write_text(json.dumps({"sd version": "Flux"}))
    assert "sd-1 or sd-2 or sdxl" in run("probe", tree / "soft.safetensors").out


def test_an_explanation_has_what_is_written_about_a_model(run: Run, tree: Path) -> None:
    """Tensors first, then the words of trainer and user, each with its place."""
    loras = tree / "loras"
    (loras / "ink.json").write_text(json.dumps({"activation text": "ink wash", "notes": "at 0.7"}))
    (loras / "ink.preview.png").write_bytes(PNG)
    (loras / "ink.civitai.info").write_text("{")
    lines = run("probe", loras / "ink.safetensors", "--explain").out.splitlines()
    assert any(line.startswith("  because lora_unet_") for line in lines)
    for line in (
        "  network dim: 4",
        "  note: at 0.7",
        "  trigger words: ink wash",
        "  preview: ink.preview.png (png, 16 B)",
    ):
        assert line in lines
    assert any(line.startswith("  could not read: ink.civitai.info: ") for line in lines)


def test_names_and_words_cannot_harm_the_terminal(run: Run, tree: Path) -> None:
    """What strangers wrote is shown, not obeyed."""
    path = tree / "a\x1b[2Jb.safetensors"
    tiny.vae(path, base="sd-1", style="ldm")
    (tree / "a\x1b[2Jb.json").write_text(json.dumps({"notes": "\x1b[31mred"}))
    assert "\x1b" not in run("probe", tree).out + run("probe", path, "--explain").out


def test_json_has_one_object_a_model(run: Run, tree: Path) -> None:
    """The keys are the contract; failures are told as everywhere."""
    (tree / "loras" / "ink.json").write_text(json.dumps({"activation text": "ink wash"}))
    done = run("probe", tree, "--json")
    document = json.loads(done.out)
    assert (done.exit, sorted(document)) == (3, ["failed", "probed", "summary"])
    assert [sorted(one) for one in document["probed"]] == [
        ["findings", "identity", "metadata", "path"]
    ] * 3
    assert document["probed"][0]["identity"]["bases"] == ["sd-1"]
    assert document["probed"][0]["identity"]["details"]["rank"] == "4"
    assert document["probed"][0]["metadata"]["trigger_words"] == ["ink wash"]
    assert [one["code"] for one in document["failed"]] == ["safetensors-invalid"]
    assert document["summary"] == {
        "models": 4,
        "types": {"vae": 2, "lora": 1},
        "bases": {"sd-1": 2},
        "undecided": 1,
        "unknown": 0,
        "broken": 1,
        "unread": 0,
        "damaged": 0,
    }


def test_quiet_has_the_types_alone(run: Run, tree: Path) -> None:
    """One a line, in the order of the table."""
    done = run("probe", tree, "-q")
    assert (done.exit, done.out.split()) == (3, ["lora", "vae", "vae"])


def test_the_same_model_twice_is_one(run: Run, tree: Path) -> None:
    """A path and a folder that holds it overlap."""
    path = tree / "loras"
    assert run("probe", path, path / "ink.safetensors").out.splitlines()[0] == str(
        path / "ink.safetensors"
    )


def test_probing_makes_no_library(run: Run, tree: Path, tmp_path: Path) -> None:
    """It answers before there is one, and where none can be."""
    run("probe", tree)
    assert not (tmp_path / "library").exists()


def test_the_library_itself_is_not_searched(run: Run, tree: Path, tmp_path: Path) -> None:
    """A folder that holds the library holds its models once."""
    run("add", tree / "warm")
    found = json.loads(run("probe", tmp_path, "--json").out)["probed"]
    assert [Path(one["path"]).name for one in found] == [
        "ink.safetensors",
        "soft.safetensors",
        "warm",
    ]
    inside = json.loads(run("probe", tmp_path / "library" / "models", "--json").out)["probed"]
    assert inside


def test_links_that_leave_a_folder_are_followed_when_asked(run: Run, tree: Path) -> None:
    """Otherwise the folder is no model that could be added."""
    weights = tree / "warm" / "diffusion_pytorch_model.safetensors"
    moved = tree.parent / "elsewhere.safetensors"
    weights.rename(moved)
    weights.symlink_to(moved)
    assert run("probe", tree / "warm").exit != 0
    done = run("probe", tree / "warm", "--follow-links")
    assert (done.exit, done.out.splitlines()[1][:12]) == (0, "  vae  sd-1,")


def test_parts_of_a_pipeline_are_told_below_it(run: Run, tmp_path: Path) -> None:
    """Each component folder with its class."""
    folder = tiny.pipeline(tmp_path / "dreamland", base="sd-1")
    lines = run("probe", folder).out.splitlines()
    assert lines[1] == "  main  sd-1  diffusers  normal  epsilon  default  fp16"
    assert "  unet (UNet2DConditionModel)" in lines
