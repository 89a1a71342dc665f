"""Download jobs: what shall be fetched to where, and how far that is.

A job is a value that somebody else changes: the queue writes it, everybody may read it. Besides what its
owner may set before an error (`preserve_partial_downloads`), change it through the queue alone.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    field_serializer,
    model_validator,
)

from modelshelf.errors import ModelshelfError
from modelshelf.schema.transfer import (
    Downloaded,
    ExpectedContent,
    PrivateAddresses,
    Verification,
)

__all__ = [
    "DownloadEventHandler",
    "DownloadJobBase",
    "DownloadJobPath",
    "DownloadJobRemoteSource",
    "DownloadJobStatus",
    "DownloadJobURL",
    "MeasuredDownloadJob",
    "MultiFileDownloadJob",
]

_NO_ID = -1


class DownloadJobStatus(StrEnum):
    """Where a job is in its life."""

    IDLE = "idle"
    """Created; not submitted, or submitted and not yet started."""
    ENQUEUED = "enqueued"
    """Patiently waiting for its turn."""
    RUNNING = "running"
    """Being fetched."""
    PAUSED = "paused"
    """Put aside, to the byte; goes on when it is started again."""
    COMPLETED = "completed"
    """All there, at its final name."""
    ERROR = "error"
    """Failed; `error` says how. Will not run again."""
    CANCELLED = "cancelled"
    """Ended by somebody. Will not run again."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows it."""
        return self in {self.COMPLETED, self.ERROR, self.CANCELLED}


DownloadEventHandler = Callable[["DownloadJobBase"], None]
"""Called with the job after each change of its status and about once per hundredth of its bytes."""


class DownloadJobBase(BaseModel):
    """What every job has. Two jobs are equal when they are the same object.

    Its JSON form and its `repr` are for people: no access token, no handler, and of an address neither user
    information nor query nor fragment, where secrets travel.

    Example:
        >>> job = DownloadJobBase(source="https://example.org/a.bin?token=x", destination="models")
        >>> job.id, job.status.value, job.priority, job.in_terminal_state
        (-1, 'idle', 10, False)
        >>> "token" in repr(job) or "token" in job.model_dump_json()
        False
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    id: int = _NO_ID
    """Number that the queue gives it on submission, 0 or more; -1 before."""
    priority: int = 10
    """Jobs with a lower one run first, those with the same in the order of their submission."""
    source: Any
    """Where to fetch from; text here, something more particular in the classes below."""
    destination: Path
    """The file to be, or an existing folder for it. Text that ends in `/` means a folder, which is made."""
    status: DownloadJobStatus = DownloadJobStatus.IDLE
    """Where it is in its life; the queue's to write."""
    event_handlers: list[DownloadEventHandler] = Field(
        default_factory=list, exclude=True, repr=False
    )
    """Called on each event, before those of the queue, in the thread in which the job runs."""
    job_started: float | None = None
    """When it last began to run, in seconds since 1970; None before."""
    job_ended: float | None = None
    """When it completed, failed or was cancelled, in the same seconds; None before."""
    job_sequence: int | None = None
    """A count over all jobs, drawn when it was last taken from the queue; None before."""
    error: Exception | None = None
    """What made it fail; None where nothing did."""
    preserve_partial_downloads: bool = False
    """Whether what came stays on the disk after an error. May be changed until the error happens."""
    overwrite: bool = False
    """Whether something that stands at the final name is replaced, once the new one is whole."""
    destination_is_folder: bool = False
    """Whether `destination` is a folder even though it may not be there yet."""
    downloaded_path: Path | None = None
    """The file, or the folder, when it is whole; None before."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @model_validator(mode="before")
    @classmethod
    def _note_trailing_slash(cls, fields: Any) -> Any:  # noqa: ANN401 - whatever was given
        if isinstance(fields, dict):
            destination = fields.get("destination")
            if isinstance(destination, str) and destination.endswith("/"):
                return {"destination_is_folder": True, **fields}
        return fields

    @field_serializer("source")
    def _show_source(self, source: object, info: SerializationInfo) -> Any:  # noqa: ANN401
        return _public(source) if info.mode == "json" else source

    @field_serializer("error")
    def _show_error(self, error: Exception | None, info: SerializationInfo) -> Any:  # noqa: ANN401
        return error if error is None or info.mode != "json" else _in_words(error)

    def __repr_args__(self) -> Any:  # noqa: ANN401 - pydantic's own type is not public
        for name, value in super().__repr_args__():
            if name == "source":
                yield name, _public(value)
            elif isinstance(value, Exception):
                yield name, _in_words(value)
            else:
                yield name, value

    __str__ = BaseModel.__repr__

    def add_event_handler(self, handler: DownloadEventHandler) -> None:
        """Call *handler* too, after those that are there already."""
        # A new list: one that is being gone through in another thread stays as it is.
        self.event_handlers = [*self.event_handlers, handler]

    def clear_event_handlers(self) -> None:
        """Call none of the job's own handlers any more; those of the queue stay."""
        self.event_handlers = []

    @property
    def waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self.status is DownloadJobStatus.ENQUEUED

    @property
    def running(self) -> bool:
        """Whether it is being fetched."""
        return self.status is DownloadJobStatus.RUNNING

    @property
    def paused(self) -> bool:
        """Whether it was put aside."""
        return self.status is DownloadJobStatus.PAUSED

    @property
    def complete(self) -> bool:
        """Whether all of it is there."""
        return self.status is DownloadJobStatus.COMPLETED

    @property
    def errored(self) -> bool:
        """Whether it failed."""
        return self.status is DownloadJobStatus.ERROR

    @property
    def cancelled(self) -> bool:
        """Whether somebody ended it."""
        return self.status is DownloadJobStatus.CANCELLED

    @property
    def in_terminal_state(self) -> bool:
        """Whether it is complete, failed or cancelled."""
        return self.status.is_terminal


