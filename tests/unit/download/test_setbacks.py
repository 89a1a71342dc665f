from __future__ import annotations

import pytest

from modelshelf.download.failed_attempts import (
    RetryLaterError,
    TransferStoppedError,
    UnusableAnswerError,
)
from modelshelf.download.patience import Patience
from modelshelf.download.setbacks import Setbacks
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import (
    ConnectionLostError,
    InvalidAnswerError,
    RemoteFileChangedError,
    RemoteFileGoneError,
)

URL = "https://hub.example/x"
LOST = ConnectionLostError(url=URL, reason="gone")


def setbacks(stop: StopSignal | None = None) -> Setbacks:
    return Setbacks(Patience(attempts=3, first_pause=0.0, restarts=2), stop or StopSignal(), URL)


def test_failures_without_a_new_byte_are_borne_so_often() -> None:
    bearing = setbacks()
    bearing.bear(LOST, got=0)
    bearing.bear(LOST, got=0)
    with pytest.raises(ConnectionLostError):
        bearing.bear(LOST, got=0)


def test_failures_with_new_bytes_are_borne_for_ever() -> None:
    bearing = setbacks()
    for got in range(1, 100):
        bearing.bear(LOST, got=got)


def test_bytes_that_came_before_do_not_count_as_new() -> None:
    bearing = setbacks()
    bearing.bear(LOST, got=10)
    bearing.bear(LOST, got=5)
    with pytest.raises(ConnectionLostError):
        bearing.bear(LOST, got=10)


def test_a_refusal_that_seldom_heals_is_borne_less_often_and_told_as_itself() -> None:
    bearing = setbacks()
    gone = RetryLaterError(RemoteFileGoneError(url=URL, status=404, reason="no"), most=1)
    bearing.bear(gone, got=0)
    with pytest.raises(RemoteFileGoneError):
        bearing.bear(gone, got=0)


def test_a_host_that_confuses_ranges_is_asked_for_the_whole_file() -> None:
    bearing = setbacks()
    is_rangeless = []
    for _ in range(2):
        bearing.bear(UnusableAnswerError("wrong offset"), got=0)
        is_rangeless.append(bearing.is_rangeless)
    assert is_rangeless == [False, True]
    with pytest.raises(InvalidAnswerError, match="wrong offset"):
        bearing.bear(UnusableAnswerError("wrong offset"), got=0)


def test_a_file_that_changes_again_and_again_is_given_up() -> None:
    bearing = setbacks()
    bearing.count_restart()
    bearing.count_restart()
    with pytest.raises(RemoteFileChangedError):
        bearing.count_restart()


def test_a_second_mismatch_is_one_too_many() -> None:
    bearing = setbacks()
    assert [bearing.is_second_mismatch() for _ in range(2)] == [False, True]


def test_a_stop_ends_the_pause() -> None:
    stop = StopSignal()
    stop.cancel()
    with pytest.raises(TransferStoppedError):
        setbacks(stop).bear(LOST, got=0)
