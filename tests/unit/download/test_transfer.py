"""Transfers over connections that live in memory, so that hosts can be as moody as a generator likes."""

from __future__ import annotations

from random import Random
from threading import Event, Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.download.failed_attempts import (
    RemoteChangedError,
    RetryLaterError,
    UnusableAnswerError,
)
from modelshelf.download.hosts import Hosts
from modelshelf.download.pace import Pace
from modelshelf.download.patience import Patience
from modelshelf.download.processor_account import ThreadAccount
from modelshelf.download.segment_worker import FirstAnswer
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.surroundings import Surroundings
from modelshelf.download.transfer import Transfer
from modelshelf.download.transfer_seams import Ending, PartOpener
from modelshelf.errors import (
    ConnectionLostError,
    NotEnoughSpaceError,
    RemoteFileGoneError,
    RemoteServerError,
)
from modelshelf.protocols import Answer

URL = "https://hub.example/x"
HOST = "https://hub.example"
CONTENT = Random(7).randbytes(6 * 2**20)  # noqa: S311 - content
SIZE = len(CONTENT)
PATIENCE = Patience(attempts=4, first_pause=0.0, longest_pause=0.0)
LOST = ConnectionLostError(url=URL, reason="cut")


class Remembered:
    """An answer from memory that breaks, or ends, where it is told to."""

    url, status = URL, 206

    def __init__(self, start: int, end: int, *, portion: int, breaks_after: int | None) -> None:
        self.headers: dict[str, str] = {}
        self._position = start
        self._end = end
        self._portion = portion
        self._breaks_at = None if breaks_after is None else start + breaks_after
        self._is_aborted = False

    def read_into(self, buffer: memoryview) -> int:
        if self._is_aborted or self._position == self._breaks_at:
            raise LOST
        end = min(self._end, self._position + min(len(buffer), self._portion))
        if self._breaks_at is not None:
            end = min(end, self._breaks_at)
        count = end - self._position
        buffer[:count] = CONTENT[self._position : end]
        self._position = end
        return count

    def abort(self) -> None:
        self._is_aborted = True

    def close(self) -> None:
        """Memory needs no closing."""


class Collected:
    """A sink that knows how often each byte came."""

    def __init__(self) -> None:
        self.content = bytearray(SIZE)
        self.spans: list[tuple[int, int]] = []
        self.is_behind = False
        self._lock = Lock()

    def take_buffer(self) -> memoryview:
        return memoryview(bytearray(128 * 1024))

    def give_buffer(self, buffer: memoryview) -> None:
        buffer.release()

    def keep(self, offset: int, buffer: memoryview, count: int) -> None:
        with self._lock:
            self.content[offset : offset + count] = buffer[:count]
            self.spans.append((offset, offset + count))

    @property
    def is_right(self) -> bool:
        """Whether each byte came, and none twice."""
        spans = sorted(span for span in self.spans if span[0] < span[1])
        ends = [0, *(end for _, end in spans)]
        return bytes(self.content) == CONTENT and [start for start, _ in spans] == ends[:-1]


def transfer(
    open_part: PartOpener,
    sink: Collected,
    *,
    hosts: Hosts | None = None,
    connections: int = 4,
    stop: StopSignal | None = None,
    first: FirstAnswer | None = None,
    end: int = SIZE,
) -> Transfer:
    """Make a transfer as a run does; by default its first answer breaks at once."""
    mine = hosts or Hosts()
    mine.acquire(HOST, "flow", StopSignal())
    broken = Remembered(0, SIZE, portion=1, breaks_after=0)
    return Transfer(
        open_part,
        sink,
        [(0, end)],
        first=first or FirstAnswer(broken, 0, SIZE),
        host=HOST,
        flow="flow",
        surroundings=Surroundings(
            hosts=mine, pace=Pace(), patience=PATIENCE, connections=connections
        ),
        stop=stop or StopSignal(),
    )


def honest(start: int, end: int) -> Answer:
    return Remembered(start, end, portion=64 * 1024, breaks_after=None)


