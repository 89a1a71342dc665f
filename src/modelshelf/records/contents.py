"""What a model is made of, as files that can be placed somewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

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
        return _stored_model(
            connection, key, named.name, layout, entry=named.entry, suffix=named.suffix
        )
    row = connection.execute(select(pipeline).where(pipeline.c.key == key)).one_or_none()
    if row is None:
        return None
    folders = connection.execute(
        select(pipeline_parts.c.part_folder, pipeline_parts.c.part_id)
        .where(pipeline_parts.c.pipeline_id == row.id)
        .order_by(pipeline_parts.c.part_folder)
    )
    layout = [(folder, part) for folder, part in folders]
    original = original_of(connection, row.id)
    if original is None:
        return _stored_model(connection, key, row.name, layout, entry="", suffix="")
    shown = [(folder, part) for folder, part in layout if folder != ORIGINAL_FOLDER]
    model = _stored_model(connection, key, row.name, shown, entry="", suffix="")
    return replace(
        model,
        original=original,
        sources={
            (folder, file.member): file
            for folder, part in layout
            for file in _files(connection, part)
        },
    )


def _stored_model(
    connection: Connection,
    key: str,
    name: str,
    layout: list[tuple[str, int]],
    *,
    entry: str,
    suffix: str,
) -> StoredModel:
    files: list[tuple[MemberPath, StoredFile]] = []
    empty: list[MemberPath] = []
    for folder, part in layout:
        prefix = f"{folder}/" if folder else ""
        files += [(MemberPath(prefix + file.member), file) for file in _files(connection, part)]
        empty += [MemberPath(prefix + name) for name in _empty_folders(connection, part)]
    return StoredModel(
        key=key,
        name=name,
        is_file=bool(entry),
        suffix=suffix,
        files=tuple(sorted(files, key=lambda pair: pair[0])),
        empty_folders=tuple(sorted(empty)),
    )


def _files(connection: Connection, part: int) -> Iterator[StoredFile]:
    rows = connection.execute(
        select(*file_columns)
        .join(model_path, model_path.c.id == part_file.c.part_id)
        .where(part_file.c.part_id == part)
    )
    return map(stored_file, rows.mappings())


def _empty_folders(connection: Connection, part: int) -> list[str]:
    text = connection.scalars(select(model_path.c.empty_folders).where(model_path.c.id == part))
    names: list[str] = json.loads(text.one())
    return names


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
