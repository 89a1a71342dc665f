"""One form for all names: wrappers stripped, block numbers folded, parts of a bundle apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import gcd

from modelshelf.identify.folding import group_by_fold
from modelshelf.identify.packing import PACKED, RENAMED, is_companion, may_serve, weight_name
from modelshelf.identify.shapes import Shapes
from modelshelf.identify.wrapper import Part, are_bare, unwrap_all, without_frame
from modelshelf.schema.tensor import TensorIndex

__all__ = ["Group", "Layout", "Part"]


_LEADING = (Part.CONTROL, Part.DENOISER)
_FOLLOWING = (Part.VAE, Part.TEXT, Part.SOUND)

_ODD = ("#", ":", "\n")
"""Characters with which names that differ may be folded to one."""
_FIRST_NUMBER = re.compile(r"(?<=[._:])[0-9]{1,9}(?=[._:]|$)")
_LONGEST_NAME = 512
"""Characters. Published names have at most half; no rule knows longer ones, and looking costs time."""


class Group:
    """All tensors of one part whose names differ in numbers only."""

    __slots__ = ("_all_shapes", "_shapes", "names")

    def __init__(self, shapes: Shapes, names: Sequence[str]) -> None:
        self.names = names
        """As they stand in the file."""
        # Not the layout itself: what holds each other lives on until Python looks for cycles, and that
        # takes longer than any header.
        self._all_shapes = shapes
        self._shapes: frozenset[tuple[int, ...]] | None = None

    @property
    def shapes(self) -> frozenset[tuple[int, ...]]:
        """Every shape that occurs, unpacked; empty where packing hides them all."""
        if self._shapes is None:
            self._shapes = self._all_shapes.among(self.names)
        return self._shapes

    @property
    def sizes(self) -> frozenset[int]:
        """How many numbers those have of which packing hides the shape and leaves that."""
        return self._all_shapes.sizes_among(self.names)

    @property
    def example(self) -> str:
        """The first name in order of text, whatever the order in the file."""
        return min(self.names)

    def exactly(self, name: str) -> Group:
        """Return only those that are called *name* behind their wrapper, unpacked; `#` is any number."""
        if "#" in name:
            wanted = re.compile(r"(?:.*\.)?" + re.escape(name).replace(r"\#", "[0-9]+"))
            found = [own for own in self.names if wanted.fullmatch(weight_name(own))]
        else:
            tail = f".{name}"
            found = [own for own in self.names if f".{weight_name(own)}".endswith(tail)]
        return Group(self._all_shapes, found)

    def highest(self) -> int:
        """Return the largest first number in the names, counted from 0; -1 where there is none."""
        return max(self._numbers(), default=-1)

    def length(self) -> int:
        """Return how long the list is that the first numbers count: every second number is one too."""
        numbers = self._numbers()
        first = min(numbers, default=0)
        step = gcd(*(number - first for number in numbers))
        return (self.highest() - first) // step + 1 if step > 1 else self.highest() + 1

    def _numbers(self) -> list[int]:
        found = map(_FIRST_NUMBER.search, self.names)
        return [int(one[0]) for one in found if one]


class Layout:
    """The tensors of an index by part and folded name; what every rule looks at.

    Scales and other companions of quantised weights stand apart, so that a rule sees the same model
    whatever it was quantised with.
    """

    def __init__(self, index: TensorIndex) -> None:
        self.index = index
        self.dtypes = index.dtypes
        """Every dtype that occurs."""
        self.shapes = Shapes(index, may_hide=not PACKED.isdisjoint(self.dtypes))
        """What shapes they have, unpacked."""
        self.folded: dict[str, list[str]] = {}
        """Folded name, with the wrappers that name a part → names; without the copies (EMA)."""
        self.companions: dict[str, list[str]] = {}
        """The same for tensors that only serve a quantised weight."""
        self._is_framed = False
        self._parts: dict[Part, dict[str, Group]] = {}
        everything = group_by_fold(list(index.tensors), longest=_LONGEST_NAME)
        lasts = {folded[folded.rfind(".") + 1 :] for folded in everything}
        has_companions, is_bare = any(map(may_serve, lasts)), are_bare(everything)
        # Most adapters and many models have nothing that is put apart or taken off.
        if is_bare and not has_companions:
            self.folded = everything
        else:
            self._sort_out(everything, has_companions=has_companions)
        if is_bare and lasts.isdisjoint(RENAMED) and self.folded:
            self._parts[Part.BARE] = {
                folded: Group(self.shapes, own) for folded, own in self.folded.items()
            }
        else:
            self._take_apart()

    def _sort_out(self, everything: Mapping[str, list[str]], *, has_companions: bool) -> None:
        """Put companions apart, and take frames off."""
        for folded, names in everything.items():
            framed = without_frame(folded)
            self._is_framed |= framed != folded
            if has_companions and self._are_companions(folded, names, everything):
                self.companions.setdefault(framed, []).extend(names)
            elif framed in self.folded:
                self.folded[framed] = [*self.folded[framed], *names]
            else:
                self.folded[framed] = names

    def _are_companions(
        self, folded: str, names: list[str], everything: Mapping[str, list[str]]
    ) -> bool:
        """Say whether *names* serve others: in one list a layer may scale and the next one weigh."""
        return is_companion(folded, everything) and any(
            is_companion(name, self.index.tensors) for name in names
        )

    def _take_apart(self) -> None:
        """Put every tensor into its part of the bundle, the copies aside."""
        framings = self.folded
        self.folded = {}
        for (framed, names), (part, stripped) in zip(
            framings.items(), unwrap_all(framings), strict=True
        ):
            if part is not Part.EMA:
                self.folded[framed] = names
            groups = self._parts.get(part)
            if groups is None:
                groups = self._parts[part] = {}
            own = weight_name(stripped)
            group = groups.get(own)
            if group is None:
                groups[own] = Group(self.shapes, names)
            else:
                group.names = [*group.names, *names]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that wrappers name, sorted."""
        return tuple(sorted(part for part in self._parts if part is not Part.BARE))

    @cached_property
    def leading(self) -> Part:
        """The part that speaks for the whole file: a denoiser before its VAE and text encoders.

        What no wrapper names speaks where it is most of the rest; a few loose tensors do not.
        """
        first = next((part for part in _LEADING if part in self._parts), None)
        if first is not None:
            return first
        others = [part for part in _FOLLOWING if part in self._parts]
        if others and self._size(Part.BARE) <= sum(self._size(part) for part in others):
            return others[0]
        # A copy speaks where there is nothing else.
        return Part.BARE if Part.BARE in self._parts or Part.EMA not in self._parts else Part.EMA

    def groups(self, part: Part) -> Mapping[str, Group]:
        """Return the groups of *part* by folded name without wrappers."""
        return self._parts.get(part, {})

    @cached_property
    def text(self) -> str:
        """Every folded name without its wrappers, whatever its part, each between line ends."""
        names = (name for groups in self._parts.values() for name in groups)
        return "\n" + "\n".join(names) + "\n"

    @cached_property
    def is_plain(self) -> bool:
        """True where the names of a group differ in the numbers that are steps, and in nothing else."""
        if self._is_framed:
            return False
        text = "".join(self.index.tensors)
        return not any(one in text for one in _ODD)

    def _size(self, part: Part) -> int:
        return sum(len(group.names) for group in self.groups(part).values())
