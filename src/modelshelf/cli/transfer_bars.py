"""Bars for files that are fetched: one a file and one for all, with speed and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from modelshelf.cli.progress import bars_on_stderr
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["Moved", "TransferBars", "transfer_bars"]

_PATIENCE = 1.0
"""Seconds before bars appear: what is done sooner needs none."""
_MOST = 12
"""Bars of single files that are shown at once; the terminal has other lines."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one file is."""

    name: str
    """What to call it."""
    done: int
    """Bytes."""
    total: int
    """Bytes in all; 0 when unknown."""
    is_over: bool = False
    """Whether nothing more comes."""


@contextmanager
def transfer_bars(session: Session) -> Iterator[TransferBars]:
    """Give bars that are gone when the block is over; without a terminal they show nothing."""
    bars = TransferBars(time.monotonic, is_shown=session.shows_progress)
    try:
        yield bars
    finally:
        bars.close()


class TransferBars:
    """Draws on stderr, from whatever thread reports."""

    def __init__(self, clock: Callable[[], float], *, is_shown: bool) -> None:
        self._clock = clock
        self._is_shown = is_shown
        self._began = clock()
        self._lock = Lock()
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._moved: dict[str, Moved] = {}

    def report(self, files: Sequence[Moved]) -> None:
        """Take how far some files are; the others stay as they were."""
        if not self._is_shown:
            return
        with self._lock:
            self._moved |= {file.name: file for file in files}
            if self._clock() - self._began >= _PATIENCE:
                self._draw()

    def close(self) -> None:
        """Remove the bars, if they ever appeared."""
        with self._lock:
            self._is_shown = False
            if self._bars is not None:
                self._bars.stop()

    def _draw(self) -> None:
        if self._bars is None:
            self._bars = _begin()
        moving = [each for each in self._moved.values() if not each.is_over and each.done]
        shown = {each.name: each for each in moving[:_MOST]}
        # One file alone is all there is.
        shown = {} if len(self._moved) == 1 else shown
        done = sum(each.done for each in self._moved.values())
        total = sum(each.total for each in self._moved.values())
        many = len(self._moved) > 1
        label = f"{len(self._moved)} files" if many else next(iter(self._moved), "")
        everything = Moved(label, done, total if all(m.total for m in self._moved.values()) else 0)
        for name in set(self._tasks) - {*shown, ""}:
            self._bars.remove_task(self._tasks.pop(name))
        for key, each in [*shown.items(), ("", everything)]:
            if key not in self._tasks:
                self._tasks[key] = self._bars.add_task("", total=None)
            self._bars.update(
                self._tasks[key],
                description=printable(each.name),
                completed=each.done,
                total=each.total or None,
            )


def _begin() -> Bars:
    # Only work that is slow anyway pays for the import.
    from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn  # noqa: PLC0415

    amount = (DownloadColumn(), TransferSpeedColumn())
    bars = bars_on_stderr(BarColumn(), *amount, ends_in="{task.description}")
    bars.start()
    return bars
