from __future__ import annotations

import socket
from threading import Event

import pytest

from modelshelf.download.name_lookup import AddressInfo, look_up

FOUND: list[AddressInfo] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]


def resolver(answer: list[AddressInfo] | Exception | Event) -> object:
    """A resolver that knows names as *answer* says; an event is for how long it takes."""

    def ask(_host: str, _port: int, **how: int) -> list[AddressInfo]:
        if how.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        if isinstance(answer, Event):
            answer.wait(60)
            return FOUND
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_a_name_has_the_addresses_that_the_resolver_says() -> None:
    assert look_up("hub.example", 80, seconds=60, ask=resolver(FOUND)) == FOUND  # type: ignore[arg-type]


def test_a_resolver_that_hangs_is_left_to_itself() -> None:
    """It cannot be broken off; what it says later is nobody's concern."""
    goes_on = Event()
    with pytest.raises(TimeoutError):
        look_up("hub.example", 80, seconds=0.01, ask=resolver(goes_on))  # type: ignore[arg-type]
    goes_on.set()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_an_error_of_the_resolver_is_raised_where_somebody_waits(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        look_up("hub.example", 80, seconds=60, ask=resolver(error))  # type: ignore[arg-type]
    assert raised.value is error


def test_an_address_is_its_own() -> None:
    assert {each[4][0] for each in look_up("::1", 443, seconds=0.0)} == {"::1"}