def run(made: Transfer) -> Ending:
    return made.run(lambda _count: None, size=SIZE)


def test_an_honest_host_brings_everything_once() -> None:
    sink = Collected()
    made = transfer(honest, sink)
    assert (run(made), sink.is_right, made.fetched) == (Ending.DONE, True, SIZE)


@pytest.mark.property
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(), connections=st.integers(1, 8))
def test_a_moody_host_brings_every_byte_exactly_once(seed: int, connections: int) -> None:
    random, lock = Random(seed), Lock()  # noqa: S311 - moods

    def moody(start: int, end: int) -> Answer:
        with lock:
            mood = random.random()
            length = random.randint(1, end - start)
            portion = random.choice([1_000, 64 * 1024, 2**20])
        match int(mood * 10):
            case 0:
                raise LOST
            case 1:
                return Remembered(start, start + length, portion=portion, breaks_after=None)
            case 2 | 3 | 4:
                return Remembered(start, end, portion=portion, breaks_after=length)
            case _:
                return Remembered(start, end, portion=portion, breaks_after=None)

    sink = Collected()
    hosts = Hosts(connections)
    made = transfer(moody, sink, hosts=hosts, connections=connections)
    try:
        ending = run(made)
    except ConnectionLostError:
        return  # so often in a row that patience ended
    assert (ending, sink.is_right, made.fetched) == (Ending.DONE, True, SIZE)
    assert all(hosts.try_acquire(HOST, "another") for _ in range(connections))


@pytest.mark.parametrize("connections", [1, 4])
def test_a_host_that_is_gone_is_given_up(connections: int) -> None:
    asked = []

    def gone(start: int, _end: int) -> Answer:
        asked.append(start)
        raise LOST

    with pytest.raises(ConnectionLostError):
        run(transfer(gone, Collected(), connections=connections))
    assert len(asked) <= 4 * connections


def test_a_refusal_that_seldom_heals_is_soon_believed() -> None:
    error = RetryLaterError(RemoteFileGoneError(url=URL, status=404, reason="no"), most=1)

    def missing(_start: int, _end: int) -> Answer:
        raise error

    with pytest.raises(RemoteFileGoneError):
        run(transfer(missing, Collected(), connections=1))


def test_a_host_that_lets_one_connection_in_is_fetched_from_over_that() -> None:
    lock = Lock()
    busy = RetryLaterError(RemoteServerError(url=URL, status=503), most=None)

    def narrow(start: int, end: int) -> Answer:
        if not lock.acquire(blocking=False):
            raise busy
        answer = Remembered(start, end, portion=10_000, breaks_after=None)
        answer.close = lock.release  # type: ignore[method-assign]
        return answer

    sink = Collected()
    assert run(transfer(narrow, sink)) is Ending.DONE
    assert sink.is_right


@pytest.mark.parametrize(("waits", "alone"), [(0.0, False), (1000.0, True)])
def test_a_connection_that_starves_is_not_taken_for_a_slow_one(
    waits: float, *, alone: bool
) -> None:
    """A host that brings nothing gets a second connection, unless the first one was kept from running."""
    looks = 0
    seen_enough = Event()

    def account(_thread: int) -> ThreadAccount:
        nonlocal looks
        looks += 1
        if looks == 6:
            seen_enough.set()
        return 0.0, waits * looks

    opened: list[int] = []
    opened_while_it_looked = 0

    def slow(start: int, end: int) -> Answer:
        opened.append(start)
        if len(opened) == 2:
            seen_enough.set()
        assert seen_enough.wait(30)
        nonlocal opened_while_it_looked
        opened_while_it_looked = opened_while_it_looked or len(opened)
        return honest(start, end)

    hosts = Hosts()
    hosts.acquire(HOST, "flow", StopSignal())
    sink = Collected()
    made = Transfer(
        slow,
        sink,
        [(0, SIZE)],
        first=FirstAnswer(Remembered(0, SIZE, portion=1, breaks_after=0), 0, SIZE),
        host=HOST,
        flow="flow",
        surroundings=Surroundings(
            hosts=hosts,
            pace=Pace(),
            patience=PATIENCE,
            connections=4,
            processor_clock=lambda: 0.0,
            processor_account=account,
        ),
        stop=StopSignal(),
    )
    assert run(made) is Ending.DONE
    assert sink.is_right
    assert (opened_while_it_looked == 1) is alone


