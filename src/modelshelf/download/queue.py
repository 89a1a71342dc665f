"""The download queue."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from pydantic import AnyHttpUrl

from modelshelf.disk import LocalDisk
from modelshelf.download.dispatching import Dispatcher
from modelshelf.download.file_download import FileDownload
from modelshelf.download.file_fetcher import FileFetcher
from modelshelf.download.handlers import HandlerChain
from modelshelf.download.hosts import Hosts
from modelshelf.download.job_keeping import JobKeeping
from modelshelf.download.job_log import JobLog, queue_logger
from modelshelf.download.job_making import make_job
from modelshelf.download.job_work import JobWork
from modelshelf.download.job_works import JobWorks
from modelshelf.download.many_files import ManyFilesWork
from modelshelf.download.pace import Pace
from modelshelf.download.path_job import PathWork
from modelshelf.download.patience import Patience
from modelshelf.download.queue_base import DownloadQueueServiceBase
from modelshelf.download.queue_state import QueueState
from modelshelf.download.remote_job import RemoteWork, TokenFor, make_folder
from modelshelf.download.roster import Roster, Wish
from modelshelf.download.transport_choice import choose_transport
from modelshelf.errors import ForeignQueueError
from modelshelf.protocols import Disk, Transport
from modelshelf.schema.download_job import DownloadEventHandler, DownloadJobBase
from modelshelf.schema.transfer import PrivateAddresses

if TYPE_CHECKING:
    import requests

__all__ = ["DownloadQueueService"]

_PATIENT = 1.0
"""Seconds that `pause_job` and `cancel_job` wait until it is so."""
_STOPPING = 1.8
"""Seconds that `stop` waits for jobs; those that take longer pause without anybody watching."""


class DownloadQueueService(DownloadQueueServiceBase):
    """Fetches files in threads of this process.

    It can be used as soon as it is made. With a *state_folder*, unfinished jobs survive the process, however
    it ends: another queue of the same folder has them again, paused and with their ids, and they go on
    where they were. Their handlers and access tokens do not survive; *token_for* is asked for tokens.

    A fork of the process gets none of its threads: there, every method raises `ForeignQueueError`, and the
    queue of the parent goes on.

    Example:
        >>> from modelshelf.testing import tiny
        >>> folder = getfixture("tmp_path")
        >>> model = tiny.lora(folder / "style.safetensors", base="sd-1")
        >>> seen = []
        >>> with DownloadQueueService(event_handlers=[lambda job: seen.append(job.status)]) as queue:
        ...     job = queue.create_download_job(model, folder / "loras")
        ...     job = queue.wait_for_job(job, timeout=60)
        >>> [str(status) for status in seen], job.downloaded_path.name
        (['enqueued', 'running', 'completed'], 'style.safetensors')
    """

    def __init__(  # noqa: PLR0913 - the specification's four, and what else a queue can be made of
        self,
        event_handlers: Sequence[DownloadEventHandler] = (),
        max_parallel_dl: int = 5,
        requests_session: requests.Session | None = None,
        quiet: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
        *,
        state_folder: Path | None = None,
        transport: Transport | None = None,
        disk: Disk | None = None,
        fetcher: FileFetcher | None = None,
        patience: Patience | None = None,
        rate_limit: int | None = None,
        rate_limit_per_host: int | None = None,
        connections_per_host: int = 8,
        connections_per_file: int = 8,
        files_per_job: int = 8,
        private_addresses: PrivateAddresses = PrivateAddresses.AS_NAMED,
        token_for: TokenFor | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Make a queue that works.

        Args:
            event_handlers: Called for every job, after the job's own.
            max_parallel_dl: Jobs that run at the same time.
            requests_session: Used for all requests exactly as it is; None takes one of our own.
            quiet: Whether all that the log hears is at the level DEBUG, warnings too.
            state_folder: Where unfinished jobs are kept; None forgets them with the process. Several queues,
                of several processes too, may share one.
            transport: Used in place of requests.
            disk: Through which to write.
            fetcher: Fetches one file, in place of the engine that is made of the other arguments.
            patience: How long to wait and how often to try.
            rate_limit: Bytes per second for all jobs together; None for as many as come.
            rate_limit_per_host: Bytes per second from one host.
            connections_per_host: Connections to one host, for all jobs together.
            connections_per_file: The most for one file; more than one are used only while that helps.
            files_per_job: Files of one job for many that are fetched at the same time.
            private_addresses: Which hosts may have private addresses.
            token_for: Asked for the access token of a job that has none, with its address.
            clock: Measures time.
            now: Tells the time of day.

        Raises:
            DestinationUnusableError: The state folder cannot be used.
        """
        self._process = os.getpid()
        logger = queue_logger(quiet=quiet)
        self._disk = disk or LocalDisk()
        self._transport: Transport | None = None
        self._pace = Pace(rate_limit, per_host=rate_limit_per_host, clock=clock)
        self._hosts = Hosts(connections_per_host, clock=clock)
        if fetcher is None:
            self._transport = transport or choose_transport(os.environ, requests_session)
            fetcher = FileDownload(
                self._transport,
                self._disk,
                self._hosts,
                self._pace,
                patience=patience,
                connections=connections_per_file,
                clock=clock,
            )
        self._roster = Roster()
        state = None if state_folder is None else QueueState(state_folder, self._disk, logger)
        self._keeping = JobKeeping(self._roster, state, logger)
        self._works = JobWorks(
            RemoteWork(
                fetcher,
                self._disk,
                token_for=token_for,
                private=private_addresses,
                note=self._keeping.note,
            ),
            ManyFilesWork(
                fetcher,
                self._disk,
                parallel=files_per_job,
                token_for=token_for,
                private=private_addresses,
                note=self._keeping.note,
                clock=clock,
            ),
            PathWork(self._disk),
        )
        self._dispatcher = Dispatcher(
            self._roster,
            self.work_for,
            HandlerChain(event_handlers, logger),
            JobLog(logger),
            self._keeping.note,
            most=max_parallel_dl,
            clock=clock,
            now=now,
        )
        self._keeping.restore()

    def start(self) -> None:
        """Work again after `stop`; see the base class.

        Raises:
            DestinationUnusableError: The state folder cannot be used any more.
        """
        self._check_process()
        self._keeping.restore()
        self._dispatcher.open()

    def stop(self) -> None:
        """Pause everything; see the base class."""
        self._check_process()
        deadline = time.monotonic() + _STOPPING
        self._dispatcher.shut()
        # In a thread, for handlers of jobs that wait may take their time.
        pausing = Thread(target=self._wish_all, args=(Wish.PAUSE,), daemon=True)
        pausing.start()
        pausing.join(_STOPPING)
        self._dispatcher.wait_until_idle(max(0.0, deadline - time.monotonic()))
        self._keeping.release()
        if self._transport is not None:
            self._transport.close()

    def submit_download_job(self, job: DownloadJobBase, start: bool = True) -> None:  # noqa: FBT001, FBT002
        """Take a job; see the base class.

        Raises:
            InvalidDownloadError: It was submitted before, or its class is unknown.
            DestinationUnusableError: It could not be kept in the state folder.
        """
        self._check_process()
        self.work_for(job)
        self._keeping.take(job)
        if start:
            self._dispatcher.wish(job, Wish.START)

    def create_download_job(  # noqa: D102 - as the specification has it; see the base class
        self,
        source: str | Path | AnyHttpUrl,
        destdir: Path | str,
        filename: Path | str | None = None,
        start: bool = True,  # noqa: FBT001, FBT002
        priority: int = 10,
        access_token: str | None = None,
        event_handlers: Sequence[DownloadEventHandler] = (),
    ) -> DownloadJobBase:
        self._check_process()
        job = self.make_job(
            source,
            Path(destdir),
            filename=None if filename is None else Path(filename),
            priority=priority,
            access_token=access_token,
            event_handlers=list(event_handlers),
        )
        make_folder(self._disk, Path(destdir))
        self.submit_download_job(job, start=start)
        return job

    def make_job(
        self,
        source: str | Path | AnyHttpUrl,
        folder: Path,
        *,
        filename: Path | None = None,
        access_token: str | None = None,
        **fields: Any,  # noqa: ANN401 - as many types as fields
    ) -> DownloadJobBase:
        """Make a job of the class that fits *source*: this is what a subclass with other sources overrides.

        Args:
            source: What `create_download_job` was given.
            folder: Where the file goes.
            filename: Its name there; None takes the remote host's.
            access_token: For jobs that have one.
            fields: More fields of the job.

        Raises:
            InvalidDownloadError: No class fits, or *filename* leaves *folder*.
        """
        return make_job(source, folder, filename=filename, access_token=access_token, **fields)

    def work_for(self, job: DownloadJobBase) -> JobWork[DownloadJobBase]:
        """Say who does the work of a job: this is what a subclass with other jobs overrides.

        Raises:
            InvalidDownloadError: Nobody.
        """
        return self._works.of(job)

    def join(self) -> None:
        """Wait for all; see the base class."""
        self._check_process()
        self._dispatcher.wait_until_idle()

    def wait_for_job(self, job: DownloadJobBase, timeout: float | None = None) -> DownloadJobBase:
        """Wait for one; see the base class."""
        self._check_process()
        if not self._dispatcher.wait_until_ended(job, timeout):
            message = f"download {job.id} is {job.status}"
            raise TimeoutError(message)
        return job

    def list_jobs(self) -> list[DownloadJobBase]:
        """List all; see the base class."""
        self._check_process()
        return self._roster.jobs()

    def id_to_job(self, id: int) -> DownloadJobBase:  # noqa: A002 - the specification's name
        """Find one; see the base class."""
        self._check_process()
        return self._roster.find(id)

    def prune_jobs(self) -> None:
        """Forget what has ended; see the base class."""
        self._roster.forget(job.id for job in self.list_jobs() if job.in_terminal_state)

    def start_job(self, job: DownloadJobBase) -> None:
        """Start one; see the base class."""
        self._check_process()
        self._dispatcher.wish(job, Wish.START)

    def pause_job(self, job: DownloadJobBase) -> None:
        """Pause one; see the base class."""
        self._check_process()
        self._dispatcher.wish(job, Wish.PAUSE)
        self._roster.wait_until_put_aside([job], _PATIENT)

    def cancel_job(self, job: DownloadJobBase) -> None:
        """Cancel one; see the base class."""
        self._check_process()
        self._dispatcher.wish(job, Wish.CANCEL)
        self._roster.wait_until_put_aside([job], _PATIENT)

    def change_priority(self, job: DownloadJobBase, priority: int) -> None:
        """Move one in the line; see the base class."""
        self._check_process()
        self._roster.change_priority(job, priority)
        self._keeping.keep(job)

    def change_rate_limit(self, rate_limit: int | None, *, per_host: int | None = None) -> None:
        """Change the limits of all jobs together and of each host, in bytes per second, from now on.

        Args:
            rate_limit: For all jobs together; None for as many as come.
            per_host: From one host.
        """
        self._pace.change(rate_limit, per_host=per_host)

    def change_connections_per_host(self, connections: int) -> None:
        """Change how many connections one host gets. Those that are open are used to their end."""
        self._hosts.limit_connections(connections)

    def start_all_jobs(self) -> None:
        """Start all; see the base class."""
        self._wish_all(Wish.START)

    def pause_all_jobs(self) -> None:
        """Pause all; see the base class."""
        self._roster.wait_until_put_aside(self._wish_all(Wish.PAUSE), _PATIENT)

    def cancel_all_jobs(self) -> None:
        """Cancel all; see the base class."""
        self._roster.wait_until_put_aside(self._wish_all(Wish.CANCEL), _PATIENT)

    def _wish_all(self, wish: Wish) -> list[DownloadJobBase]:
        jobs = [job for job in self.list_jobs() if not job.in_terminal_state]
        # The first in line first; and those that wait before those that run, whose slots they would get.
        jobs.sort(key=lambda job: (job.running, job.priority, job.id))
        for job in jobs:
            self._dispatcher.wish(job, wish)
        return jobs

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise ForeignQueueError(url="", process=self._process)
