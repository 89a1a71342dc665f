from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.connections import ConnectionCount
from modelshelf.download.throughput_watch import ThroughputWatch

IDLE, BUSY = 0.05, 1.0


def half_an_hour(
    count: ConnectionCount, rate_of: Callable[[int], float], *, busy: float
) -> Counter[int]:
    """Feed what a network of this kind would show; return for how long each count was used."""
    used = Counter[int]()
    while used.total() < 1_800_000:
        used[count.count] += round(1_000 * count.window)
        count.feed(rate_of(count.count), busy=busy)
    return used


def usual(used: Counter[int]) -> float:
    """Return the count that was used nearly all the time."""
    ((most, milliseconds),) = used.most_common(1)
    assert milliseconds > 0.97 * used.total()
    return most


def test_it_begins_with_one() -> None:
    assert ConnectionCount(8).count == 1


def test_a_host_that_caps_each_connection_soon_meets_all_of_them() -> None:
    count = ConnectionCount(8)
    passed = 0.0
    while count.count < 8:
        passed += count.window
        assert passed < 0.5
        count.feed(count.count * 2e6, busy=IDLE)


def test_a_host_that_caps_each_connection_keeps_all_of_them() -> None:
    used = half_an_hour(ConnectionCount(8), lambda connections: connections * 2e6, busy=IDLE)
    assert usual(used) == 8


def test_a_line_that_one_connection_fills_goes_back_to_one() -> None:
    used = half_an_hour(ConnectionCount(8), lambda _: 12e6, busy=IDLE)
    assert usual(used) == 1
    assert used[8] > 0


def test_a_busy_machine_stays_with_one_where_more_do_not_help() -> None:
    used = half_an_hour(
        ConnectionCount(8), lambda connections: 1e9 / (1 + 0.2 * connections), busy=BUSY
    )
    assert usual(used) == 1
    assert set(used) == {1, 2}


def test_a_busy_machine_takes_more_where_they_help() -> None:
    used = half_an_hour(
        ConnectionCount(8), lambda connections: min(connections, 4) * 2e8, busy=BUSY
    )
    assert usual(used) == 4


def test_a_rate_limit_of_the_users_asks_for_no_more() -> None:
    count = ConnectionCount(8)
    assert {count.feed(1e6, busy=IDLE, held_back=True) for _ in range(50)} == {1}


def test_a_file_that_outruns_its_digests_goes_back_to_one() -> None:
    """Soon, and stays there as long as they take longer than the network."""
    count = ConnectionCount(8)
    while count.count < 8:
        count.feed(count.count * 2e8, busy=IDLE)
    passed = 0.0
    while count.count > 1:
        passed += count.window
        count.feed(1e9, busy=BUSY, outrun=True)
    assert passed < 1.0
    assert {count.feed(1e9, busy=BUSY, outrun=True) for _ in range(50)} == {1}


@pytest.mark.parametrize(
    ("waited", "is_behind", "expected"), [(0.2, False, 2), (0.3, False, 1), (0.0, True, 1)]
)
def test_a_transfer_that_waits_for_something_else_wants_no_more_connections(
    waited: float, *, is_behind: bool, expected: int
) -> None:
    """For a rate limit, or for digests, more than a little."""
    watch = ThroughputWatch(8, clock=iter(range(9)).__next__, processor_clock=lambda: 0.0)
    watch.waited(waited)
    watch.stored(is_behind=is_behind)
    assert watch.look(fetched=10**6, threads=[7]) == expected


@pytest.mark.parametrize(
    ("ran", "waited", "expected"), [(0.7, 0.2, 2), (0.6, 0.3, 1), (0.1, 0.9, 1), (0.1, 0.6, 2)]
)
def test_who_waits_for_the_processor_wants_no_more_connections(
    ran: float, waited: float, expected: int
) -> None:
    """Unless it sleeps as well: then it waits for its host. Each look is after a second."""
    watch = ThroughputWatch(
        8,
        clock=iter(range(9)).__next__,
        processor_clock=lambda: 0.0,
        account={7: (ran, waited)}.__getitem__,
    )
    assert watch.look(fetched=10**6, threads=[7]) == expected
    assert watch.look(fetched=2 * 10**6, threads=[7]) == 2 * expected


def test_a_step_that_nobody_can_judge_is_taken_back() -> None:
    """While others keep the processor busy nothing is tried, up or down, and soon after that it goes on."""
    count = ConnectionCount(8)
    assert {count.feed(1e9, busy=IDLE, starved=True) for _ in range(50)} == {1}
    assert count.window < 1.0
    assert [count.feed(n * 2e6, busy=IDLE) for n in (1, 2, 4, 8)] == [2, 4, 8, 8]
    assert [count.feed(16e6, busy=IDLE) for _ in range(2)] == [4, 2]
    assert count.feed(1e6, busy=IDLE, starved=True) == 4
    busy = ConnectionCount(8)
    assert [busy.feed(1e9, busy=BUSY) for _ in range(2)] == [1, 2]
    assert busy.feed(2e9, busy=BUSY, starved=True) == 1


def test_a_window_that_is_not_over_says_nothing() -> None:
    """Nor does anything a transfer that may use one connection alone."""
    for most, seconds in ((8, [0.0, 0.05]), (1, [0.0, 60.0])):
        watch = ThroughputWatch(most, clock=iter(seconds).__next__, processor_clock=lambda: 0.0)
        assert watch.look(fetched=10**6, threads=[7]) is None


def test_a_host_that_lets_no_more_in_is_not_asked_for_more() -> None:
    watch = ThroughputWatch(8, clock=iter(range(9)).__next__, processor_clock=lambda: 0.0)
    watch.most = 3
    assert [watch.look(fetched=n * 10**6, threads=range(n)) for n in (1, 2, 3)] == [2, 3, 3]


@pytest.mark.property
@given(
    limit=st.integers(1, 20),
    samples=st.lists(
        st.tuples(st.floats(0, 1e10), st.floats(0, 4), st.booleans(), st.booleans()), max_size=60
    ),
)
def test_whatever_it_measures_it_stays_within_its_limit(
    limit: int, samples: list[tuple[float, float, bool, bool]]
) -> None:
    count = ConnectionCount(limit)
    for rate, busy, held_back, starved in samples:
        assert 1 <= count.feed(rate, busy=busy, held_back=held_back, starved=starved) <= limit
        assert count.window > 0
