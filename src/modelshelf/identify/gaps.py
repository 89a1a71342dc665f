"""What a file lacks of the model that it is part of: shards, and blocks of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Family
from modelshelf.identify.layout import Group
from modelshelf.schema.identity import Evidence
from modelshelf.schema.taxonomy import ModelType

__all__ = ["find_gaps"]

_FIRST_NUMBER = re.compile(r"(?<=\.)[0-9]+(?=\.)")
_QUORUM = 0.8
"""Share of a list's blocks from which a file is the model, and not a part of it."""
_LIST = 8
"""Blocks from which a list that nobody declared is looked at: shorter ones skip numbers by design."""
_WHOLE = frozenset(
    {
        ModelType.MAIN,
        ModelType.VAE,
        ModelType.CONTROLNET,
        ModelType.CLIP_EMBED,
        ModelType.CLIP_VISION,
        ModelType.T5_ENCODER,
        ModelType.TEXT_ENCODER,
        ModelType.UNET,
        ModelType.TRANSFORMER,
    }
)
"""Types that come with all their blocks. An adapter leaves out whatever it likes."""


def find_gaps(facts: Facts, families: list[Family]) -> tuple[Evidence, ...]:
    """Return one observation for each missing shard and for each list that lacks blocks.

    Args:
        facts: What was read.
        families: Those that agree; their declared counts come first, and for all other lists the
            highest number says how many there should be.
    """
    missing = tuple(
        Evidence("shards", name, "missing") for name in sorted(facts.layout.index.missing_shards)
    )
    if not all(family.type in _WHOLE for family in families):
        return missing
    declared = dict(blocks for family in families for blocks in family.blocks)
    return missing + tuple(
        Evidence("blocks", path, f"{have} of {whole}")
        for path, have, whole in _lists(facts.groups, declared)
        if have < _QUORUM * whole
    )


def _lists(
    groups: Mapping[str, Group], declared: Mapping[str, int]
) -> Iterator[tuple[str, int, int]]:
    """Yield each list of blocks: its folded path, how many blocks are there and should be."""
    fullest: dict[str, str] = {}
    for folded, group in groups.items():
        path, _, rest = folded.partition(".#.")
        # One number in the name: so many tensors are so many blocks. A block has parts: what has a
        # weight of its own is a layer of a `Sequential`, which counts its activations too.
        if "#" not in rest and "." in rest:
            best = fullest.get(path)
            # Of those as full the last in order of text: the order of the file decides nothing.
            if best is None or (len(groups[best].names), best) < (len(group.names), folded):
                fullest[path] = folded
    for path in sorted(fullest.keys() | declared.keys()):
        whole = declared.get(path) or groups[fullest[path]].highest() + 1
        if path in declared or whole >= _LIST:
            is_full = path in fullest and len(groups[fullest[path]].names) >= whole
            # Blocks of several kinds share no tensor: then every number counts.
            yield path, whole if is_full else _numbered(groups, path), whole


def _numbered(groups: Mapping[str, Group], path: str) -> int:
    """Return how many numbers stand behind *path*, whatever follows them."""
    step = f"{path}.#"
    return len(
        {
            found[0]
            for folded, group in groups.items()
            if folded.startswith(step)
            for name in group.names
            if (found := _FIRST_NUMBER.search(name)) is not None
        }
    )