class MeasuredDownloadJob(DownloadJobBase):
    """A job that tells how far it is."""

    bytes: int = 0
    """Bytes that are there; never fewer than before, and `total_bytes` at the end."""
    total_bytes: int = 0
    """Bytes in all; 0 as long as nobody knows."""


class DownloadJobPath(MeasuredDownloadJob):
    """Moves a file or folder of this machine.

    Example:
        >>> DownloadJobPath(source="downloads/model.ckpt", destination="models").source.name
        'model.ckpt'
    """

    source: Path
    """The file or folder."""
    keep_source: bool = False
    """Whether it is copied rather than moved."""


class DownloadJobRemoteSource(MeasuredDownloadJob):
    """Fetches one file over HTTP.

    Example:
        >>> job = DownloadJobRemoteSource(
        ...     source="https://example.org/vae.safetensors", destination="models", access_token="hf_x"
        ... )
        >>> "hf_x" in f"{job} {job!r} {job.model_dump_json()} {job.model_dump()}"
        False
        >>> job.access_token
        'hf_x'
    """

    source: str
    """An `http` or `https` address."""
    source_is_whole: bool = True
    """Whether `source` is all of it. A job that comes back after a crash may miss what may be a secret."""
    partial_key: str | None = Field(default=None, exclude=True, repr=False)
    """What its unfinished parts are found by where `source` is not whole; None where it is."""
    access_token: Any = Field(default=None, exclude=True, repr=False)
    """Presented to the host of `source`, and to no other that it leads to. None presents nothing."""
    private_addresses: PrivateAddresses | None = None
    """Which hosts may have private addresses, where that is less than the queue allows; None: as that says."""
    expected: ExpectedContent = ExpectedContent()
    """What is known of the content beforehand; compared before the file gets its name."""
    digests: frozenset[str] = frozenset()
    """Digests to work out on the way although none is expected: `sha256`, `blake3`."""
    final_was_free: bool = Field(default=False, exclude=True, repr=False)
    """Whether nothing stood at the final name when it first ran: what it puts there is its own."""
    may_be_done: bool = Field(default=False, exclude=True, repr=False)
    """Whether a process that died may have finished it without noting so."""
    final_is_own: bool = Field(default=False, exclude=True, repr=False)
    """Whether that is known to have happened: what stands at the final name may be replaced."""
    verification: Verification | None = None
    """What was compared; None before it is complete."""
    downloaded: Downloaded | None = None
    """All that is known of the file that came; None before it is complete."""


class DownloadJobURL(DownloadJobRemoteSource):
    """Fetches one file over HTTP, from an address that was checked when the job was made.

    Example:
        >>> DownloadJobURL(source="https://example.org/a b.bin", destination="models").source.path
        '/a%20b.bin'
    """

    source: AnyHttpUrl  # type: ignore[assignment] # the document's narrower type for the same field
    """The address."""


class MultiFileDownloadJob(MeasuredDownloadJob):
    """Fetches the files of one model, which share one progress, one total and one fate.

    Example:
        >>> job = MultiFileDownloadJob(
        ...     source="acme/vae",
        ...     destination="models/vae",
        ...     download_parts=[
        ...         DownloadJobRemoteSource(source=f"https://example.org/{name}", destination=name)
        ...         for name in ("config.json", "weights/vae.safetensors")
        ...     ],
        ... )
        >>> [str(part.destination) for part in job.download_parts]
        ['config.json', 'weights/vae.safetensors']
    """

    source: str
    """What the files are together, in words such as the id of a repository."""
    download_parts: list[DownloadJobRemoteSource]
    """The files. The destination of each is relative to this job's, a folder, and stays inside it."""
    access_token: Any = Field(default=None, exclude=True, repr=False)
    """Presented for each part that has none of its own, to the host of the part's source."""

    @model_validator(mode="after")
    def _is_folder(self) -> Self:
        self.destination_is_folder = True
        return self

    @property
    def verification(self) -> Verification | None:
        """The weakest of what was compared; None before all parts are complete."""
        weakest: Verification | None = Verification.DIGEST
        for part in self.download_parts:
            if part.verification is None:
                return None
            if weakest is Verification.DIGEST or part.verification is Verification.UNVERIFIED:
                weakest = part.verification
        return weakest


def _in_words(error: Exception) -> str:
    name = type(error).__name__
    # Only our own errors are known to hold no secret.
    return f"{name}: {error}" if isinstance(error, ModelshelfError) else name


def _public(source: object) -> str:
    if isinstance(source, PurePath):
        return str(source)
    text = str(source)
    try:
        parts = urlsplit(text)
    except ValueError:
        # No address at all, so nothing is known about where a secret would be.
        return text.partition(":")[0] + ":…"
    if not parts.netloc:
        return text
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
