from __future__ import annotations

from threading import Event, Thread

from modelshelf.download.hosts import Hosts
from modelshelf.download.stop_signal import StopSignal

HOST, OTHER = "https://a.example", "https://b.example"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_host_gets_no_more_connections_than_its_limit() -> None:
    hosts = Hosts(2)
    assert [hosts.try_acquire(HOST, f"job{i}") for i in range(3)] == [True, True, False]
    assert hosts.try_acquire(OTHER, "job")


def test_a_connection_that_is_given_back_is_free() -> None:
    hosts = Hosts(1)
    assert hosts.acquire(HOST, "one", StopSignal())
    hosts.release(HOST, "one")
    assert hosts.acquire(HOST, "two", StopSignal())


def test_who_has_none_comes_before_who_wants_more() -> None:
    hosts = Hosts(2)
    hosts.acquire(HOST, "rich", StopSignal())
    hosts.acquire(HOST, "rich", StopSignal())
    order: list[str] = []
    got = {name: Event() for name in ("rich", "poor")}

    def wait(name: str) -> None:
        hosts.acquire(HOST, name, StopSignal())
        order.append(name)
        got[name].set()

    for name in got:
        Thread(target=wait, args=(name,), daemon=True).start()
        until_waiting(hosts, name)
    assert hosts.wanted(HOST, "rich")
    hosts.release(HOST, "rich")
    assert got["poor"].wait(60)
    assert not hosts.wanted(HOST, "rich")
    hosts.release(HOST, "poor")
    assert got["rich"].wait(60)
    assert order == ["poor", "rich"]


def until_waiting(hosts: Hosts, name: str) -> None:
    """Return once *name* stands in the queue."""
    while name not in hosts.waiting(HOST):
        pass


def test_nobody_gives_up_the_only_connection() -> None:
    hosts = Hosts(1)
    stop = StopSignal()
    hosts.acquire(HOST, "one", stop)
    Thread(target=lambda: hosts.acquire(HOST, "two", stop), daemon=True).start()
    until_waiting(hosts, "two")
    assert not hosts.wanted(HOST, "one")
    stop.cancel()


def test_a_stop_ends_the_waiting_with_nothing_held() -> None:
    hosts = Hosts(1)
    hosts.acquire(HOST, "one", StopSignal())
    stop = StopSignal()
    stop.pause()
    assert not hosts.acquire(HOST, "two", stop)
    hosts.release(HOST, "one")
    assert hosts.try_acquire(HOST, "three")


def test_a_rest_counts_down_by_the_clock() -> None:
    clock = Clock()
    hosts = Hosts(clock=clock)
    hosts.rest(HOST, 30)
    clock.now += 10
    assert (hosts.rest_left(HOST), hosts.rest_left(OTHER)) == (20, 0)
    clock.now += 21
    assert hosts.rest_left(HOST) == 0


def test_a_shorter_rest_does_not_shorten_a_longer_one() -> None:
    clock = Clock()
    hosts = Hosts(clock=clock)
    hosts.rest(HOST, 30)
    hosts.rest(HOST, 1)
    assert hosts.rest_left(HOST) == 30


def test_a_stop_ends_a_rest() -> None:
    hosts = Hosts()
    hosts.rest(HOST, 3600)
    stop = StopSignal()
    stop.cancel()
    assert not hosts.await_rest(HOST, stop)


def test_a_rested_host_may_be_asked() -> None:
    assert Hosts().await_rest(HOST, StopSignal())


def test_a_limit_may_change_while_connections_stand() -> None:
    hosts = Hosts(1)
    assert hosts.try_acquire(HOST, "one")
    hosts.limit_connections(2)
    assert hosts.connections_per_host == 2
    assert hosts.try_acquire(HOST, "two")
    hosts.limit_connections(1)
    hosts.release(HOST, "two")
    assert not hosts.try_acquire(HOST, "two")
