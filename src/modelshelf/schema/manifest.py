"""What a part is made of: the list of its files, and the digest over that list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from blake3 import blake3 as blake3_hasher

from modelshelf.schema.digest import Digest
from modelshelf.schema.member import MemberPath
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.recipe import StorableFile
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = [
    "ImportPlan",
    "PartFile",
    "PartManifest",
    "PlannedPart",
    "canonical_member",
    "part_digest",
]


@dataclass(frozen=True, slots=True)
class PartFile:
    """One stored file of a part."""

    member: MemberPath
    """Its path inside the part."""
    size: int
    """Bytes."""
    blake3: Digest
    """Digest of its content, modelshelf's identity for it."""
    sha256: Digest
    """Digest of its content, as hubs publish it."""
    quick: bytes
    """16 bytes sampled from the content; equal content has equal samples, never the reverse."""
    imohash: bytes = b""
    """16 bytes over the same samples, as other programs know it; empty where nobody computed it."""
    data_sha256: Digest | None = None
    """Digest of the tensors of a model that is one safetensors file; None for any other file."""


@dataclass(frozen=True, slots=True)
class PartManifest:
    """Every file and empty folder of one part."""

    files: tuple[PartFile, ...]
    """Sorted by member."""
    empty_folders: tuple[MemberPath, ...] = ()
    """Sorted."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One part that an import will store, or find stored."""

    folder: str
    """Component folder in the pipeline; empty for a stand-alone model."""
    type: ModelType
    """What the part is."""
    format: ModelFormat
    """How it lies on disk."""
    bases: tuple[BaseModelType, ...]
    """Bases it will be registered with; `unknown` alone when undecided."""
    is_file: bool
    """True for a model that is one file rather than a folder."""
    files: tuple[tuple[MemberPath, StorableFile], ...]
    """Member inside the part, and where its bytes come from; sorted by member."""
    empty_folders: tuple[MemberPath, ...] = ()
    """Folders to make again, sorted."""

    @property
    def size(self) -> int:
        """Bytes of all files, when listed."""
        return sum(source.size for _, source in self.files)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What adding one model would do, decided before anything is done."""

    name: str
    """The model's name in the library."""
    type: ModelType
    """`main` for a pipeline."""
    format: ModelFormat
    """How the source lies on disk, and an export will."""
    bases: tuple[BaseModelType, ...]
    """Its bases; `unknown` alone when undecided."""
    parts: tuple[PlannedPart, ...]
    """A stand-alone model has one; a pipeline one per component, sorted by folder."""
    is_pipeline: bool = False
    """True for a folder with `model_index.json`, and for a checkpoint that becomes one."""
    leftovers: PlannedPart | None = None
    """Of a pipeline: what lies outside its components, `model_index.json` among it."""
    original: PlannedPart | None = None
    """Of a checkpoint that is split into a pipeline: what brings it back."""
    warnings: tuple[str, ...] = ()
    """What a person should know of how it is going to be stored, one sentence each."""
    description: str = ""
    """Free text of the user."""
    source: str = ""
    """Where it came from: a path, URL or repository id."""
    file_name: str | None = None
    """Of a single-file model: the file's name, whose suffix an export has."""
    detail: str = "{}"
    """JSON object of what identification found: variant, precision, evidence."""
    said: ModelMetadata = field(default_factory=ModelMetadata)
    """What is written in and beside it: trigger words, tags, author, previews."""
    by_source: bool = False
    """Whether what is known under its name from elsewhere is another model, with a record of its own."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the record, by their names: what the caller says, and what the hub did."""

    @property
    def all_parts(self) -> tuple[PlannedPart, ...]:
        """The parts, and what a pipeline has beside them."""
        further = (self.leftovers, self.original)
        return (*self.parts, *(part for part in further if part is not None))

    @property
    def size(self) -> int:
        """Bytes of the whole model, as its files add up."""
        return sum(part.size for part in self.all_parts)


def canonical_member(file_name: str) -> MemberPath:
    """Return what a single model file is called inside its part.

    The same bytes under another name are the same part, so the name of a single file is not part of
    what it is. The suffix is: programs choose their reader by it.

    Example:
        >>> canonical_member("LoWRA v2.SafeTensors")
        'model.safetensors'
    """
    return MemberPath("model" + PurePosixPath(file_name).suffix.lower())


def part_digest(
    files: Iterable[tuple[MemberPath, int, Digest]], empty_folders: Iterable[MemberPath] = ()
) -> Digest:
    """Compute the identity of a part from its files' names, sizes and content digests.

    The BLAKE3 of one line per entry, sorted by the UTF-8 bytes of the path: for a file
    `path NUL size NUL hexadecimal-blake3 LF`, for an empty folder `path/ NUL LF`. The format is
    specified in `docs/format.md`, so that `b3sum` alone can check a store.
    """
    lines = [
        member.encode() + b"\0" + str(size).encode() + b"\0" + blake3.hexadecimal.encode() + b"\n"
        for member, size, blake3 in files
    ]
    lines += [folder.encode() + b"/\0\n" for folder in empty_folders]
    return Digest.blake3(blake3_hasher(b"".join(sorted(lines))).digest())
