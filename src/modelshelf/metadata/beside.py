"""Files beside a model that are called as it is, but for what follows the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["files_beside"]


def files_beside(model: Path, endings: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield each of *endings* behind which there is a regular file, and that file.

    Args:
        model: The model file or folder as the user named it: what it links to lies elsewhere.
        endings: What stands behind the model's name without its suffix, such as `.preview.png`.
    """
    model = model.absolute()
    stem = model.name if model.is_dir() else model.name.removesuffix(model.suffix)
    if not stem:
        return
    for ending in endings:
        path = model.with_name(stem + ending)
        try:
            is_there = path != model and path.is_file()
        except OSError:
            # Too long a name, or a folder that must not be searched: nothing to read there.
            continue
        if is_there:
            yield ending, path
