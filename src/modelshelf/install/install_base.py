"""What every installer can do, in the specification's names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelshelf.events import EventServiceBase
from modelshelf.protocols import ModelRecords
from modelshelf.schema.install_job import InstallJobs, ModelInstallJob
from modelshelf.schema.model_source import ModelSource

__all__ = ["ModelInstallServiceBase"]


class ModelInstallServiceBase(ABC):
    """Brings models into a library from wherever they are.

    Remote files are fetched in parallel in the background. Identifying, storing and recording happen in
    one thread, one model after another, and make a model visible in one step or not at all.

    Source: `spec/model-manager-v2.md`, "Model installation".
    """

    # -- properties

    @property
    @abstractmethod
    def app_config(self) -> object:
        """The application's configuration."""

    @property
    @abstractmethod
    def record_store(self) -> ModelRecords:
        """Where the records of models are."""

    @property
    @abstractmethod
    def event_bus(self) -> EventServiceBase | None:
        """Who is told of installations; None where nobody is."""

    # -- the service itself

    @abstractmethod
    def start(self, invoker: object = None) -> None:
        """Take up what an earlier program left unfinished, and look which models are still where they were.

        Nothing is hashed. Jobs that were paused or failed stay so, and are listed.

        Args:
            invoker: What a host program passes its services; not used.
        """

    @abstractmethod
    def stop(self, invoker: object = None) -> None:
        """End work and keep everything that is needed to go on with it later.

        Args:
            invoker: What a host program passes its services; not used.
        """

    # -- installing

    @abstractmethod
    def heuristic_import(
        self,
        source: str,
        config: Mapping[str, Any] | None = None,
        access_token: str | None = None,
        inplace: bool = False,  # noqa: FBT001, FBT002 - as hosts of the specification call it
    ) -> ModelInstallJob:
        """Install what a text names: a path, an address, a repository, a model page.

        Args:
            source: `org/name:fp16:vae` and the other forms that `sources.parse_source` documents.
            config: What counts more than what is found out, by the names of the record's fields.
            access_token: For sources that ask who you are.
            inplace: Leave a local model where it is.

        Returns:
            The job, which goes on in the background.

        Raises:
            InvalidModelSourceError: The text names nothing.
            InvalidModelConfigException: *config* has a field that cannot be.
        """

    @abstractmethod
    def import_model(
        self, source: ModelSource, config: Mapping[str, Any] | None = None
    ) -> ModelInstallJob:
        """Install from *source*, as `heuristic_import` does."""

    def install_model(
        self, source: ModelSource, config: Mapping[str, Any] | None = None
    ) -> ModelInstallJob:
        """Do what `import_model` does; the specification's own sample calls it so."""
        return self.import_model(source, config)

    @abstractmethod
    def register_path(self, model_path: Path | str, config: Mapping[str, Any] | None = None) -> str:
        """Enter a record of a model that stays where it is; return its key.

        Nothing is written at or below *model_path*, now or later.
        """

    @abstractmethod
    def install_path(self, model_path: Path | str, config: Mapping[str, Any] | None = None) -> str:
        """Copy a model into the library, now and in this thread; return its key."""

    @abstractmethod
    def download_and_cache(
        self,
        source: str | ModelSource,
        access_token: str | None = None,
        timeout: float = 0,
    ) -> Path:
        """Fetch a file, or the files of a repository, without making a model of them.

        Args:
            source: An address, or whatever `heuristic_import` takes that is remote.
            access_token: For sources that ask who you are.
            timeout: Seconds to wait at most; 0 waits until it is done.

        Returns:
            The file or folder in the cache. It may go when it was not used for long and room is needed.

        Raises:
            TimeoutError: It takes longer; what came is kept, so that another call goes on.
            DownloadError: It cannot be fetched.
        """

    # -- removing

    @abstractmethod
    def unregister(self, key: str) -> None:
        """Remove the record of a model, as `record_store.del_model` does."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the record, and the files as far as they lie inside the library; the trash keeps both.

        What another model shares stays. A user's own file outside the library stays.
        """

    @abstractmethod
    def unconditionally_delete(self, key: str) -> None:
        """Remove the record and the model's files, wherever they are.

        Those outside the library are gone for good.
        """

    # -- jobs

    @abstractmethod
    def wait_for_installs(self, timeout: float = 0) -> InstallJobs:
        """Wait until no job is under way.

        Args:
            timeout: Seconds to wait at most; 0 waits until all have ended.

        Returns:
            All jobs that are listed, by place and by source; one that is not done says so.
        """

    @abstractmethod
    def wait_for_job(self, job: ModelInstallJob, timeout: float = 0) -> ModelInstallJob:
        """Wait until *job* has ended, or *timeout* seconds are over where that is not 0; return it."""

    @abstractmethod
    def list_jobs(self) -> InstallJobs:
        """Return every job that is not pruned, by number."""

    @abstractmethod
    def get_job_by_source(self, source: ModelSource) -> InstallJobs:
        """Return the jobs that install from *source*; none is an empty list."""

    @abstractmethod
    def get_job_by_id(self, id: int) -> ModelInstallJob:  # noqa: A002 - the specification's word
        """Return one job.

        Raises:
            UnknownJobIDException: There is none.
        """

    @abstractmethod
    def cancel_job(self, job: ModelInstallJob) -> None:
        """End a job and remove what it fetched; one that has ended stays as it is."""

    @abstractmethod
    def pause_job(self, job: ModelInstallJob) -> None:
        """Put a job aside, to the byte; one that is being stored, or has ended, goes on as it is."""

    @abstractmethod
    def resume_job(self, job: ModelInstallJob) -> None:
        """Go on with a job that was put aside."""

    @abstractmethod
    def retry_job(self, job: ModelInstallJob) -> None:
        """Try a failed job again; what it has fetched is not fetched again."""

    @abstractmethod
    def prune_jobs(self) -> None:
        """Forget jobs that have ended, and what failed ones fetched."""
