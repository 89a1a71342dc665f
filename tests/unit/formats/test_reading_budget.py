from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import ReadingBudget, read_tensors, read_tree
from modelshelf.testing.tiny import TorchTensor, write_gguf, write_onnx, write_torch
from tests.unit.formats.headers import write_raw, write_safetensors
from tests.unit.formats.old_torch import write_tar

TENSORS = {f"w{number}": TorchTensor("F16", (2,)) for number in range(300)}
SPACED = b'{"a": {"dtype": "U8", "shape": [%b0], "data_offsets": [0, 0]}}' % (b"1, " * 900)

WRITERS: dict[str, Callable[[Path], Path]] = {
    "safetensors": lambda path: write_safetensors(path, dict.fromkeys(TENSORS, (2,))),
    "safetensors, spelt oddly": lambda path: write_raw(path, SPACED, 0),
    "zip": lambda path: write_torch(path, TENSORS),
    "stream": lambda path: write_torch(path, TENSORS, legacy=True),
    "tar": lambda path: write_tar(path, dict.fromkeys(list(TENSORS)[:200], (2,))),
    "gguf": lambda path: write_gguf(path, dict.fromkeys(TENSORS, ("F16", (2,)))),
    "gguf, words": lambda path: write_gguf(path, {}, fields={"words": ["a"] * 3_000}),
    "onnx": lambda path: write_onnx(path, dict.fromkeys(TENSORS, ("F16", (2,)))),
}
SUFFIXES = {"zip": "ckpt", "stream": "ckpt", "tar": "ckpt"}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_reader_counts_what_it_does(tmp_path: Path, kind: str) -> None:
    """The same steps each time, and the same answer as without a budget."""
    path = tmp_path / f"model.{SUFFIXES.get(kind, kind.partition(',')[0])}"
    WRITERS[kind](path)
    (file,) = read_tree(path).files
    budgets = [ReadingBudget(10**6), ReadingBudget(10**6)]
    found = [read_tensors(file, budget=one) for one in budgets]
    assert found == [read_tensors(file)] * 2
    assert budgets[0].left == budgets[1].left < 10**6 - 500


@pytest.mark.parametrize("kind", sorted(WRITERS.keys() - {"onnx"}))
def test_a_reader_stops_where_nothing_is_left(tmp_path: Path, kind: str) -> None:
    """In the middle of a file, which is not called broken by whoever asks what is left."""
    path = tmp_path / f"model.{SUFFIXES.get(kind, kind.partition(',')[0])}"
    WRITERS[kind](path)
    (file,) = read_tree(path).files
    budget = ReadingBudget(10**6)
    read_tensors(file, budget=budget)
    too_small = ReadingBudget((10**6 - budget.left) // 2)
    with pytest.raises(FormatError, match="have taken all that is read of one model"):
        read_tensors(file, budget=too_small)
    assert too_small.is_spent


def test_a_file_that_is_broken_costs_what_was_read_of_it(tmp_path: Path) -> None:
    """A hundred of them would take as many times as long."""
    path = write_onnx(tmp_path / "model.onnx", dict.fromkeys(TENSORS, ("F16", (2,))))
    path.write_bytes(path.read_bytes() + b"\x0f")
    (file,) = read_tree(path).files
    budget = ReadingBudget(10**6)
    with pytest.raises(FormatError):
        read_tensors(file, budget=budget)
    assert budget.left < 10**6 - 500
