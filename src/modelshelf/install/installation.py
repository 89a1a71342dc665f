"""One installation as the installer has it in hand: the job that others see, its folder, its download."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from pydantic import ValidationError

from modelshelf.errors import DamagedJobError, ModelshelfError
from modelshelf.install.job_document import first_problem
from modelshelf.install.job_folder import FetchedFile, JobDocument, JobFolder
from modelshelf.install.refused_download import refused_by_hub
from modelshelf.install.wish import ModelWish
from modelshelf.schema.address_secrets import with_bare_addresses
from modelshelf.schema.download_job import MeasuredDownloadJob
from modelshelf.schema.install_job import InstallStatus, ModelInstallJob
from modelshelf.schema.listing import Listing

__all__ = ["Installation", "job_of"]


@dataclass(slots=True, eq=False)
class Installation:
    """What belongs to one job. Its owner's lock guards it."""

    job: ModelInstallJob
    """What others see."""
    folder: JobFolder
    """What survives this program."""
    document: JobDocument
    """What stands there."""
    wish: ModelWish
    """What the caller says of the model."""
    download: MeasuredDownloadJob | None = None
    """Under way, or put aside; None before and after."""
    there: list[FetchedFile] = field(default_factory=list)
    """Files that are whole."""
    is_worked_on: bool = False
    """Whether a thread of the installer has it in hand just now."""
    is_wanted: bool = False
    """Whether another thread wanted to take it in hand meanwhile."""
    damage: ModelshelfError | None = None
    """Why nobody may go on with it: what the caller wants cannot be read any more. None where it can."""
    _changing: Lock = field(default_factory=Lock)

    @property
    def listing(self) -> Listing | None:
        """What the source has; None before anybody asked, and for a URL.

        Raises:
            DamagedJobError: What is written down of it makes no sense.
        """
        found = self.document.listing
        try:
            return None if found is None else Listing.model_validate(found)
        except ValidationError as error:
            reason = f"makes no sense: `listing`: {first_problem(error)}"
            raise self.folder.damaged(reason) from error

    @property
    def is_fetched(self) -> bool:
        """Whether all files are whole, and still there."""
        return self.document.is_fetched and len(self._still_there()) == len(self.there)

    def forget_gone(self) -> None:
        """Note no longer what somebody has removed since."""
        self.there = self._still_there()

    def _still_there(self) -> list[FetchedFile]:
        return [file for file in self.there if (self.folder.files / file.member).is_file()]

    def take_in_hand(self) -> bool:
        """Say whether no thread has it in hand; from then on the caller has."""
        with self._changing:
            self.is_wanted = self.is_worked_on
            self.is_worked_on = True
            return not self.is_wanted

    def put_down(self) -> bool:
        """Let it go, and say whether another thread wanted it meanwhile."""
        with self._changing:
            self.is_worked_on = False
            return self.is_wanted

    def note(self, **changes: object) -> None:
        """Write down what is new.

        Raises:
            StorageError: It cannot be written.
        """
        self.document = self.document.model_copy(update=changes)
        self.folder.save(self.document)

    def add_files(self, files: Iterable[FetchedFile]) -> None:
        """Note further whole files; one that was noted before is noted as it is now."""
        known = {file.member: file for file in self.there} | {file.member: file for file in files}
        self.there = list(known.values())

    def failed(self, error: Exception, token: str | None) -> None:
        """Let the job say how it failed, and write it down as far as that is possible.

        Args:
            error: What it failed with.
            token: What was presented, which is not repeated; None where nothing was.
        """
        listing: Listing | None = None
        # What is written down may be what it failed of.
        with suppress(DamagedJobError):
            listing = self.listing
        refused = listing and refused_by_hub(error, listing, has_token=bool(token))
        if refused:
            refused.__cause__ = error
            error = refused
        said: dict[str, Any] = {
            "error_type": type(error).__name__,
            "error": _in_words(error, token),
            "error_code": error.code if isinstance(error, ModelshelfError) else None,
            "hint": (error.advice or None) if isinstance(error, ModelshelfError) else None,
        }
        for name, value in said.items():
            setattr(self.job, name, value)
        self.job.exception = error
        with suppress(ModelshelfError):
            self.note(status=InstallStatus.ERROR, **said)

    def forgive(self) -> None:
        """Let the job forget how it failed or that it was put aside, because it goes on, also after a kill."""
        said: dict[str, Any] = dict.fromkeys(("error_type", "error", "error_code", "hint"))
        for name in (*said, "exception"):
            setattr(self.job, name, None)
        # Where the disk takes nothing, that is no reason not to go on.
        with suppress(ModelshelfError):
            self.note(status=InstallStatus.WAITING, **said)


def job_of(document: JobDocument, folder: JobFolder) -> ModelInstallJob:
    """Make the job that others see of what stands in its folder."""
    return ModelInstallJob(
        id=document.id,
        source=document.source,
        config_in=document.config,
        status=document.status,
        inplace=getattr(document.source, "inplace", False),
        local_path=folder.files,
        bytes=sum(file.size for file in document.fetched),
        total_bytes=_listed_bytes(document),
        error_type=document.error_type,
        error=document.error,
        error_code=document.error_code,
        hint=document.hint,
    )


def _listed_bytes(document: JobDocument) -> int:
    if document.listing is None:
        return 0
    try:
        return Listing.model_validate(document.listing).size or 0
    except ValidationError:
        return 0


def _in_words(error: Exception, token: str | None) -> str:
    said = with_bare_addresses("".join(traceback.format_exception(error)))
    return said.replace(token, "…") if token else said
