"""The bytes of one version of a file on their way: who fetches what, and what to do when it goes wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from random import Random
from threading import Condition

from modelshelf.download.crew import Crew, cut_stuck, see_home
from modelshelf.download.failed_attempts import RetryLaterError, UnusableAnswerError
from modelshelf.download.partial_file import PartialFileShutError
from modelshelf.download.patience import Patience
from modelshelf.download.segment_worker import LEAST_COLLECTED, FirstAnswer, SegmentWorker
from modelshelf.download.segments import Segment, Segments
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.surroundings import Surroundings
from modelshelf.download.throughput_watch import ThroughputWatch
from modelshelf.download.transfer_seams import Ending, PartOpener, Sink
from modelshelf.protocols import Answer

__all__ = ["Transfer"]

_TICK = 0.1
"""Seconds between two looks at the workers."""
_MARKS = 100
"""Reports of progress for each file, at least where it is large."""
_COLLECTED = 2 * 2**20
"""Bytes that the connections of one file collect together, while these are worth writing."""
_UNUSABLE = 2
"""Answers in a row that do not fit the request, after which ranges are not asked for any more."""


class Transfer:
    """Brings the missing bytes of one version of a file into a sink, over one connection or several.

    One `run`, from one thread. The workers' threads call `assign`, `store`, `failed` and `left`.

    Args:
        open_part: Asks for a half-open range, and returns its answer once that is checked, or raises.
        sink: Takes the bytes; its errors end the transfer.
        missing: Which bytes are wanted; the end of the last range may be unknown, see *first*.
        first: An answer that is already there, and the connection to *host* that it came on.
        host: Whom connections are counted for.
        flow: Which download this is, among those that share `Surroundings`.
        surroundings: Limits, and who else is there.
        stop: Ends it early.
    """

    def __init__(
        self,
        open_part: PartOpener,
        sink: Sink,
        missing: Iterable[tuple[int, int]],
        *,
        first: FirstAnswer,
        host: str,
        flow: object,
        surroundings: Surroundings,
        stop: StopSignal,
    ) -> None:
        self._open_part = open_part
        self._host = host
        self._flow = flow
        self._stop = stop
        self._pace = surroundings.pace
        self._clock = surroundings.clock
        self.fetched = 0
        """Bytes of content that came over the network."""
        self._sink = sink
        self._first: FirstAnswer | None = first
        self._all = surroundings
        self._random = Random()  # noqa: S311 - spreads pauses, guards nothing
        self._segments = Segments(missing)
        self._changed = Condition()
        self._crew = Crew()
        self._ending: Ending | None = None
        self._error: BaseException | None = None
        self._gave_up: tuple[int, Exception] | None = None
        self._one_stream = first.is_everything
        self._watch = ThroughputWatch(
            1 if self._one_stream else surroundings.connections,
            clock=surroundings.clock,
            processor_clock=surroundings.processor_clock,
            account=surroundings.processor_account,
        )
        self._wanted = 1
        self._news = False
        self._next_mark = 0
        self._mark = 2**20

    # ------------------------------------------------------------ the caller's side

    def run(self, report: Callable[[int], None], *, size: int | None) -> Ending:
        """Fetch, and return when everything is there or it makes no sense to go on.

        Args:
            report: Told how many bytes came in this transfer, from this thread.
            size: Bytes of the whole file, for the steps of progress.

        Raises:
            ModelshelfError: It cannot go on; what came is in the sink.
        """
        self._mark = max(2**20, (size or 0) // _MARKS)
        self._next_mark = self._mark
        process = os.getpid()
        forget = self._stop.on_stop(self._wake)
        try:
            report(0)
            self._start_worker()
            self._oversee(report)
        finally:
            # A report may fork, and the child get here: the sockets are its parent's, and locks stay locked.
            if os.getpid() == process:
                forget()
                self._bring_home()
                self._all.pace.leave(self._flow)
        report(self.fetched)
        if isinstance(self._error, RetryLaterError):
            raise self._error.error
        if self._error is not None:
            raise self._error
        return self._ending or Ending.STOPPED

    def _oversee(self, report: Callable[[int], None]) -> None:
        while not self._over():
            with self._changed:
                if not self._news:
                    self._changed.wait(min(_TICK, self._watch.window))
                self._news = False
            report(self.fetched)
            if self._stop.kind is not None:
                self._end(Ending.STOPPED)
                return
            self._adapt()
            self._look_after(self._clock())

    def _over(self) -> bool:
        return self._ending is not None or self._error is not None

    def _adapt(self) -> None:
        """Want as many connections as help, and send home those that are too many."""
        with self._changed:
            wanted = self._watch.look(fetched=self.fetched, threads=self._crew.threads)
            if wanted is not None:
                self._wanted = wanted
                self._crew.dismiss(all_but=wanted)

    def _look_after(self, now: float) -> None:
        """Cut what is stuck, replace who is gone, and add who is wanted."""
        with self._changed:
            workers = self._crew.at_work
            gave_up = self._gave_up if self._gave_up and self._gave_up[0] == self.fetched else None
            lacking = self._wanted - len(workers) if self._has_work() else 0
        cut_stuck(workers, self._all.patience, now=now, is_limited=self._pace.limited)
        if workers:
            for _ in range(lacking):
                if not self._all.hosts.try_acquire(self._host, self._flow):
                    break
                self._start_worker()
        elif gave_up:
            self.fail(gave_up[1])
        elif not self._over() and self._all.hosts.acquire(self._host, self._flow, self._stop):
            self._start_worker()

    def _has_work(self) -> bool:
        return self._segments.unassigned > 0 or self._segments.can_split

    def _start_worker(self) -> None:
        worker = SegmentWorker(self, self._first, self._clock)
        self._first = None
        with self._changed:
            self._crew.enter(worker)
        worker.start()

    def _bring_home(self) -> None:
        """Let nobody work for this transfer any more, as far as that is in its power."""
        with self._changed:
            workers = self._crew.dismiss()
        if self._first is not None:
            self._first.answer.abort()
            self._first.answer.close()
            self._all.hosts.release(self._host, self._flow)
        see_home(workers, self._clock)

    def _end(self, ending: Ending) -> None:
        with self._changed:
            self._ending = self._ending or ending
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._news = True
            self._changed.notify_all()

    # ------------------------------------------------------------ the workers' side

    def assign(self, worker: SegmentWorker, first: FirstAnswer | None) -> Segment | None:
        """Give a worker something to do; None when it may go home."""
        with self._changed:
            if self._over() or worker.is_dismissed:
                return None
            if first is not None:
                return self._segments.take_at(first.start, first.end)
            return self._segments.take(
                rate=worker.rate or self._crew.usual_rate,
                connections=max(self._wanted, len(self._crew)),
            )

    def open_part(self, segment: Segment) -> Answer:
        """See `Work`."""
        return self._open_part(segment.position, segment.end)

    def take_buffer(self) -> memoryview:
        """See `Work`."""
        return self._sink.take_buffer()

    def give_buffer(self, buffer: memoryview) -> None:
        """See `Work`."""
        self._sink.give_buffer(buffer)

    def share_of_memory(self) -> int:
        """See `Work`. Who reads much at once takes a quarter less processor time, but reports seldom."""
        together = min(_COLLECTED, self._mark // 2)
        return max(LEAST_COLLECTED, together // max(1, len(self._crew)))

    def store(self, segment: Segment, buffer: memoryview, count: int) -> bool:
        """See `Work`."""
        is_behind = self._sink.is_behind
        with self._changed:
            self._watch.stored(is_behind=is_behind)
            count = min(count, segment.left)
            offset = segment.position
            # Claimed before it is written, so that nobody else is sent for the same bytes meanwhile.
            self._segments.advance(segment, count)
        try:
            self._sink.keep(offset, buffer, count)
        except PartialFileShutError:
            raise
        except BaseException as error:
            # Before the segment is given back: nothing is left of it, and that would pass for the end.
            self.fail(error)
            raise
        with self._changed:
            self.fetched += count
            if self.fetched >= self._next_mark:
                self._next_mark = self.fetched + self._mark
                self._wake()
            return segment.left > 0 and not self._over()

    def take_pace(self, wanted: int) -> int:
        """See `Work`."""
        if not self._pace.limited:
            return wanted
        since = self._clock()
        granted = self._pace.take(wanted, flow=self._flow, host=self._host, stop=self._stop)
        with self._changed:
            self._watch.waited(self._clock() - since)
        return granted

    def refund_pace(self, amount: int) -> None:
        """See `Work`."""
        self._pace.refund(amount, flow=self._flow, host=self._host)

    def is_crowded(self) -> bool:
        """See `Work`."""
        return self._all.hosts.wanted(self._host, self._flow)

    def give_back(self, segment: Segment) -> None:
        """See `Work`."""
        with self._changed:
            self._segments.give_back(segment)
            if self._segments.done:
                self._end(Ending.DONE)

    def end_early(self, segment: Segment) -> None:
        """See `Work`."""
        with self._changed:
            segment.end = segment.position

    def has_changed(self) -> None:
        """See `Work`."""
        self._end(Ending.CHANGED)

    def fail(self, error: BaseException) -> None:
        """See `Work`."""
        with self._changed:
            if not self._over():
                self._error = error
            self._wake()

    def failed(self, worker: SegmentWorker, error: Exception) -> bool:
        """See `Work`."""
        patience = self._all.patience
        with self._changed:
            others = self._crew.has_others_at_work(worker)
            if others and worker.failures and not worker.brought:
                # A host that lets no further connection in has said how many it wants.
                self._watch.most = self._wanted = max(1, len(self._crew) - 1)
                return False
        if self._one_stream:
            # It can only be had from the first byte on: whoever ordered the stream begins anew.
            self.fail(error)
        elif isinstance(error, UnusableAnswerError) and worker.failures >= _UNUSABLE:
            self._end(Ending.RANGELESS)
        elif _is_hopeless(error, worker.failures, patience) and not others:
            self.fail(error)
        elif worker.failures:
            self._rest(patience.pause_before(worker.failures, self._random))
        if _is_hopeless(error, worker.failures, patience):
            self._gave_up = (self.fetched, error)
            return False
        return not self._over()

    def left(self, worker: SegmentWorker) -> None:
        """See `Work`."""
        self._all.hosts.release(self._host, self._flow)
        with self._changed:
            self._crew.leave(worker)
            self._wake()

    def _rest(self, seconds: float) -> None:
        """Wait, but not longer than the transfer lasts."""
        until = self._clock() + seconds
        with self._changed:
            while not self._over() and self._stop.kind is None and until > self._clock():
                self._changed.wait(min(until - self._clock(), _TICK))


def _is_hopeless(error: Exception, failures: int, patience: Patience) -> bool:
    """Say whether an attempt more is not worth it."""
    most = error.most if isinstance(error, RetryLaterError) else None
    return failures >= patience.attempts or (most is not None and failures > most)
