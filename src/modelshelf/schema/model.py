"""What the library answers when it is asked for a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["AddOutcome", "ExportOutcome", "FileInfo", "ModelInfo", "PartInfo", "TrashedModel"]


@dataclass(frozen=True, slots=True)
class PartInfo:
    """One component of a pipeline, as it lies in the store."""

    id: int
    """Its row in MODEL_PATH; other pipelines may have the same."""
    folder: str
    """Component folder in the pipeline, such as `text_encoder`."""
    type: ModelType
    """What it is."""
    bases: tuple[BaseModelType, ...]
    """Every base it serves."""
    location: str
    """Absolute path of its folder in the store. Read-only."""
    hash: str
    """`blake3:…` over names, sizes and contents of its files."""
    size: int
    """Bytes of its files."""
    refcount: int
    """How many pipelines and names share it."""

    @property
    def path(self) -> Path:
        """*location* as a path."""
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of the library, or one part of a pipeline.

    What `get_model_by_name` and `get_pipeline_by_name` return
    (`spec/normalized-model-manager.md`, "Fetching a model").
    """

    id: int
    """Unique over pipelines and fundamental models together; never used again. 0: it lies elsewhere."""
    key: str
    """32 hexadecimal digits; unique per *name*: one fundamental model may have several."""
    name: str
    """As given or found; not unique. Empty for a component nobody named."""
    type: ModelType
    """`main` for a pipeline."""
    bases: tuple[BaseModelType, ...]
    """Every base that it works with."""
    format: ModelFormat
    """How it lies at *location*; `diffusers` for a checkpoint that was split into its parts, see *original*."""
    location: str
    """Absolute path of a usable file or folder. Read-only."""
    hash: str
    """`blake3:…` over every byte and name."""
    size: int
    """Bytes, as its files add up; what it really costs is `usage`'s business."""
    description: str = ""
    """Free text."""
    source: str = ""
    """Where it came from."""
    added_at: datetime | None = None
    """When it was added, in UTC; None for an anonymous component."""
    is_pipeline: bool = False
    """True for a diffusers pipeline, whether it came as a folder or as a checkpoint."""
    refcount: int = 1
    """How many pipelines and names share it; 1 for a pipeline."""
    detail: str = "{}"
    """JSON object with what identification found: variant, precision, evidence."""
    parts: tuple[PartInfo, ...] = field(default=())
    """Of a pipeline, its components sorted by folder."""
    original: OriginalFile | None = None
    """The checkpoint that it came as and an export gives back; None for whatever is stored as it came."""
    is_stored: bool = True
    """False for a model that lies elsewhere: the library has its record and none of its bytes."""

    @property
    def path(self) -> Path:
        """*location* as a path."""
        return Path(self.location)

    @property
    def base(self) -> BaseModelType:
        """The first of *bases*, or `unknown`."""
        return self.bases[0] if self.bases else BaseModelType.UNKNOWN


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file of a model, and where the store keeps its bytes."""

    member: str
    """Path inside the model, as an export gives it back."""
    size: int
    """Bytes."""
    blake3: str
    """Hexadecimal BLAKE3."""
    sha256: str
    """Hexadecimal SHA-256."""
    location: str
    """Absolute path in the store, read-only; empty for a file that is put together when it is asked for."""
    imohash: str = ""
    """32 hexadecimal digits: the quick hash of other programs; empty where nobody computed it."""
    autov3: str = ""
    """12 hexadecimal digits over the tensors of a model that is one safetensors file, as Civitai and kohya
    know it; empty for any other."""

    @property
    def autov2(self) -> str:
        """The 10 digits of SHA-256 that image metadata and Civitai call it by."""
        return self.sha256[:10]


@dataclass(frozen=True, slots=True)
class AddOutcome:
    """What adding one model did."""

    info: ModelInfo
    """The model as the library has it now."""
    is_new: bool
    """False when the same content was there under the same name already."""
    bytes_stored: int
    """Bytes that the store grew by."""
    bytes_shared: int
    """Bytes of this model that the store had already."""
    parts_stored: int
    """Parts that are new to the store."""
    parts_shared: int
    """Parts that it had."""
    warnings: tuple[str, ...] = ()
    """What a person should know: a name taken twice, a component missing, an unknown type."""


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """What an export made."""

    path: Path
    """The file or folder that was made."""
    files: int
    """Files in it."""
    size: int
    """Bytes, as the files add up."""
    method: str
    """How most bytes came there: `reflink`, `hardlink` or `copy`."""


@dataclass(frozen=True, slots=True)
class TrashedModel:
    """A deleted model that can still be brought back."""

    trash_id: str
    """What `undo` takes."""
    name: str
    """Its name when it was deleted."""
    type: ModelType
    """Its type."""
    deleted_at: datetime
    """UTC."""
    expires_at: datetime
    """UTC; from then on `gc` may remove it."""
    size: int
    """Bytes, as its files add up."""
    bytes_freed: int
    """Bytes that only it holds, and that `gc` will free."""
    bytes_kept: int
    """Bytes that other models share and that stay."""
    is_stored: bool = True
    """False for a model that lies elsewhere: its files stay there, and its record is gone for good."""
