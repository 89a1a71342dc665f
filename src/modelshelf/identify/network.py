"""Conditions on a file as a whole: its last layer, that it has no others, what it says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.identify.folding import fold
from modelshelf.identify.layout import Part
from modelshelf.identify.side import Side

__all__ = ["Declared", "Last", "Only", "Tokens", "Unmeasured", "Within"]

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Last:
    """Of the numbered tensors of this name, the one with the highest number has this shape.

    For networks that are one list of layers: the last of them tells what comes out.
    """

    name: str
    """Folded name without wrappers."""
    shape: tuple[Side, ...]
    """All its dimensions."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        group = facts.groups.get(self.name)
        if group is None or not group.names:
            return None
        last = max(group.names, key=lambda name: [int(one) for one in _NUMBER.findall(name)])
        shape = facts.layout.index.tensors[last].shape
        fits = len(shape) == len(self.shape) and all(
            want is None or (have in want if isinstance(want, tuple) else have == want)
            for have, want in zip(shape, self.shape, strict=True)
        )
        return Found(last, str(list(shape))) if fits else None

    def __str__(self) -> str:
        sides = ("any" if side is None else str(side) for side in self.shape)
        return f"a last tensor `{self.name}` of shape [{', '.join(sides)}]"


_LEFT_BEHIND = frozenset({"alphas_cumprod", "betas", "global_step_tensor", "logit_scale"})
"""What trainers put into any file."""


def _is_left_behind(name: str) -> bool:
    return name in _LEFT_BEHIND or name.endswith("._extra_state")


@dataclass(frozen=True)
class Only:
    """The file has no tensor beside those of these names, and what trainers leave behind."""

    names: tuple[str, ...]
    """Folded names without wrappers."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        others = facts.groups.keys() - self._folded
        if len(others) == len(facts.groups) or not all(map(_is_left_behind, others)):
            return None
        return Found(", ".join(sorted(facts.groups)), "nothing else", is_absence=True)

    @cached_property
    def _folded(self) -> frozenset[str]:
        return frozenset(fold(self.names))

    def __str__(self) -> str:
        return f"no tensor beside {', '.join(f'`{name}`' for name in self.names)}"


@dataclass(frozen=True)
class Within:
    """Every tensor of the file stands below one of these modules: what is unknown makes another model.

    For networks that others are built around: a language model with a head that draws or speaks is no
    encoder, whatever that head is called.
    """

    what: str
    """What these modules make up together, in words."""
    modules: tuple[str, ...]
    """Beginnings of folded names without wrappers."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        layout = facts.layout
        for part in {layout.leading, Part.BARE, *layout.parts}:
            # A copy beside the model has its names, and counters of its own.
            is_copy = part is Part.EMA is not layout.leading
            if not is_copy and not all(map(self._is_inside, layout.groups(part))):
                return None
        return Found(self.what, "nothing else", is_absence=True)

    def _is_inside(self, name: str) -> bool:
        return name.startswith(self.modules) or _is_left_behind(name)

    def __str__(self) -> str:
        return f"no tensor beside those of {self.what}"


@dataclass(frozen=True)
class Declared:
    """The file's own metadata says one of these words: evidence for a finer point, never for a base."""

    name: str
    """Field, such as GGUF's `general.architecture`."""
    values: tuple[str, ...]
    """What it may say."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        value = facts.layout.index.metadata.get(self.name)
        return Found(self.name, value) if value in self.values else None

    def __str__(self) -> str:
        return f"metadata `{self.name}` that says {' or '.join(self.values)}"


@dataclass(frozen=True)
class Unmeasured:
    """A tensor of this name is there, and nothing that was read tells its shape.

    An index of shards names every tensor of a model and measures none.
    """

    name: str
    """Folded name without wrappers."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        group = facts.groups.get(self.name)
        if group is None or group.shapes:
            return None
        return Found(group.example, "named without a shape")

    def __str__(self) -> str:
        return f"tensor `{self.name}` without a shape"


_TOKEN = re.compile(r"<[^<>\x00-\x1f]{1,200}>")


@dataclass(frozen=True)
class Tokens:
    """Every tensor of the file is a token: rows of one width."""

    width: int
    """Last dimension of each."""
    least: int = 2
    """How few there may be."""
    within: str = ""
    """Dictionary that they are in, under any name; tokens by themselves stand in pointed brackets."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        tensors = facts.layout.index.tensors
        if len(tensors) < self.least or not all(map(self._is_token, tensors)):
            return None
        shapes = {entry.shape for entry in tensors.values()}
        if not all(len(shape) in (1, 2) and shape[-1] == self.width for shape in shapes):
            return None
        return Found(min(tensors), f"{self.width} wide x {len(tensors)}")

    def __str__(self) -> str:
        where = f" in `{self.within}`" if self.within else ""
        return f"nothing but {self.least} or more tokens{where}, {self.width} wide"

    def _is_token(self, name: str) -> bool:
        if self.within:
            return name.startswith(f"{self.within}.")
        return _TOKEN.fullmatch(name) is not None
