from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modelshelf.download.considerate_transport import ConsiderateTransport
from modelshelf.download.failed_attempts import TransferStoppedError
from modelshelf.download.hosts import Hosts
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import TooManyRequestsError
from modelshelf.protocols import Answer, Request

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOST = "https://hub.example"


class Said:
    """An answer without a body."""

    def __init__(self, url: str, status: int, headers: dict[str, str]) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self.is_closed = False

    def read_into(self, buffer: memoryview) -> int:
        return 0 * len(buffer)

    def abort(self) -> None:
        self.is_closed = True

    def close(self) -> None:
        self.is_closed = True


class Telling:
    """A transport that says the same to everybody."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self._status = status
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.said: list[Said] = []

    def open(self, request: Request) -> Answer:
        self.said.append(Said(request.url, self._status, self._headers))
        return self.said[-1]

    def close(self) -> None:
        """Nothing is open."""


def considerate(
    inner: Telling, hosts: Hosts, stop: StopSignal | None = None
) -> ConsiderateTransport:
    return ConsiderateTransport(
        inner, hosts, stop or StopSignal(), Patience(longest_rest=300), lambda: NOON
    )


def frozen() -> Hosts:
    """Return hosts whose clock stands still."""
    return Hosts(clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30),
        ({"ratelimit": '"api";r=0;t=55'}, 55),
        ({}, 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_for_a_rest_gets_it(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    hosts = frozen()
    considerate(Telling(status, **headers), hosts).open(Request(f"{HOST}/x"))
    assert hosts.rest_left(HOST) == seconds


def test_other_answers_put_nobody_to_rest() -> None:
    hosts = frozen()
    considerate(Telling(200, retry_after="7"), hosts).open(Request(f"{HOST}/x"))
    assert hosts.rest_left(HOST) == 0


def test_a_rest_that_is_too_long_is_refused_and_remembered_as_long_as_patience_lasts() -> None:
    hosts, inner = frozen(), Telling(429, retry_after="86400")
    with pytest.raises(TooManyRequestsError) as caught:
        considerate(inner, hosts).open(Request(f"{HOST}/x?token=secret"))
    assert (caught.value.seconds, caught.value.url) == (86400, f"{HOST}/x")
    assert hosts.rest_left(HOST) == 300
    assert inner.said[0].is_closed


def test_a_host_that_rests_is_not_asked_when_the_download_is_stopped() -> None:
    hosts, inner, stop = frozen(), Telling(), StopSignal()
    hosts.rest(HOST, 60)
    stop.pause()
    with pytest.raises(TransferStoppedError):
        considerate(inner, hosts, stop).open(Request(f"{HOST}/x"))
    assert inner.said == []


def test_closing_it_leaves_the_inner_transport_to_others() -> None:
    transport = considerate(Telling(), frozen())
    transport.close()
    assert transport.open(Request(f"{HOST}/x")).status == 200
