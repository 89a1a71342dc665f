"""Calling the handlers of an event, and deciding when progress is worth one."""

from __future__ import annotations

from collections.abc import Sequence
from threading import current_thread, main_thread

from modelshelf.download.job_log import QueueLogger
from modelshelf.schema.download_job import DownloadEventHandler, DownloadJobBase

__all__ = ["HandlerChain", "ProgressSteps"]

_MIB = 1024 * 1024


class HandlerChain:
    """The handlers of a queue. A broken one hurts nobody: it is logged once, and called again next time."""

    def __init__(self, handlers: Sequence[DownloadEventHandler], logger: QueueLogger) -> None:
        """Hold what to call.

        Args:
            handlers: Called for every job, after the job's own.
            logger: Where a broken handler is told.
        """
        self._handlers = tuple(handlers)
        self._logger = logger
        self._broken: dict[int, DownloadEventHandler] = {}

    def call(self, job: DownloadJobBase) -> None:
        """Tell everybody about *job*, in order, in this thread."""
        for handler in (*job.event_handlers, *self._handlers):
            try:
                handler(job)
            except BaseException as error:
                # Ctrl-C comes while whatever runs in the main thread runs, and is meant for the program.
                if isinstance(error, KeyboardInterrupt) and current_thread() is main_thread():
                    raise
                self._tell(handler, error)

    def _tell(self, handler: DownloadEventHandler, error: BaseException) -> None:
        # Once, although it may fail a hundred times for each of a thousand jobs.
        if id(handler) not in self._broken:
            self._broken[id(handler)] = handler
            name = getattr(handler, "__qualname__", type(handler).__qualname__)
            self._logger.warning("the event handler %s failed", name, exc_info=error)


class ProgressSteps:
    """Decides which progress is an event: each hundredth, at least a mebibyte after the one before.

    Where the total is unknown the steps grow with what has come, so that they stay about as many.

    Example:
        >>> steps = ProgressSteps(0)
        >>> sum(steps.reached(done, 10**9) for done in range(0, 10**9 + 1, 10**5))
        99
        >>> sum(ProgressSteps(0).reached(done, 900_000) for done in range(900_001))
        0
    """

    def __init__(self, done: int) -> None:
        """Begin after *done* bytes."""
        self._last = done

    def reached(self, done: int, total: int) -> bool:
        """Tell whether *done* bytes of *total*, 0 where unknown, are worth an event."""
        step = max(_MIB, -(-total // 100) if total else done // 10)
        # The last byte is followed by an event of its own: `completed`, once all is checked.
        if done - self._last < step or done == total:
            return False
        self._last = done
        return True
