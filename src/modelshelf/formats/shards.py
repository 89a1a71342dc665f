"""One model in several files: `*.safetensors.index.json`, `*.bin.index.json`, and the shards they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from modelshelf.errors import InvalidShardIndexError, UnportableNameError
from modelshelf.formats.fault import FormatFault
from modelshelf.formats.json_document import read_json
from modelshelf.formats.tensors import read_tensors
from modelshelf.schema.member import MemberPath
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.tensor import Container, TensorEntry, TensorIndex

__all__ = ["read_shards"]

_PROMISED = TensorEntry("", (), 0, 0)
"""A tensor that the index names and whose shard is not there."""
_MOST_SHARDS = 1_000
"""Six times what the largest published models have."""
_MOST_TENSORS = 100_000
"""Of all shards together, whether the index places them or not: each may be a link to the same file."""


def read_shards(tree: SourceTree, index: SourceFile) -> TensorIndex:
    """Merge the headers of all shards that *index* names into one.

    Shards that the folder lacks are named in `missing_shards`; of their tensors only the names are
    known, so dtype and shape are empty. A tensor's place counts from the start of its own shard.

    Args:
        tree: The folder that holds index and shards.
        index: One of its files, `….safetensors.index.json` or `….bin.index.json`.

    Returns:
        The tensors in the index's order, and the metadata and findings of all shards together.

    Raises:
        InvalidShardIndexError: The index has another form, a name leaves the folder, or a shard
            lacks a tensor that the index promises.
        FormatError: A shard is damaged.
        InvalidJsonError: The index is no JSON.
    """
    weight_map = _read_weight_map(index)
    placed: dict[str, list[str]] = {}
    for tensor, shard in weight_map.items():
        placed.setdefault(shard, []).append(tensor)
    if len(placed) > _MOST_SHARDS:
        raise _invalid(index, f"it names {len(placed)} files, expected at most {_MOST_SHARDS}")
    paths = {name: _shard_path(index, name) for name in sorted(placed)}
    beside = {file.member: file for file in tree.files}
    draft = _Draft()
    for name, path in paths.items():
        if (file := beside.get(path)) is not None:
            draft.take(index, name, read_tensors(file), placed[name])
    return TensorIndex(
        tensors={tensor: draft.tensors.get(tensor, _PROMISED) for tensor in weight_map},
        metadata=draft.metadata,
        missing_shards=tuple(name for name, path in paths.items() if path not in beside),
        container=min(draft.containers, default=_claimed(paths)),
        findings=tuple(sorted(draft.findings)),
    )


@dataclass(slots=True)
class _Draft:
    """What was read of the shards so far; of a header, what the index does not ask for is forgotten."""

    tensors: dict[str, TensorEntry] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    containers: set[Container] = field(default_factory=set)
    findings: set[str] = field(default_factory=set)
    read: int = 0

    def take(self, index: SourceFile, shard: str, header: TensorIndex, expected: list[str]) -> None:
        self.read += len(header.tensors)
        if self.read > _MOST_TENSORS:
            raise _invalid(index, f"its shards hold more than {_MOST_TENSORS} tensors")
        for tensor in expected:
            entry = header.tensors.get(tensor)
            if entry is None:
                raise _invalid(index, f"it places `{tensor}` in `{shard}`, which lacks it")
            self.tensors[tensor] = entry
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
    document = read_json(index.path)
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
