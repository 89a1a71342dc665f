"""Finding the models in a folder of folders."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from modelshelf.errors import EmptySourceError, SourceNotFoundError, SourceUnreadableError
from modelshelf.schema.weight_suffix import WEIGHT_SUFFIXES

__all__ = ["MODEL_SUFFIXES", "discover_models", "is_model_folder"]

MODEL_SUFFIXES = WEIGHT_SUFFIXES | {".pt2"}
"""File name suffixes that programs around diffusion models give to weights: those that are read here, and
the exported programs of torch, which ComfyUI lists and nobody reads here."""

_MARKS = frozenset(
    {
        "model_index.json",
        "config.json",
        "scheduler_config.json",
        "preprocessor_config.json",
        "tokenizer_config.json",
        "adapter_config.json",
        "image_encoder.txt",
    }
)
"""Files that only a folder which is one model has at its top."""
_FOLDER_WEIGHTS = ("pytorch_lora_weights.", "learned_embeds.", "diffusion_pytorch_model.")
"""Beginnings of the names of weights that belong to the folder they are in."""
_NOT_LIBRARIES = frozenset(
    {".git", ".cache", ".locks", "blobs", "refs", ".no_exist", "__pycache__"}
)
"""Folders that hold copies or no models: version control, and what a hub cache has beside snapshots."""

_PACKAGES = frozenset({"site-packages", "dist-packages"})
"""Folders in which Python looks for packages, and for `.pth` files of lines of text."""


def discover_models(path: Path, *, apart: Collection[Path] = ()) -> Iterator[Path]:
    """Yield the model files and model folders at or below *path*, sorted.

    A folder that is a model is yielded whole and not looked into. Links to folders are not followed
    while searching, so a loop cannot trap the search; a link to a model file counts as that file.

    Args:
        path: A model file, a model folder, or a folder that holds some of them at any depth.
        apart: Folders not to search, such as the library's own when it lies below *path*.

    Raises:
        SourceNotFoundError: There is nothing at *path*.
        SourceUnreadableError: A folder could not be read.
        EmptySourceError: There is no model in it.
    """
    try:
        is_there = path.exists()
    except OSError as error:
        raise unreadable(path, error) from error
    inside = any(path.resolve().is_relative_to(folder.resolve()) for folder in apart)
    if not is_there:
        raise SourceNotFoundError(path=str(path))
    if inside or not path.is_dir() or is_model_folder(path):
        # What lies in a folder apart is named as it is, for whoever adds it to refuse.
        yield path
        return
    found = False
    for model in _below(path, {folder.resolve() for folder in apart}):
        found = True
        yield model
    if not found:
        raise EmptySourceError(
            path=str(path), reason="no model folder and no file with a model's suffix is below it"
        )


def is_model_folder(folder: Path) -> bool:
    """Say whether a folder is one model, by the names of the files at its top."""
    names = set(_listed(folder))
    return bool(names & _MARKS) or any(
        name.startswith(_FOLDER_WEIGHTS) and (folder / name).is_file() for name in names
    )


def _below(folder: Path, apart: Collection[Path]) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        inner: list[Path] = []
        for name in _listed(current):
            path = current / name
            try:
                if not path.is_dir():
                    if path.suffix.lower() in MODEL_SUFFIXES and not _is_for_python(path):
                        yield path
                elif name in _NOT_LIBRARIES or path.is_symlink() or path.resolve() in apart:
                    continue
                elif is_model_folder(path):
                    yield path
                else:
                    inner.append(path)
            except (OSError, SourceUnreadableError):
                # Named as it is: whoever adds it is told why, and the others are found all the same.
                yield path
        waiting.extend(reversed(inner))


def _is_for_python(file: Path) -> bool:
    """Say whether Python reads *file* for places to import from: no checkpoint, although it ends as one.

    Programs that draw have an environment in their folder, beside the models. Weights that packages bring lie
    deeper.
    """
    return file.suffix == ".pth" and file.parent.name in _PACKAGES


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(path: Path, error: OSError) -> SourceUnreadableError:
    """Say in the system's words why a path cannot be looked at."""
    return SourceUnreadableError(path=str(path), reason=error.strerror or str(error))
