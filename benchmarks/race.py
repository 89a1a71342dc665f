"""Running several programs for the same task in turns, so that one machine's moods meet all alike."""

from __future__ import annotations

import mmap
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.row import Row

__all__ = ["Entrant", "Race", "call", "race", "remove", "settle"]


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Entrant:
    """One way to do the task."""

    name: str
    """What the table calls it."""
    run: Callable[[], object]
    """The task itself; only this is timed."""
    prepare: Callable[[], object] = _nothing
    """Called before each run."""
    clean: Callable[[], object] = _nothing
    """Called after each run: takes the result away."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds; processor time for what is measured in it."""


@dataclass(frozen=True, slots=True)
class Race:
    """Seconds that each round took, of the first entrant and of one other."""

    ours: tuple[float, ...]
    """Of modelshelf."""
    other: tuple[float, ...]
    """Of the program that it is compared with."""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Our time in units of the other's, round by round."""
        return tuple(ours / other for ours, other in zip(self.ours, self.other, strict=True))

    def row(self, task: str, other: str, *, at_most: float | None = None) -> Row:
        """Put into words; *at_most* is the goal for the ratio.

        The ratio is the median of the rounds' ratios, not the ratio of the medians: what disturbs a
        round disturbs both of its runs.
        """
        ratio = median(self.ratios)
        return Row(
            task=task,
            ours=f"{median(self.ours):.3g} s",
            other=f"{other}: {median(self.other):.3g} s",
            ratio=f"{ratio:.2f} ({min(self.ratios):.2f}-{max(self.ratios):.2f})",
            goal="" if at_most is None else f"≤ {at_most}",
            is_met=None if at_most is None else ratio <= at_most,
        )


def race(ours: Entrant, *others: Entrant, rounds: int, memory: int = 0) -> dict[str, Race]:
    """Run each entrant once a round, in turns; every second round in the opposite order.

    Args:
        ours: modelshelf.
        others: The programs that it is compared with.
        rounds: How often.
        memory: Bytes of memory to make ready before each run, see `settle`.

    Returns:
        By the name of the other.
    """
    entrants = (ours, *others)
    times: dict[str, list[float]] = {entrant.name: [] for entrant in entrants}
    for number in range(rounds):
        for entrant in entrants if number % 2 == 0 else entrants[::-1]:
            entrant.prepare()
            settle(memory)
            started = entrant.clock()
            entrant.run()
            times[entrant.name].append(entrant.clock() - started)
            entrant.clean()
    return {other.name: Race(tuple(times[ours.name]), tuple(times[other.name])) for other in others}


def settle(memory: int = 0) -> None:
    """Leave nothing of one run for the next to pay: flush every disk, and touch free memory.

    A virtual machine may give the memory that a run freed back to its host; whoever uses it next waits
    for it, several times longer than for the work itself. What fills the page cache would suffer most.

    Args:
        memory: Bytes to touch and give back.
    """
    os.sync()
    if memory:
        with mmap.mmap(-1, memory, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as touched:
            for offset in range(0, memory, mmap.PAGESIZE):
                touched[offset] = 1


def call(*command: str | Path, **environment: str) -> None:
    """Run a program whose output nobody wants; its failure is ours."""
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | environment,
    )


def remove(*paths: Path) -> None:
    """Remove files and folders, whatever their modes."""
    for path in paths:
        call("rm", "-rf", "--", path)


def files_below(folders: Sequence[Path]) -> list[Path]:
    """List regular files, sorted."""
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
