"""Entering an import into the library: everything, or nothing, in the caller's transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from blake3 import blake3
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from modelshelf.records.originals import enter_original
from modelshelf.records.part_claims import PartClaim, joined
from modelshelf.records.tables import (
    model_base,
    model_id,
    model_name,
    model_path,
    part_file,
    pipeline,
    pipeline_parts,
)
from modelshelf.records.views import unwant_view, want_view
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import ImportPlan, PartFile, canonical_member
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import PartContent, Registered
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["BLOB_FOLDER", "insert_files", "pipeline_digest", "register"]

BLOB_FOLDER = "blob"
"""Where parts lie, relative to the models folder; the start of every PATH."""
_KNOWN_PARTS = (
    select(
        model_path.c.digest,
        model_path.c.id,
        model_path.c.type,
        model_path.c.format,
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
        part = known.get(content.digest.raw)
        if part is None:
            part = _insert_part(connection, plan, content, f"{BLOB_FOLDER}/{content.location}")
            known[content.digest.raw] = part
        elif _learn(connection, part, plan, content):
            learned.append(part.id)
        ids[content.planned.folder] = part.id
    digests = {content.planned.folder: content.digest for content in contents}
    if plan.is_pipeline:
        found = _pipeline(connection, plan, ids, pipeline_digest(digests), now)
        if original is not None and found[-1]:
            enter_original(connection, found[0], original)
    else:
        found = _name(connection, plan, known[contents[0].digest.raw], now)
    return Registered(*found), learned


def pipeline_digest(parts: dict[str, Digest]) -> Digest:
    """Compute the identity of a pipeline: BLAKE3 over `folder NUL hexadecimal-digest LF`, sorted."""
    lines = sorted(f"{folder}\0{digest.hexadecimal}\n".encode() for folder, digest in parts.items())
    return Digest.blake3(blake3(b"".join(lines)).digest())


@dataclass(slots=True)
class _KnownPart:
    """A part that the library has, as far as adding it again may teach something."""

    id: int
    claim: PartClaim

    @property
    def place(self) -> str:
        """Where a person sees models of it."""
        return f"{self.claim.bases[0].value}/{self.claim.type.value}"


def _known_parts(
    connection: Connection, contents: Iterable[PartContent]
) -> dict[bytes, _KnownPart]:
    """Return the parts that are there already, by their digest; asked for all at once."""
    digests = sorted({content.digest.raw for content in contents})
    rows = connection.execute(_KNOWN_PARTS, {"digests": digests})
    known: dict[bytes, _KnownPart] = {}
    for digest, part_id, kind, form, detail, base in rows:
        before = known[digest].claim.bases if digest in known else ()
        bases = before if base is None else (*before, BaseModelType(base))
        known[digest] = _KnownPart(
            part_id, PartClaim(ModelType(kind), ModelFormat(form), bases, detail)
        )
    return known


def _claim(plan: ImportPlan, content: PartContent) -> PartClaim:
    """Return what this import says of a part; a pipeline looked at none of its parts alone."""
    planned = content.planned
    detail = "{}" if plan.is_pipeline else plan.detail
    return PartClaim(planned.type, planned.format, planned.bases, detail)


def _insert_part(
    connection: Connection, plan: ImportPlan, content: PartContent, path: str
) -> _KnownPart:
    claim = _claim(plan, content)
    part = _KnownPart(_new_id(connection, is_pipeline=False), joined(claim, claim))
    connection.execute(
        insert(model_path).values(
            id=part.id,
            type=part.claim.type.value,
            path=path,
            digest=content.digest.raw,
            size=content.manifest.size,
            format=part.claim.format.value,
            empty_folders=json.dumps(content.manifest.empty_folders),
            detail=part.claim.detail,
        )
    )
    _insert_bases(connection, part)
    insert_files(connection, part.id, content)
    return part


def _insert_bases(connection: Connection, part: _KnownPart) -> None:
    connection.execute(
        insert(model_base),
        [
            {"id": part.id, "base": base.value, "position": position}
            for position, base in enumerate(part.claim.bases)
        ],
    )


def insert_files(connection: Connection, part_id: int, content: PartContent) -> None:
    """Enter the files of a part that has none yet."""
    if not content.manifest.files:
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
                "data_sha256": _data_sha256(content, file),
            }
            for file in content.manifest.files
        ],
    )


def _data_sha256(content: PartContent, file: PartFile) -> bytes | None:
    """Return what others know a model by that is one file; its twin in a folder is known by its folder."""
    if file.data_sha256 is None or not content.planned.is_file:
        return None
    return file.data_sha256.raw


def _learn(
    connection: Connection, part: _KnownPart, plan: ImportPlan, content: PartContent
) -> bool:
    """Join what an import says of a part to what is known, as if they had come the other way round.

    Returns:
        Whether something else is known now.
    """
    is_hashed = _learn_hash(connection, part.id, content)
    before, place = part.claim, part.place
    part.claim = joined(before, _claim(plan, content))
    if part.claim == before:
        return is_hashed
    connection.execute(
        update(model_path)
        .where(model_path.c.id == part.id)
        .values(
            type=part.claim.type.value,
            format=part.claim.format.value,
            detail=part.claim.detail,
        )
    )
    if part.claim.bases != before.bases:
        connection.execute(delete(model_base).where(model_base.c.id == part.id))
        _insert_bases(connection, part)
    if part.place != place:
        # What people see of its other names follows.
        for key in _living_names(connection, part.id):
            unwant_view(connection, key)
    return True


def _learn_hash(connection: Connection, part_id: int, content: PartContent) -> bool:
    """Enter what others know a model by that is one file, where it came as a component first."""
    found = content.manifest.files[0] if content.planned.is_file else None
    if found is None or (data := _data_sha256(content, found)) is None:
        return False
    is_new = part_file.c.part_id == part_id, part_file.c.data_sha256.is_(None)
    return (
        connection.execute(update(part_file).where(*is_new).values(data_sha256=data)).rowcount > 0
    )


def _living_names(connection: Connection, part: int) -> list[str]:
    return list(
        connection.scalars(
            select(model_name.c.key).where(model_name.c.id == part, model_name.c.trash_id.is_(None))
        )
    )


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
    connection: Connection, plan: ImportPlan, part: _KnownPart, now: int
) -> tuple[int, str, bool]:
    key = connection.scalar(
        select(model_name.c.key)
        .where(
            model_name.c.id == part.id,
            model_name.c.name == plan.name,
            model_name.c.trash_id.is_(None),
            *((model_name.c.source == plan.source,) if plan.by_source else ()),
        )
        .order_by(model_name.c.added_at, model_name.c.key)
        .limit(1)
    )
    if key is not None:
        return part.id, key, False
    key = secrets.token_hex(16)
    suffix = PurePosixPath(plan.file_name).suffix if plan.file_name else ""
    connection.execute(
        insert(model_name).values(
            key=key,
            id=part.id,
            name=plan.name,
            source=plan.source,
            description=plan.description,
            entry=canonical_member(plan.file_name) if plan.file_name else "",
            suffix=suffix,
            added_at=now,
        )
    )
    want_view(connection, key, part.place, plan.name, suffix)
    return part.id, key, True


def _base(plan: ImportPlan) -> str:
    return plan.bases[0].value if plan.bases else BaseModelType.UNKNOWN.value


def _new_id(connection: Connection, *, is_pipeline: bool) -> int:
    result = connection.execute(insert(model_id).values(is_pipeline=is_pipeline))
    (new_id,) = result.inserted_primary_key or (connection.scalar(func.max(model_id.c.id)),)
    return int(new_id)
