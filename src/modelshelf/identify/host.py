"""A host is a denoiser that adapters adapt: the modules it has, and how wide they are.

An adapter fits a host when every module that it adapts is one of the host's. Modules that it leaves
alone say nothing, so dropping some never turns a right answer into a wrong one: it can only leave
more hosts possible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product
from math import prod

from modelshelf.errors import UsageError
from modelshelf.identify.adapter import WORD, Adapter
from modelshelf.identify.adapter_names import numbers_of
from modelshelf.identify.adapter_target import Target
from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts

__all__ = ["Fits", "Host", "Spans"]

_Numbers = frozenset[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Site:
    """All modules of a host whose paths differ in numbers only, and that are alike."""

    numbers: frozenset[tuple[int, ...]]
    """The numbers of each."""
    inputs: int
    """Width that it takes; 0 for any."""
    outputs: int
    """Width that it gives; 0 for any."""
    kernel: int
    """Places that a convolution looks at; 1 for a linear layer."""
    dimensions: int
    """Dimensions of its weight; 0 for any."""

    def is_like(self, inputs: int, outputs: int, either: int, dimensions: int) -> bool:
        if dimensions and self.dimensions and dimensions != self.dimensions:
            return False
        if either:
            return either in {self.inputs, self.outputs} or not (self.inputs and self.outputs)
        if outputs and self.outputs and outputs != self.outputs:
            return False
        if not inputs or not self.inputs or inputs == self.inputs:
            return True
        # A convolution may come as a matrix, all places of its kernel in one row.
        return not dimensions and inputs == self.inputs * self.kernel


@dataclass(frozen=True)
class Host:
    """A denoiser by its modules, one line each: path, width taken, width given, kernel.

    In a path `{n}` is any number below n, `{4-8}` any from 4 to 8, a bare number itself, and `(q|k|v)`
    each of these steps. One width alone is that of a norm; none at all, or `?`, is any. Widths and
    bounds may be names that *sizes* explains, with a factor before them: `4w`.

    Example:
        >>> host = Host("toy", "blocks.{n}.mlp.0  w 4w", sizes={"w": 64, "n": 2})
        >>> host.knows("blocks.#.mlp.#")
        True
    """

    id: str
    """For people who wonder which host an adapter does not fit."""
    modules: str
    """The lines. Indentation and empty lines mean nothing."""
    sizes: Mapping[str, int] = field(default_factory=dict, hash=False)
    """What names in the lines stand for."""

    def knows(self, path: str) -> bool:
        """Say whether there are modules of this folded path, whatever their numbers."""
        return path in self._dotted

    def misses(self, adapter: Adapter) -> Target | None:
        """Return a target of *adapter* that is none of this host's modules, or None if all are."""
        # Several families ask for one host.
        if self not in adapter.strangers:
            adapter.strangers[self] = self._stranger(adapter)
        return adapter.strangers[self]

    def _stranger(self, adapter: Adapter) -> Target | None:
        first = adapter.denoiser[0]
        if not first.path.startswith(self.beginnings):
            return first
        if not self._words.issuperset(adapter.words):
            return next(
                one
                for one in adapter.denoiser
                if not self._words.issuperset(WORD.findall(one.path))
            )
        for target in adapter.denoiser:
            sites = (self._flat if target.is_flat else self._dotted).get(target.path)
            if sites is None or not _fit(sites, target):
                return target
        return None

    @cached_property
    def beginnings(self) -> tuple[str, ...]:
        """What paths begin with: enough to turn most adapters away before all lines are read."""
        heads = {found[0] for found in map(_HEAD.match, self.modules.splitlines()) if found}
        return tuple(
            {
                re.split(r"[.{]", one, maxsplit=1)[0]
                for head in heads
                for one in _spelled_out(head.lstrip())
            }
        )

    @cached_property
    def _words(self) -> frozenset[str]:
        # No alternatives begin or end inside a word, so each word of a path stands in the lines.
        return frozenset(WORD.findall(self.modules))

    @cached_property
    def _dotted(self) -> Mapping[str, tuple[_Site, ...]]:
        return self._compile(is_flat=False)

    @cached_property
    def _flat(self) -> Mapping[str, tuple[_Site, ...]]:
        return self._compile(is_flat=True)

    def _compile(self, *, is_flat: bool) -> Mapping[str, tuple[_Site, ...]]:
        found: dict[str, tuple[_Site, ...]] = {}
        for line in filter(None, map(str.strip, self.modules.splitlines())):
            written, *words = line.split()
            for path in _spelled_out(written):
                folded, bounds = self._bounds(path, is_flat=is_flat)
                found[folded] = (*found.get(folded, ()), self._site(bounds, words))
        return found

    def _bounds(self, path: str, *, is_flat: bool) -> tuple[str, _Numbers]:
        ranges: list[range] = []

        def take(match: re.Match[str]) -> str:
            low, _, high = match[1].rpartition("-")
            ranges.append(range(int(low or 0), int(high) + 1 if low else self._size(high)))
            return f"{_RANGE}{len(ranges) - 1}"

        path = re.sub(r"\{([^}]*)\}", take, path)
        path = path.replace(".", "_") if is_flat else path
        # Ranges stand as large numbers while those that are written out are found.
        folded, numbers = numbers_of(path)
        first = int(f"{_RANGE}0")
        return folded, frozenset(
            product(*(ranges[one - first] if one >= first else (one,) for one in numbers))
        )

    def _site(self, bounds: _Numbers, words: list[str]) -> _Site:
        sides = words[-1].split("x") if words and _KERNEL.fullmatch(words[-1]) else []
        words = words[: len(words) - bool(sides)]
        dimensions, kernel = len(words) + len(sides), prod(map(int, sides))
        if "?" in words and not sides:
            dimensions = 0
        widths = [0 if one == "?" else self._size(one) for one in words]
        inputs, outputs = (0, *widths)[-2:] if widths else (0, 0)
        return _Site(bounds, inputs, outputs, kernel, dimensions)

    def _size(self, word: str) -> int:
        found = _SIZE.fullmatch(word)
        if not word or found is None or (found[2] and found[2] not in self.sizes):
            raise UsageError(
                problem=f"`{word}` in the modules of `{self.id}` is no number and no size",
                remedy="name it in `sizes`, or write a number, perhaps with a name behind it",
            )
        factor, name = found.groups()
        return int(factor or 1) * (self.sizes[name] if name else 1)


