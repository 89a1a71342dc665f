from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run


@pytest.fixture
def odd(run: Run, tmp_path: Path) -> str:
    """The name of a stored model that nobody knows."""
    path = tiny.write_safetensors(tmp_path / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1)
    assert run("add", path).exit == 0
    return "odd"


def test_a_word_is_taken_and_taken_back(run: Run, odd: str) -> None:
    """What is said of a model is shown at once, and so is what was detected."""
    said = run("identify", odd, "--type", "lora", "--base", "sdxl", "--base", "sd-1", "--json")
    (info,) = json.loads(said.out)
    assert (info["type"], info["bases"]) == ("lora", ["sdxl", "sd-1"])
    (info,) = json.loads(run("identify", odd, "--as-detected", "--json").out)
    assert info["type"] == "unknown"


def test_nothing_new_is_said_so(run: Run, odd: str) -> None:
    """Looking again finds what was found before."""
    again = run("identify")
    assert (again.exit, again.out) == (0, "")
    assert "nothing else is known" in again.err
    assert run("identify", odd, "-q").out == ""
    failed = run("identify", "nobody", "--base", "sdxl")
    assert "nothing else is known" not in failed.err


@pytest.mark.parametrize(
    "words",
    [
        ["--base", "sdxl"],
        ["--as-detected"],
        ["--forget", "base"],
        ["odd", "--as-detected", "--base", "sd-1"],
        ["odd", "--as-detected", "--forget", "base"],
        ["odd", "--forget", "base", "--base", "sd-1"],
        ["odd", "--forget", "name"],
    ],
)
def test_words_that_do_not_fit_are_refused(run: Run, odd: str, words: list[str]) -> None:
    """An option about no model, or two that contradict each other."""
    assert odd
    assert run("identify", *words).exit == 2


def test_one_unknown_name_does_not_stop_the_next(run: Run, odd: str) -> None:
    """The exit status says that some failed."""
    done = run("identify", "nobody", odd, "--base", "sdxl", "-q")
    assert done.exit == 3
    assert len(done.out.split()) == 1


def test_one_word_is_taken_back_and_the_others_stay(run: Run, odd: str) -> None:
    """Also while something else is said in the same breath."""
    assert run("identify", odd, "--type", "lora", "--base", "sdxl").exit == 0
    done = run("identify", odd, "--forget", "base", "--architecture", "pony", "--json")
    (info,) = json.loads(done.out)
    assert (info["type"], info["bases"]) == ("lora", ["unknown"])
    assert info["detail"]["override"] == {"architecture": "pony", "type": "lora"}
    (info,) = json.loads(run("identify", odd, "--forget", "type", "--forget", "base", "--json").out)
    assert info["type"] == "unknown"
    assert info["detail"]["override"] == {"architecture": "pony"}
    assert run("verify").exit == 0


def test_a_dry_run_tells_and_changes_nothing(run: Run, odd: str) -> None:
    """What it is and what it would be; as a document, the latter."""
    before = run("show", odd, "--json").out
    words = ("identify", odd, "--type", "lora", "--base", "sdxl", "--dry-run")
    done = run(*words)
    assert done.out == "would identify  odd  type: unknown → lora  base: unknown → sdxl\n"
    assert done.err == "nothing was changed: this was a dry run\n"
    (info,) = json.loads(run(*words, "--json").out)
    assert (info["type"], info["bases"]) == ("lora", ["sdxl"])
    assert run(*words, "-q").out == f"{info['key']}\n"
    assert run("show", odd, "--json").out == before
    run(*words[:-1])
    assert run(*words).out == "unchanged  odd\n"
    taken_back = run("identify", odd, "--as-detected", "--dry-run").out
    assert taken_back == "would identify  odd  type: lora → unknown  base: sdxl → unknown\n"
    assert run("identify", "--dry-run").err == "nothing else is known than before\n"


