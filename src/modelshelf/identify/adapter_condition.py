"""What a rule can ask of an adapter: the modules that it changes, and whose names it follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property

from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.adapter_target import Target
from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.identify.side import Side, are_sides, side_words

__all__ = ["Adapts", "Named", "longest_literal"]


@dataclass(frozen=True)
class Adapts:
    """The file adapts modules of this path; where the tensors tell widths, these."""

    module: str
    """`model:path` with `_` between the steps, as `find_targets` writes it; `*` for anything."""
    inputs: Side = None
    """Input widths, every one of them."""
    outputs: Side = None
    """Output widths, every one of them."""
    rank: int | None = None
    """Dimensions of the weights: 2 linear, 4 convolution."""
    below: int | None = None
    """Every first number in the paths is smaller than this."""
    reaches: tuple[int, int] | None = None
    """Place of a number in the paths, counted from 0, and what the largest there must reach."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        piece, matches = self._piece, self._matches
        if piece not in facts.target_text:
            return None
        # The piece is looked for first, because a pattern takes longer to see that it does not match.
        found = [
            target
            for module, target in facts.targets.items()
            if piece in module and matches(module)
        ]
        if not found or not all(map(self._fits, found)) or self._stays(found):
            return None
        inputs = sorted(set().union(*[target.inputs for target in found]))
        outputs = sorted(set().union(*[target.outputs for target in found]))
        return Found(min(target.example for target in found), f"{inputs} -> {outputs}")

    @cached_property
    def _piece(self) -> str:
        return longest_literal(self.module)

    @cached_property
    def _matches(self) -> Callable[[str], re.Match[str] | None]:
        # fnmatch keeps its last few hundred patterns; there are more, and each is asked per file.
        return re.compile(translate(self.module)).match

    def _fits(self, target: Target) -> bool:
        return (
            are_sides(target.inputs, self.inputs)
            and are_sides(target.outputs, self.outputs)
            and (self.rank is None or target.ranks == {self.rank})
            and (self.below is None or target.highest(0) < self.below)
        )

    def _stays(self, found: list[Target]) -> bool:
        if self.reaches is None:
            return False
        place, number = self.reaches
        return all(target.highest(place) < number for target in found)

    def __str__(self) -> str:
        words = [f"an adapter of `{self.module}`"]
        words += [f"from {side_words(self.inputs)}"] if self.inputs is not None else []
        words += [f"to {side_words(self.outputs)}"] if self.outputs is not None else []
        words += [f"with {self.rank} dimensions"] if self.rank is not None else []
        words += [f"numbered below {self.below}"] if self.below is not None else []
        words += (
            [f"whose number {self.reaches[0]} reaches {self.reaches[1]}"] if self.reaches else []
        )
        return " ".join(words)


@dataclass(frozen=True)
class Named:
    """The adapter follows these names."""

    naming: AdapterNaming

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        return Found("names", self.naming.value) if facts.naming is self.naming else None

    def __str__(self) -> str:
        return f"names in the way of {self.naming.value}"


def longest_literal(pattern: str) -> str:
    """Return the longest stretch of *pattern* that stands for itself: what it matches has it.

    Example:
        >>> longest_literal("denoiser:*_attn2_to_[kv]")
        '_attn2_to_'
    """
    return max(re.split(r"[*?]|\[[^\]]*\]", pattern), key=len)
