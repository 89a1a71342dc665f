"""What `verify`, `gc` and `du` report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from modelshelf.schema.taxonomy import ModelType

__all__ = [
    "Finding",
    "FindingKind",
    "GarbageReport",
    "ModelUsage",
    "SharedPart",
    "Usage",
    "VerifyReport",
]


class FindingKind(StrEnum):
    """What can be wrong with a store; the first five lose or endanger a model."""

    CORRUPT = "corrupt"
    """A file's bytes differ from what was stored, at equal length."""
    TRUNCATED = "truncated"
    """A file has another length than was stored."""
    MISSING = "missing"
    """A file or a part's folder is gone, or something that is no file took its place."""
    DATABASE = "database"
    """The database itself is damaged, or rows point nowhere."""
    WRONG_COUNT = "wrong-count"
    """A REFCOUNT differs from the references that exist."""
    WRITABLE = "writable"
    """A stored file can be written to."""
    VIEW_BROKEN = "view-broken"
    """What a person sees under `models/` differs from the store; `gc` makes it again."""
    STRAY = "stray"
    """A file that the store did not make; never removed unasked outside `blob/`."""
    UNREFERENCED = "unreferenced"
    """A blob folder that no record knows and no import holds. `gc` removes unfinished ones; whole ones,
    which an older database that was put back would leave, only with `--unknown`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: FindingKind
    """What sort of fault."""
    path: str
    """The file, folder or row, relative to the root where it lies below it."""
    detail: str
    """Expected and found."""
    models: tuple[str, ...] = ()
    """Names of the models that it hurts, sorted; empty when none."""

    @property
    def is_damage(self) -> bool:
        """True when a model is hurt or could be; False for debris."""
        return self.kind not in {FindingKind.STRAY, FindingKind.UNREFERENCED}


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of one check of the whole store."""

    findings: tuple[Finding, ...]
    """Sorted by kind, then path; empty when all is well."""
    parts: int
    """Parts looked at."""
    files: int
    """Files looked at."""
    bytes_read: int
    """Bytes hashed; equal inodes are read once."""

    @property
    def clean(self) -> bool:
        """True when nothing at all was found."""
        return not self.findings

    @property
    def damaged_models(self) -> tuple[str, ...]:
        """Names of all models that some finding hurts, sorted."""
        return tuple(sorted({name for finding in self.findings for name in finding.models}))


@dataclass(frozen=True, slots=True)
class GarbageReport:
    """What a collection removed, or with `dry_run` would remove."""

    parts: int
    """Parts whose rows and folders went."""
    folders: int
    """Blob folders without a row that went: remains of interrupted imports."""
    trash: int
    """Deleted models that cannot be brought back any more."""
    bytes_freed: int
    """Bytes of the files that were the last link to their content."""
    relinked_bytes: int
    """Bytes freed by making equal files one inode again."""
    views_repaired: int
    """Views that were made anew."""


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What one model costs."""

    key: str
    """Key of the name or pipeline."""
    name: str
    """Its name."""
    type: ModelType
    """Its type."""
    logical: int
    """Bytes, as its files add up: what a copy of it would take."""
    unique: int
    """Bytes that only this model holds: what deleting it would free."""
    shared: int
    """Bytes of distinct content that other models hold too."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the library costs, and what sharing saves."""

    models: tuple[ModelUsage, ...]
    """Every named model and pipeline, largest first."""
    logical: int
    """Bytes of all models, each counted alone: what a store without sharing would take."""
    stored: int
    """Bytes of distinct content that these models take together."""
    trash: int
    """Bytes that only deleted models hold."""
    garbage: int
    """Bytes of parts that nothing refers to any more; `gc` frees them."""

    @property
    def saved(self) -> int:
        """Bytes that sharing saves."""
        return self.logical - self.stored


@dataclass(frozen=True, slots=True)
class SharedPart:
    """A part or file that several models hold, and that is stored once."""

    type: ModelType
    """Type of the part."""
    name: str
    """The file's path inside its part."""
    hash: str
    """`blake3:…` of the content."""
    size: int
    """Bytes, once."""
    uses: int
    """How many times models contain it."""
    models: tuple[str, ...]
    """Names of these models, sorted."""

    @property
    def saved(self) -> int:
        """Bytes that storing it once saves."""
        return self.size * (self.uses - 1)
