"""What an ONNX graph takes and gives: exporters rename its weights, and keep the names of these."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.identify.side import Side

__all__ = ["Port"]


@dataclass(frozen=True)
class Port:
    """The graph has an input or output of this name, one side of which has one of these numbers.

    Only in ONNX: to other containers the same words in their metadata mean nothing.
    """

    name: str
    """`input:NAME` or `output:NAME`."""
    side: int = -1
    """Place of the side, counted from the end where negative."""
    width: Side = None
    """What the side must be. An exporter may leave a side open: then it is no such number."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        sides = facts.ports.get(self.name)
        if sides is None:
            return None
        if self.width is not None:
            wanted = self.width if isinstance(self.width, tuple) else (self.width,)
            is_there = -len(sides) <= self.side < len(sides)
            if not is_there or sides[self.side] not in map(str, wanted):
                return None
        return Found(self.name, f"[{', '.join(sides)}]")

    def __str__(self) -> str:
        kind, _, name = self.name.partition(":")
        words = f"an ONNX {kind} `{name}`"
        if self.width is None:
            return words
        wide = self.width if isinstance(self.width, tuple) else (self.width,)
        return f"{words} whose side {self.side} is {'/'.join(map(str, wide))}"
