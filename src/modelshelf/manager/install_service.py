"""The installer of a library, in the specification's names, put together from its parts."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from modelshelf.blobs.trouble import store_trouble
from modelshelf.download import DownloadQueueServiceBase
from modelshelf.download.cache import DownloadCache
from modelshelf.errors import UndeletableFolderError
from modelshelf.events import EventServiceBase
from modelshelf.install.cached_fetching import CachedFetcher
from modelshelf.install.install_base import ModelInstallServiceBase
from modelshelf.install.job_folder import JobFolders
from modelshelf.install.job_runner import JobRunner
from modelshelf.install.placed_models import PlacedModels
from modelshelf.install.resolution import SourceResolver
from modelshelf.install.sparing import FileSparer
from modelshelf.install.storing import ModelStorer
from modelshelf.install.wish import ModelWish
from modelshelf.manager.assembly import Services, assemble
from modelshelf.manager.hub_access import civitai_access, hub_access
from modelshelf.protocols import ModelRecords
from modelshelf.schema.install_job import InstallJobs, ModelInstallJob
from modelshelf.schema.model_source import LocalModelSource, ModelSource
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.settings import Settings
from modelshelf.sources import RequestsHubClient, parse_source

__all__ = ["ModelInstallService"]

_LOGGER = logging.getLogger("modelshelf.install")
_INSTALLS, _FETCHED = "installs", "fetched"


class ModelInstallService(ModelInstallServiceBase):
    """Installs models from paths, addresses, Hugging Face and Civitai.

    It works as soon as it is made; `start` takes up what an earlier program left unfinished. Close it by
    `stop`, or use it in a `with` block.

    Example:
        >>> from modelshelf import Settings
        >>> from modelshelf.download import DownloadQueueService
        >>> from modelshelf.records.services import ModelRecordServiceBase
        >>> from modelshelf.testing import tiny
        >>> folder = getfixture("tmp_path")
        >>> config = Settings(root=folder / "shelf")
        >>> model = tiny.lora(folder / "ink.safetensors", base="sd-1")
        >>> with ModelRecordServiceBase.open(config) as store, DownloadQueueService() as queue:
        ...     with ModelInstallService(config, store, queue) as installer:
        ...         job = installer.import_model(LocalModelSource(path=model))
        ...         job = installer.wait_for_job(job)
        >>> job.status.value, job.config_out.name, job.config_out.type.value
        ('completed', 'ink', 'lora')

    Source: `spec/model-manager-v2.md`, "Initializing the installer".
    """

    def __init__(
        self,
        app_config: object,
        record_store: ModelRecords,
        download_queue: DownloadQueueServiceBase,
        session: requests.Session | None = None,
        event_bus: EventServiceBase | None = None,
        *,
        services: Services | None = None,
    ) -> None:
        """Open the library that *app_config* describes.

        Args:
            app_config: `Settings`, or whatever `normalized_model_manager` takes.
            record_store: Where the records are wanted: the library's own, or another store, which then has
                a record of each model too.
            download_queue: Fetches files.
            session: Asks the hubs; None takes one of our own.
            event_bus: Is told of every job; None tells nobody.
            services: Of a library that is open already; None opens it.

        Raises:
            InvalidSettingError: *app_config* makes no sense.
            StoreUnusableError: There can be no library.
        """
        settings = Settings.from_object(app_config)
        self._app_config = app_config
        self._record_store = record_store
        self._event_bus = event_bus
        self._settings = settings
        self._services = services or assemble(settings, clock=_utc_now)
        self._owns_services = services is None
        self._client = RequestsHubClient(session)
        self._hub, self._civitai = hub_access(settings), civitai_access(settings)
        wanted = ModelRepoVariant.FP32 if settings.full_precision else ModelRepoVariant.FP16
        resolver = SourceResolver(self._client, self._hub, self._civitai, default_variant=wanted)
        self._placed = PlacedModels(record_store, self._services.library)
        cache = settings.cache_path
        self._cache = DownloadCache(cache / _FETCHED, int(settings.download.cache_size))
        private = settings.download.private_addresses
        self._fetcher = CachedFetcher(self._cache, download_queue, resolver, private)
        self._storer = ModelStorer(self._services.adder, self._services.configs, record_store)
        self._runner = JobRunner(
            folders=JobFolders(cache / _INSTALLS, self._services.disk),
            downloads=download_queue,
            hubs=resolver,
            sparer=FileSparer(
                self._services.records,
                self._services.blobs,
                self._services.disk,
                resolver.find_cached,
            ),
            storer=self._storer,
            place=self._placed.register,
            events=event_bus,
            private=private,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def app_config(self) -> object:
        """The application's configuration, as it was given."""
        return self._app_config

    @property
    def record_store(self) -> ModelRecords:
        """Where the records of models are wanted."""
        return self._record_store

    @property
    def event_bus(self) -> EventServiceBase | None:
        """Who is told of installations; None where nobody is."""
        return self._event_bus

    @property
    def placed(self) -> PlacedModels:
        """The models that lie outside the library."""
        return self._placed

    # -- the service itself

    def start(self, invoker: object = None) -> None:
        """Take up what an earlier program left unfinished, and look which models are still where they were."""
        del invoker
        self._services.views.settle()
        for config in self._placed.missing():
            _LOGGER.warning("`%s` is not at `%s` any more", config.name, config.path)
        for damage in self._runner.damaged():
            _LOGGER.warning("%s", damage)
        self._runner.take_up()

    def take_up(self, number: int, access_token: str | None = None) -> ModelInstallJob | None:
        """Go on with one job that another program left, also one that was paused or failed.

        Args:
            number: Its `id`.
            access_token: Opens its source, as it did when the job began: no token is kept with a job.
                None takes the settings'.

        Returns:
            The job; None where there is none, or its program still runs.

        Raises:
            DamagedJobError: What is kept of it makes no sense; it is not gone on with.
        """
        return self._runner.take_one(number, access_token)

    def take_up_same(
        self, source: ModelSource, config: Mapping[str, Any] | None = None
    ) -> ModelInstallJob | None:
        """Go on with the job that `import_model` once began for just this, where one was left or failed.

        Args:
            source: As it was given then. Its token, and the secrets of its address, count anew.
            config: As it was given then.

        Returns:
            The job; None where there is none that rests, and `import_model` begins one.

        Raises:
            StorageError: It cannot be written down that the job is ours now.
        """
        return self._runner.take_same(source, config or {})

    def stop(self, invoker: object = None) -> None:
        """End work and keep everything that is needed to go on with it later.

        It takes about ten seconds at most: what a hub has not answered and what a slow disk has not stored
        by then is left alone. Storing is one transaction, so the library has the model or has not.
        """
        del invoker
        self._runner.stop()
        self._cache.close()
        self._client.close()
        if self._owns_services:
            self._services.records.close()

    # -- installing

    def heuristic_import(
        self,
        source: str,
        config: Mapping[str, Any] | None = None,
        access_token: str | None = None,
        inplace: bool = False,  # noqa: FBT001, FBT002 - as hosts of the specification call it
    ) -> ModelInstallJob:
        """Install what a text names: a path, an address, a repository, a model page."""
        found = self._parse(source, access_token)
        if inplace and isinstance(found, LocalModelSource):
            found = found.model_copy(update={"inplace": True})
        return self.import_model(found, config)

    def import_model(
        self, source: ModelSource, config: Mapping[str, Any] | None = None
    ) -> ModelInstallJob:
        """Install from *source*, in the background."""
        return self._runner.submit(source, config or {})

    def register_path(self, model_path: Path | str, config: Mapping[str, Any] | None = None) -> str:
        """Enter a record of a model that stays where it is; return its key."""
        source = LocalModelSource(path=Path(model_path), inplace=True)
        return self._placed.register(source, ModelWish.parse(config or {})).key

    def install_path(self, model_path: Path | str, config: Mapping[str, Any] | None = None) -> str:
        """Copy a model into the library, now and in this thread; return its key."""
        source = LocalModelSource(path=Path(model_path))
        return self._storer.store_local(source, ModelWish.parse(config or {})).key

    def download_and_cache(
        self,
        source: str | ModelSource,
        access_token: str | None = None,
        timeout: float = 0,
    ) -> Path:
        """Fetch a file, or the files of a repository, without making a model of them."""
        found = self._parse(source, access_token) if isinstance(source, str) else source
        return self._fetcher.fetch(found, timeout)

    # -- removing

    def unregister(self, key: str) -> None:
        """Remove the record of a model, as `record_store.del_model` does."""
        self._record_store.del_model(key)

    def delete(self, key: str) -> None:
        """Remove the record, and the files as far as they lie inside the library."""
        self._record_store.del_model(key)
        library = self._services.configs
        if self._record_store is not library and library.exists(key):
            library.del_model(key)

    def unconditionally_delete(self, key: str) -> None:
        """Remove the record and the model's files, wherever they are."""
        path = Path(self._record_store.get_model(key).path)
        if path.is_absolute() and not self._is_ours(path):
            self._remove_files(path, key)
        # Last: as long as there are files somebody can name them.
        self.delete(key)

    def _remove_files(self, path: Path, key: str) -> None:
        if path.is_symlink() or not path.is_dir():
            # Of a link it is the link: what it leads to was not named.
            with store_trouble(path):
                path.unlink(missing_ok=True)
            return
        # Records may come from anybody; a folder that is more than one model is not a model's.
        inside = dict.fromkeys(self._services.library, "the library")
        inside |= {
            Path(other.path): f"`{other.name}`"
            for other in self._placed.below(path)
            if other.key != key
        }
        inside[Path.home()] = "your home folder"
        held = next((what for place, what in inside.items() if place.is_relative_to(path)), None)
        if held is not None:
            raise UndeletableFolderError(path=str(path), reason=f"it holds {held}")
        with store_trouble(path):
            shutil.rmtree(path)

    def _is_ours(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._services.library)

    # -- jobs

    def wait_for_installs(self, timeout: float = 0) -> InstallJobs:
        """Wait until no job is under way; return all."""
        self._runner.board.wait(None, timeout)
        return self.list_jobs()

    def wait_for_job(self, job: ModelInstallJob, timeout: float = 0) -> ModelInstallJob:
        """Wait until *job* has ended, or *timeout* seconds are over where that is not 0; return it."""
        self._runner.board.wait(job, timeout)
        return job

    def list_jobs(self) -> InstallJobs:
        """Return every job that is not pruned, by number."""
        return self._runner.board.jobs()

    def get_job_by_source(self, source: ModelSource) -> InstallJobs:
        """Return the jobs that install from *source*; none is an empty list."""
        return InstallJobs(job for job in self.list_jobs() if job.source == source)

    def get_job_by_id(self, id: int) -> ModelInstallJob:  # noqa: A002 - the specification's word
        """Return one job."""
        return self._runner.board.find(id).job

    def cancel_job(self, job: ModelInstallJob) -> None:
        """End a job and remove what it fetched; one that has ended stays as it is."""
        self._runner.cancel(job.id)

    def pause_job(self, job: ModelInstallJob) -> None:
        """Put a job aside, to the byte."""
        self._runner.pause(job.id)

    def resume_job(self, job: ModelInstallJob) -> None:
        """Go on with a job that was put aside."""
        self._runner.resume(job.id)

    def retry_job(self, job: ModelInstallJob) -> None:
        """Try a failed job again; what it has fetched is not fetched again."""
        self._runner.resume(job.id)

    def prune_jobs(self) -> None:
        """Forget jobs that have ended, and what failed ones fetched."""
        self._runner.prune()

    def _parse(self, text: str, token: str | None) -> ModelSource:
        return parse_source(text, access_token=token, hub=self._hub, civitai=self._civitai)


def _utc_now() -> datetime:
    return datetime.now(UTC)
