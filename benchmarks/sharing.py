"""Three pipelines that share parts: bytes stored and time to store, beside copies and backups."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.adding import add_all, copy_and_flush
from benchmarks.content import pipelines
from benchmarks.race import Entrant, call, files_below, race, remove
from benchmarks.row import Row
from benchmarks.scale import Scale

__all__ = ["sharing"]

_PASSWORD = "benchmark"  # noqa: S105 - of a repository that is removed after the run


def sharing(scale: Scale, folder: Path) -> list[Row]:
    """Store three sd-1 pipelines with a common VAE, text encoder, tokenizer and safety checker."""
    models = pipelines(folder / "models", scale.backup)
    weights: dict[str, int] = {}
    ours, *others = (
        _weighed(entrant, folder, _allocated(folder), weights)
        for entrant in (
            _modelshelf(models, folder),
            _copying(models, folder),
            *_restic(models, folder),
            *_borg(models, folder),
        )
    )
    raced = race(ours, *others, rounds=scale.rounds, memory=3 * scale.backup)
    size = sum(path.stat().st_size for path in files_below(models))
    task = f"add three pipelines that share parts, {size / 1e9:.2f} GB"
    return [
        *(one.row(task, name) for name, one in raced.items()),
        *(
            Row(task=task, ours="", other=f"`{name}` is not installed")
            for name in ("restic", "borg")
            if shutil.which(name) is None
        ),
        *(
            _weight_row(size, weights[ours.name], other.name, weights[other.name])
            for other in others
        ),
    ]


def _modelshelf(models: Sequence[Path], folder: Path) -> Entrant:
    library = folder / "library"
    return Entrant("modelshelf", partial(add_all, models, library), clean=partial(remove, library))


def _copying(models: Sequence[Path], folder: Path) -> Entrant:
    copy = folder / "copy"
    run = partial(copy_and_flush, models, copy)
    return Entrant("`cp -r` + `fsync`", run, clean=partial(remove, copy))


def _restic(models: Sequence[Path], folder: Path) -> list[Entrant]:
    if shutil.which("restic") is None:
        return []
    repository = folder / "restic"
    run = partial(
        call,
        "restic",
        "--quiet",
        "--no-cache",
        RESTIC_REPOSITORY=str(repository),
        RESTIC_PASSWORD=_PASSWORD,
    )
    return [
        Entrant(
            "`restic backup`",
            partial(run, "backup", *models),
            prepare=partial(run, "init"),
            clean=partial(remove, repository),
        )
    ]


def _borg(models: Sequence[Path], folder: Path) -> list[Entrant]:
    if shutil.which("borg") is None:
        return []
    repository, base = folder / "borg", folder / "borg-base"
    run = partial(call, "borg", BORG_BASE_DIR=str(base), BORG_REPO=str(repository))
    return [
        Entrant(
            "`borg create`",
            partial(run, "create", "::all", *models),
            prepare=partial(run, "init", "--encryption", "none"),
            clean=partial(remove, repository, base),
        )
    ]


def _weighed(entrant: Entrant, folder: Path, before: int, weights: dict[str, int]) -> Entrant:
    """Let an entrant note, before it cleans up, what it added to the disk."""

    def clean() -> None:
        weights[entrant.name] = _allocated(folder) - before
        entrant.clean()

    return replace(entrant, clean=clean)


def _weight_row(size: int, ours: int, name: str, other: int) -> Row:
    return Row(
        task=f"bytes on disk for these {size / 1e9:.2f} GB",
        ours=f"{ours / 1e9:.3f} GB, {ours / size:.0%}",
        other=f"{name}: {other / 1e9:.3f} GB, {other / size:.0%}",
        ratio=f"{ours / other:.2f}",
    )


def _allocated(folder: Path) -> int:
    """Bytes that the files below take as the file system counts them, each inode once."""
    blocks = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        blocks[status.st_ino] = status.st_blocks
    return sum(blocks.values()) * 512