def test_answers_that_never_fit_end_the_use_of_ranges() -> None:
    def confused(_start: int, _end: int) -> Answer:
        message = "bytes 5-9 in place of bytes 0-9"
        raise UnusableAnswerError(message)

    assert run(transfer(confused, Collected())) is Ending.RANGELESS


def test_answers_without_bytes_end_the_use_of_ranges() -> None:
    def empty(start: int, _end: int) -> Answer:
        return Remembered(start, start, portion=1, breaks_after=None)

    assert run(transfer(empty, Collected())) is Ending.RANGELESS


def test_another_version_ends_it() -> None:
    def changed(_start: int, _end: int) -> Answer:
        raise RemoteChangedError

    assert run(transfer(changed, Collected())) is Ending.CHANGED


def test_a_full_disk_ends_it() -> None:
    class Full(Collected):
        def keep(self, offset: int, buffer: memoryview, count: int) -> None:
            raise NotEnoughSpaceError(
                path="/", needed=count, free=len(buffer) - len(buffer) * (offset >= 0)
            )

    with pytest.raises(NotEnoughSpaceError):
        run(transfer(honest, Full()))


def test_a_sink_that_fails_at_the_last_byte_ends_it_whatever_it_says() -> None:
    """Else the host is asked for the same bytes for ever."""

    class Failing(Collected):
        def keep(self, offset: int, buffer: memoryview, count: int) -> None:
            if offset + count == SIZE:
                raise ZeroDivisionError
            super().keep(offset, buffer, count)

    with pytest.raises(ZeroDivisionError):
        run(transfer(honest, Failing(), connections=1))


def test_one_stream_that_breaks_is_not_gone_on_with() -> None:
    broken = Remembered(0, SIZE, portion=64 * 1024, breaks_after=SIZE // 2)
    sink = Collected()
    first = FirstAnswer(broken, 0, SIZE, is_everything=True)
    with pytest.raises(ConnectionLostError):
        run(transfer(honest, sink, first=first))
    assert sum(end - start for start, end in sink.spans) == SIZE // 2


def test_a_stream_with_an_open_end_ends_where_its_body_does() -> None:
    answer = Remembered(0, SIZE, portion=64 * 1024, breaks_after=None)
    sink = Collected()
    first = FirstAnswer(answer, 0, 2**63 - 1, is_everything=True, has_open_end=True)
    made = transfer(honest, sink, first=first, end=2**63 - 1)
    assert (run(made), sink.is_right) == (Ending.DONE, True)


def test_a_stop_leaves_what_came_and_gives_all_connections_back() -> None:
    stop, hosts, sink = StopSignal(), Hosts(4), Collected()
    silence = Event()

    class Silent(Remembered):
        def read_into(self, buffer: memoryview) -> int:
            if self._position >= 2**20:
                stop.pause()
                silence.wait(60)
                raise LOST
            return super().read_into(buffer)

        def abort(self) -> None:
            silence.set()

    def silent(start: int, end: int) -> Answer:
        return Silent(start, end, portion=64 * 1024, breaks_after=None)

    made = transfer(silent, sink, hosts=hosts, connections=1, stop=stop)
    assert run(made) is Ending.STOPPED
    assert made.fetched == 2**20
    assert [hosts.try_acquire(HOST, "another") for _ in range(5)] == [True] * 4 + [False]


def test_a_report_that_fails_gives_all_connections_back() -> None:
    hosts = Hosts(2)

    def broken(_count: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transfer(honest, Collected(), hosts=hosts).run(broken, size=SIZE)
    assert [hosts.try_acquire(HOST, "another") for _ in range(3)] == [True, True, False]