_SIZE = re.compile(r"([0-9]*)([a-z]*)")
_RANGE = "1000000"
_KERNEL = re.compile(r"[0-9]+(?:x[0-9]+)+")
_HEAD = re.compile(r"\s*(?:\([^)]*\)|[^.{(\s])+")
"""A path up to its first step or number, with whatever alternatives stand there."""
_ALTERNATIVES = re.compile(r"\(([^)]*)\)")


def _spelled_out(path: str) -> list[str]:
    """Return a path for each way through its alternatives."""
    pieces = _ALTERNATIVES.split(path)
    ways = (one.split("|") if at % 2 else [one] for at, one in enumerate(pieces))
    return ["".join(way) for way in product(*ways)]


def _fit(sites: tuple[_Site, ...], target: Target) -> bool:
    for like, modules in target.alike.items():
        apart: list[_Numbers] = []
        for site in sites:
            if site.is_like(*like):
                # Nearly always one site has them all, and nothing is put together.
                if site.numbers.issuperset(modules):
                    break
                apart.append(site.numbers)
        else:
            if not frozenset().union(*apart).issuperset(modules):
                return False
    return True


@dataclass(frozen=True)
class Fits:
    """The file adapts modules of this host and no others, and tells at least one width."""

    host: Host

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        adapter = facts.adapter
        if adapter is None or not adapter.denoiser or self.host.misses(adapter) is not None:
            return None
        telling = (one for one in adapter.denoiser if any(any(like[:3]) for like in one.alike))
        first = next(telling, None)
        if first is None:
            return None
        count = sum(len(one.modules) for one in adapter.denoiser)
        widths = f"{sorted(first.inputs)} -> {sorted(first.outputs)}"
        return Found(first.example, f"{widths}, one of {count} modules, all {self.host.id}'s")

    def __str__(self) -> str:
        return f"an adapter whose every module is one of {self.host.id}'s"


_MOST = 0.5
"""Share of a stack's blocks from which an adapter is one of the whole stack."""


@dataclass(frozen=True)
class Spans:
    """The file adapts a stack up to its last block, and most of the blocks before.

    For stacks that a longer one has all modules of: whoever adapts the longer would go on.
    """

    modules: str
    """`model:path` with `_` between the steps; `*` for anything."""
    blocks: int
    """How many blocks the stack has; their number is the first in a path."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        numbers = {
            one[0]
            for path, target in facts.targets.items()
            if fnmatchcase(path, self.modules)
            for one in target.modules
            if one
        }
        if max(numbers, default=0) != self.blocks - 1 or len(numbers) < _MOST * self.blocks:
            return None
        return Found(self.modules, f"{len(numbers)} of {self.blocks} blocks")

    def __str__(self) -> str:
        return f"an adapter of most of {self.blocks} blocks of `{self.modules}`"
