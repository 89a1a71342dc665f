"""Crews whose members fetch from a host that says nothing until somebody cuts it off."""

from __future__ import annotations

from itertools import count
from threading import Event

import pytest

from modelshelf.download.crew import Crew, cut_stuck, see_home
from modelshelf.download.patience import Patience
from modelshelf.download.segment_worker import FirstAnswer, SegmentWorker
from modelshelf.download.segments import Segment
from modelshelf.errors import ConnectionLostError
from modelshelf.protocols import Answer

URL = "https://hub.example/x"
PATIENCE = Patience(slow_for=10.0, slow_share=0.01, crawl=100.0)


class Silence:
    """An answer that brings nothing, and breaks once it is cut; it knows whether it was."""

    url, status = URL, 206

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.is_asked = Event()
        self.is_cut = Event()

    def read_into(self, buffer: memoryview) -> int:
        assert buffer
        self.is_asked.set()
        assert self.is_cut.wait(30)
        raise ConnectionLostError(url=URL, reason="cut")

    def abort(self) -> None:
        self.is_cut.set()

    def close(self) -> None:
        """There is no socket."""


class Errand:
    """A transfer of one segment by one worker, who is told to go home after a failure."""

    def __init__(self) -> None:
        self.answer = Silence()
        self.worker = SegmentWorker(self, None, lambda: 0.0)

    def assign(self, _worker: SegmentWorker, _first: FirstAnswer | None) -> Segment | None:
        return Segment(0, 1000, 0)

    def open_part(self, _segment: Segment) -> Answer:
        return self.answer

    def take_buffer(self) -> memoryview:
        return memoryview(bytearray(1000))

    def give_buffer(self, buffer: memoryview) -> None:
        buffer.release()

    def share_of_memory(self) -> int:
        return 1000

    def store(self, _segment: Segment, _buffer: memoryview, _count: int) -> bool:
        return True

    def take_pace(self, wanted: int) -> int:
        return wanted

    def refund_pace(self, _amount: int) -> None:
        """There is no limit."""

    def is_crowded(self) -> bool:
        return False

    def give_back(self, _segment: Segment) -> None:
        """Nobody else wants it."""

    def end_early(self, _segment: Segment) -> None:
        """Not heard here."""

    def has_changed(self) -> None:
        """Not heard here."""

    def failed(self, _worker: SegmentWorker, _error: Exception) -> bool:
        return False

    def fail(self, _error: BaseException) -> None:
        """Not heard here."""

    def left(self, _worker: SegmentWorker) -> None:
        """It is looked at from outside."""


def crew_of(*rates: float) -> tuple[Crew, list[SegmentWorker]]:
    """Make a crew that has not begun, and say who is in it."""
    crew = Crew()
    workers = [Errand().worker for _ in rates]
    for worker, rate in zip(workers, rates, strict=True):
        worker.rate = rate
        crew.enter(worker)
    return crew, workers


def test_who_came_first_stays_when_there_are_too_many() -> None:
    """Connections that have shown what they can are kept."""
    crew, workers = crew_of(0.0, 0.0, 0.0)
    assert crew.dismiss(all_but=1) == workers[1:]
    assert [worker.is_dismissed for worker in workers] == [False, True, True]
    assert crew.dismiss() == workers


def test_who_leaves_is_not_counted_and_may_do_so_twice() -> None:
    """A worker that ends while it is sent home says so from both sides."""
    crew, (first, second) = crew_of(0.0, 0.0)
    crew.leave(first)
    crew.leave(first)
    assert (len(crew), crew.at_work, crew.threads) == (1, [second], [0])


def test_others_count_only_while_they_may_bring_something() -> None:
    """Who has ended and not left yet is no reason to let somebody go."""
    crew, (first, second) = crew_of(0.0, 0.0)
    assert crew.has_others_at_work(first)
    second.is_at_work = False
    assert not crew.has_others_at_work(first)
    assert crew.has_others_at_work(second)


@pytest.mark.parametrize(("rates", "usual"), [((), 0.0), ((0.0,), 0.0), ((0.0, 2.0, 4.0), 3.0)])
def test_a_rate_that_nobody_knows_is_left_out(rates: tuple[float, ...], usual: float) -> None:
    """A new connection is given as much to do as the others manage."""
    assert crew_of(*rates)[0].usual_rate == usual


@pytest.mark.parametrize(
    ("is_limited", "sibling", "is_cut"),
    [(False, None, True), (True, None, False), (True, 1e6, True)],
    ids=["alone", "alone-and-limited", "limited-beside-a-fast-one"],
)
def test_who_brings_next_to_nothing_is_cut(
    *, is_limited: bool, sibling: float | None, is_cut: bool
) -> None:
    """A limit of the user's may be slow, but then all are."""
    errand = Errand()
    errand.worker.start()
    assert errand.answer.is_asked.wait(30)
    workers = [errand.worker]
    if sibling is not None:
        workers += crew_of(sibling)[1]
    for now in (0.0, 9.0, 11.0):
        assert not errand.answer.is_cut.is_set()
        cut_stuck(workers, PATIENCE, now=now, is_limited=is_limited)
    assert errand.answer.is_cut.is_set() is is_cut
    errand.answer.abort()
    errand.worker.join(30)


def test_who_waits_for_bytes_is_cut_off_on_the_way_home() -> None:
    """Else a stop would take as long as a host keeps silent."""
    errand = Errand()
    errand.worker.start()
    assert errand.answer.is_asked.wait(30)
    errand.worker.dismiss()
    hours = count(step=3600)
    see_home([errand.worker], lambda: next(hours))
    assert errand.answer.is_cut.is_set()
    errand.worker.join(30)
    assert not errand.worker.is_at_work
