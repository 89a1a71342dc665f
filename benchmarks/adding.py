"""Adding content: new against `cp` and a flush, known against `b3sum`, and the memory that it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.content import many_small_files, model_files
from benchmarks.race import Entrant, call, files_below, race, remove
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf import Settings, normalized_model_manager

__all__ = ["add_all", "copy_and_flush", "known_content", "memory", "new_content", "small_files"]

_MEMORY_GOAL = 64 << 20


def new_content(scale: Scale, folder: Path) -> list[Row]:
    """Add models that the library has not seen, and copy the same bytes as durably."""
    models = model_files(folder / "models", scale.size)
    task = f"add {_gigabytes(models)} of new models, 7 files"
    return [_against_copy(task, models, folder, scale.rounds, memory=scale.size, at_most=1.25)]


def small_files(scale: Scale, folder: Path) -> list[Row]:
    """Add one model of very many files."""
    model = many_small_files(folder / "models" / "many", scale.files)
    task = f"add a model of {scale.files} files of 4 KiB"
    return [_against_copy(task, [model], folder, scale.rounds, memory=0)]


def known_content(scale: Scale, folder: Path) -> list[Row]:
    """Add again what the library holds: everything is hashed, nothing is stored."""
    models = model_files(folder / "models", scale.size)
    library = folder / "library"
    add_all(models, library)
    # Both read from memory; the disk would measure itself.
    call("b3sum", *models)
    with normalized_model_manager(Settings(root=library)) as manager:
        ours = Entrant("modelshelf", lambda: [manager.add(model) for model in models])
        raced = race(ours, Entrant("b3sum", partial(call, "b3sum", *models)), rounds=scale.rounds)
    task = f"add the same {_gigabytes(models)} again"
    return [raced["b3sum"].row(task, "`b3sum`", at_most=1.25)]


def memory(scale: Scale, folder: Path) -> list[Row]:
    """Add in a fresh process, and ask the system how far its memory grew meanwhile."""
    rows = []
    for size in sorted({min(scale.size, 256_000_000), scale.size}):
        models = model_files(folder / f"models-{size}", size)
        grown = _memory_growth(models, folder / f"library-{size}")
        rows.append(
            Row(
                task=f"memory growth while {_gigabytes(models)} are added",
                ours=f"{grown / (1 << 20):.0f} MiB",
                goal="≤ 64 MiB",
                is_met=grown <= _MEMORY_GOAL,
            )
        )
        remove(folder / f"library-{size}")
    return rows


def add_all(models: Sequence[Path], library: Path) -> None:
    """Open the library, making it where there is none, and add every model."""
    with normalized_model_manager(Settings(root=library)) as manager:
        for model in models:
            manager.add(model)


def copy_and_flush(models: Sequence[Path], target: Path) -> None:
    """Copy with `cp -r`, then flush every file and folder by name, as a careful user would."""
    target.mkdir()
    call("cp", "-r", "--", *models, target)
    folders = [path for path in target.rglob("*") if path.is_dir()]
    call("sync", "--", *files_below([target]), *folders, target, target.parent)


def _against_copy(
    task: str,
    models: Sequence[Path],
    folder: Path,
    rounds: int,
    *,
    memory: int,
    at_most: float | None = None,
) -> Row:
    library, copy = folder / "library", folder / "copy"
    # Both read from memory; the disk would measure itself.
    call("cat", *files_below([path.parent for path in models[:1]]))
    ours = Entrant(
        "modelshelf",
        partial(add_all, models, library),
        prepare=lambda: normalized_model_manager(Settings(root=library)).close(),
        clean=partial(remove, library),
    )
    other = Entrant("cp", partial(copy_and_flush, models, copy), clean=partial(remove, copy))
    raced = race(ours, other, rounds=rounds, memory=memory)
    return raced["cp"].row(task, "`cp -r` + `fsync`", at_most=at_most)


def _memory_growth(models: Sequence[Path], library: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", library, *models],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return int(done.stdout)


def _gigabytes(models: Sequence[Path]) -> str:
    return f"{sum(model.stat().st_size for model in models) / 1e9:.2f} GB"
