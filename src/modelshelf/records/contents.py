"""What a model is made of, as files that can be placed somewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select

from modelshelf.records.originals import original_of, read_original
from modelshelf.records.parts import FILES_OF_PARTS, stored_file, stored_parts
from modelshelf.records.tables import (
    model_name,
    model_path,
    original_file,
    pipeline,
    pipeline_parts,
)
from modelshelf.schema.conversion import ORIGINAL_FOLDER
from modelshelf.schema.digest import Digest
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import StoredFile, StoredModel, StoredPart

__all__ = ["original_with_parts", "stored_model", "stored_models"]

_AT_ONCE = 500
"""Parts per query; SQLite's oldest limit is 999 variables."""
_NAMED = select(model_name).where(model_name.c.key.in_(bindparam("keys", expanding=True)))
_PIPELINES = select(pipeline).where(pipeline.c.key.in_(bindparam("keys", expanding=True)))
_FOLDERS = (
    select(pipeline_parts.c.pipeline_id, pipeline_parts.c.part_folder, pipeline_parts.c.part_id)
    .where(pipeline_parts.c.pipeline_id.in_(bindparam("pipelines", expanding=True)))
    .order_by(pipeline_parts.c.pipeline_id, pipeline_parts.c.part_folder)
)
_EMPTY_FOLDERS = select(model_path.c.id, model_path.c.empty_folders).where(
    model_path.c.id.in_(bindparam("parts", expanding=True))
)
_ORIGINAL = select(original_file).where(original_file.c.blake3 == bindparam("blake3")).limit(1)


def stored_model(connection: Connection, key: str) -> StoredModel | None:
    """Return the model or pipeline *key*, deleted or not, as files to place somewhere."""
    return stored_models(connection, [key]).get(key)


def stored_models(connection: Connection, keys: Sequence[str]) -> dict[str, StoredModel]:
    """Return key → what `stored_model` returns, of those that are there; a few hundred at most."""
    named = connection.execute(_NAMED, {"keys": keys}).all()
    other = {row.key for row in named}.symmetric_difference(keys)
    rows = connection.execute(_PIPELINES, {"keys": list(other)}).all() if other else []
    layouts = _layouts(connection, [row.id for row in rows])
    held = [row.id for row in named] + [part for each in layouts.values() for _, part in each]
    parts = _contents(connection, held)
    found = {
        row.key: _stored_model(
            row.key, row.name, [("", row.id)], parts, entry=row.entry, suffix=row.suffix
        )
        for row in named
    }
    for row in rows:
        original = original_of(connection, row.id)
        found[row.key] = _stored_pipeline(row.key, row.name, layouts[row.id], parts, original)
    return found


def _layouts(connection: Connection, pipelines: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """Return pipeline → its component folders, each with its part."""
    layouts: dict[int, list[tuple[str, int]]] = {each: [] for each in pipelines}
    if pipelines:
        for own, folder, part in connection.execute(_FOLDERS, {"pipelines": pipelines}):
            layouts[own].append((folder, part))
    return layouts


def _stored_pipeline(
    key: str,
    name: str,
    layout: list[tuple[str, int]],
    parts: Mapping[int, _Contents],
    original: OriginalFile | None,
) -> StoredModel:
    if original is None:
        return _stored_model(key, name, layout, parts, entry="", suffix="")
    shown = [(folder, part) for folder, part in layout if folder != ORIGINAL_FOLDER]
    model = _stored_model(key, name, shown, parts, entry="", suffix="")
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


def _contents(connection: Connection, held: Iterable[int]) -> dict[int, _Contents]:
    """Read all parts at once: a pipeline has ten, and each question takes as long as its answer."""
    wanted = sorted(set(held))
    found: dict[int, _Contents] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        ids = {"parts": wanted[start : start + _AT_ONCE]}
        rows = connection.execute(_EMPTY_FOLDERS, ids)
        found |= {part: _Contents(json.loads(names), []) for part, names in rows}
        for row in connection.execute(FILES_OF_PARTS, ids).mappings():
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
    row = connection.execute(_ORIGINAL, {"blake3": blake3.raw}).one_or_none()
    if row is None:
        return None
    rows = connection.execute(_FOLDERS, {"pipelines": [row.pipeline_id]})
    folders = {each.part_folder: each.part_id for each in rows}
    ids = sorted(set(folders.values()))
    parts = {part.id: part for part in stored_parts(connection, ids=ids)}
    return read_original(row), {folder: parts[part] for folder, part in folders.items()}
