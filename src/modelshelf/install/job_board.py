"""Which installations there are and where each is: changed under one lock, and awaited."""

from __future__ import annotations

import logging
from collections.abc import Collection
from threading import Condition

from modelshelf.errors import UnknownJobIDException
from modelshelf.events import EventServiceBase
from modelshelf.install.installation import Installation
from modelshelf.install.told import source_in_words
from modelshelf.schema.event import (
    ModelEvent,
    ModelInstallCancelled,
    ModelInstallCompleted,
    ModelInstallError,
)
from modelshelf.schema.install_job import InstallJobs, InstallStatus, ModelInstallJob

__all__ = ["NOT_STORED", "PENDING", "JobBoard"]

PENDING = frozenset({InstallStatus.WAITING, InstallStatus.DOWNLOADING, InstallStatus.RUNNING})
"""Jobs that end by themselves."""
NOT_STORED = frozenset({InstallStatus.WAITING, InstallStatus.DOWNLOADING})
"""Jobs of which nothing is in the library."""
_LOGGER = logging.getLogger("modelshelf.install")
_LAST = (ModelInstallCancelled, ModelInstallCompleted, ModelInstallError)
"""Events behind which a job has no other."""
_TOLD = 1.0
"""Seconds that a job that has ended may take to say so."""


class JobBoard:
    """The installations of one program, by number."""

    def __init__(self, events: EventServiceBase | None) -> None:
        """Begin without jobs.

        Args:
            events: Is told of jobs; None tells nobody.
        """
        self._events = events
        self._changed = Condition()
        self._all: dict[int, Installation] = {}
        self._untold: set[int] = set()

    def add(self, installation: Installation) -> None:
        """Take an installation in, in the place of one that has its number."""
        with self._changed:
            self._all[installation.job.id] = installation

    def find(self, number: int) -> Installation:
        """Return one installation.

        Raises:
            UnknownJobIDException: There is none.
        """
        with self._changed:
            installation = self._all.get(number)
        if installation is None:
            raise UnknownJobIDException(job=str(number))
        return installation

    def known(self, number: int) -> Installation | None:
        """Return one installation; None where there is none."""
        with self._changed:
            return self._all.get(number)

    def all(self) -> list[Installation]:
        """Return all, by number."""
        with self._changed:
            return [self._all[number] for number in sorted(self._all)]

    def jobs(self) -> InstallJobs:
        """Return the jobs of all, by number."""
        return InstallJobs(installation.job for installation in self.all())

    def move(
        self,
        installation: Installation,
        status: InstallStatus,
        *,
        only_from: Collection[InstallStatus],
        **changes: object,
    ) -> bool:
        """Give a job another status, if it has one of those that it may come from.

        Args:
            installation: Whose.
            status: The new one.
            only_from: Those that it may have now.
            changes: Further fields of the job, changed with it.

        Returns:
            Whether it had one of them; nothing is changed otherwise.
        """
        with self._changed:
            if installation.job.status not in only_from:
                return False
            for name, value in changes.items():
                setattr(installation.job, name, value)
            installation.job.status = status
            if status.is_terminal and self._events is not None:
                self._untold.add(installation.job.id)
            self._changed.notify_all()
            return True

    def wait(self, wanted: ModelInstallJob | None, timeout: float) -> None:
        """Wait until a job does not end by itself any more.

        Args:
            wanted: Which one; None waits for all.
            timeout: Seconds to wait at most; 0 waits until it is so.
        """

        def is_over() -> bool:
            jobs = [each.job for each in self._all.values()] if wanted is None else [wanted]
            return not any(job.status in PENDING for job in jobs)

        def is_told() -> bool:
            return not self._untold if wanted is None else wanted.id not in self._untold

        with self._changed:
            if self._changed.wait_for(is_over, timeout or None):
                # Who waited and then looks at the events finds the last one there.
                self._changed.wait_for(is_told, _TOLD)

    def forget_ended(self) -> list[Installation]:
        """Take out the installations that have ended, and return them."""
        with self._changed:
            ended = [each for each in self._all.values() if each.job.in_terminal_state]
            for installation in ended:
                del self._all[installation.job.id]
        return ended

    def tell(self, event: ModelEvent) -> None:
        """Let listeners hear of a job, after it has changed."""
        if self._events is None:
            return
        try:
            self._events.dispatch(event)
        except Exception:  # a host's bus is not ours, and no reason not to have the model
            _LOGGER.exception("`%s` was not told: the bus refused it", event.name)
        if isinstance(event, _LAST):
            with self._changed:
                self._untold.discard(event.id)
                self._changed.notify_all()

    def fail(self, installation: Installation, error: Exception) -> None:
        """Let a job fail that did not end otherwise meanwhile."""
        job = installation.job
        # What was presented may be the settings' own.
        presented = getattr(installation.download, "access_token", None)
        installation.download = None
        if job.status not in PENDING:
            return
        installation.failed(error, presented or getattr(job.source, "access_token", None))
        if self.move(installation, InstallStatus.ERROR, only_from=PENDING):
            event = ModelInstallError(
                id=job.id,
                source=source_in_words(job.source),
                error_type=job.error_type or "",
                error=job.error or "",
            )
            self.tell(event)
