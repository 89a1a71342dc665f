"""One connection's thread: asks for a segment, reads it, brings it home, asks for the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Protocol

from modelshelf.download.failed_attempts import (
    HEALING,
    RemoteChangedError,
    TransferStoppedError,
    UnusableAnswerError,
)
from modelshelf.download.partial_file import PartialFileShutError
from modelshelf.download.segments import Segment
from modelshelf.protocols import Answer

__all__ = ["LEAST_COLLECTED", "FirstAnswer", "SegmentWorker"]

LEAST_COLLECTED = 512 * 1024
"""Bytes that are worth writing at once."""
_LONGEST_HOLD = 0.25
"""Seconds for which bytes are collected before they are written: a kill loses them."""
_HELD_SHARE = 256
"""Of what a connection has brought at most one part in so many is collected: a kill loses it."""
_AT_ONCE = 0.01
"""Seconds in which a fast connection fills much memory; a slower one has what it collected written at half a
MiB, lest a kill lose what took longer to come."""
_WORTH_A_TRY = 256 * 1024
"""Bytes after which a connection that breaks counts as one that worked."""
_RATE_SPAN = 0.2
"""Seconds over which a rate is taken."""


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """An answer that came before there were workers; one of them takes it over."""

    answer: Answer
    """Open."""
    start: int
    """Offset of the first byte."""
    end: int
    """Offset behind the last one; beyond any file where nobody knows."""
    prefix: bytes = b""
    """What of its body was read already."""
    is_everything: bool = False
    """Whether the host brings the file in one stream, from the first byte, and in no other way."""
    has_open_end: bool = False
    """Whether the end of the body is the end of the file."""


class Work(Protocol):
    """What a worker needs of the transfer it works for. Every method may be called from its thread."""

    def assign(self, worker: SegmentWorker, first: FirstAnswer | None) -> Segment | None:
        """Give a worker something to do; None when it may go home."""

    def open_part(self, segment: Segment) -> Answer:
        """Ask for what a segment lacks; the answer brings exactly that, or the front of it."""

    def take_buffer(self) -> memoryview:
        """Lend memory to collect bytes in."""

    def give_buffer(self, buffer: memoryview) -> None:
        """Take back what `take_buffer` lent and `store` did not take."""

    def share_of_memory(self) -> int:
        """Say how many bytes one of so many connections should collect at most."""

    def store(self, segment: Segment, buffer: memoryview, count: int) -> bool:
        """Keep the first *count* bytes of *buffer*, which goes back to the transfer; say whether to go on."""

    def take_pace(self, wanted: int) -> int:
        """Wait for leave to read; 0 when there is no use in it any more."""

    def refund_pace(self, amount: int) -> None:
        """Give back leave that was not used."""

    def is_crowded(self) -> bool:
        """Say whether another download should have this connection."""

    def give_back(self, segment: Segment) -> None:
        """Take a segment back, with what it still lacks."""

    def end_early(self, segment: Segment) -> None:
        """Hear that the file ends where the segment stands."""

    def has_changed(self) -> None:
        """Hear that the host serves another version of the file."""

    def failed(self, worker: SegmentWorker, error: Exception) -> bool:
        """Hear of a failure that may heal; wait politely, and say whether to try again."""

    def fail(self, error: BaseException) -> None:
        """Hear of an error that does not heal."""

    def left(self, worker: SegmentWorker) -> None:
        """Hear that a worker has gone home."""


class SegmentWorker:
    """Fetches segments of a transfer until there are none left, in a daemon thread.

    Whatever goes wrong, what has been read reaches the sink first, and the rest of the segment goes back to
    the transfer.
    """

    def __init__(self, work: Work, first: FirstAnswer | None, clock: Callable[[], float]) -> None:
        self._work = work
        self._first = first
        self._clock = clock
        self._answer: Answer | None = None
        self._thread = Thread(target=self._run, name="modelshelf-connection", daemon=True)
        self.is_at_work = True
        """Whether it may still bring something."""
        self.is_dismissed = False
        """Whether it shall go home once it has brought what it has."""
        self.failures = 0
        """Failures in a row, with next to nothing between them."""
        self.brought = 0
        """Bytes in all."""
        self.rate = 0.0
        """Bytes per second, of late; 0 while nobody knows."""
        self._brought_before = 0
        self._rated_at, self._rated = 0.0, 0
        self._watched_since: float | None = None
        self._watched_from = 0

    # ------------------------------------------------------------ the transfer's side

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for its end, at most *seconds*."""
        self._thread.join(seconds)

    @property
    def thread(self) -> int:
        """The system's number of its thread; 0 before that begins."""
        return self._thread.native_id or 0

    def dismiss(self) -> None:
        """Send it home as soon as it has brought what it has."""
        self.is_dismissed = True

    def abort(self) -> None:
        """Wake it where it waits for bytes; it then brings what it has."""
        answer = self._answer
        if answer is not None:
            answer.abort()

    def check_pace(self, slowest: float, seconds: float, now: float) -> None:
        """Cut the answer of a worker that has brought less than *slowest* bytes per second for *seconds*."""
        if self._watched_since is None or self._answer is None:
            self._watched_since, self._watched_from = now, self.brought
            return
        passed = now - self._watched_since
        if passed < seconds:
            return
        if self.brought - self._watched_from < slowest * passed:
            self.abort()
        self._watched_since = None

    # ------------------------------------------------------------ its own thread

    def _run(self) -> None:
        try:
            goes_on = True
            while goes_on:
                first, self._first = self._first, None
                segment = self._work.assign(self, first)
                if segment is None:
                    if first is not None:
                        first.answer.close()
                    return
                goes_on = self._attempt(segment, first) and not self.is_dismissed
        except BaseException as error:  # noqa: BLE001 - a thread's error is raised by who waits for it
            self._work.fail(error)
        finally:
            self.is_at_work = False
            self._work.left(self)

    def _attempt(self, segment: Segment, first: FirstAnswer | None) -> bool:
        """Fetch a segment; return whether to go on with another one."""
        try:
            self._fetch(segment, first)
        except (TransferStoppedError, PartialFileShutError):
            return False
        except RemoteChangedError:
            self._work.has_changed()
            return False
        except HEALING as error:
            self._count_failure()
            self._work.give_back(segment)
            return not self.is_dismissed and self._work.failed(self, error)
        finally:
            self._work.give_back(segment)
        return True

    def _count_failure(self) -> None:
        brought = self.brought - self._brought_before
        self._brought_before = self.brought
        if brought >= _WORTH_A_TRY:
            self.failures = 0
        else:
            self.failures = 1 if brought else self.failures + 1

    def _fetch(self, segment: Segment, first: FirstAnswer | None) -> None:
        answer = self._work.open_part(segment) if first is None else first.answer
        self._watched_since = None
        self._answer = answer
        try:
            if not self.is_dismissed:
                came_to_end = self._read(answer, segment, first.prefix if first else b"")
                if came_to_end and first is not None and first.has_open_end:
                    self._work.end_early(segment)
        finally:
            self._answer = None
            answer.close()

    def _read(self, answer: Answer, segment: Segment, prefix: bytes) -> bool:
        """Bring what an answer holds; return whether its body came to an end before the segment did."""
        before = self.brought
        buffer = self._work.take_buffer()
        buffer[: len(prefix)] = prefix
        filled = len(prefix)
        most = min(len(buffer), self._work.share_of_memory())
        since = self._rated_at = self._clock()
        self._rated = self.brought
        count = -1
        try:
            while (room := min(most, segment.left) - filled) > 0:
                granted = self._work.take_pace(room)
                if not granted:
                    break
                count = answer.read_into(buffer[filled : filled + granted])
                self._work.refund_pace(granted - count)
                filled += count
                if not count or self.is_dismissed:
                    break
                now = self._clock()
                if filled == most or self._is_due(filled, now - since):
                    goes_on = self._bring(segment, buffer, filled, now)
                    buffer, filled, since = self._work.take_buffer(), 0, now
                    most = min(len(buffer), self._work.share_of_memory())
                    if not goes_on:
                        break
        finally:
            if filled:
                self._bring(segment, buffer, filled, self._clock())
            else:
                self._work.give_buffer(buffer)
        if count == 0 and self.brought == before and not prefix:
            message = "no bytes at all"
            raise UnusableAnswerError(message)
        return count == 0

    def _is_due(self, filled: int, seconds: float) -> bool:
        if filled * _HELD_SHARE >= self.brought:
            return True
        return seconds >= (_AT_ONCE if filled >= LEAST_COLLECTED else _LONGEST_HOLD)

    def _bring(self, segment: Segment, buffer: memoryview, filled: int, now: float) -> bool:
        goes_on = self._work.store(segment, buffer, filled)
        self.brought += filled
        if now - self._rated_at >= _RATE_SPAN:
            rate = (self.brought - self._rated) / (now - self._rated_at)
            self.rate = rate if not self.rate else (self.rate + rate) / 2
            self._rated_at, self._rated = now, self.brought
        segment.rate = self.rate
        if self._work.is_crowded():
            self.is_dismissed = True
        return goes_on and not self.is_dismissed
