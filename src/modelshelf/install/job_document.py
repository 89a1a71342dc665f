"""What is written down of an installation, and reading it as if anybody could have written it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from time import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modelshelf.schema.install_job import InstallStatus
from modelshelf.schema.model_source import ModelSource

__all__ = ["FetchedFile", "JobDocument", "read_document", "read_own"]

_LONGEST = 64 * 1024 * 1024
"""Bytes; a repository of ten thousand files has a listing of three million."""


class FetchedFile(BaseModel):
    """One file that is whole, and what is known of it because it was hashed on its way here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    member: str
    """Its place below `files/`."""
    size: int
    """Bytes."""
    modified_ns: int
    """Modification time, nanoseconds since 1970, when it was whole."""
    inode: int
    """`st_ino` of the file."""
    blake3: str
    """64 hexadecimal digits."""
    sha256: str
    """64 hexadecimal digits."""


class JobDocument(BaseModel):
    """What `job.json` holds. Tokens are not part of it: they come from the settings again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=1, ge=1, le=1)
    """Of this form."""
    id: int
    """The folder's name."""
    owner: str
    """The program that runs it, by the name of its lock."""
    source: ModelSource
    """What is to be installed."""
    config: dict[str, Any] = Field(default_factory=dict)
    """What the caller says of the model."""
    status: InstallStatus = InstallStatus.WAITING
    """Where it was when this was written; a job of a dead owner is not running any more."""
    is_fetched: bool = False
    """Whether `files/` is complete."""
    listing: dict[str, Any] | None = None
    """What the source has, pinned; None before anybody asked."""
    fetched: tuple[FetchedFile, ...] = ()
    """Files that are whole."""
    error_type: str | None = None
    error: str | None = None
    error_code: str | None = None
    hint: str | None = None
    created_at: float = Field(default_factory=time)
    """Seconds since 1970."""


def read_document(path: Path) -> JobDocument | None:
    """Return the job that *path* describes; None where it describes none, or that of another folder."""
    try:
        document = JobDocument.model_validate_json(read_own(path, _LONGEST))
    except (OSError, ValidationError):
        return None
    return document if path.parent.name == str(document.id) else None


def read_own(path: Path, longest: int) -> bytes:
    """Read a file of ours: no link, and nothing that one would wait for.

    Raises:
        OSError: It cannot be read, or is none.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        return stream.read(longest)
