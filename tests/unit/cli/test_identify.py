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
    "words", [["--base", "sdxl"], ["--as-detected"], ["odd", "--as-detected", "--base", "sd-1"]]
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
