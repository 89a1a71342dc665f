"""Entering an import into the library: everything, or nothing, in the caller's transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from blake3 import blake3
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from modelshelf.records.originals import enter_original
from modelshelf.records.tables import (
    model_base,
    model_id,
    model_name,
    model_path,
    part_file,
    pipeline,
    pipeline_parts,
)
from modelshelf.records.views import want_view
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import ImportPlan, PartManifest, canonical_member
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import PartContent, Registered
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["BLOB_FOLDER", "insert_files", "pipeline_digest", "register"]

BLOB_FOLDER = "blob"
"""Where parts lie, relative to the models folder; the start of every PATH."""
_KNOWN_PARTS = (
    select(
        model_path.c.digest,
        model_path.c.id,
        model_path.c.type,
        model_path.c.detail,
        model_base.c.base,
    )
    .outerjoin(model_base, model_base.c.id == model_path.c.id)
    .where(model_path.c.digest.in_(bindparam("digests", expanding=True)))
    .order_by(model_path.c.id, model_base.c.position)
)


def register(
    connection: Connection,
    plan: ImportPlan,
    contents: Sequence[PartContent],
    original: OriginalFile | None,
    now: int,
) -> tuple[Registered, list[int]]:
    """Enter the parts that are new, and the pipeline or name that holds them.

    Args:
        connection: In a writing transaction.
        plan: What was added.
        contents: Its parts, each published or pinned.
        original: The file that a converted checkpoint was.
        now: Microseconds since 1970.

    Returns:
        The id, and the parts of which something new is known; `is_new` is False when the same content
        already had this name.
    """
    ids: dict[str, int] = {}
    learned: list[int] = []
    known = _known_parts(connection, contents)
    for content in contents:
        part, is_learned = _part(connection, plan, content, known)
        ids[content.planned.folder] = part
        learned += [part] if is_learned else []
    digests = {content.planned.folder: content.digest for content in contents}
    if plan.is_pipeline:
        found = _pipeline(connection, plan, ids, pipeline_digest(digests), now)
        if original is not None and found[-1]:
            enter_original(connection, found[0], original)
    else:
        found = _name(connection, plan, next(iter(ids.values())), now)
    return Registered(*found), learned


def pipeline_digest(parts: dict[str, Digest]) -> Digest:
    """Compute the identity of a pipeline: BLAKE3 over `folder NUL hexadecimal-digest LF`, sorted."""
    lines = sorted(f"{folder}\0{digest.hexadecimal}\n".encode() for folder, digest in parts.items())
    return Digest.blake3(blake3(b"".join(lines)).digest())


@dataclass(slots=True)
class _KnownPart:
    """A part that the library has, as far as adding it again may teach something."""

    id: int
    type: str
    detail: str
    bases: list[str] = field(default_factory=list)
    """In the order in which they were learnt."""


def _known_parts(
    connection: Connection, contents: Iterable[PartContent]
) -> dict[bytes, _KnownPart]:
    """Return the parts that are there already, by their digest; asked for all at once."""
    digests = sorted({content.digest.raw for content in contents})
    rows = connection.execute(_KNOWN_PARTS, {"digests": digests})
    known: dict[bytes, _KnownPart] = {}
    for digest, part_id, kind, detail, base in rows:
        part = known.setdefault(digest, _KnownPart(part_id, kind, detail))
        if base is not None:
            part.bases.append(base)
    return known


def _part(
    connection: Connection, plan: ImportPlan, content: PartContent, known: dict[bytes, _KnownPart]
) -> tuple[int, bool]:
    """Find or enter a part; say whether something new is known of one that was there."""
    part = known.get(content.digest.raw)
    if part is not None:
        return part.id, _learn(connection, part, content)
    part = _insert_part(connection, plan, content, f"{BLOB_FOLDER}/{content.location}")
    known[content.digest.raw] = part
    _learn(connection, part, content)
    return part.id, False


def _insert_part(
    connection: Connection, plan: ImportPlan, content: PartContent, path: str
) -> _KnownPart:
    planned = content.planned
    detail = "{}" if plan.is_pipeline else plan.detail
    part_id = _new_id(connection, is_pipeline=False)
    connection.execute(
        insert(model_path).values(
            id=part_id,
            type=planned.type.value,
            path=path,
            digest=content.digest.raw,
            size=content.manifest.size,
            format=planned.format.value,
            empty_folders=json.dumps(content.manifest.empty_folders),
            detail=detail,
        )
    )
    insert_files(connection, part_id, content.manifest)
    return _KnownPart(part_id, planned.type.value, detail)


def insert_files(connection: Connection, part_id: int, manifest: PartManifest) -> None:
    """Enter the files of a part that has none yet."""
    if not manifest.files:
        return
    connection.execute(
        insert(part_file),
        [
            {
                "part_id": part_id,
                "member": file.member,
                "size": file.size,
                "blake3": file.blake3.raw,
                "sha256": file.sha256.raw,
                "quick": file.quick,
                "imohash": file.imohash or None,
                "data_sha256": None if file.data_sha256 is None else file.data_sha256.raw,
            }
            for file in manifest.files
        ],
    )


def _learn(connection: Connection, part: _KnownPart, content: PartContent) -> bool:
    """Add what this import knows of a part: its type where unknown, and every base it came with.

    Where a user knows better it adds nothing.

    Returns:
        Whether anything was not known before.
    """
    overridden = json.loads(part.detail).get("override", {})
    wanted = content.planned.type.value
    learns_type = (
        part.type == ModelType.UNKNOWN and wanted != part.type and "type" not in overridden
    )
    if learns_type:
        part.type = wanted
        connection.execute(update(model_path).where(model_path.c.id == part.id).values(type=wanted))
    if "bases" in overridden:
        return learns_type
    merged = merge_bases(part.bases, content.planned.bases)
    learns_bases = merged != part.bases
    if learns_bases:
        part.bases = merged
        connection.execute(delete(model_base).where(model_base.c.id == part.id))
        connection.execute(
            insert(model_base),
            [
                {"id": part.id, "base": base, "position": position}
                for position, base in enumerate(merged)
            ],
        )
    return learns_type or learns_bases


def merge_bases(known: list[str], added: Iterable[BaseModelType]) -> list[str]:
    """Join two lists of bases: `any` swallows all others, `unknown` gives way to any other.

    Example:
        >>> merge_bases(["sd-1"], [BaseModelType.SD_2])
        ['sd-1', 'sd-2']
    """
    merged = list(dict.fromkeys([*known, *(base.value for base in added)]))
    if BaseModelType.ANY.value in merged:
        return [BaseModelType.ANY.value]
    certain = [base for base in merged if base != BaseModelType.UNKNOWN.value]
    return certain or [BaseModelType.UNKNOWN.value]


def _pipeline(
    connection: Connection, plan: ImportPlan, ids: dict[str, int], digest: Digest, now: int
) -> tuple[int, str, bool]:
    there = connection.execute(
        select(pipeline.c.id, pipeline.c.key)
        .where(
            pipeline.c.name == plan.name,
            # Whatever its base is called: somebody may know it better than the rules.
            pipeline.c.digest == digest.raw,
            pipeline.c.trash_id.is_(None),
            *((pipeline.c.source == plan.source,) if plan.by_source else ()),
        )
        .order_by(pipeline.c.id)
        .limit(1)
    ).one_or_none()
    if there is not None:
        return there.id, there.key, False
    pipeline_id, key = _new_id(connection, is_pipeline=True), secrets.token_hex(16)
    connection.execute(
        insert(pipeline).values(
            id=pipeline_id,
            key=key,
            name=plan.name,
            base=_base(plan),
            toc=_toc(connection, ids),
            digest=digest.raw,
            source=plan.source,
            description=plan.description,
            detail=plan.detail,
            added_at=now,
        )
    )
    connection.execute(
        insert(pipeline_parts),
        [
            {"pipeline_id": pipeline_id, "part_folder": folder, "part_id": part_id}
            for folder, part_id in ids.items()
        ],
    )
    want_view(connection, key, f"{_base(plan)}/{plan.type.value}", plan.name, "")
    return pipeline_id, key, True


def _toc(connection: Connection, ids: dict[str, int]) -> str:
    leftovers = connection.scalar(select(model_path.c.path).where(model_path.c.id == ids[""]))
    return f"{leftovers}/model_index.json"


def _name(
    connection: Connection, plan: ImportPlan, part_id: int, now: int
) -> tuple[int, str, bool]:
    key = connection.scalar(
        select(model_name.c.key)
        .where(
            model_name.c.id == part_id,
            model_name.c.name == plan.name,
            model_name.c.trash_id.is_(None),
            *((model_name.c.source == plan.source,) if plan.by_source else ()),
        )
        .order_by(model_name.c.added_at, model_name.c.key)
        .limit(1)
    )
    if key is not None:
        return part_id, key, False
    key = secrets.token_hex(16)
    suffix = PurePosixPath(plan.file_name).suffix if plan.file_name else ""
    connection.execute(
        insert(model_name).values(
            key=key,
            id=part_id,
            name=plan.name,
            source=plan.source,
            description=plan.description,
            entry=canonical_member(plan.file_name) if plan.file_name else "",
            suffix=suffix,
            added_at=now,
        )
    )
    want_view(connection, key, f"{_base(plan)}/{plan.type.value}", plan.name, suffix)
    return part_id, key, True


def _base(plan: ImportPlan) -> str:
    return plan.bases[0].value if plan.bases else BaseModelType.UNKNOWN.value


def _new_id(connection: Connection, *, is_pipeline: bool) -> int:
    result = connection.execute(insert(model_id).values(is_pipeline=is_pipeline))
    (new_id,) = result.inserted_primary_key or (connection.scalar(func.max(model_id.c.id)),)
    return int(new_id)
