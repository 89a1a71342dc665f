"""Writes down what a published model consists of, for `denoisers/`: names and shapes, and no weight.

    .venv/bin/python -m tests.unit.identify.recording FILE... > tests/unit/identify/denoisers/NAME.txt

Several files are the shards of one model. A `config.json` beside the first is taken along. The first line
says what is expected of it, and wants to be corrected by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from modelshelf.formats import read_tensors, read_tree
from tests.unit.identify.layouts import Shapes

__all__ = ["lines_of", "main"]

_Numbers = tuple[int, ...]
_Runs = tuple[_Numbers, ...]
"""For each number in a name those that it stands for."""
_NUMBER = re.compile(r"(?<![^.])(?:0|[1-9][0-9]*)(?![^.])")
_ODD = re.compile(r"[\s{}]")


def lines_of(shapes: Shapes) -> Iterator[str]:
    """Yield a line for all tensors that differ in numbers only, biases with their weights.

    Raises:
        ValueError: A name has a space or a brace, which mean something else there.
    """
    merged = dict(_merged(shapes))
    for name, shape in merged.items():
        own = name.removesuffix("weight")
        if own != name and shape and merged.get(own + "bias") == shape[:1]:
            name += "+bias"  # noqa: PLW2901 - the same tensors, and one beside each
        elif _is_told_with_weight(name, shape, merged):
            continue
        yield " ".join([name, *map(str, shape)])


def _is_told_with_weight(name: str, shape: tuple[int, ...], merged: Shapes) -> bool:
    own = name.removesuffix("bias")
    return own != name and bool(shape) and merged.get(own + "weight", ())[:1] == shape


def _merged(shapes: Shapes) -> Iterator[tuple[str, tuple[int, ...]]]:
    found: dict[tuple[str, tuple[int, ...]], set[_Runs]] = defaultdict(set)
    for name, shape in shapes.items():
        if _ODD.search(name):
            message = f"no way to write {name!r}: it has a space or a brace"
            raise ValueError(message)
        numbers = tuple((int(one),) for one in _NUMBER.findall(name))
        found[_NUMBER.sub("#", name), shape].add(numbers)
    for (folded, shape), ways in found.items():
        for runs in sorted(_joined(ways)):
            parts = folded.split("#")
            filled = (word + tail for word, tail in zip(map(_word, runs), parts[1:], strict=True))
            yield parts[0] + "".join(filled), shape


def _joined(ways: set[_Runs]) -> set[_Runs]:
    """Join, place by place from the last, what differs there and nowhere else."""
    length = len(next(iter(ways)))
    for place in reversed(range(length)):
        alike: dict[tuple[_Runs, _Runs], list[_Numbers]] = defaultdict(list)
        for runs in ways:
            alike[runs[:place], runs[place + 1 :]].append(runs[place])
        ways = {
            (*before, tuple(sorted({number for run in runs for number in run})), *after)
            for (before, after), runs in alike.items()
        }
    return ways


def _word(numbers: Iterable[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    words = [str(low) if low == high else f"{low}-{high}" for low, high in spans]
    return "{" + ",".join(words) + "}" if len(spans) > 1 or "-" in words[0] else words[0]


def main(*files: str) -> None:
    """Print what the model in these files is recorded as."""
    shapes: Shapes = {}
    for file in files:
        header = read_tensors(read_tree(Path(file)).files[0])
        shapes |= {name: entry.shape for name, entry in header.tensors.items()}
    lines = [f"expected main - - {Path(files[0]).stem}"]
    config = Path(files[0]).with_name("config.json")
    if config.is_file():
        lines.append(f"config {json.dumps(json.loads(config.read_text()))}")
    sys.stdout.write("\n".join([*lines, *lines_of(shapes), ""]))


if __name__ == "__main__":
    main(*sys.argv[1:])
