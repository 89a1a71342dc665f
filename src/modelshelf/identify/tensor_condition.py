"""What a rule can ask of the tensors of a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.identify.folding import fold
from modelshelf.identify.layout import Group, Part
from modelshelf.identify.side import Side, is_side, shape_words, side_words

__all__ = [
    "Absent",
    "Marker",
    "NoOther",
    "OneTensor",
    "Some",
    "Tensor",
    "Wrapped",
]

_QUORUM = 0.8
"""Share of a count below which not even lenience believes it."""


@dataclass(frozen=True)
class Tensor:
    """There are tensors of this name, and all of them have this shape.

    Sides beyond those given are free; `rank` fixes their number.
    """

    name: str
    """Folded name without wrappers; a number instead of `#` asks for exactly that block."""
    shape: tuple[Side, ...] = ()
    """Leading dimensions."""
    rank: int | None = None
    """How many dimensions, where that matters."""
    count: int | None = None
    """How many tensors there must be, all numbers together. Where no family agrees, rules are asked
    again with lenience: a few may then be missing, if others of the same modules are all there."""
    below: int | None = None
    """Every first number in the names is smaller than this."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        group = self._group(facts)
        if group is None or not group.names or not self._fits(group, facts):
            return None
        shapes = " ".join(str(list(shape)) for shape in sorted(group.shapes)) or "shape unread"
        return Found(group.example, f"{shapes} x {len(group.names)}")

    def number(self, facts: Facts) -> int:
        """Return how many tensors of this name there are, whatever their shape."""
        group = self._group(facts)
        return 0 if group is None else len(group.names)

    def _group(self, facts: Facts) -> Group | None:
        group = facts.groups.get(self._folded)
        return group if group is None or self._folded == self.name else group.exactly(self.name)

    def _fits(self, group: Group, facts: Facts) -> bool:
        return (
            (self.count is None or self._counts(group, facts))
            and (self.below is None or group.highest() < self.below)
            and all(self._allows(shape) for shape in group.shapes)
            and all(map(self._divides, group.sizes))
            and (bool(group.shapes) or not (facts.is_measured and self._asks))
        )

    def _divides(self, size: int) -> bool:
        """Say whether *size* numbers may have the sides that are asked for."""
        sides = ((one,) if isinstance(one, int) else one or (1,) for one in self.shape)
        return any(size % prod(way) == 0 for way in product(*sides))

    @property
    def _asks(self) -> bool:
        return bool(self.shape) or self.rank is not None

    def _counts(self, group: Group, facts: Facts) -> bool:
        have = len(group.names)
        # Other tensors of the same modules tell a file that lost some from a smaller model.
        return have == self.count or (
            facts.is_lenient
            and _QUORUM * (self.count or 0) <= have < (self.count or 0)
            and self.count == facts.modules_like(self._folded)
        )

    def _allows(self, shape: tuple[int, ...]) -> bool:
        return (self.rank is None or len(shape) == self.rank) and (
            len(shape) >= len(self.shape)
            and all(is_side(have, want) for have, want in zip(shape, self.shape, strict=False))
        )

    @cached_property
    def _folded(self) -> str:
        return fold([self.name])[0]

    def __str__(self) -> str:
        words = [f"tensor `{self.name}`"]
        words += [f"of shape {shape_words(self.shape)}"] if self.shape else []
        words += [f"with {self.rank} dimensions"] if self.rank is not None else []
        words += [f"{self.count} times"] if self.count is not None else []
        words += [f"numbered below {self.below}"] if self.below is not None else []
        return " ".join(words)


