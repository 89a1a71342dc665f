"""Running installations in the background, from any source to a record.

A job is resolved (what does the source have?), spared (what of it is here already?), fetched, and stored.
The first three run in parallel, the last in one thread, one job after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import Event
from typing import Any

from pydantic_core import PydanticSerializationError

from modelshelf.download import DownloadQueueServiceBase
from modelshelf.errors import DamagedJobError, ForeignJobError, ModelshelfError
from modelshelf.events import EventServiceBase
from modelshelf.install.installation import Installation, job_of
from modelshelf.install.job_board import NOT_STORED, PENDING, JobBoard
from modelshelf.install.job_document import describe
from modelshelf.install.job_fetching import Hubs, JobFetcher
from modelshelf.install.job_folder import JobDocument, JobFolder, JobFolders, Wish
from modelshelf.install.job_storing import JobStorer
from modelshelf.install.job_workers import JobWorkers
from modelshelf.install.sparing import FileSparer
from modelshelf.install.storing import ModelStorer
from modelshelf.install.told import source_in_words
from modelshelf.install.wish import ModelWish
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.config_problems import invalid_config
from modelshelf.schema.event import (
    ModelInstallCancelled,
)
from modelshelf.schema.install_job import InstallStatus, ModelInstallJob
from modelshelf.schema.model_source import LocalModelSource, ModelSource
from modelshelf.schema.transfer import PrivateAddresses

__all__ = ["JobRunner"]

_WISHES = 0.5
"""Seconds between two looks at what other programs ask for."""
_AT_REST = frozenset({InstallStatus.PAUSED, InstallStatus.ERROR})
_STOPPABLE = NOT_STORED | {InstallStatus.PAUSED}


class JobRunner:
    """Runs installations, and keeps those that have ended until they are pruned.

    Every change of a job's status is made on the board, and told after it. No thread runs before the
    first job.
    """

    def __init__(
        self,
        *,
        folders: JobFolders,
        downloads: DownloadQueueServiceBase,
        hubs: Hubs,
        sparer: FileSparer,
        storer: ModelStorer,
        place: Callable[[LocalModelSource, ModelWish], AnyModelConfig],
        events: EventServiceBase | None,
        private: PrivateAddresses,
    ) -> None:
        """Hold what jobs pass through.

        Args:
            folders: What survives this program.
            downloads: Fetches files.
            hubs: Say what a source has.
            sparer: Finds what is here already.
            storer: Brings into the library.
            place: Enters a model that stays where it is.
            events: Is told; None tells nobody.
            private: Which private addresses URLs may lead to.
        """
        self._folders = folders
        self._downloads = downloads
        self.board = JobBoard(events)
        """The jobs, to look at and to wait for."""
        self._workers = JobWorkers(
            self.board,
            JobStorer(self.board, storer, place),
            fetch=self._fetch,
            watch=self._watch,
        )
        self._fetcher = JobFetcher(
            self.board,
            downloads,
            hubs,
            sparer,
            private=private,
            pass_on=self._workers.pass_on,
            cancel=self.cancel,
        )

    # -- jobs

    def submit(self, source: ModelSource, config: Mapping[str, Any]) -> ModelInstallJob:
        """Begin an installation and return its job.

        Raises:
            InvalidModelConfigException: *config* has a field that cannot be.
            StorageError: The job cannot be written down.
        """
        wish = ModelWish.parse(config)
        is_local = isinstance(source, LocalModelSource)

        try:
            # What is on this machine can be asked for again; what was half fetched must not be lost.
            folder, document = self._folders.create(
                partial(describe, source, config), is_durable=not is_local
            )
        except PydanticSerializationError as error:
            raise invalid_config(config.get("name"), [("config", str(error)[:200])]) from None
        job = ModelInstallJob(
            id=document.id,
            source=source,
            config_in=dict(config),
            inplace=isinstance(source, LocalModelSource) and source.inplace,
            local_path=source.path if isinstance(source, LocalModelSource) else folder.files,
        )
        installation = Installation(job, folder, document, wish)
        self.board.add(installation)
        self._workers.begin(installation)
        return job

    def take_up(self) -> None:
        """Go on with what programs that have ended left, and list what was paused or failed."""
        self._folders.clear_debris()
        left: set[str] = set()
        for _, found in list(self._folders.jobs()):
            taken = self._folders.take_over(found.id, is_one_of_many=True)
            if taken is not None:
                left.add(found.owner)
                self._take(*taken)
        self._folders.forget_owners(left)

    def take_one(self, number: int, access_token: str | None = None) -> ModelInstallJob | None:
        """Go on with one job that its program left, paused and failed ones too.

        Args:
            number: Which.
            access_token: For its source; None takes what the settings know.

        Returns:
            The job; None where there is none, or its program still runs.

        Raises:
            DamagedJobError: What its caller wants cannot be read any more.
        """
        taken = self._folders.take_over(number)
        if taken is None:
            return None
        source = taken[1].source
        can_have_one = access_token and not isinstance(source, LocalModelSource)
        given = {"access_token": access_token}
        self._take(*taken, source.model_copy(update=given) if can_have_one else None)
        self.resume(number)
        return self.board.find(number).job

    def take_same(self, source: ModelSource, config: Mapping[str, Any]) -> ModelInstallJob | None:
        """Go on with the newest job that is to install just this and is at rest.

        Its token and the secrets of its address come from *source*: none are kept with a job. One that
        failed because its source is not any more what it was makes room, so that it is asked afresh.

        Returns:
            The job; None where there is none, or each is under way.

        Raises:
            StorageError: It cannot be written down.
        """
        for installation in reversed(self.board.all()):
            if installation.document.is_for(source, config) and installation.job.status in _AT_REST:
                if installation.document.is_outdated:
                    return None
                installation.job.source = source
                self.resume(installation.job.id)
                return installation.job
        for folder, found in reversed(list(self._folders.jobs())):
            taken = self._folders.take_over(found.id) if found.is_for(source, config) else None
            if taken is None:
                continue
            if found.is_outdated:
                folder.remove()
                return None
            self._take(*taken, source)
            self.resume(found.id)
            return self.board.find(found.id).job
        return None

    def _take(
        self, folder: JobFolder, document: JobDocument, source: ModelSource | None = None
    ) -> None:
        installation = self.board.known(document.id)
        trouble: ModelshelfError | None = None
        if installation is None:
            wish = ModelWish()
            try:
                wish = ModelWish.parse(document.config)
            except ModelshelfError as error:
                trouble = folder.damaged(f"makes no sense: {error}")
                trouble.__cause__ = error
            job = job_of(document, folder)
            # Without what its caller wants it would become another model than was asked for.
            installation = Installation(job, folder, document, wish, damage=trouble)
            installation.there = list(document.fetched)
            self.board.add(installation)
        installation.document = document
        if source is not None:
            installation.job.source = source
        # What is put aside is watched too: another program may want it to go on.
        self._workers.run()
        if trouble is not None:
            waiting = InstallStatus.WAITING
            self.board.move(installation, waiting, only_from={InstallStatus.PAUSED})
            self.board.fail(installation, trouble)
        elif document.status in PENDING:
            waiting = InstallStatus.WAITING
            self.board.move(installation, waiting, only_from={*PENDING, InstallStatus.PAUSED})
            self._workers.begin(installation)

    def pause(self, number: int) -> None:
        """Put a job aside; one that is being stored, or has ended, stays as it is."""
        installation = self.board.find(number)
        if self.board.move(installation, InstallStatus.PAUSED, only_from=NOT_STORED):
            installation.note(status=InstallStatus.PAUSED)
            if installation.download is not None:
                self._downloads.pause_job(installation.download)

    def resume(self, number: int) -> None:
        """Go on with a job that was paused, or try one again that failed.

        Raises:
            UnknownJobIDException: There is none.
            DamagedJobError: What its caller wants cannot be read any more.
        """
        installation = self.board.find(number)
        if installation.damage is not None:
            raise installation.damage
        if self.board.move(installation, InstallStatus.WAITING, only_from=_AT_REST):
            installation.forgive()
            if installation.download is not None:
                self._downloads.start_job(installation.download)
            else:
                self._workers.begin(installation)

    def cancel(self, number: int) -> None:
        """End a job and remove what it fetched; one that is being stored, or has ended, stays as it is."""
        installation = self.board.find(number)
        job = installation.job
        if not self.board.move(installation, InstallStatus.CANCELLED, only_from=_STOPPABLE):
            return
        # Whoever works on it removes its folder as soon as that rests; here if nobody does.
        if installation.download is not None and not installation.download.in_terminal_state:
            self._downloads.cancel_job(installation.download)
        elif not installation.is_worked_on:
            installation.folder.remove()
        self.board.tell(ModelInstallCancelled(id=job.id, source=source_in_words(job.source)))

    def prune(self) -> None:
        """Forget jobs that have ended or cannot be read, and what they fetched."""
        for installation in self.board.forget_ended():
            installation.folder.remove()
        for damage in self.damaged():
            if not isinstance(damage, ForeignJobError):
                self._folders.remove_damaged(int(damage.job))

    def damaged(self) -> list[DamagedJobError]:
        """Say of each job that cannot be read what is wrong with it."""
        return [damage for _, _, damage in self._folders.damaged()]

    def stop(self) -> None:
        """End all threads; jobs that are under way stay as they are on disk, for `take_up`.

        A model that is just being stored is given up at its next step. Where that step takes longer than
        ten seconds it is left to end by itself, and its job stays ours until then: storing is one
        transaction, so the library has the model or has not, and who takes the job over finds out.
        """
        self._workers.stop(self._put_all_aside, self._folders.close)

    def _put_all_aside(self) -> None:
        for installation in self.board.all():
            self.board.move(installation, InstallStatus.PAUSED, only_from=NOT_STORED)
            if installation.download is not None:
                self._downloads.pause_job(installation.download)
                installation.download = None

    def _fetch(self, installation: Installation) -> None:
        self._fetcher.fetch(installation)

    def _watch(self, ending: Event) -> None:
        """Carry out what other programs ask for."""
        acts = {Wish.PAUSE: self.pause, Wish.RESUME: self.resume, Wish.CANCEL: self.cancel}
        while not ending.wait(_WISHES):
            for installation in self.board.all():
                living = not installation.job.complete and not installation.job.cancelled
                wish = installation.folder.wish() if living else None
                # It may be pruned by now, or the disk be full: the watch goes on.
                with suppress(ModelshelfError):
                    if wish is not None:
                        acts[wish](installation.job.id)
