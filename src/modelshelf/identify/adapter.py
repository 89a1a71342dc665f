"""An adapter is its targets: every trainer's names mapped to modules with their widths."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from modelshelf.identify.adapter_names import (
    AdapterNaming,
    Cut,
    Numbered,
    Place,
    cut_of,
    ending_of,
    fold_path,
    numbers_by_cut,
    numbers_of_all,
    place_of,
)
from modelshelf.identify.adapter_widths import COMPANIONS, Widths, network_of
from modelshelf.identify.layout import Layout
from modelshelf.identify.packing import Shape

__all__ = ["Adapter", "AdapterNaming", "Target", "find_adapter"]


_DENOISERS = frozenset({"denoiser", "prior"})


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

    inputs: set[int] = field(default_factory=set)
    """Input widths that occur; empty where the tensors do not tell."""
    outputs: set[int] = field(default_factory=set)
    """Output widths that occur."""
    ranks: set[int] = field(default_factory=set)
    """Dimensions of the weights: 2 for linear layers, 4 for convolutions."""
    alike: dict[tuple[int, int, int, int], list[tuple[int, ...]]] = field(default_factory=dict)
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

    def settle(self) -> Iterable[Widths]:
        """Work out what all modules tell together, once they are all there; return each that differs."""
        same: dict[Widths, list[tuple[int, ...]]] = {}
        kinds = dict.fromkeys(self.modules.values())
        if len(kinds) == 1:
            same[next(iter(kinds))] = list(self.modules)
        else:
            for numbers, widths in self.modules.items():
                same.setdefault(widths, []).append(numbers)
        for widths, modules in same.items():
            self.alike.setdefault(widths.key, []).extend(modules)
        inputs, outputs, _, dimensions = zip(*self.alike, strict=True)
        self.inputs = {one for one in inputs if one}
        self.outputs = {one for one in outputs if one}
        self.ranks = {one for one in dimensions if one}
        return kinds


@dataclass(frozen=True)
class Adapter:
    """What a file adapts, and how."""

    targets: Mapping[str, Target]
    """`model:path` with `_` between the steps → target."""
    naming: AdapterNaming
    """Whose names it follows."""
    network: str
    """`lora`, `locon`, `dora`, `adalora`, `loha`, `lokr`, `oft`, `glora`, `ia3` or `full`."""
    rank: str
    """Inner dimension of its matrices, `mixed`, or empty where the kind has none."""
    strangers: dict[object, Target | None] = field(default_factory=dict, compare=False)
    """Host → a target that is none of its modules, or None where all are; of hosts asked for so far."""

    @cached_property
    def denoiser(self) -> tuple[Target, ...]:
        """Targets in a denoiser, sorted by path."""
        own = (one for one in self.targets.values() if one.model in _DENOISERS)
        return tuple(sorted(own, key=lambda one: one.path))

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """What an identity tells beside the base."""
        told = (("layout", self.naming.value), ("network", self.network), ("rank", self.rank))
        return tuple(one for one in told if one[1])


# Enough of a name to look closer: most models are no adapters, and are told so quickly.
_TELLING = (
    *("lora", "hada_", "lokr_", "oft_", "boft_", ".diff", ".w_norm\n", ".set_weight\n"),
    *(".ia3_l\n", ".on_input\n", ".b2.weight\n"),
)
_MOST = 4096
"""Targets from which a file is nonsense: the largest denoisers have a few hundred different paths."""


def find_adapter(layout: Layout) -> Adapter | None:
    """Return what the tensors adapt, or None where they are no adapter.

    Most of an adapter's tensors must be pieces of one: quantised models carry a few low-rank pairs
    beside every weight, and are models still.
    """
    if not any(mark in layout.text for mark in _TELLING):
        return None
    collection = _Collection(layout)
    scaled = {name.removesuffix(".on_input") for name in layout.folded if ".on_input" in name}
    kinds: set[str] = set()
    total, others = sum(map(len, layout.folded.values())), 0
    for folded, names in layout.folded.items():
        piece = _piece_of(folded, names, scaled)
        if piece is None:
            others += len(names)
            if 2 * others >= total:
                return None
            continue
        if len(collection.targets) > _MOST:
            return None
        kinds.add(piece.kind)
        if piece.kind not in COMPANIONS:
            collection.add(piece)
    targets = collection.targets
    if not targets:
        return None
    collection.number()
    every = set(chain.from_iterable(target.settle() for target in targets.values()))
    ranks = {one.rank for one in every if one.rank}
    return Adapter(
        dict(sorted(targets.items())),
        _naming(collection.namings[True] or collection.namings[False], layout),
        network_of(kinds, every),
        "mixed" if len(ranks) > 1 else str(min(ranks, default="")),
    )


class _Piece(NamedTuple):
    """All tensors that are the same piece of modules whose paths differ in numbers only."""

    names: list[str]
    kind: str
    tail: int
    """Length of the ending that makes them pieces."""
    module: str
    """Steps that the ending hides."""


def _piece_of(folded: str, names: list[str], scaled: Container[str]) -> _Piece | None:
    """Return the tensors *names* as a piece of an adapter; None where they are none.

    Args:
        folded: What they are folded to.
        names: All of them.
        scaled: Modules whose inputs are scaled.
    """
    found = ending_of(folded)
    if found is not None:
        return _Piece(names, found.kind, len(folded) - found.start, found.module)
    if folded.removesuffix(".weight") in scaled:
        return _Piece(names, "ia3_l", len(".weight"), "")
    return None


@dataclass(slots=True)
class _Stems:
    """Tensors of one target before their endings are taken off, all behind the same prefix."""

    target: Target
    start: int
    """Where paths begin."""
    implied: tuple[int, ...]
    """Numbers that the names leave out."""
    pieces: list[_Alike] = field(default_factory=list)

    def number(self, numbered: Numbered, told: _Told) -> None:
        """Enter each module under the numbers of its path.

        Modules are many and alike: what their pieces tell is worked out once for all whose pieces
        have the same shapes.

        Args:
            numbered: Of `numbers_of_all`.
            told: What pieces of known shapes tell; grows.
        """
        numbers, columns = self._alike() or self._apart(numbered)
        kinds = tuple([piece.kind for piece in self.pieces])
        known = told.setdefault(kinds, {})
        rows = list(zip(*columns, strict=True))
        for row in set(rows) - known.keys():
            known[row] = _widths(kinds, row)
        if self.implied:
            numbers = [one + self.implied for one in numbers]
        self.target.modules.update(zip(numbers, map(known.__getitem__, rows), strict=True))

    def _alike(self) -> _Table | None:
        """Return numbers and shapes where every module has every piece; None where that is in doubt."""
        first, cut = self.pieces[0].numbers, self.pieces[0].cut
        if first is None or any(one.numbers is not first or one.cut != cut for one in self.pieces):
            return None
        return first, [piece.shapes for piece in self.pieces]

    def _apart(self, numbered: Numbered) -> _Table:
        """Return numbers and shapes where some modules lack a piece that others have."""
        by_stem = [
            {name[: -one.tail]: shape for name, shape in zip(one.names, one.shapes, strict=True)}
            for one in self.pieces
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
_Told = dict[tuple[str, ...], dict[tuple[Shape, ...], Widths]]
"""Kinds of pieces → their shapes → what they tell."""


def _widths(kinds: Sequence[str], shapes: Sequence[Shape]) -> Widths:
    """Return what pieces of these shapes tell; None where the module has no such piece."""
    widths = Widths()
    for kind, shape in zip(kinds, shapes, strict=True):
        if shape is not None:
            Widths.adder(kind)(widths, shape)
    widths.settle()
    return widths


class _Collection:
    """The pieces of one file, put to the modules that they adapt."""

    def __init__(self, layout: Layout) -> None:
        self.targets: dict[str, Target] = {}
        """As `Adapter.targets`, unsorted."""
        self.namings: dict[bool, set[AdapterNaming]] = {True: set(), False: set()}
        """Whose names pieces have: those of a denoiser, and all others."""
        self._shape_of = layout.shape_of
        self._is_plain = layout.is_plain
        self._numbered: Numbered = {}
        self._stems: dict[str, _Stems] = {}
        self._places: dict[str, tuple[Place, str, Cut | None]] = {}
        """By the beginning of a name, which the pieces of a module share."""

    def add(self, piece: _Piece) -> None:
        """Add the pieces to the modules that they adapt."""
        tail = piece.tail
        example = piece.names[0]
        place, folded, cut = self._place(example[:-tail])
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
        written = example[: place.start] + folded
        own = self._stems.get(written)
        if own is None:
            own = self._stems[written] = _Stems(target, place.start, implied)
        shapes: list[Shape] = list(map(self._shape_of, piece.names))
        if not all(shapes):
            shapes = [shape or () for shape in shapes]
        numbers = numbers_by_cut(piece.names, cut, tail, self._numbered) if cut else None
        own.pieces.append(_Alike(piece.kind, piece.names, numbers, shapes, cut, tail))
        naming = _naming_of(place.naming, example, piece)
        self.namings[place.model in _DENOISERS].add(naming)

    def number(self) -> None:
        """Enter all modules into their targets, once all pieces are there."""
        told: _Told = {}
        for one in self._stems.values():
            one.number(self._numbered, told)

    def _place(self, stem: str) -> tuple[Place, str, Cut | None]:
        """Return which module the tensors mean that begin with *stem*, its folded path and numbers."""
        found = self._places.get(stem)
        if found is None:
            place = place_of(stem)
            path = fold_path(stem[place.start :].replace(".processor.", "."))
            cut = cut_of(stem, place.start) if self._is_plain else None
            found = self._places[stem] = place, path, cut
        return found


def _naming_of(naming: AdapterNaming, name: str, piece: _Piece) -> AdapterNaming:
    ending = name[len(name) - piece.tail :]
    if piece.module or (".processor." in name and "_blocks." in name and "qkv" in name):
        return AdapterNaming.XLABS
    is_old = ".processor." in name or ending.startswith((".lora.", ".lora_linear"))
    if is_old and naming in {AdapterNaming.PEFT, AdapterNaming.ORIGINAL}:
        return AdapterNaming.DIFFUSERS
    return naming


def _naming(namings: set[AdapterNaming], layout: Layout) -> AdapterNaming:
    """Choose by the denoiser's names, as several trainers name text encoders the same way."""
    if any(name.startswith("bundle_emb.") for name in layout.folded):
        return AdapterNaming.ONETRAINER
    return min(namings, key=list(AdapterNaming).index)
