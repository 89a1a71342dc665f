"""Running a program and asking the system what it took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Spent", "spend"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run of a program took."""

    wall: float
    """Seconds from its start to its end."""
    processor: float
    """Seconds of processor time, its children's too."""
    output: str
    """What it printed."""


def spend(command: Sequence[str | Path], **environment: str) -> Spent:
    """Run a program; its failure is ours."""
    started = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
        text=True,
    ) as running:
        output = "" if running.stdout is None else running.stdout.read()
        # Not `wait`: only this tells what the one process took, whatever else was started before.
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, [str(word) for word in command])
    return Spent(wall, usage.ru_utime + usage.ru_stime, output)