@dataclass(frozen=True)
class NoOther:
    """Tensors of this name, where there are any, have this shape as far as it is told.

    For what joins a model to what stands around it, such as the width of its text: one that has it
    otherwise is another model, and one that lost the tensor is the same.
    """

    name: str
    """Folded name without wrappers."""
    shape: tuple[Side, ...]
    """Leading dimensions."""
    unless: Marker | None = None
    """What a variant of the same base has, which is joined otherwise."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        if not self._tensor.number(facts):
            return Found(self.name, "absent", is_absence=True)
        if self.unless is not None and (found := self.unless.check(facts)) is not None:
            return found
        return self._tensor.check(facts.unmeasured())

    @cached_property
    def _tensor(self) -> Tensor:
        return Tensor(self.name, self.shape)

    def __str__(self) -> str:
        return f"no tensor `{self.name}` of another shape than {shape_words(self.shape)}"


@dataclass(frozen=True)
class Some:
    """At least one of the tensors of this name has exactly this shape.

    For networks that are one list of layers, of which the first and the last tell what goes in and
    what comes out.
    """

    name: str
    """Folded name without wrappers; every number in it is a `#`."""
    shape: tuple[Side, ...]
    """All its dimensions."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        group = facts.groups.get(self.name)
        for shape in sorted(group.shapes if group is not None else ()):
            if len(shape) == len(self.shape) and all(map(is_side, shape, self.shape)):
                return Found(self.name, str(list(shape)))
        return None

    def __str__(self) -> str:
        return f"a tensor `{self.name}` of shape {shape_words(self.shape)}"


@dataclass(frozen=True)
class Absent:
    """No tensor, in any part of the file, fits the pattern."""

    pattern: str
    """Folded name without wrappers; `*` at either end stands for anything."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        if self._needle in facts.layout.text:
            return None
        return Found(self.pattern, "absent", is_absence=True)

    @cached_property
    def _needle(self) -> str:
        return _needle(self.pattern)

    def __str__(self) -> str:
        return f"no tensor `{self.pattern}`"


@dataclass(frozen=True)
class Marker:
    """A tensor of this name is somewhere in the file: it says something by being there."""

    name: str
    """Its folded name, without wrappers; `*` at either end stands for anything."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        return Found(self.name, "present") if self._needle in facts.layout.text else None

    @cached_property
    def _needle(self) -> str:
        return _needle(self.name)

    def __str__(self) -> str:
        return f"the marker `{self.name}`"


# A lone `weight` is a layer of something, a lone `clip_l` one half of SDXL's embeddings; `tensor` and
# `#0` are what a pickle's bare tensor and the first of a bare list are called, which name no token.
_NO_TOKENS = frozenset(
    [
        "weight",
        "bias",
        "clip_g",
        "clip_l",
        "t5xxl",
        "text_encoders_0",
        "text_encoders_1",
        "tensor",
        "#0",
    ]
)


@dataclass(frozen=True)
class OneTensor:
    """The file holds exactly one tensor: numbers with fractions, in rows, under a token's name."""

    last: Side
    """Its last dimension."""
    most: int
    """Most rows that it may have."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        if facts.lone_tensor is None:
            return None
        name, whole = facts.lone_tensor
        entry = facts.layout.index.tensors[whole]
        if "." in name or name in _NO_TOKENS or not entry.dtype.startswith(("F", "BF")):
            return None
        rows, width = {1: (1, *entry.shape), 2: entry.shape}.get(len(entry.shape), (0, 0))
        is_token = 0 < rows <= self.most and is_side(width, self.last)
        return Found(name, str(list(entry.shape))) if is_token else None

    def __str__(self) -> str:
        return f"one tensor alone, {side_words(self.last)} wide"


@dataclass(frozen=True)
class Wrapped:
    """A wrapper in the names says that the file is this part of a bundle."""

    part: Part

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        return Found("names", self.part.value) if facts.layout.leading is self.part else None

    def __str__(self) -> str:
        return f"names wrapped as the {self.part.value} part"


def _needle(pattern: str) -> str:
    # All names are one text with a line for each, so one search asks them all.
    start = "" if pattern.startswith("*") else "\n"
    end = "" if pattern.endswith("*") else "\n"
    return start + pattern.strip("*") + end
