"""An adapter is its targets: every trainer's names mapped to modules with their widths."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from modelshelf.identify.adapter_names import AdapterNaming, ending_of
from modelshelf.identify.adapter_target import DENOISERS, Collection, Piece, Target
from modelshelf.identify.adapter_widths import COMPANIONS, network_of
from modelshelf.identify.layout import Layout

__all__ = ["WORD", "Adapter", "find_adapter"]

WORD = re.compile("[A-Za-z]+")
"""A word in a path, whether dots or underscores join its steps."""


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
        own = (one for one in self.targets.values() if one.model in DENOISERS)
        return tuple(sorted(own, key=lambda one: one.path))

    @cached_property
    def words(self) -> frozenset[str]:
        """Words in the paths of a denoiser's targets: a host that lacks one of them lacks its module."""
        return frozenset(WORD.findall("\n".join([one.path for one in self.denoiser])))

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
    collection = Collection(layout)
    scaled = {name.removesuffix(".on_input") for name in layout.folded if ".on_input" in name}
    kinds: set[str] = set()
    total, others = sum(map(len, layout.folded.values())), 0
    # In order of text, as a file may list its tensors in any.
    for folded, names in sorted(layout.folded.items()):
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


def _piece_of(folded: str, names: list[str], scaled: Container[str]) -> Piece | None:
    """Return the tensors *names* as a piece of an adapter; None where they are none.

    Args:
        folded: What they are folded to.
        names: All of them.
        scaled: Modules whose inputs are scaled.
    """
    found = ending_of(folded)
    if found is not None:
        return Piece(names, found.kind, len(folded) - found.start, found.module)
    if folded.removesuffix(".weight") in scaled:
        return Piece(names, "ia3_l", len(".weight"), "")
    return None


def _naming(namings: set[AdapterNaming], layout: Layout) -> AdapterNaming:
    """Choose by the denoiser's names, as several trainers name text encoders the same way."""
    if any(name.startswith("bundle_emb.") for name in layout.folded):
        return AdapterNaming.ONETRAINER
    return min(namings, key=list(AdapterNaming).index)
