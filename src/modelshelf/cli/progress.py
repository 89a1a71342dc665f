"""A progress bar for work that takes longer than a second, on a terminal only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelshelf.cli.session import Session
from modelshelf.cli.text import printable
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, TaskID

__all__ = ["PatientBar", "bars_on_stderr", "progress_bar"]

_PATIENCE = 1.0
"""Seconds of work before a bar appears: what is done sooner needs none."""


@contextmanager
def progress_bar(session: Session, *, counted: str = "") -> Iterator[ProgressReporter]:
    """Give the reporter for one operation; its bar is gone when the operation is over.

    Args:
        session: Says whether somebody watches.
        counted: What the steps count, such as `models`; empty for bytes.
    """
    if not session.shows_progress:
        yield ignore_progress
        return
    bar = PatientBar(time.monotonic, counted=counted)
    try:
        yield bar.report
    finally:
        bar.close()


class PatientBar:
    """A bar that appears after a second and leaves no trace.

    It is drawn on stderr and must be closed before the next line of data is printed.
    """

    def __init__(self, clock: Callable[[], float], *, counted: str = "") -> None:
        self._clock = clock
        self._counted = counted
        self._began = clock()
        self._shown: tuple[Bars, TaskID] | None = None

    def report(self, progress: Progress) -> None:
        """Take one step of the operation."""
        if self._shown is None:
            if self._clock() - self._began < _PATIENCE:
                return
            self._shown = _begin(self._counted)
        bar, task = self._shown
        bar.update(
            task,
            description=progress.stage,
            subject=printable(progress.subject),
            completed=progress.done,
            # An unknown total makes the bar pulse.
            total=progress.total or None,
        )

    def close(self) -> None:
        """Remove the bar, if it ever appeared."""
        if self._shown is not None:
            self._shown[0].stop()


def bars_on_stderr(*columns: ProgressColumn, ends_in: str) -> Bars:
    """Return rich's bars as every verb shows them: on stderr, gone when they are done.

    Args:
        columns: What each of them shows.
        ends_in: The template of a text that ends it, cut where the line ends.
    """
    # Only work that is slow anyway pays for the import.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.progress import TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return Bars(
        *columns,
        TimeRemainingColumn(),
        TextColumn(ends_in, markup=False, table_column=rest),
        console=Console(stderr=True),
        transient=True,
        # Data on stdout must not be drawn on stderr.
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _begin(counted: str) -> tuple[Bars, TaskID]:
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TransferSpeedColumn,
    )

    amount: tuple[ProgressColumn, ...] = (DownloadColumn(), TransferSpeedColumn())
    if counted:
        amount = (MofNCompleteColumn(), TextColumn(counted, markup=False))
    stage = TextColumn("{task.description}", markup=False)
    bar = bars_on_stderr(stage, BarColumn(), *amount, ends_in="{task.fields[subject]}")
    task = bar.add_task("", total=None, subject="")
    bar.start()
    return bar, task
