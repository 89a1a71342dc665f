"""What happens to an installation, as it is told to whoever listens.

Source: `spec/model-manager-v2.md`, "Monitoring the install job process".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar

__all__ = [
    "DownloadPart",
    "ModelEvent",
    "ModelInstallCancelled",
    "ModelInstallCompleted",
    "ModelInstallDownloading",
    "ModelInstallError",
    "ModelInstallRunning",
]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvent:
    """Something that happened to one installation."""

    name: ClassVar[str] = "model_event"
    """What the document calls it."""
    is_passing: ClassVar[bool] = False
    """Whether a later event of the same installation makes this one worthless, as progress does."""

    id: int
    """The job's number."""
    source: str
    """The source that was asked for, secrets removed."""
    timestamp: datetime = field(default_factory=_now)
    """When, in UTC."""

    @property
    def payload(self) -> dict[str, Any]:
        """The documented keys and their values, ready for JSON; `id` is added to them."""
        return {
            one.name: _plain(getattr(self, one.name))
            for one in fields(self)
            if one.name != "timestamp"
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPart:
    """One file of a model that is being downloaded."""

    source: str
    """Where it comes from, secrets removed."""
    local_path: str
    """Where it goes to."""
    bytes: int
    """Bytes that are here."""
    total_bytes: int
    """Bytes in all; 0 when unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInstallDownloading(ModelEvent):
    """More of the model's files has arrived."""

    name: ClassVar[str] = "model_install_downloading"
    is_passing: ClassVar[bool] = True

    local_path: str
    """Where the files go to, usually a folder that does not stay."""
    bytes: int
    """Bytes of all files that are here."""
    total_bytes: int
    """Bytes of all files; 0 when unknown."""
    parts: tuple[DownloadPart, ...]
    """The single files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInstallRunning(ModelEvent):
    """Everything is here; the model is identified, stored and recorded now."""

    name: ClassVar[str] = "model_install_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInstallCompleted(ModelEvent):
    """The model is in the library."""

    name: ClassVar[str] = "model_install_completed"

    total_bytes: int
    """Bytes of the model."""
    key: str
    """Under which the model is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInstallError(ModelEvent):
    """The installation failed; nothing of it is in the library."""

    name: ClassVar[str] = "model_install_error"

    error_type: str
    """Name of the exception."""
    error: str
    """What it says, with the traceback, secrets removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInstallCancelled(ModelEvent):
    """Somebody cancelled the installation, or the download of one of its files."""

    name: ClassVar[str] = "model_install_cancelled"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, DownloadPart):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    return dict(value) if isinstance(value, Mapping) else value
