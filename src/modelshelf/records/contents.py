"""What a model is made of, as files that can be placed somewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from modelshelf.records.originals import original_of, read_original
from modelshelf.records.parts import file_columns, stored_file, stored_parts
from modelshelf.records.tables import (
    model_name,
    model_path,
    original_file,
    part_file,
    pipeline,
    pipeline_parts,
)
from modelshelf.schema.conversion import ORIGINAL_FOLDER
from modelshelf.schema.digest import Digest
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import StoredFile, StoredModel, StoredPart

__all__ = ["original_with_parts", "stored_model"]


def stored_model(connection: Connection, key: str) -> StoredModel | None:
    """Return the model or pipeline *key*, deleted or not, as files to place somewhere."""
    named = connection.execute(select(model_name).where(model_name.c.key == key)).one_or_none()
    if named is not None:
        layout = [("", named.id)]
        parts = _contents(connection, layout)
        return _stored_model(key, named.name, layout, parts, entry=named.entry, suffix=named.suffix)
    row = connection.execute(select(pipeline).where(pipeline.c.key == key)).one_or_none()
    if row is None:
        return None
    folders = connection.execute(
        select(pipeline_parts.c.part_folder, pipeline_parts.c.part_id)
        .where(pipeline_parts.c.pipeline_id == row.id)
        .order_by(pipeline_parts.c.part_folder)
    )
    layout = [(folder, part) for folder, part in folders]
    parts = _contents(connection, layout)
    original = original_of(connection, row.id)
    if original is None:
        return _stored_model(key, row.name, layout, parts, entry="", suffix="")
    shown = [(folder, part) for folder, part in layout if folder != ORIGINAL_FOLDER]
    model = _stored_model(key, row.name, shown, parts, entry="", suffix="")
    return replace(
        model,
        original=original,
        sources={
            (folder, file.member): file for folder, part in layout for file in parts[part].files
        },
    )


@dataclass(frozen=True, slots=True)
class _Contents:
    """What one part holds."""

    empty_folders: list[str]
    files: list[StoredFile]


def _contents(connection: Connection, layout: Sequence[tuple[str, int]]) -> dict[int, _Contents]:
    """Read all parts at once: a pipeline has ten, and each question takes as long as its answer."""
    ids = {part for _, part in layout}
    rows = connection.execute(
        select(model_path.c.id, model_path.c.empty_folders).where(model_path.c.id.in_(ids))
    )
    found = {part: _Contents(json.loads(names), []) for part, names in rows}
    files = connection.execute(
        select(*file_columns)
        .join(model_path, model_path.c.id == part_file.c.part_id)
        .where(part_file.c.part_id.in_(ids))
    )
    for row in files.mappings():
        found[row["part_id"]].files.append(stored_file(row))
    return found


def _stored_model(
    key: str,
    name: str,
    layout: list[tuple[str, int]],
    parts: Mapping[int, _Contents],
    *,
    entry: str,
    suffix: str,
) -> StoredModel:
    files: list[tuple[MemberPath, StoredFile]] = []
    empty: list[MemberPath] = []
    for folder, part in layout:
        prefix = f"{folder}/" if folder else ""
        files += [(MemberPath(prefix + file.member), file) for file in parts[part].files]
        empty += [MemberPath(prefix + name) for name in parts[part].empty_folders]
    return StoredModel(
        key=key,
        name=name,
        is_file=bool(entry),
        suffix=suffix,
        files=tuple(sorted(files, key=lambda pair: pair[0])),
        empty_folders=tuple(sorted(empty)),
    )


def original_with_parts(
    connection: Connection, blake3: Digest
) -> tuple[OriginalFile, dict[str, StoredPart]] | None:
    """Return what a pipeline came as that was the file with this content, and its parts by folder."""
    row = connection.execute(
        select(original_file).where(original_file.c.blake3 == blake3.raw).limit(1)
    ).one_or_none()
    if row is None:
        return None
    rows = connection.execute(
        select(pipeline_parts.c.part_folder, pipeline_parts.c.part_id).where(
            pipeline_parts.c.pipeline_id == row.pipeline_id
        )
    )
    folders = {each.part_folder: each.part_id for each in rows}
    ids = sorted(set(folders.values()))
    parts = {part.id: part for part in stored_parts(connection, ids=ids, limit=len(ids))}
    return read_original(row), {folder: parts[part] for folder, part in folders.items()}
