"""Shards whose index nobody kept: one model, where their names and their tensors say so.

Names alone prove little: most models are saved as `diffusion_pytorch_model-00001-of-00002`, and in one
folder the first half of one may lie beside the second half of another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from modelshelf.schema.identity import Identity
from modelshelf.schema.shard_name import parse_shard_name
from modelshelf.schema.taxonomy import ModelType
from modelshelf.schema.tensor import TensorIndex

__all__ = ["find_stray", "join_shards"]

_MOST_SHARDS = 1024
"""Shards that are named as missing: models have a few hundred at most."""
_FEW = 16
"""Tensors of a shard below which it proves nothing by what it lacks: the last one is often a rest."""
_LIST = re.compile(r"(?P<path>(?:[^.\d][^.]*\.)*)(?P<number>[0-9]+)\.")
_FIRST = (0, 1)
"""What the first block of a list is called: some have nothing to save before their second."""
_HALVES = {
    ModelType.T5_ENCODER: ("decoder.", "lm_head."),
    ModelType.TEXT_ENCODER: (
        *("visual.", "vision_tower.", "vision_model.", "multi_modal_projector.", "lm_head."),
    ),
    ModelType.VAE: ("encoder.", "decoder."),
}
"""Type → what may fill a shard of its own and is like nothing in the others."""
_WRAPPER = "model."

_NUMBER = re.compile(r"(?:(?<=\.)|(?<=^)|(?<=\bblock))[0-9]+(?=\.)")
"""A step that is a number, and that of Cosmos 1's `block0`."""
_Kind = tuple[str, tuple[int, ...]]
"""A name without the numbers of blocks, and a shape: what blocks of one list share."""


def join_shards(headers: Mapping[str, TensorIndex]) -> TensorIndex | None:
    """Return all tensors of *headers* where they are called shards of one model; None where they are not.

    Each tensor lies in one shard; what lies in two makes them other files. Numbers that no file has are
    shards that are missing.

    Args:
        headers: What was read, by the names of the files.
    """
    names = sorted(headers)
    shards = [shard for shard in map(parse_shard_name, names) if shard is not None]
    if len(shards) != len(names) or len({shard.model for shard in shards}) != 1:
        return None
    tensors = {tensor: entry for name in names for tensor, entry in headers[name].tensors.items()}
    if len(tensors) < sum(len(header.tensors) for header in headers.values()):
        return None
    numbers = range(1, min(int(shards[0].all), _MOST_SHARDS) + 1)
    missing = tuple(name for name in map(shards[0].sibling, numbers) if name not in headers)
    return replace(headers[names[0]], tensors=tensors, missing_shards=missing)


def find_stray(headers: Mapping[str, TensorIndex], joined: TensorIndex, found: Identity) -> str:
    """Return in words what shows that shards are no one model; empty where nothing does.

    A shard of a model holds something that the answer rests on, or goes on with blocks of a shard that
    does, or is half of one that has two. And of a whole model, which no LoRA is, each list of blocks
    begins at its beginning.

    Args:
        headers: The shards, by the names of their files.
        joined: All their tensors.
        found: What they are, if they are one model.
    """
    is_whole = not joined.missing_shards and found.type is not ModelType.LORA
    late = _late_list(joined.tensors) if is_whole else ""
    if late:
        return f"the beginning of `{late}`, which no shard has"
    told = {_without_numbers(one.where) for one in found.evidence}
    kinds = {
        name: _kinds_of(header)
        for name, header in sorted(headers.items())
        if not _is_half(header.tensors, found.type)
    }
    firsts = [name for name, own in kinds.items() if not told.isdisjoint(one for one, _ in own)]
    known = _following(firsts, kinds)
    stray = next(
        (name for name in kinds if name not in known and len(headers[name].tensors) >= _FEW),
        "",
    )
    return f"`{stray}` going on with blocks of the other shards" if stray else ""


def _following(firsts: list[str], kinds: Mapping[str, set[_Kind]]) -> set[str]:
    """Return the shards *firsts* and all that go on with their blocks, from shard to shard."""
    having: dict[_Kind, list[str]] = {}
    for name, own in kinds.items():
        for kind in own:
            having.setdefault(kind, []).append(name)
    found, left = set(firsts), list(firsts)
    while left:
        # Each kind leads on once, however many shards have it.
        for kind in kinds[left.pop()]:
            for name in having.pop(kind, ()):
                if name not in found:
                    found.add(name)
                    left.append(name)
    return found


def _is_half(names: Iterable[str], type_: ModelType) -> bool:
    steps = _HALVES.get(type_, ())
    return all(name.removeprefix(_WRAPPER).startswith(steps) for name in names)


def _kinds_of(header: TensorIndex) -> set[_Kind]:
    return {(_without_numbers(name), shape) for name, shape in header.shapes.items()}


def _without_numbers(name: str) -> str:
    return _NUMBER.sub("#", name)


def _late_list(names: Collection[str]) -> str:
    """Return a list of blocks whose first is not there; empty where there is none."""
    firsts: dict[str, int] = {}
    for found in filter(None, map(_LIST.match, names)):
        path, number = found["path"], int(found["number"][:9])
        firsts[path] = min(number, firsts.get(path, number))
    return min((path for path, first in firsts.items() if first not in _FIRST), default="")
