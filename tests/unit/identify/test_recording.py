from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.identify import identify
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify.layouts import Shapes, index_of
from tests.unit.identify.recorded import RECORDED, read
from tests.unit.identify.recording import lines_of, main


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_is_written_as_it_was_read(name: str, tmp_path: Path) -> None:
    """So that nobody need write such a file by hand."""
    path = tmp_path / "again.txt"
    path.write_text("\n".join(["expected main", *lines_of(RECORDED[name].shapes)]))
    assert read(path).shapes == RECORDED[name].shapes


def test_numbers_become_runs_and_biases_stand_with_their_weights() -> None:
    """A line for all tensors that differ in numbers only; what has another shape has its own."""
    shapes: Shapes = {f"b.{n}.{m}.weight": (4, 8) for n in (0, 1, 3) for m in (0, 1)}
    shapes |= {name.replace("weight", "bias"): (4,) for name in shapes}
    shapes |= {"b.3.1.weight": (4, 9), "t.00.bias": (2,), "scale": ()}
    shapes |= {f"n.{n}.weight": (5, 6) for n in (2, 4, 5)} | {
        f"n.{n}.bias": (5,) for n in (5, 4, 2)
    }
    assert list(lines_of(shapes)) == [
        "b.{0-1}.{0-1}.weight 4 8",
        "b.3.0.weight 4 8",
        "b.3.1.weight 4 9",
        "b.{0-1,3}.{0-1}.bias 4",
        "t.00.bias 2",
        "scale",
        "n.{2,4-5}.weight+bias 5 6",
    ]


def test_names_that_would_be_read_as_others_are_refused() -> None:
    """Nothing is recorded that is not there."""
    for name in ("a b", "a.{0-1}.b"):
        with pytest.raises(ValueError, match="no way to write"):
            list(lines_of({name: (1,)}))


def test_a_model_in_shards_is_recorded_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its configuration, as its folder will be asked for it."""
    known = RECORDED["lumina2"]
    names = sorted(known.shapes)
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for file, half in zip(files, (names[::2], names[1::2]), strict=True):
        write_safetensors(file, {name: known.shapes[name] for name in half})
    (tmp_path / "config.json").write_text(json.dumps(known.config))
    main(*map(str, files))
    written = tmp_path / "new.txt"
    written.write_text(capsys.readouterr().out)
    found = read(written)
    assert (found.shapes, found.config, found.expected[:2]) == (
        known.shapes,
        known.config,
        ("main", ""),
    )
    assert identify(index_of(found.shapes)).base == known.base
