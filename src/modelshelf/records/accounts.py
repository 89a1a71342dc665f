"""Counting bytes: what models cost, and what sharing saves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from modelshelf.records.tables import model_name, model_path, part_file, pipeline, pipeline_parts
from modelshelf.schema.report import ModelUsage, SharedPart, Usage
from modelshelf.schema.taxonomy import ModelType

__all__ = ["Holder", "Holdings", "duplicates", "read_holdings", "usage"]

_KINDS = tuple(ModelType)


@dataclass(slots=True)
class Holder:
    """One name or pipeline, alive or deleted, and the parts in it; a part may be in it twice."""

    key: str
    name: str
    type: ModelType
    is_alive: bool
    parts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Holdings:
    """Who holds which content, read in one moment."""

    holders: dict[str, Holder]
    """By key."""
    files: dict[int, list[tuple[bytes, int, str]]]
    """Part → its files as (BLAKE3, size, member)."""
    types: dict[int, ModelType]
    """Part → its type."""

    def counts(self, *, alive: bool) -> dict[bytes, set[str]]:
        """Return content → keys of the models that hold it."""
        found: dict[bytes, set[str]] = defaultdict(set)
        for holder in self.holders.values():
            if holder.is_alive == alive:
                for digest, _ in self.contents(holder):
                    found[digest].add(holder.key)
        return found

    def contents(self, holder: Holder) -> list[tuple[bytes, int]]:
        """Return (BLAKE3, size) of every file of a model, repeated where it is in it twice."""
        return [
            (digest, size) for part in holder.parts for digest, size, _ in self.files.get(part, [])
        ]

    def cost_of(self, keys: Collection[str]) -> tuple[int, int]:
        """Return bytes that only these models hold, and distinct bytes that others hold too.

        Deleted models count as others while they can be brought back.
        """
        mine: dict[bytes, int] = {}
        for key in keys:
            mine.update(self.contents(self.holders[key]))
        total = sum(mine.values())
        for other in self.holders.values():
            if other.key not in keys:
                for digest, _ in self.contents(other):
                    mine.pop(digest, None)
        freed = sum(mine.values())
        return freed, total - freed


def read_holdings(connection: Connection) -> Holdings:
    """Read who holds what."""
    holders: dict[str, Holder] = {}
    for row in connection.execute(
        select(
            model_name.c.key,
            model_name.c.name,
            model_name.c.id,
            model_name.c.trash_id,
            model_path.c.type,
        ).join(model_path, model_path.c.id == model_name.c.id)
    ):
        holders[row.key] = Holder(
            row.key, row.name, ModelType(row.type), row.trash_id is None, [row.id]
        )
    for key, name, trash_id, part in connection.execute(
        select(pipeline.c.key, pipeline.c.name, pipeline.c.trash_id, pipeline_parts.c.part_id)
        .join(pipeline_parts, pipeline_parts.c.pipeline_id == pipeline.c.id)
        .order_by(pipeline.c.id)
    ):
        holder = holders.setdefault(key, Holder(key, name, ModelType.MAIN, trash_id is None))
        holder.parts.append(part)
    files: dict[int, list[tuple[bytes, int, str]]] = defaultdict(list)
    for part, digest, size, member in connection.execute(
        select(part_file.c.part_id, part_file.c.blake3, part_file.c.size, part_file.c.member)
    ):
        files[part].append((digest, size, member))
    types = {
        row.id: ModelType(row.type)
        for row in connection.execute(select(model_path.c.id, model_path.c.type))
    }
    return Holdings(holders, files, types)


def usage(holdings: Holdings) -> Usage:
    """Add up what the library costs.

    Sizes are content bytes; a file system adds its own block rounding.
    """
    alive = holdings.counts(alive=True)
    sizes = {digest: size for files in holdings.files.values() for digest, size, _ in files}
    models = [
        _usage_of(holder, holdings.contents(holder), alive)
        for holder in holdings.holders.values()
        if holder.is_alive
    ]
    stored = sum(sizes[digest] for digest in alive)
    deleted = sum(sizes[digest] for digest in holdings.counts(alive=False) if digest not in alive)
    return Usage(
        models=tuple(sorted(models, key=lambda model: (-model.logical, model.name, model.key))),
        logical=sum(model.logical for model in models),
        stored=stored,
        trash=deleted,
        garbage=sum(sizes.values()) - stored - deleted,
    )


def _usage_of(
    holder: Holder, contents: list[tuple[bytes, int]], alive: dict[bytes, set[str]]
) -> ModelUsage:
    distinct = dict(contents)
    unique = sum(size for digest, size in distinct.items() if len(alive[digest]) == 1)
    return ModelUsage(
        key=holder.key,
        name=holder.name,
        type=holder.type,
        logical=sum(size for _, size in contents),
        unique=unique,
        shared=sum(distinct.values()) - unique,
    )


def duplicates(holdings: Holdings) -> list[SharedPart]:
    """List content that models hold more than once and the store has once, best saving first."""
    uses: dict[bytes, list[str]] = defaultdict(list)
    sizes: dict[bytes, int] = {}
    seen: dict[bytes, tuple[int, str]] = {}
    for holder in holdings.holders.values():
        if not holder.is_alive:
            continue
        for part in holder.parts:
            for digest, size, member in holdings.files.get(part, []):
                uses[digest].append(holder.name)
                sizes[digest] = size
                # Of a file in several parts, one is named: the same one, whoever came first.
                found = (_KINDS.index(holdings.types[part]), member)
                seen[digest] = min(seen.get(digest, found), found)
    shared = [
        SharedPart(
            type=_KINDS[seen[digest][0]],
            name=seen[digest][1],
            hash="blake3:" + digest.hex(),
            size=sizes[digest],
            uses=len(names),
            models=tuple(sorted(set(names))),
        )
        for digest, names in uses.items()
        if len(names) > 1 and sizes[digest]
    ]
    return sorted(shared, key=lambda part: (-part.saved, part.hash))
