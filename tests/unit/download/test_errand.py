from __future__ import annotations

from threading import Event

import pytest

from modelshelf.download.errand import send_errand
from modelshelf.download.stop_signal import StopSignal


def test_it_brings_back_what_was_returned() -> None:
    assert send_errand(lambda: "answer", stop=StopSignal(), discard=print) == "answer"


def test_it_brings_back_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        send_errand(lambda: 1 // 0, stop=StopSignal(), discard=print)


def test_a_stop_leaves_it_to_itself_and_what_it_brings_late_is_discarded() -> None:
    stop, go_on, discarded = StopSignal(), Event(), Event()
    late: list[str] = []

    def call() -> str:
        stop.pause()
        go_on.wait(60)
        return "late"

    def discard(value: str) -> None:
        late.append(value)
        discarded.set()

    assert send_errand(call, stop=stop, discard=discard) is None
    go_on.set()
    assert discarded.wait(60)
    assert late == ["late"]


def test_an_error_that_comes_late_is_nobodys() -> None:
    stop, go_on, ended = StopSignal(), Event(), Event()

    def call() -> str:
        stop.cancel()
        go_on.wait(60)
        ended.set()
        raise ZeroDivisionError

    assert send_errand(call, stop=stop, discard=print) is None
    go_on.set()
    assert ended.wait(60)


def test_whatever_comes_in_the_moment_of_the_stop_is_given_or_discarded() -> None:
    for _ in range(200):
        stop, discarded = StopSignal(), Event()

        def call(stop: StopSignal = stop) -> str:
            stop.pause()
            return "value"

        def discard(_value: str, discarded: Event = discarded) -> None:
            discarded.set()

        value = send_errand(call, stop=stop, discard=discard)
        assert value == "value" or discarded.wait(60)
