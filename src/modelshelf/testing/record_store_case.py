"""Small parts and plans to fill a record store with, and the steps that its contract repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from blake3 import blake3

from modelshelf.protocols import RecordStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import ImportPlan, PartFile, PartManifest, PlannedPart, part_digest
from modelshelf.schema.member import MemberPath
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.source import SourceFile
from modelshelf.schema.stored import PartContent, Registered
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["RecordStoreCase", "digest_of", "part_content", "pipeline_plan", "single_plan"]

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""When trash of these tests expires."""


def digest_of(content: bytes) -> Digest:
    """Return the BLAKE3 of bytes."""
    return Digest.blake3(blake3(content).digest())


def part_content(
    files: Mapping[str, bytes],
    *,
    folder: str = "",
    type: ModelType = ModelType.LORA,  # noqa: A002 - the specification's word
    bases: Sequence[BaseModelType] = (BaseModelType.SD_1,),
    location: str | None = None,
    is_new: bool = True,
) -> PartContent:
    """Make a part as if it had just been stored.

    Args:
        files: Content by member.
        folder: Component folder in a pipeline; empty for a model of its own.
        type: What it is.
        bases: What it comes with.
        location: Where it lies; None for a place of its own.
        is_new: False for a part that was found in the store.
    """
    stored = tuple(_part_file(member, files[member]) for member in sorted(files))
    manifest = PartManifest(stored)
    return PartContent(
        planned=PlannedPart(
            folder=folder,
            type=type,
            format=ModelFormat.DIFFUSERS,
            bases=tuple(bases),
            is_file=False,
            files=tuple((file.member, _source(file)) for file in stored),
        ),
        digest=part_digest((file.member, file.size, file.blake3) for file in stored),
        manifest=manifest,
        location=location or str(uuid4()),
        is_new=is_new,
        bytes_stored=manifest.size if is_new else 0,
    )


def single_plan(content: PartContent, name: str, *, file_name: str | None = None) -> ImportPlan:
    """Plan a model of one part, as a folder unless it has a *file_name*."""
    return ImportPlan(
        name=name,
        type=content.planned.type,
        format=content.planned.format,
        bases=content.planned.bases,
        parts=(content.planned,),
        source=f"/models/{name}",
        file_name=file_name,
    )


def pipeline_plan(
    contents: Sequence[PartContent], name: str, base: BaseModelType = BaseModelType.SD_1
) -> ImportPlan:
    """Plan a pipeline; the part whose folder is empty holds its `model_index.json`."""
    leftovers = next(content.planned for content in contents if not content.planned.folder)
    return ImportPlan(
        name=name,
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=(base,),
        parts=tuple(content.planned for content in contents if content.planned.folder),
        is_pipeline=True,
        leftovers=leftovers,
        source=f"/models/{name}",
    )


def _part_file(member: str, content: bytes) -> PartFile:
    return PartFile(
        MemberPath.parse(member),
        len(content),
        digest_of(content),
        Digest.sha256(hashlib.sha256(content).digest()),
        blake3(content).digest(16),
    )


def _source(file: PartFile) -> SourceFile:
    return SourceFile(file.member, Path("/models") / file.member, file.size, 0, 0, 0)


class RecordStoreCase:
    """A record store under test, and the few steps that most tests take."""

    records: RecordStore
    """A store with nothing in it, set before each test."""

    def add(self, content: PartContent, name: str, *, file_name: str | None = None) -> Registered:
        """Register a model of one part."""
        return self.records.register(single_plan(content, name, file_name=file_name), [content])

    def add_pipeline(
        self,
        name: str,
        parts: Sequence[PartContent],
        base: BaseModelType = BaseModelType.SD_1,
        index: bytes = b"{}",
    ) -> Registered:
        """Register a pipeline of these parts and a `model_index.json`."""
        leftovers = part_content(
            {"model_index.json": index}, type=ModelType.PIPELINE_FILES, bases=(base,)
        )
        contents = [*parts, leftovers]
        return self.records.register(pipeline_plan(contents, name, base), contents)

    def delete(self, key: str) -> str:
        """Move a model to the trash; return how to bring it back."""
        return self.records.move_to_trash(key, LATER)

    def refcount(self, name: str) -> int:
        """Return how many share the part of the model *name*."""
        (info,) = self.records.find(ModelQuery(name=name))
        return info.refcount

    def sweep(self, *trash_ids: str) -> list[str]:
        """Forget these entries of the trash and all that nothing holds."""
        lease_id = uuid4().hex
        self.records.begin_lease(lease_id, "sweeping", [])
        swept = self.records.sweep(lease_id, trash_ids)
        self.records.end_lease(lease_id)
        return swept
