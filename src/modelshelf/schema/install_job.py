"""An installation as its owner follows it: what was asked for, how far it is, what came of it.

Source: `spec/model-manager-v2.md`, "Monitoring the install job process".
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, KeysView, Mapping, ValuesView
from enum import StrEnum
from pathlib import Path
from typing import Any, SupportsIndex, overload

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, field_serializer, field_validator

from modelshelf.errors import InvalidModelConfigException
from modelshelf.schema.config import ModelConfigBase, parse_config
from modelshelf.schema.event import DownloadPart
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)

__all__ = ["InstallJobs", "InstallStatus", "ModelInstallJob"]


class InstallStatus(StrEnum):
    """Where an installation is in its life."""

    WAITING = "waiting"
    """For its turn, or for the hub's word on what there is."""
    DOWNLOADING = "downloading"
    """Its files are being fetched."""
    RUNNING = "running"
    """Everything is here; it is being identified, stored and recorded."""
    PAUSED = "paused"
    """Somebody put it aside, or the program that ran it ended; what came is kept."""
    COMPLETED = "completed"
    """The model is in the library."""
    ERROR = "error"
    """It failed; nothing of it is in the library, and what was fetched is kept for another try."""
    CANCELLED = "cancelled"
    """Somebody ended it; nothing of it is left."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows by itself."""
        return self in {self.COMPLETED, self.ERROR, self.CANCELLED}


