"""One model in several files: `*.safetensors.index.json`, `*.bin.index.json`, and the shards they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from modelshelf.errors import FormatError, InvalidShardIndexError, UnportableNameError
from modelshelf.errors.base import counted
from modelshelf.formats.fault import FormatFault
from modelshelf.formats.json_document import read_json
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.tensors import read_tensors
from modelshelf.schema.member import MemberPath
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.tensor import Container, TensorEntry, TensorIndex

__all__ = ["read_shards"]

_PROMISED = TensorEntry("", (), 0, 0)
"""A tensor that the index names and whose shard is not there."""
_MOST_SHARDS = 1_000
"""Six times what the largest published models have."""
_LONGEST_INDEX = 20 << 20
"""Bytes; of 140,000 tensors, as models of hundreds of experts have, an index with blanks has 14 MB."""
_MOST_STEPS = 2_800_000
"""What an index by itself may cost, in steps: 210,000 tensors, in less than a second and 100 MB."""
_TENSOR_COST = 10
_KIND_COST = 14
"""What a dtype and shape costs that the shard has not had before."""


def read_shards(
    tree: SourceTree, index: SourceFile, *, budget: ReadingBudget | None = None
) -> TensorIndex:
    """Merge the headers of all shards that *index* names into one.

    Shards that the folder lacks are named in `missing_shards`; of their tensors only the names are
    known, so dtype and shape are empty. A tensor's place counts from the start of its own shard.

    No published model comes near what is read at most. Where an index asks for more, its names are all that
    is known of the rest, and a finding says so.

    Args:
        tree: The folder that holds index and shards.
        index: One of its files, `….safetensors.index.json` or `….bin.index.json`.
        budget: What may be read of this model; None where the index is all of it.

    Returns:
        The tensors in the index's order, and the metadata and findings of all shards together.

    Raises:
        InvalidShardIndexError: The index has another form, a name leaves the folder, or a shard
            lacks a tensor that the index promises.
        FormatError: A shard is damaged.
        InvalidJsonError: The index is no JSON.
    """
    budget = budget or ReadingBudget(_MOST_STEPS)
    weight_map = _read_weight_map(index)
    placed: dict[str, list[str]] = {}
    for tensor, shard in weight_map.items():
        placed.setdefault(shard, []).append(tensor)
    if len(placed) > _MOST_SHARDS:
        raise _invalid(index, f"it names {len(placed)} files, expected at most {_MOST_SHARDS}")
    paths = {name: _shard_path(index, name) for name in sorted(placed)}
    beside = {file.member: file for file in tree.files}
    draft = _Draft(dict.fromkeys(weight_map, _PROMISED))
    # Each name of a shard is in there once for each of its tensors.
    del weight_map
    for name, path in paths.items():
        if (file := beside.get(path)) is None:
            continue
        if budget.is_spent:
            draft.unread += 1
        else:
            draft.read(index, name, file, placed.pop(name), budget)
    if draft.unread:
        draft.findings.add(
            f"{counted(draft.unread, 'shard')} of {len(paths)} not read: they hold more than any model"
        )
    return TensorIndex(
        tensors=draft.tensors,
        metadata=draft.metadata,
        missing_shards=tuple(name for name, path in paths.items() if path not in beside),
        container=min(draft.containers, default=_claimed(paths)),
        findings=tuple(sorted(draft.findings)),
    )


@dataclass(slots=True)
class _Draft:
    """What was read of the shards so far; of a header, what the index does not ask for is forgotten."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str] = field(default_factory=dict)
    containers: set[Container] = field(default_factory=set)
    findings: set[str] = field(default_factory=set)
    unread: int = 0

    def read(
        self,
        index: SourceFile,
        shard: str,
        file: SourceFile,
        expected: list[str],
        budget: ReadingBudget,
    ) -> None:
        try:
            header = read_tensors(file, budget=budget)
        except FormatError:
            if not budget.is_spent:
                raise
            self.unread += 1
            return
        held = dict(header.tensors.items())
        kinds = set(header.kinds.values())
        budget.charge(_TENSOR_COST * len(held) + _KIND_COST * len(kinds))
        missing = next((tensor for tensor in expected if tensor not in held), None)
        if missing is not None:
            raise _invalid(index, f"it places `{missing}` in `{shard}`, which lacks it")
        self.tensors.update(zip(expected, map(held.__getitem__, expected), strict=True))
        self.metadata |= header.metadata
        self.containers.add(header.container)
        self.findings.update(header.findings)


def _claimed(names: Iterable[str]) -> Container:
    """Return what the shards are written in as far as their names tell."""
    is_torch = all(name.endswith(".bin") for name in names)
    return Container.PICKLE if is_torch else Container.SAFETENSORS


def _invalid(index: SourceFile, problem: str) -> InvalidShardIndexError:
    # Names from the index may be as long as the whole index.
    return InvalidShardIndexError(
        path=str(index.path), problem=FormatFault(problem=problem).problem
    )


def _read_weight_map(index: SourceFile) -> dict[str, str]:
    document = read_json(index.path, limit=_LONGEST_INDEX)
    weight_map = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise _invalid(index, "expected an object `weight_map` from tensors to files")
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str):
            raise _invalid(index, f"the file of `{tensor}` is no text")
    return weight_map


def _shard_path(index: SourceFile, name: str) -> MemberPath:
    try:
        shard = MemberPath.parse(name)
    except UnportableNameError as error:
        raise _invalid(index, f"it names the file {name!r}, which cannot lie beside it") from error
    folder = index.member.folder
    return MemberPath(f"{folder}/{shard}") if folder else shard
