"""What is written down of an installation, and reading it as if anybody could have written it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticSerializationError

from modelshelf.errors import DamagedJobError, ForeignJobError
from modelshelf.install.told import without_secrets
from modelshelf.schema.install_job import InstallStatus
from modelshelf.schema.model_source import HFModelSource, ModelSource

__all__ = ["FetchedFile", "JobDocument", "describe", "first_problem", "read_document", "read_own"]

_GONE = frozenset({"remote-file-gone", "remote-file-changed", "job-damaged"})
_REPLACED = frozenset({"digest-mismatch", "size-mismatch"})
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

    def is_for(self, source: ModelSource, config: Mapping[str, Any]) -> bool:
        """Say whether the job is to install just this: the same source, with the same said of the model."""
        if self.source != without_secrets(source):
            return False
        try:
            wanted = describe(source, config, self.id, self.owner).model_dump_json()
        except PydanticSerializationError:
            return False
        return self.config == JobDocument.model_validate_json(wanted).config

    @property
    def is_outdated(self) -> bool:
        """Whether it failed because its listing is wrong by now, so that it fails whenever it goes on."""
        # A commit of a repository stays what it is; a page may offer another file under the same number.
        is_pinned = isinstance(self.source, HFModelSource)
        return self.error_code in (_GONE if is_pinned else _GONE | _REPLACED)


def describe(
    source: ModelSource, config: Mapping[str, Any], number: int, owner: str
) -> JobDocument:
    """Return what to keep of a job that is to begin; its secrets are not part of it."""
    return JobDocument(id=number, owner=owner, source=without_secrets(source), config=dict(config))


def read_document(path: Path) -> JobDocument | None:
    """Return the job that *path* describes; None where there is no such file.

    Raises:
        ForeignJobError: It may not be read by this user.
        DamagedJobError: It cannot be read, describes no job, or that of another folder.
    """
    number = path.parent.name
    try:
        document = JobDocument.model_validate_json(read_own(path, _LONGEST))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        reason = f"cannot be read: {error.strerror}"
        raise ForeignJobError(job=number, path=str(path), reason=reason) from error
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise DamagedJobError(job=number, path=str(path), reason=reason) from error
    except ValidationError as error:
        reason = f"makes no sense: {first_problem(error)}"
        raise DamagedJobError(job=number, path=str(path), reason=reason) from error
    if number != str(document.id):
        reason = f"describes job {document.id}"
        raise DamagedJobError(job=number, path=str(path), reason=reason)
    return document


def first_problem(error: ValidationError) -> str:
    """Say in one line what is wrong, and where."""
    found = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, found["loc"]))
    return f"`{place}`: {found['msg']}" if place else found["msg"]


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
