"""The second half of an installation: what is on this machine becomes a model of the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event

from modelshelf.errors import ModelshelfError
from modelshelf.install.installation import Installation
from modelshelf.install.job_board import NOT_STORED, JobBoard
from modelshelf.install.storing import ModelStorer
from modelshelf.install.told import source_in_words
from modelshelf.install.wish import ModelWish
from modelshelf.schema.config import AnyModelConfig, ModelConfigBase
from modelshelf.schema.event import ModelInstallCompleted, ModelInstallRunning
from modelshelf.schema.install_job import InstallStatus
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.schema.progress import Progress, ProgressReporter

__all__ = ["JobStorer", "StoringGivenUp"]


class StoringGivenUp(Exception):  # noqa: N818 - it is no error: somebody wanted it
    """The installer ends before a model is stored; its job keeps what it needs to go on."""


class JobStorer:
    """Stores the models of jobs; to be used by one thread."""

    def __init__(
        self,
        board: JobBoard,
        storer: ModelStorer,
        place: Callable[[LocalModelSource, ModelWish], AnyModelConfig],
    ) -> None:
        """Hold what jobs pass through.

        Args:
            board: Where the jobs are.
            storer: Brings into the library.
            place: Enters a model that stays where it is.
        """
        self._board = board
        self._storer = storer
        self._place = place

    def store(self, installation: Installation, *, ending: Event) -> None:
        """Bring what is here into the library.

        Args:
            installation: What is here.
            ending: Set when it is to be given up.

        Raises:
            StoringGivenUp: It was, and the library is as it was before.
        """
        if self._begin_storing(installation):
            self._complete(installation, self._bring(installation, partial(_go_on, ending)))

    def store_together(self, installations: Sequence[Installation]) -> None:
        """Bring several models of this machine into the library, which costs less than one by one."""
        begun = [each for each in installations if self._begin_storing(each)]
        wanted = [
            (each.job.source, each.wish)
            for each in begun
            if isinstance(each.job.source, LocalModelSource)
        ]
        try:
            done: Sequence[object] = self._storer.store_together(wanted)
        except Exception as error:  # noqa: BLE001 - what befell all of them is each one's failure
            done = [error] * len(begun)
        for installation, result in zip(begun, done, strict=True):
            if isinstance(result, Exception):
                self._board.fail(installation, result)
            elif isinstance(result, ModelConfigBase):
                self._complete(installation, result)  # type: ignore[arg-type] # the union of its classes

    def _begin_storing(self, installation: Installation) -> bool:
        if not self._board.move(installation, InstallStatus.RUNNING, only_from=NOT_STORED):
            return False
        job = installation.job
        self._board.tell(ModelInstallRunning(id=job.id, source=source_in_words(job.source)))
        return True

    def _complete(self, installation: Installation, config: AnyModelConfig) -> None:
        job = installation.job
        words = source_in_words(job.source)
        # The model is there, whatever becomes of the rest; the next start tidies up.
        with suppress(ModelshelfError):
            installation.folder.remove()
        size = config.size or job.total_bytes
        self._board.move(
            installation,
            InstallStatus.COMPLETED,
            only_from={InstallStatus.RUNNING},
            config_out=config,
            bytes=size,
            total_bytes=size,
        )
        self._board.tell(
            ModelInstallCompleted(id=job.id, source=words, total_bytes=size, key=config.key)
        )

    def _bring(self, installation: Installation, report: ProgressReporter) -> AnyModelConfig:
        source = installation.job.source
        if not isinstance(source, LocalModelSource):
            return self._storer.store_fetched(
                source,
                installation.wish,
                folder=installation.folder.files,
                listing=installation.listing,
                fetched=installation.there,
                report=report,
            )
        if source.inplace:
            return self._place(source, installation.wish)
        return self._storer.store_local(source, installation.wish, report)


def _go_on(ending: Event, step: Progress) -> None:
    """Take a step of storing; until the last one nothing of the model is in the library."""
    if ending.is_set():
        raise StoringGivenUp(step.subject)