class ModelInstallJob(BaseModel):
    """One installation. The installer writes it, everybody may read it; two are equal when they are one.

    Its JSON form and its `repr` hold no access token.

    Example:
        >>> job = ModelInstallJob(id=1, source=LocalModelSource(path="/models/LoWRA.safetensors"))
        >>> job.status.value, job.waiting, job.in_terminal_state
        ('waiting', True, False)
    """

    model_config = ConfigDict(extra="forbid")

    id: int
    """Number, unique among the installations of a library that are not pruned."""
    source: ModelSource
    """What is to be installed."""
    config_in: dict[str, Any] = Field(default_factory=dict)
    """What the caller says of the model, over what is found out."""
    # Not `AnyModelConfig`: each program that installs would build the checks of forty classes, and use none.
    config_out: SerializeAsAny[ModelConfigBase] | None = None
    """The record, of one of the classes of `AnyModelConfig`, when the model is in the library; None before."""
    status: InstallStatus = InstallStatus.WAITING
    """Where it is in its life."""
    inplace: bool = False
    """Whether the model stays where it is."""
    local_path: Path | None = None
    """Where the files are, or are fetched to; None before that is known."""
    bytes: int = 0
    """Bytes of the model's files that are here; never fewer than before."""
    total_bytes: int = 0
    """Bytes of all the model's files; 0 as long as nobody knows."""
    spared_bytes: int = 0
    """Bytes among them that were not fetched, because they were on this machine already."""
    parts: tuple[DownloadPart, ...] = ()
    """The files that are fetched, one by one."""
    error_type: str | None = None
    """Name of the exception that made it fail; None where none did."""
    error: str | None = None
    """What it says, with the traceback, secrets removed."""
    error_code: str | None = None
    """The error's stable code, such as `repository-gated`."""
    hint: str | None = None
    """What to do about it."""
    notes: tuple[str, ...] = ()
    """What is different from what was asked for, a sentence each."""
    exception: Any = Field(default=None, exclude=True, repr=False)
    """The exception itself; None where none was raised, or another program had it."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @field_validator("config_out", mode="before")
    @classmethod
    def _classify(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        try:
            # By its type and format, where somebody reads a job that was written as JSON.
            return parse_config(given)
        except InvalidModelConfigException as error:
            raise ValueError(str(error)) from error

    @field_serializer("parts")
    def _show_parts(self, parts: tuple[DownloadPart, ...]) -> list[dict[str, Any]]:
        return [
            {
                "source": part.source,
                "local_path": part.local_path,
                "bytes": part.bytes,
                "total_bytes": part.total_bytes,
            }
            for part in parts
        ]

    @property
    def waiting(self) -> bool:
        """Whether it has not begun."""
        return self.status is InstallStatus.WAITING

    @property
    def downloading(self) -> bool:
        """Whether its files are being fetched."""
        return self.status is InstallStatus.DOWNLOADING

    @property
    def running(self) -> bool:
        """Whether it is being stored."""
        return self.status is InstallStatus.RUNNING

    @property
    def paused(self) -> bool:
        """Whether it was put aside."""
        return self.status is InstallStatus.PAUSED

    @property
    def complete(self) -> bool:
        """Whether the model is in the library."""
        return self.status is InstallStatus.COMPLETED

    @property
    def errored(self) -> bool:
        """Whether it failed."""
        return self.status is InstallStatus.ERROR

    @property
    def cancelled(self) -> bool:
        """Whether somebody ended it."""
        return self.status is InstallStatus.CANCELLED

    @property
    def in_terminal_state(self) -> bool:
        """Whether it is complete, failed or cancelled."""
        return self.status.is_terminal


_Source = LocalModelSource | URLModelSource | HFModelSource | CivitaiModelSource


class InstallJobs(list[ModelInstallJob]):
    """Jobs in a list that knows them by their source too.

    The document describes what `wait_for_installs` returns twice: as a list of jobs, and as a dictionary
    by source. This is both.

    Example:
        >>> source = LocalModelSource(path="/models/LoWRA.safetensors")
        >>> jobs = InstallJobs([ModelInstallJob(id=4, source=source)])
        >>> jobs[0].id, jobs[source].id, source in jobs
        (4, 4, True)
        >>> {str(source): job.status.value for source, job in jobs.items()}
        {'/models/LoWRA.safetensors': 'waiting'}
    """

    def __init__(self, jobs: Iterable[ModelInstallJob] = ()) -> None:
        super().__init__(jobs)

    @overload
    def __getitem__(self, wanted: SupportsIndex) -> ModelInstallJob: ...
    @overload
    def __getitem__(self, wanted: slice) -> InstallJobs: ...
    @overload
    def __getitem__(self, wanted: _Source) -> ModelInstallJob: ...
    def __getitem__(self, wanted: SupportsIndex | slice | _Source) -> ModelInstallJob | InstallJobs:
        """Return the job at a place, those of a slice, or the newest one of a source.

        Raises:
            IndexError: The list is shorter.
            KeyError: No job has that source.
        """
        if isinstance(wanted, slice):
            return InstallJobs(super().__getitem__(wanted))
        if not isinstance(wanted, BaseModel):
            return super().__getitem__(wanted)
        found = [job for job in self if job.source == wanted]
        if not found:
            raise KeyError(wanted)
        return found[-1]

    def __contains__(self, wanted: object) -> bool:
        if isinstance(wanted, ModelInstallJob):
            return super().__contains__(wanted)
        return any(job.source == wanted for job in self)

    def get(self, source: _Source) -> ModelInstallJob | None:
        """Return the newest job of a source; None where there is none."""
        return self._by_source().get(source)

    def keys(self) -> KeysView[_Source]:
        """Return the sources, each once, in the order of their first jobs."""
        return self._by_source().keys()

    def values(self) -> ValuesView[ModelInstallJob]:
        """Return the newest job of each source."""
        return self._by_source().values()

    def items(self) -> ItemsView[_Source, ModelInstallJob]:
        """Return each source with its newest job, as `dict(jobs)` has them."""
        return self._by_source().items()

    def _by_source(self) -> dict[_Source, ModelInstallJob]:
        return {job.source: job for job in self}

    def __reduce__(self) -> tuple[type[InstallJobs], tuple[list[ModelInstallJob]]]:
        return InstallJobs, (list(self),)
