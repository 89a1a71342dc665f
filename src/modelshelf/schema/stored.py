"""What the records and the blob store tell each other about stored parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import PartManifest, PlannedPart
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import OriginalFile

__all__ = [
    "PartContent",
    "Registered",
    "StoredFile",
    "StoredModel",
    "StoredPart",
    "View",
    "ViewState",
]

ViewState = str
"""`wanted`, `made` or `unwanted`."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a stored part."""

    location: str
    """Where its part lies in the blob store."""
    member: MemberPath
    """Path inside the part."""
    size: int
    """Bytes."""
    blake3: Digest
    """Digest of its content."""
    sha256: Digest
    """Digest of its content, as hubs publish it."""
    quick: bytes
    """Its fingerprint."""
    imohash: bytes = b""
    """The quick hash of other programs; empty where nobody computed it."""
    data_sha256: Digest | None = None
    """Digest of the tensors of a model that is one safetensors file; None where nobody computed it."""


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that the store has."""

    id: int
    """Row in MODEL_PATH."""
    location: str
    """Where it lies in the blob store."""
    digest: Digest
    """Its identity."""
    files: tuple[StoredFile, ...] = ()
    """Sorted by member; empty where the caller did not need them."""
    empty_folders: tuple[MemberPath, ...] = ()
    """Sorted."""
    is_damaged: bool = False
    """True when `verify` last found it hurt."""


@dataclass(frozen=True, slots=True)
class PartContent:
    """A part ready to be registered: just published, or found in the store and pinned."""

    planned: PlannedPart
    """What was to be stored."""
    digest: Digest
    """Its identity."""
    manifest: PartManifest
    """Its files."""
    location: str
    """Where it lies."""
    is_new: bool
    """True when this import published it."""
    bytes_stored: int
    """Bytes that the store grew by for it."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering an import did."""

    id: int
    """Id of the part or pipeline."""
    key: str
    """Key of its name or pipeline."""
    is_new: bool
    """False when exactly this was there already."""


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A named model or pipeline as a set of files to place somewhere."""

    key: str
    """Key of its name or pipeline."""
    name: str
    """Its name."""
    is_file: bool
    """True when an export makes one file rather than a folder."""
    suffix: str
    """Suffix of that file, as it came; empty for a folder."""
    files: tuple[tuple[MemberPath, StoredFile], ...]
    """Member in the model and stored file, sorted; for a single file the member means nothing."""
    empty_folders: tuple[MemberPath, ...]
    """Sorted."""
    original: OriginalFile | None = None
    """The checkpoint that it came as; None for whatever is stored as it came."""
    sources: Mapping[tuple[str, MemberPath], StoredFile] = field(default_factory=dict)
    """With *original*: every stored file of its parts, by component folder and member."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for _, file in self.files)


@dataclass(frozen=True, slots=True)
class View:
    """What a person should see, or no longer see, of one model below the models folder."""

    key: str
    """Key of the name or pipeline."""
    path: str
    """Relative to the models folder."""
    state: ViewState
    """Whether its links are to be made, are there, or are to go."""
