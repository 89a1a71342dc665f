from __future__ import annotations

from collections import Counter
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.pace import Pace, Portions
from modelshelf.download.stop_signal import StopSignal


def simulate(
    portions: Portions, readers: list[tuple[str, str]], seconds: float, want: int = 2**20
) -> list[tuple[float, str, str, int]]:
    """Let readers (flow, host) read as fast as they may; return when who read how much."""
    now = 0.0
    log: list[tuple[float, str, str, int]] = []
    for flow, host in readers:
        portions.ask(flow, host, want, now=now)
    while now < seconds:
        granted = portions.grant(now=now)
        if granted is None:
            now += max(portions.next(now=now), 1e-6)
            continue
        log.append((now, str(granted.flow), granted.host, granted.amount))
        portions.ask(granted.flow, granted.host, want, now=now)
    return log


def most_within(log: list[tuple[float, str, str, int]], seconds: float) -> int:
    """Return the most bytes that were read within any span of so many seconds."""
    most = amount = first = 0
    for when, _, _, count in log:
        amount += count
        while log[first][0] < when - seconds:
            amount -= log[first][3]
            first += 1
        most = max(most, amount)
    return most


@pytest.mark.property
@given(limit=st.integers(20_000, 10**9), readers=st.integers(1, 5))
def test_no_five_seconds_bring_more_than_the_limit_and_a_twentieth(
    limit: int, readers: int
) -> None:
    log = simulate(Portions(limit=limit), [(f"job{i}", "host") for i in range(readers)], 8)
    assert 4.75 * limit <= most_within(log, 5.0) <= 5.25 * limit


@pytest.mark.parametrize(("limit", "per_host"), [(1_000_000.0, None), (None, 1_000_000.0)])
def test_a_lull_is_not_made_up_for(limit: float | None, per_host: float | None) -> None:
    """After a minute in which nobody read, no five seconds bring more than the limit and a twentieth either."""
    portions = Portions(limit=limit, per_host=per_host)
    simulate(portions, [("one", "host")], 1)
    log = simulate_from(portions, [("two", "host")], 61.0, 71.0)
    assert 4_750_000 <= most_within(log, 5.0) <= 5_250_000


def test_flows_share_equally_however_many_readers_each_has() -> None:
    readers = [("one", "host")] * 8 + [("two", "host")] + [("three", "other")] * 3
    log = simulate(Portions(limit=10_000_000.0), readers, 10)
    shares = Counter[str]()
    for _, flow, _, amount in log:
        shares[flow] += amount
    assert max(shares.values()) <= 1.02 * min(shares.values())


def test_who_comes_late_does_not_catch_up_on_what_was_read_before() -> None:
    portions = Portions(limit=1_000_000.0)
    simulate(portions, [("early", "host")], 10)
    log = simulate_from(portions, [("late", "host")], 10.0, 20.0)
    late = sum(amount for _, flow, _, amount in log if flow == "late")
    assert 4_750_000 <= late <= 5_250_000


def simulate_from(
    portions: Portions, readers: list[tuple[str, str]], start: float, end: float
) -> list[tuple[float, str, str, int]]:
    """As `simulate`, with those who are there already and some more."""
    now = start
    log = []
    for flow, host in readers:
        portions.ask(flow, host, 2**20, now=now)
    while now < end:
        granted = portions.grant(now=now)
        if granted is None:
            now += max(portions.next(now=now), 1e-6)
            continue
        log.append((now, str(granted.flow), granted.host, granted.amount))
        portions.ask(granted.flow, granted.host, 2**20, now=now)
    return log


def test_each_host_has_a_limit_of_its_own() -> None:
    log = simulate(
        Portions(limit=None, per_host=1_000_000.0), [("one", "a"), ("two", "b"), ("three", "b")], 10
    )
    hosts = Counter[str]()
    for _, _, host, amount in log:
        hosts[host] += amount
    assert all(9_900_000 <= amount <= 10_200_000 for amount in hosts.values())


def test_a_slow_host_does_not_hold_up_another() -> None:
    portions = Portions(limit=10_000_000.0, per_host=1_000_000.0)
    log = simulate(portions, [("one", "a"), ("two", "b")], 5)
    assert most_within([row for row in log if row[2] == "b"], 5.0) >= 4_750_000


def test_what_was_not_read_is_given_to_others() -> None:
    portions = Portions(limit=1_000_000.0)
    portions.ask("one", "host", 50_000, now=0.0)
    granted = portions.grant(now=0.0)
    assert granted is not None
    portions.ask("two", "host", 50_000, now=0.0)
    assert portions.next(now=0.0) > 0
    portions.refund("one", "host", granted.amount, now=0.0)
    assert portions.next(now=0.0) == 0


def test_without_a_limit_nobody_waits() -> None:
    pace = Pace()
    assert not pace.limited
    assert pace.take(10**9, flow="job", host="host", stop=StopSignal()) == 10**9


def test_a_limit_makes_portions_small() -> None:
    pace = Pace(1_000_000.0)
    assert pace.take(10**9, flow="job", host="host", stop=StopSignal()) == 12_500


def test_who_is_stopped_gets_nothing_and_takes_nothing() -> None:
    stop = StopSignal()
    stop.pause()
    pace = Pace(1_000_000.0)
    assert pace.take(100, flow="job", host="host", stop=stop) == 0
    assert pace.take(100, flow="other", host="host", stop=StopSignal()) == 100


def test_a_limit_that_is_lifted_frees_who_waits() -> None:
    pace = Pace(10.0, clock=lambda: 0.0)
    stop = StopSignal()
    assert pace.take(512, flow="job", host="host", stop=stop) == 512
    got: list[int] = []
    thread = Thread(
        target=lambda: got.append(pace.take(512, flow="job", host="host", stop=stop)), daemon=True
    )
    thread.start()
    pace.change(None)
    thread.join(60)
    assert got == [512]


def test_what_is_given_back_is_there_for_the_next() -> None:
    pace = Pace(1000.0, clock=lambda: 0.0)
    stop = StopSignal()
    assert pace.take(500, flow="one", host="host", stop=stop) == 500
    pace.refund(500, flow="one", host="host")
    pace.leave("one")
    assert pace.take(500, flow="two", host="host", stop=stop) == 500


def test_many_readers_of_several_downloads_all_get_their_turn() -> None:
    pace = Pace(50_000_000.0)
    stop = StopSignal()
    read: list[tuple[str, int]] = []

    def reader(flow: str) -> None:
        taken = [pace.take(100_000, flow=flow, host="host", stop=stop) for _ in range(5)]
        read.extend((flow, amount) for amount in taken)

    threads = [Thread(target=reader, args=(flow,), daemon=True) for flow in "aabbb"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(read) == [("a", 100_000)] * 10 + [("b", 100_000)] * 15


def test_a_stop_frees_who_waits() -> None:
    pace = Pace(10.0, clock=lambda: 0.0)
    stop = StopSignal()
    pace.take(512, flow="job", host="host", stop=StopSignal())
    got: list[int] = []
    thread = Thread(
        target=lambda: got.append(pace.take(512, flow="job", host="host", stop=stop)), daemon=True
    )
    thread.start()
    stop.cancel()
    thread.join(60)
    assert got == [0]
