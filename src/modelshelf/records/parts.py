"""Looking parts and files up by what they contain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, tuple_, update

from modelshelf.records.register import BLOB_FOLDER, insert_files
from modelshelf.records.tables import model_path, part_file
from modelshelf.schema.digest import Digest, DigestAlgorithm
from modelshelf.schema.member import MemberPath
from modelshelf.schema.stored import PartContent, StoredFile, StoredPart

__all__ = [
    "FILES_OF_PARTS",
    "file_columns",
    "find_file",
    "find_part",
    "find_part_id",
    "known_fingerprints",
    "location_of",
    "mark_damaged",
    "replace_part",
    "stored_file",
    "stored_parts",
]

_AT_ONCE = 400
"""Pairs per query; SQLite's oldest limit is 999 variables."""

file_columns = (
    part_file.c.part_id,
    part_file.c.member,
    part_file.c.size,
    part_file.c.blake3,
    part_file.c.sha256,
    part_file.c.quick,
    part_file.c.imohash,
    part_file.c.data_sha256,
    model_path.c.path,
)
"""What `stored_file` needs of `part_file` joined with `model_path`."""
# Written down once: putting a question together takes longer than answering it.
_FILES = select(*file_columns).join(model_path, model_path.c.id == part_file.c.part_id)
FILES_OF_PARTS = _FILES.where(part_file.c.part_id.in_(bindparam("parts", expanding=True))).order_by(
    part_file.c.part_id, part_file.c.member
)
"""The files of `parts`, a list of rows."""
_WHOLE = _FILES.where(model_path.c.damaged_at.is_(None)).order_by(part_file.c.part_id).limit(1)
_BY_BLAKE3 = _WHOLE.where(part_file.c.blake3 == bindparam("digest"))
_BY_SHA256 = _WHOLE.where(part_file.c.sha256 == bindparam("digest"))
_KNOWN = (
    select(part_file.c.size, part_file.c.quick)
    .where(tuple_(part_file.c.size, part_file.c.quick).in_(bindparam("pairs", expanding=True)))
    .distinct()
)
_PARTS = select(model_path).order_by(model_path.c.id)
_BY_DIGEST = _PARTS.where(model_path.c.digest == bindparam("digest"))
_BY_IDS = _PARTS.where(model_path.c.id.in_(bindparam("ids", expanding=True)))
_PAGE = _PARTS.where(model_path.c.id > bindparam("after"))


def location_of(path: str) -> str:
    """Return the blob location in a PATH of MODEL_PATH."""
    return path.removeprefix(BLOB_FOLDER + "/")


def known_fingerprints(
    connection: Connection, wanted: Iterable[tuple[int, bytes]]
) -> set[tuple[int, bytes]]:
    """Return those pairs of size and fingerprint that some stored file has."""
    pairs = sorted(set(wanted))
    found: set[tuple[int, bytes]] = set()
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        rows = connection.execute(_KNOWN, {"pairs": some})
        found.update((row.size, row.quick) for row in rows)
    return found


def find_file(connection: Connection, digest: Digest) -> StoredFile | None:
    """Return a stored file with this content, from an undamaged part where there is one."""
    is_ours = digest.algorithm is DigestAlgorithm.BLAKE3
    query = _BY_BLAKE3 if is_ours else _BY_SHA256
    row = connection.execute(query, {"digest": digest.raw}).mappings().one_or_none()
    return None if row is None else stored_file(row)


def find_part(connection: Connection, digest: Digest) -> StoredPart | None:
    """Return the part with this identity, with its files."""
    parts = list(stored_parts(connection, digest=digest))
    return parts[0] if parts else None


def find_part_id(connection: Connection, digest: Digest) -> int | None:
    """Return the row of the part with this identity."""
    return connection.scalar(select(model_path.c.id).where(model_path.c.digest == digest.raw))


def stored_parts(
    connection: Connection,
    *,
    digest: Digest | None = None,
    ids: Sequence[int] | None = None,
    after: int = 0,
    limit: int = 1,
) -> Iterator[StoredPart]:
    """Yield parts with their files, in the order of their ids, a page at a time.

    Args:
        connection: To read from.
        digest: Only the part with this identity.
        ids: Only the parts of these rows.
        after: Of all parts, where neither is given: begin behind this id.
        limit: Of all parts, at most so many.
    """
    if digest is not None:
        found = connection.execute(_BY_DIGEST, {"digest": digest.raw})
    elif ids is not None:
        found = connection.execute(_BY_IDS, {"ids": ids})
    else:
        found = connection.execute(_PAGE.limit(limit), {"after": after})
    rows = found.mappings().all()
    files: dict[int, list[StoredFile]] = {row["id"]: [] for row in rows}
    for row in connection.execute(FILES_OF_PARTS, {"parts": list(files)}).mappings():
        files[row["part_id"]].append(stored_file(row))
    for row in rows:
        yield StoredPart(
            id=row["id"],
            location=location_of(row["path"]),
            digest=Digest.blake3(row["digest"]),
            files=tuple(files[row["id"]]),
            empty_folders=tuple(MemberPath(name) for name in json.loads(row["empty_folders"])),
            is_damaged=row["damaged_at"] is not None,
        )


def mark_damaged(connection: Connection, part_id: int, at: int | None) -> None:
    """Note when a part was found hurt; None notes that it is whole."""
    connection.execute(update(model_path).where(model_path.c.id == part_id).values(damaged_at=at))


def replace_part(connection: Connection, part_id: int, content: PartContent) -> str | None:
    """Let a part be what was just stored, files and all: how a damaged one is repaired.

    Its rows are written again too: they may be what was hurt.

    Returns:
        Where it lay; None when there is no such part any more, and nothing was changed.
    """
    old = connection.scalar(select(model_path.c.path).where(model_path.c.id == part_id))
    if old is None:
        return None
    connection.execute(
        update(model_path)
        .where(model_path.c.id == part_id)
        .values(
            path=f"{BLOB_FOLDER}/{content.location}",
            size=content.manifest.size,
            empty_folders=json.dumps(content.manifest.empty_folders),
            damaged_at=None,
        )
    )
    connection.execute(delete(part_file).where(part_file.c.part_id == part_id))
    insert_files(connection, part_id, content)
    return location_of(old)


def stored_file(row: RowMapping) -> StoredFile:
    """Make a stored file of a row with `file_columns`."""
    return StoredFile(
        location=location_of(row["path"]),
        member=MemberPath(row["member"]),
        size=row["size"],
        blake3=Digest.blake3(row["blake3"]),
        sha256=Digest.sha256(row["sha256"]),
        quick=row["quick"],
        imohash=row["imohash"] or b"",
        data_sha256=None if row["data_sha256"] is None else Digest.sha256(row["data_sha256"]),
    )
