from __future__ import annotations

import pytest

from modelshelf.cli.progress import PatientBar, progress_bar
from modelshelf.cli.session import Session
from modelshelf.schema.progress import Progress, ignore_progress


class Clock:
    """A clock that somebody else moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_no_bar_where_nobody_watches() -> None:
    """A pipe gets the reporter that reports nothing."""
    with progress_bar(Session()) as reporter:
        assert reporter is ignore_progress


def test_quick_work_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """What is over within a second leaves the terminal alone."""
    clock = Clock()
    bar = PatientBar(clock)
    clock.now = 0.9
    bar.report(Progress("hashing", "a", 1, 2))
    bar.close()
    assert capsys.readouterr().err == ""


def test_slow_work_shows_what_it_is_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a second the stage and the file are on stderr, harmless to the terminal."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    clock = Clock()
    bar = PatientBar(clock)
    clock.now = 1.5
    bar.report(Progress("hashing", "a\x1b[2J", 1_000, 2_000))
    bar.report(Progress("copying", "b", 2_000, 0))
    bar.close()
    shown = capsys.readouterr()
    assert "copying" in shown.err
    assert "\x1b[2J" not in shown.err
    assert shown.out == ""


def test_models_are_counted_as_models(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every operation moves bytes."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    clock = Clock()
    bar = PatientBar(clock, counted="models")
    clock.now = 1.5
    bar.report(Progress("probing", "a", 7, 2_000))
    bar.close()
    shown = capsys.readouterr().err
    assert "7/2000" in shown
    assert "models" in shown
