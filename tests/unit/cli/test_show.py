from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run


@pytest.fixture
def open_vae(run: Run, tmp_path: Path) -> str:
    """The key of a stored VAE that three bases use."""
    path = tmp_path / "soft.safetensors"
    tiny.vae(path, base="sd-1", style="ldm", full=True, hollow=True)
    done = run("add", path)
    assert done.err.startswith("warning: soft: its base is sd-1, sd-2 or sdxl, and nothing")
    return run("ls", "-q").out.strip()


def facts(run: Run, model: str) -> dict[str, str]:
    """Return what `shelf show` says, by title."""
    lines = run("show", model).out.splitlines()
    width = next(line for line in lines if line.startswith("name ")).index("soft")
    return {line[:width].strip(): line[width:] for line in lines}


def test_what_is_left_open_is_told_with_what_settles_it(run: Run, open_vae: str) -> None:
    """Which bases it may be, where the reasons are, and whose word counts."""
    shown = facts(run, "soft")
    assert (shown["base"], shown["status"]) == ("unknown", "undecided")
    assert shown["candidates"] == "sd-1 or sd-2 or sdxl"
    assert run("show", "soft").err.splitlines() == [
        f"`shelf probe {shown['path']} --explain` tells why",
        f"`shelf identify {open_vae[:12]} --base BASE` settles it by your word",
    ]
    assert run("show", "soft", "-q").err == ""


def test_a_word_of_the_user_is_told_beside_what_was_detected(run: Run, open_vae: str) -> None:
    """Field by field, and no longer once it is taken back."""
    before = facts(run, "soft")
    run("identify", open_vae, "--base", "sdxl", "--architecture", "soft")
    shown = facts(run, "soft")
    assert (shown["base"], shown["your word"]) == ("sdxl", "architecture: soft; base: sdxl")
    assert shown["detected"] == "architecture: unknown; base: unknown"
    assert "candidates" not in shown
    assert run("show", "soft").err == ""
    run("identify", open_vae, "--as-detected")
    assert facts(run, "soft") == before


def test_a_model_that_nobody_knows_wants_a_type_too(run: Run, tmp_path: Path) -> None:
    """A base alone would not settle it."""
    run("add", tiny.write_safetensors(tmp_path / "odd.safetensors", {"w": ("F16", (3, 5))}, seed=1))
    assert "--type TYPE --base BASE` settles it" in run("show", "odd").err
