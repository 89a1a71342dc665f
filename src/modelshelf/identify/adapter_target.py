"""Modules that an adapter changes, gathered from the pieces that its tensors are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from math import prod
from typing import NamedTuple

from modelshelf.identify.adapter_names import (
    AdapterNaming,
    Cut,
    Numbered,
    Place,
    cut_of,
    fold_path,
    numbers_by_cut,
    numbers_of_all,
    place_of,
)
from modelshelf.identify.adapter_widths import Widths
from modelshelf.identify.layout import Layout
from modelshelf.identify.packing import Shape

__all__ = ["DENOISERS", "Collection", "Piece", "Target"]

DENOISERS = frozenset({"denoiser", "prior"})
"""Models of a pipeline that remove noise, as targets name them."""


@dataclass
class Target:
    """All adapted modules of one model whose paths differ in numbers only."""

    model: str
    """`denoiser`, `text_1`, …"""
    path: str
    """Folded path; steps joined by dots, or by underscores where the file joins them so."""
    is_flat: bool
    """True where underscores join the steps."""
    names: list[str] = field(default_factory=list)
    """Tensors that adapt them."""
    modules: dict[tuple[int, ...], Widths] = field(default_factory=dict)
    """Numbers in the path → what the tensors tell about the module there; one value for modules that
    are alike."""
    contradictions: list[tuple[tuple[int, ...], Widths]] = field(default_factory=list)
    """What else they tell about a module that is named twice, by the same numbers."""

    inputs: set[int] = field(default_factory=set)
    """Input widths that occur; empty where the tensors do not tell."""
    outputs: set[int] = field(default_factory=set)
    """Output widths that occur."""
    ranks: set[int] = field(default_factory=set)
    """Dimensions of the weights: 2 for linear layers, 4 for convolutions."""
    alike: dict[tuple[int, int, int, int], set[tuple[int, ...]]] = field(default_factory=dict)
    """What modules are like, as `Widths.key` → the numbers of those that are."""

    @cached_property
    def example(self) -> str:
        """The first name in order of text."""
        return min(self.names)

    @property
    def flat(self) -> str:
        """The folded path with underscores between the steps."""
        return self.path.replace(".", "_")

    def highest(self, step: int) -> int:
        """Return the largest number at place *step* among the numbers of a path; -1 without."""
        return max((one[step] for one in self.modules if len(one) > step), default=-1)

    def take(self, numbers: Sequence[tuple[int, ...]], widths: Iterable[Widths]) -> None:
        """Take what the tensors tell about the modules under *numbers*.

        A module that two names or two pieces describe differently is both: whatever has it must fit
        either, and nobody is chosen by the order of a file.
        """
        each = list(widths)
        found = dict(zip(numbers, each, strict=True))
        if len(found) == len(numbers):
            if not self.modules:
                self.modules = found
                return
            if self.modules.keys().isdisjoint(found):
                self.modules |= found
                return
        for one, own in zip(numbers, each, strict=True):
            known = self.modules.setdefault(one, own)
            if (known.key, known.rank) != (own.key, own.rank):
                self.contradictions.append((one, own))

    def settle(self) -> Iterable[Widths]:
        """Work out what all modules tell together, once they are all there; return each that differs."""
        kinds = dict.fromkeys(self.modules.values())
        if len(kinds) == 1:
            self.alike[next(iter(kinds)).key] = set(self.modules)
        else:
            keys = {widths: widths.key for widths in kinds}
            for numbers, widths in self.modules.items():
                self.alike.setdefault(keys[widths], set()).add(numbers)
        for numbers, widths in self.contradictions:
            kinds[widths] = None
            self.alike.setdefault(widths.key, set()).add(numbers)
        inputs, outputs, _, dimensions = zip(*self.alike, strict=True)
        self.inputs = {one for one in inputs if one}
        self.outputs = {one for one in outputs if one}
        self.ranks = {one for one in dimensions if one}
        return kinds


class Piece(NamedTuple):
    """All tensors that are the same piece of modules whose paths differ in numbers only."""

    names: list[str]
    kind: str
    tail: int
    """Length of the ending that makes them pieces."""
    module: str
    """Steps that the ending hides."""


class Collection:
    """The pieces of one file, put to the modules that they adapt."""

    def __init__(self, layout: Layout) -> None:
        self.targets: dict[str, Target] = {}
        """As `Adapter.targets`, unsorted."""
        self.namings: dict[bool, set[AdapterNaming]] = {True: set(), False: set()}
        """Whose names pieces have: those of a denoiser, and all others."""
        self._shapes = layout.shapes
        self._is_plain = layout.is_plain
        self._numbered: Numbered = {}
        self._stems: dict[str, _Stems] = {}
        self._places: dict[str, tuple[Place, str, Cut | None]] = {}
        """By the beginning of a name, which the pieces of a module share."""

    def add(self, piece: Piece) -> None:
        """Add the pieces to the modules that they adapt."""
        rotated: dict[str, Shape] = {}
        if piece.names[0][-1].isdigit() and piece.kind == "oft_blocks":
            piece, rotated = _joined(piece, self._shapes.of)
            if not piece.names:
                return
        tail = piece.tail
        example = piece.names[0]
        place, folded, cut = self._place(example[:-tail])
        prefix = example[: place.start]
        if cut is None and not all(name.startswith(prefix) for name in piece.names):
            # Encoders that are numbered differ in a number, too, and are different models.
            others = [name for name in piece.names if not name.startswith(prefix)]
            self.add(piece._replace(names=others))
            piece = piece._replace(names=[one for one in piece.names if one.startswith(prefix)])
        implied: tuple[int, ...] = ()
        if piece.module:
            block, _, layer = folded.rpartition(".")
            folded = f"{block}.{piece.module}.{layer}"
        elif folded.endswith(".to_out") and example.startswith("_lora", len(example) - tail):
            # Older diffusers left out that a list of two holds it.
            folded, implied = f"{folded}.#", (0,)
        key = f"{place.model}:{folded.replace('.', '_')}"
        target = self.targets.get(key)
        if target is None:
            target = self.targets[key] = Target(place.model, folded, place.is_flat)
        target.names += piece.names
        written = prefix + folded
        own = self._stems.get(written)
        if own is None:
            own = self._stems[written] = _Stems(target, place.start, implied)
        names = piece.names
        shapes = list(map(rotated.get, names)) if rotated else self._shapes.of_each(names)
        if not all(shapes):
            shapes = [shape or () for shape in shapes]
        numbers = numbers_by_cut(piece.names, cut, tail, self._numbered) if cut else None
        own.pieces.append(_Alike(piece.kind, piece.names, numbers, shapes, cut, tail))
        naming = _naming_of(place.naming, example, piece)
        self.namings[place.model in DENOISERS].add(naming)

    def number(self) -> None:
        """Enter all modules into their targets, once all pieces are there."""
        told: dict[tuple[str, ...], _Told] = {}
        for one in self._stems.values():
            one.number(self._numbered, told)

    def _place(self, stem: str) -> tuple[Place, str, Cut | None]:
        """Return which module the tensors mean that begin with *stem*, its folded path and numbers."""
        found = self._places.get(stem)
        if found is None:
            place = place_of(stem)
            written = fold_path(stem[place.start :])
            cut = cut_of(stem[: place.start], written) if self._is_plain else None
            path = written.replace(".processor.", ".")
            if place.is_flat:
                # Some join the block alone by underscores, some write one more behind the module.
                path = path.replace(".", "_").removesuffix("_")
            found = self._places[stem] = place, path, cut
        return found


@dataclass(slots=True)
class _Stems:
    """Tensors of one target before their endings are taken off, all behind the same prefix."""

    target: Target
    start: int
    """Where paths begin."""
    implied: tuple[int, ...]
    """Numbers that the names leave out."""
    pieces: list[_Alike] = field(default_factory=list)

    def number(self, numbered: Numbered, told: dict[tuple[str, ...], _Told]) -> None:
        """Enter each module under the numbers of its path.

        Modules are many and alike: what their pieces tell is worked out once for all whose pieces
        have the same shapes.

        Args:
            numbered: Of `numbers_of_all`.
            told: Kinds of pieces → what they tell; grows.
        """
        for pieces in _once_each(self.pieces):
            numbers, columns = _alike(pieces) or self._apart(pieces, numbered)
            kinds = tuple([piece.kind for piece in pieces])
            known = told.get(kinds) or told.setdefault(kinds, _Told(kinds))
            if self.implied:
                numbers = [one + self.implied for one in numbers]
            self.target.take(numbers, map(known.__getitem__, zip(*columns, strict=True)))

    def _apart(self, pieces: list[_Alike], numbered: Numbered) -> _Table:
        """Return numbers and shapes where some modules lack a piece that others have."""
        by_stem = [
            {name[: -one.tail]: shape for name, shape in zip(one.names, one.shapes, strict=True)}
            for one in pieces
        ]
        stems = list(dict.fromkeys(chain.from_iterable(by_stem)))
        numbers = numbers_of_all([stem[self.start :] for stem in stems], numbered)
        return numbers, [map(shapes.get, stems) for shapes in by_stem]


class _Alike(NamedTuple):
    """The tensors that are the same piece of many modules."""

    kind: str
    """Which piece."""
    names: list[str]
    """What they are called."""
    numbers: list[tuple[int, ...]] | None
    """The numbers of each; the same list for pieces of the same modules. None where names differ in
    more."""
    shapes: list[Shape]
    """Their shapes, in the same order."""
    cut: Cut | None
    """Where the numbers stand."""
    tail: int
    """Length of the ending that makes them pieces."""


_Table = tuple[list[tuple[int, ...]], list[Iterable[Shape]]]
"""The numbers of modules, and for each piece its shapes."""


def _once_each(pieces: list[_Alike]) -> Iterable[list[_Alike]]:
    """Return *pieces* in lists that have each kind once: PEFT may keep several adapters of a module."""
    if len({piece.kind for piece in pieces}) == len(pieces):
        return (pieces,)
    turns: dict[str, int] = {}
    rounds: dict[int, list[_Alike]] = {}
    for piece in pieces:
        turn = turns[piece.kind] = turns.get(piece.kind, -1) + 1
        rounds.setdefault(turn, []).append(piece)
    return rounds.values()


def _alike(pieces: list[_Alike]) -> _Table | None:
    """Return numbers and shapes where every module has every piece; None where that is in doubt."""
    first, cut = pieces[0].numbers, pieces[0].cut
    if first is None or any(one.numbers is not first or one.cut != cut for one in pieces):
        return None
    return first, [piece.shapes for piece in pieces]


def _joined(piece: Piece, shape_of: Callable[[str], Shape]) -> tuple[Piece, dict[str, Shape]]:
    """Return one rotation for each module whose parts are rotated apart, and how wide it is.

    kohya does so with the heads of fused attentions: `oft_blocks.0` to `oft_blocks.2` are one module.
    """
    parts: dict[str, list[str]] = {}
    for name in piece.names:
        parts.setdefault(name[: name.rindex(".")], []).append(name)
    sides: dict[str, int] = {}
    for own in parts.values():
        shapes = [shape_of(name) or () for name in own]
        # The least number stands for all, and has as many digits as the ending that was looked for.
        sides[min(own, key=lambda one: (len(one), one))] = sum(
            prod(shape[-3:-1]) for shape in shapes if len(shape) == _ROTATION
        )
    sides = {name: side for name, side in sides.items() if name[-2] == "."}
    return piece._replace(names=list(sides)), {one: (1, side, side) for one, side in sides.items()}


_ROTATION = 3
"""Dimensions of a rotation in blocks."""


class _Told(dict[tuple[Shape, ...], Widths]):
    """Shapes of pieces of some kinds → what they tell; None where a module has no such piece."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__()
        self._kinds = kinds

    def __missing__(self, shapes: tuple[Shape, ...]) -> Widths:
        widths = self[shapes] = Widths()
        for kind, shape in zip(self._kinds, shapes, strict=True):
            if shape is not None:
                Widths.adder(kind)(widths, shape)
        widths.settle()
        return widths


def _naming_of(naming: AdapterNaming, name: str, piece: Piece) -> AdapterNaming:
    ending = name[len(name) - piece.tail :]
    if piece.module or (".processor." in name and "_blocks." in name and "qkv" in name):
        return AdapterNaming.XLABS
    is_old = ".processor." in name or ending.startswith((".lora.", ".lora_linear"))
    if is_old and naming in {AdapterNaming.PEFT, AdapterNaming.ORIGINAL}:
        return AdapterNaming.DIFFUSERS
    return naming
