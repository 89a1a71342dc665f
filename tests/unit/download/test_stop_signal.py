from __future__ import annotations

from threading import Thread

from modelshelf.download.stop_signal import StopSignal
from modelshelf.schema.transfer import StopKind


def test_nothing_is_said_at_first() -> None:
    stop = StopSignal()
    assert (stop.kind, stop.wait(0)) == (None, False)


def test_a_cancellation_beats_a_pause_in_either_order() -> None:
    first, second = StopSignal(), StopSignal()
    first.pause()
    first.cancel()
    second.cancel()
    second.pause()
    assert (first.kind, second.kind) == (StopKind.CANCEL, StopKind.CANCEL)


def test_a_listener_hears_it_once() -> None:
    stop = StopSignal()
    heard: list[StopKind | None] = []
    stop.on_stop(lambda: heard.append(stop.kind))
    stop.pause()
    stop.pause()
    stop.cancel()
    assert heard == [StopKind.PAUSE]


def test_a_late_listener_hears_it_at_once() -> None:
    stop = StopSignal()
    stop.cancel()
    heard: list[str] = []
    forget = stop.on_stop(lambda: heard.append("stop"))
    forget()
    assert heard == ["stop"]


def test_who_unsubscribed_hears_nothing() -> None:
    stop = StopSignal()
    heard: list[str] = []
    stop.on_stop(lambda: heard.append("stop"))()
    stop.pause()
    assert heard == []


def test_it_wakes_whoever_waits() -> None:
    stop = StopSignal()
    woken: list[bool] = []
    thread = Thread(target=lambda: woken.append(stop.wait(60)))
    thread.start()
    stop.pause()
    thread.join(60)
    assert woken == [True]
