"""The hashes of the files that the library's models are made of, by the models' keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, false, select

from modelshelf.records.tables import model_name, model_path, part_file, pipeline_parts
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.quick_hash import quick_hash_of_file, quick_hash_of_folder
from modelshelf.schema.taxonomy import ModelType

__all__ = ["HashedFile", "digests_of", "files_of_models", "quick_hash_of", "sha256_of"]


class HashedFile(NamedTuple):
    """A file of a model, as others may know it."""

    path: str
    """Inside the model."""
    size: int
    """Bytes."""
    blake3: bytes
    """Of its content."""
    sha256: bytes
    """Of its content."""
    imohash: bytes | None
    """Of its samples; None in libraries from before these were kept."""
    data_sha256: bytes | None
    """Of its tensors, AutoV3; None where it has none."""
    is_model: bool
    """Whether it is the whole model, rather than one file of its folder."""


_HASHES = (
    part_file.c.size,
    part_file.c.blake3,
    part_file.c.sha256,
    part_file.c.imohash,
    part_file.c.data_sha256,
)
# Written down once: putting a question together takes longer than answering it.
_OF_NAMES = (
    select(
        model_name.c.key,
        part_file.c.member,
        *_HASHES,
        model_name.c.entry == part_file.c.member,
    )
    .join(part_file, part_file.c.part_id == model_name.c.id)
    .where(model_name.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(model_name.c.key, part_file.c.member)
)
_OF_PIPELINES = (
    select(
        pipeline_parts.c.pipeline_id,
        pipeline_parts.c.part_folder,
        part_file.c.member,
        *_HASHES,
        false(),
    )
    .join(model_path, model_path.c.id == pipeline_parts.c.part_id)
    .join(part_file, part_file.c.part_id == model_path.c.id)
    .where(
        pipeline_parts.c.pipeline_id.in_(bindparam("pipelines", expanding=True)),
        # Nobody else has the recipe of a converted checkpoint.
        model_path.c.type != ModelType.ORIGINAL_FILE.value,
    )
    .order_by(pipeline_parts.c.pipeline_id, pipeline_parts.c.part_folder, part_file.c.member)
)


def files_of_models(
    connection: Connection, models: Sequence[ModelInfo]
) -> dict[str, list[HashedFile]]:
    """Return key → files of some models of the library, sorted; of a converted one what it is now.

    Args:
        connection: To read from.
        models: A few hundred at most.
    """
    found: dict[str, list[HashedFile]] = {info.key: [] for info in models}
    names = [info.key for info in models if not info.is_pipeline]
    if names:
        for key, *values in connection.execute(_OF_NAMES, {"keys": names}):
            found[key].append(HashedFile._make(values))
    keys = {info.id: info.key for info in models if info.is_pipeline}
    if keys:
        rows = connection.execute(_OF_PIPELINES, {"pipelines": list(keys)})
        for pipeline, folder, *values in rows:
            file = HashedFile._make(values)
            path = f"{folder}/{file.path}" if folder else file.path
            found[keys[pipeline]].append(file._replace(path=path))
    return found


def quick_hash_of(info: ModelInfo, files: Sequence[HashedFile]) -> str:
    """Return the quick hash of what a model was when it was added, whatever became of it since.

    It is the digest of the whole model where a library from before quick hashes were kept has none.
    """
    if info.original is not None:
        return quick_hash_of_file(info.original.imohash) if info.original.imohash else info.hash
    sampled = [(file.path, file.size, file.imohash) for file in files if file.imohash is not None]
    if not files or len(sampled) < len(files):
        return info.hash
    if files[0].is_model:
        return quick_hash_of_file(sampled[0][-1])
    return quick_hash_of_folder(sampled)


def sha256_of(info: ModelInfo, files: Sequence[HashedFile]) -> str | None:
    """Return what the hubs know a model that is one file by, or was one before it was converted."""
    if info.original is not None:
        return info.original.sha256.hexadecimal
    return next((file.sha256.hex() for file in files if file.is_model), None)


def digests_of(info: ModelInfo, files: Sequence[HashedFile]) -> Iterator[str]:
    """Yield what other programs know a model's files by, those first that it came as."""
    if info.original is not None:
        yield info.original.blake3.hexadecimal
        yield info.original.sha256.hexadecimal
        yield from (info.original.imohash.hex(),) if info.original.imohash else ()
        if info.original.data_sha256 is not None:
            yield info.original.data_sha256.hexadecimal
    for file in files:
        known = (file.blake3, file.sha256, file.imohash, file.data_sha256)
        yield from (digest.hex() for digest in known if digest)
