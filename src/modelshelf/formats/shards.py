"""One model in several files: `*.safetensors.index.json`, `*.bin.index.json`, and the shards they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelshelf.errors import InvalidShardIndexError, UnportableNameError
from modelshelf.formats.json_document import read_json
from modelshelf.formats.tensors import read_tensors
from modelshelf.schema.member import MemberPath
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.tensor import Container, TensorEntry, TensorIndex

__all__ = ["read_shards"]

_PROMISED = TensorEntry("", (), 0, 0)
"""A tensor that the index names and whose shard is not there."""


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
    shards = {
        name: tree.member(_shard_path(index, name)) for name in sorted(set(weight_map.values()))
    }
    headers = {name: read_tensors(file) for name, file in shards.items() if file is not None}
    tensors: dict[str, TensorEntry] = {}
    for tensor, shard in weight_map.items():
        if (header := headers.get(shard)) is None:
            tensors[tensor] = _PROMISED
            continue
        if tensor not in header.tensors:
            raise InvalidShardIndexError(
                path=str(index.path), problem=f"it places `{tensor}` in `{shard}`, which lacks it"
            )
        tensors[tensor] = header.tensors[tensor]
    return TensorIndex(
        tensors=tensors,
        metadata={
            key: text for header in headers.values() for key, text in header.metadata.items()
        },
        missing_shards=tuple(name for name, file in shards.items() if file is None),
        container=_container(shards, headers),
        findings=tuple(sorted({word for header in headers.values() for word in header.findings})),
    )


def _container(names: Iterable[str], headers: Mapping[str, TensorIndex]) -> Container:
    """Return what the shards are written in; where none is there, what their names claim."""
    found = {header.container for header in headers.values()}
    if found:
        return min(found)
    is_torch = all(name.endswith(".bin") for name in names)
    return Container.PICKLE if is_torch else Container.SAFETENSORS


def _read_weight_map(index: SourceFile) -> dict[str, str]:
    document = read_json(index.path)
    weight_map = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise InvalidShardIndexError(
            path=str(index.path), problem="expected an object `weight_map` from tensors to files"
        )
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str):
            raise InvalidShardIndexError(
                path=str(index.path), problem=f"the file of `{tensor}` is no text"
            )
    return weight_map


def _shard_path(index: SourceFile, name: str) -> MemberPath:
    try:
        shard = MemberPath.parse(name)
    except UnportableNameError as error:
        raise InvalidShardIndexError(
            path=str(index.path), problem=f"it names the file {name!r}, which cannot lie beside it"
        ) from error
    folder = index.member.folder
    return MemberPath(f"{folder}/{shard}") if folder else shard