def test_a_dry_run_foresees_what_is_refused(run: Run, tmp_path: Path) -> None:
    """A pipeline that another one is already, and one that would be no pipeline."""
    folder = tiny.pipeline(tmp_path / "one", base="sd-1")
    first = run("add", folder, "-q").out.strip()
    second = run("add", folder, "--name", "two", "-q").out.strip()
    assert run("identify", "two", "--base", "sdxl").exit == 0
    assert run("edit", "two", "--name", "one").exit == 0
    for words in (("--base", "sdxl"), ("--type", "lora")):
        told = run("identify", first, *words)
        foreseen = run("identify", first, *words, "--dry-run")
        assert (foreseen.exit, foreseen.err) == (told.exit, told.err)
        assert told.exit != 0
    assert run("identify", first, "--base", "kolors", "--dry-run").exit == 0
    assert run("identify", second, "--base", "sdxl", "--dry-run").out == "unchanged  one\n"


def test_what_failed_hides_no_change(run: Run, odd: str, tmp_path: Path) -> None:
    """Each model is looked at, whatever became of the one before, and each is told."""
    soft = tiny.vae(tmp_path / "a" / "soft.safetensors", style="ldm", full=True, hollow=True)
    late = tiny.vae(tmp_path / "b" / "late.safetensors", style="ldm", full=True, hollow=True)
    for path in (soft, late):
        assert run("adopt", path.parent).exit == 0
        path.with_suffix(".json").write_text(json.dumps({"sd version": "SDXL"}))
    soft.unlink()
    done = run("identify", "nobody", "soft", odd, "late", "--json")
    assert done.exit == 3
    assert [(info["name"], info["bases"]) for info in json.loads(done.out)] == [("late", ["sdxl"])]
    codes = [json.loads(line)["code"] for line in done.err.splitlines()]
    assert codes == ["model-unknown", "source-not-found"]
    assert run("identify", "soft").exit == 4


def test_other_names_of_the_same_model_are_told(run: Run, odd: str, tmp_path: Path) -> None:
    """They are known so, too."""
    assert run("add", tmp_path / "odd.safetensors", "--name", "second").exit == 0
    told = "second is the same model under another name, and {} so too\n"
    foreseen = run("identify", odd, "--base", "sdxl", "--dry-run").err
    assert foreseen.endswith(told.format("would be known"))
    assert run("identify", odd, "--base", "sdxl").err == told.format("known")
    assert run("identify", odd, "second", "--base", "sd-1").err == ""


def test_a_slip_in_one_of_many_words_is_told_the_nearest(run: Run, odd: str) -> None:
    """And not all of them; where none is near, all are."""
    done = run("identify", odd, "--base", "SD1")
    assert done.exit == 2
    assert "'SD1' is not one of its words; did you mean sd-1" in done.err
    assert "qwen-image" not in done.err
    assert "did you mean lora?" in run("ls", "--type", "lroa").err
    assert "'qwen-image'" in run("identify", odd, "--base", "zzz").err


def test_what_was_looked_at_beside_a_failure_is_told(run: Run, odd: str) -> None:
    """Nothing else is known of it, which is no failure."""
    done = run("identify", "nobody", odd)
    assert done.exit == 3
    assert done.err.endswith("of the others nothing else is known than before\n")
    assert "nothing else" not in run("identify", "nobody").err


@pytest.mark.parametrize("verb", ["add", "adopt"])
@pytest.mark.parametrize("words", ["x" * 5_000, "a\0b", "\udcff"])
def test_a_word_that_no_record_can_keep_is_refused(
    run: Run, tmp_path: Path, verb: str, words: str
) -> None:
    """Before anything is changed, of stored and of adopted models alike."""
    path = tiny.write_safetensors(
        tmp_path / "mine" / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1
    )
    assert run(verb, path.parent).exit == 0
    before = run("show", "odd", "--json").out
    for more in ([], ["--dry-run"]):
        done = run("identify", "odd", "--base", "sdxl", "--architecture", words, *more)
        assert (done.exit, done.out) == (2, "")
        assert "`architecture`" in done.err
    assert run("show", "odd", "--json").out == before


@pytest.mark.parametrize("verb", ["add", "adopt"])
def test_a_base_that_is_said_twice_is_said(run: Run, tmp_path: Path, verb: str) -> None:
    """In the order in which each came first."""
    path = tiny.write_safetensors(
        tmp_path / "mine" / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1
    )
    assert run(verb, path.parent).exit == 0
    bases = [word for base in ("sdxl", "sd-1", "sdxl") for word in ("--base", base)]
    (info,) = json.loads(run("identify", "odd", *bases, "--json").out)
    assert info["bases"] == ["sdxl", "sd-1"]
