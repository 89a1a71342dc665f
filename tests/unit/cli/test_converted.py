from __future__ import annotations

import json
from pathlib import Path

from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run


def test_every_verb_can_tell_of_a_converted_checkpoint(run: Run, tmp_path: Path) -> None:
    """As data too, with what it came as."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    added = json.loads(run("add", source, "--json").out)["added"][0]["info"]
    assert added["original"]["size"] == source.stat().st_size
    for words in (["ls"], ["show", "model"], ["find", source], ["identify", "model"]):
        done = run(*words, "--json")
        assert done.exit == 0, done.err
        json.loads(done.out)
    shown = run("show", "model").out
    assert f"one .safetensors file of {source.stat().st_size} bytes" in shown
    planned = json.loads(run("export", "model", tmp_path, "--dry-run", "--json").out)
    assert [file["member"] for file in planned["files"]] == ["model.safetensors"]
