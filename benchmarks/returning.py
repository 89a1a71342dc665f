"""Reading the store again: verifying it against `b3sum --check`, exporting against `cp -r`."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

from benchmarks.adding import add_all, copy_and_flush
from benchmarks.content import model_files
from benchmarks.race import Entrant, Race, call, files_below, race, remove
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf import NormalizedModelManager, Settings, normalized_model_manager

__all__ = ["exporting", "verifying"]


def verifying(scale: Scale, folder: Path) -> list[Row]:
    """Check every byte of the library, and the same files against a list of digests."""
    library = folder / "library"
    add_all(model_files(folder / "models", scale.size), library)
    remove(folder / "models")
    stored = files_below([library / "models" / "blob"])
    sums = folder / "sums"
    # Writes the list, and brings the files into memory for both.
    listed = subprocess.run(["b3sum", *stored], stdout=subprocess.PIPE, check=True)
    sums.write_bytes(listed.stdout)
    with normalized_model_manager(Settings(root=library)) as manager:
        raced = race(
            Entrant("modelshelf", manager.verify),
            Entrant("b3sum", partial(call, "b3sum", "--check", "--quiet", sums)),
            rounds=scale.rounds,
        )
    task = f"verify a library of {scale.size / 1e9:.2g} GB"
    return [raced["b3sum"].row(task, "`b3sum --check`")]


def exporting(scale: Scale, folder: Path) -> list[Row]:
    """Give every model back by link and by copy, and copy the same files out of a plain folder."""
    models = model_files(folder / "models", scale.size)
    add_all(models, folder / "library")
    with normalized_model_manager(Settings(root=folder / "library")) as manager:
        linked = _export_race(manager, models, folder, "link", scale)
        copied = _export_race(manager, models, folder, "copy", scale)
    size = f"{scale.size / 1e9:.2g} GB"
    return [
        linked.row(f"export {size} by link", "`cp -r`"),
        copied.row(f"export {size} by copy, digests checked", "`cp -r` + `fsync`"),
    ]


def _export_race(
    manager: NormalizedModelManager, models: list[Path], folder: Path, method: str, scale: Scale
) -> Race:
    exported, copy = folder / "exported", folder / "copy"

    def export() -> None:
        for model in models:
            manager.export(selector=model.stem, destination=exported, method=method)

    def copy_only() -> None:
        copy.mkdir()
        call("cp", "-r", "--", *models, copy)

    copying = copy_only if method == "link" else partial(copy_and_flush, models, copy)
    ours = Entrant("modelshelf", export, clean=partial(remove, exported))
    other = Entrant("cp", copying, clean=partial(remove, copy))
    return race(ours, other, rounds=scale.rounds, memory=scale.size)["cp"]
