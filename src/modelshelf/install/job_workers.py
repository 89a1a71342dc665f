"""Taking installations through their two halves: several are fetched at once, one is stored at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread

from modelshelf.errors import ModelshelfError
from modelshelf.install.installation import Installation
from modelshelf.install.job_board import NOT_STORED, PENDING, JobBoard
from modelshelf.install.job_storing import JobStorer
from modelshelf.install.job_threads import JobThreads, join_all
from modelshelf.schema.install_job import InstallStatus, ModelInstallJob
from modelshelf.schema.model_source import LocalModelSource

__all__ = ["JobWorkers"]

_TOGETHER = 64
"""Models of this machine that are stored with one transaction."""
_RESOLVERS = 4
"""Jobs that ask their hubs at once."""
_STORER, _LAST = "modelshelf-store", "modelshelf-farewell"
_FAREWELL = 1.0
"""Seconds that stopping waits for threads that ask hubs."""
_FAREWELLS = {_STORER: 10.0}
"""Seconds that it waits for others, by their names."""


class JobWorkers:
    """The threads that work on jobs, and the two queues in which jobs wait for them."""

    def __init__(
        self,
        board: JobBoard,
        storer: JobStorer,
        *,
        fetch: Callable[[Installation], None],
        watch: Callable[[Event], None],
    ) -> None:
        """Hold what threads call; none runs before the first job.

        Args:
            board: Where the jobs are.
            storer: Brings into the library.
            fetch: Finds out what there is, and begins to fetch it.
            watch: Looks what other programs ask for, until its event is set.
        """
        self._board = board
        self._storer = storer
        self._fetch = fetch
        self._watch = watch
        self._to_resolve: SimpleQueue[Installation | None] = SimpleQueue()
        self._to_store: SimpleQueue[Installation | None] = SimpleQueue()
        self._threads = JobThreads()

    def begin(self, installation: Installation) -> None:
        """Let a job go on from where it is."""
        self.run()
        self._put_in_line(installation)

    def _put_in_line(self, installation: Installation) -> None:
        is_here = isinstance(installation.job.source, LocalModelSource)
        if is_here or installation.is_fetched:
            self._to_store.put(installation)
        else:
            self._to_resolve.put(installation)

    def pass_on(self, installation: Installation) -> None:
        """Let a job that is fetched wait for being stored."""
        self._to_store.put(installation)

    def run(self) -> None:
        """Start the threads, where they do not run."""
        self._threads.begin(self._loops)

    def stop(self, pause: Callable[[], None], close: Callable[[], None]) -> None:
        """End the threads, in bounded time.

        Args:
            pause: Called when no thread takes a further job.
            close: Called when no job is worked on any more: before this returns, or where a model takes
                longer to be stored than there is patience, after that.
        """
        to_store, to_resolve = self._to_store, self._to_resolve
        threads = self._threads.leave(self._renew_queues)
        pause()
        for queue in (to_store, *[to_resolve] * _RESOLVERS):
            queue.put(None)
        # A hub may take minutes to answer, and who waits for it does nothing more for a stopped job.
        left = join_all({each: _FAREWELLS.get(each.name, _FAREWELL) for each in threads})
        storing = next((each for each in left if each.name == _STORER), None)
        if storing is None:
            close()
        else:
            await_last = partial(self._close_after, storing, close)
            Thread(target=await_last, name=_LAST, daemon=True).start()

    def _renew_queues(self) -> None:
        self._to_store, self._to_resolve = SimpleQueue(), SimpleQueue()

    def _close_after(self, storing: Thread, close: Callable[[], None]) -> None:
        storing.join()
        self._threads.unless_running(close)

    def _loops(self, ending: Event) -> dict[str, Callable[[], None]]:
        resolve: Callable[[], None] = partial(self._resolve_all, self._to_resolve, ending)
        return {
            **{f"modelshelf-resolve-{number}": resolve for number in range(_RESOLVERS)},
            _STORER: partial(self._store_all, self._to_store, ending),
            "modelshelf-watch": partial(self._watch, ending),
        }

    def _resolve_all(self, queue: SimpleQueue[Installation | None], ending: Event) -> None:
        while (installation := queue.get()) is not None:
            self._work(installation, self._fetch, ending)

    def _store_all(self, queue: SimpleQueue[Installation | None], ending: Event) -> None:
        last = False
        while not last:
            waiting = [queue.get()]
            while len(waiting) < _TOGETHER and not queue.empty():
                # This thread alone takes from the queue, so what is there stays.
                waiting.append(queue.get())
            last = None in waiting
            installations = [each for each in waiting if each is not None]
            local = [each for each in installations if _is_copied(each.job)]
            if len(local) > 1 and not ending.is_set():
                self._storer.store_together(local)
            for installation in installations:
                if len(local) <= 1 or installation not in local:
                    store = partial(self._storer.store, ending=ending)
                    self._work(installation, store, ending)

    def _work(
        self, installation: Installation, step: Callable[[Installation], None], ending: Event
    ) -> None:
        if ending.is_set() or installation.job.status not in PENDING:
            return
        if not installation.take_in_hand():
            # It was put aside and resumed while a thread worked on it, which begins it again.
            return
        try:
            step(installation)
        except Exception as error:  # noqa: BLE001 - one job's failure is no other's
            if ending.is_set():
                # Maybe it failed of being stopped; what is wrong with it shows when it goes on.
                self._board.move(installation, InstallStatus.PAUSED, only_from=PENDING)
            else:
                self._board.fail(installation, error)
        finally:
            is_wanted_again = installation.put_down()
        is_open = installation.job.status in NOT_STORED and installation.download is None
        if is_wanted_again and is_open:
            # By threads that were begun since, or else by none: who stopped them begins the job again.
            self._threads.where_running(partial(self._put_in_line, installation))
        if installation.job.cancelled and installation.download is None:
            with suppress(ModelshelfError):
                installation.folder.remove()


def _is_copied(job: ModelInstallJob) -> bool:
    return isinstance(job.source, LocalModelSource) and not job.source.inplace
