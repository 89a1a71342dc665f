"""Full-size layouts of published denoisers, one text file each under `denoisers/`.

A file begins with `expected TYPE BASE VARIANT ARCHITECTURE` (what is left out or `-` is open), may
have `config JSON` with the configuration published beside the weights, and lists tensors:

    transformer_blocks.{0-18}.attn.to_q.weight+bias 3072 3072

Braces stand for numbers and runs of numbers, `+bias` for a bias as long as the first dimension.
Files without `.original` in their names were recorded from diffusers' classes with the published
configurations; those with it follow the names of the original code, the tensors that matter.
Of joyimage.original, bria-fibo-2, lingbot-video, sensenova-u1 and the two Wan models names and shapes
are all that is published: their MD5 is the one that modelscope/DiffSynth-Studio knows the file by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.identify.layouts import Shapes

__all__ = ["RECORDED", "Recorded"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One published denoiser."""

    name: str
    """Of its file, without ending."""
    expected: tuple[str, str, str, str]
    """Type, base, variant, architecture; empty where open."""
    config: dict[str, Any]
    """What diffusers writes beside it; empty where not recorded."""
    shapes: Shapes
    """Its tensors."""

    @property
    def base(self) -> str:
        """The base, empty for a model that nobody is to know."""
        return self.expected[1]


def read(path: Path) -> Recorded:
    """Read one file."""
    expected: list[str] = []
    config: dict[str, Any] = {}
    shapes: Shapes = {}
    for line in path.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "expected":
            expected = ["" if one == "-" else one for one in rest.split()]
        elif word == "config":
            config = json.loads(rest)
        else:
            shape = tuple(map(int, rest.split()))
            name = word.removesuffix("+bias")
            for one in _numbered(name):
                shapes[one] = shape
                if name != word:
                    shapes[one.removesuffix("weight") + "bias"] = shape[:1]
    kind, base, variant, architecture = (*expected, "", "", "", "")[:4]
    return Recorded(
        path.name.removesuffix(".txt"), (kind, base, variant, architecture), config, shapes
    )


def _numbered(name: str) -> Iterator[str]:
    head, brace, rest = name.partition("{")
    if not brace:
        yield name
        return
    numbers, _, tail = rest.partition("}")
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", numbers):
        for number in range(int(first), int(last or first) + 1):
            for end in _numbered(tail):
                yield f"{head}{number}{end}"


RECORDED = {
    one.name: one for one in map(read, sorted((Path(__file__).parent / "denoisers").glob("*.txt")))
}
"""All of them by name."""
