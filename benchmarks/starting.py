"""Starting the command: what each use of it costs before it does anything."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.program import spend
from benchmarks.race import settle
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf.testing import tiny

__all__ = ["starting"]

_RUNS = 5
"""Runs of each command per round; they are short, and one run would measure the scheduler."""
_BARE = "`python -c pass`"
_PEER = "`hf cache ls`"
_HELP_LIMIT = 150
"""Milliseconds that `shelf --help` may take."""


def starting(scale: Scale, folder: Path) -> list[Row]:
    """Count the processor time of short commands beyond that of starting Python.

    The library is empty and the model tiny: what is left is importing, and opening the library. The
    other is what lists the cache of `huggingface_hub`, an empty one too.
    """
    shelf = (sys.executable, "-m", "modelshelf", "--root", str(folder / "library"))
    model = str(tiny.lora(folder / "model.safetensors", base="sd-1"))
    help_, listing, probing = "`shelf --help`", "`shelf ls -q` of no models", "`shelf probe FILE`"
    commands: dict[str, Sequence[str]] = {
        _BARE: (sys.executable, "-c", "pass"),
        help_: (*shelf, "--help"),
        listing: (*shelf, "ls", "-q"),
        probing: (*shelf, "probe", model),
    }
    if (program := _hf()) is not None:
        cache = folder / "hub"
        cache.mkdir()
        commands[_PEER] = (program, "cache", "ls", "--cache-dir", str(cache))
    beyond = _beyond_bare(commands, scale.rounds, folder / "bytecode")
    bare = f"{_BARE}: {beyond[_BARE] * 1000:.0f} ms"
    return [
        _row(help_, beyond[help_], bare, at_most=_HELP_LIMIT),
        _beside_peer(listing, beyond),
        _row(probing, beyond[probing], bare),
    ]


def _hf() -> str | None:
    """Find the command of `huggingface_hub` beside the Python that runs this, or on the PATH."""
    return shutil.which("hf", path=str(Path(sys.executable).parent)) or shutil.which("hf")


def _beyond_bare(
    commands: Mapping[str, Sequence[str]], rounds: int, bytecode: Path
) -> dict[str, float]:
    """Return seconds of processor time of each command, less those of the bare one, which stays whole.

    All take turns, so that a busy moment of the machine meets them alike.
    """
    environment = {
        # A program that is installed was compiled then.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    for command in commands.values():
        # Compiles everything, and makes the library.
        spend(command, **environment)
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        settle()
        for _ in range(_RUNS):
            for name, command in commands.items():
                taken[name].append(spend(command, **environment).processor)
    bare = median(taken[_BARE])
    return {
        name: bare
        if name == _BARE
        else median(ours - other for ours, other in zip(each, taken[_BARE], strict=True))
        for name, each in taken.items()
    }


def _beside_peer(command: str, beyond: Mapping[str, float]) -> Row:
    ours = beyond[command]
    if _PEER not in beyond:
        return _row(command, ours, f"{_PEER}: not installed")
    row = _row(command, ours, f"{_PEER}: {beyond[_PEER] * 1000:.0f} ms")
    return Row(row.task, row.ours, row.other, ratio=f"{ours / beyond[_PEER]:.2f}")


def _row(command: str, seconds: float, other: str, *, at_most: int | None = None) -> Row:
    return Row(
        task=f"{command}, processor time beyond {_BARE}",
        ours=f"{seconds * 1000:.0f} ms",
        other=other,
        goal="" if at_most is None else f"≤ {at_most} ms",
        is_met=None if at_most is None else seconds * 1000 <= at_most,
    )
