"""Finding the models in a folder of folders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from modelshelf.errors import (
    EmptySourceError,
    FormatError,
    SourceError,
    SourceNotFoundError,
    SourceUnreadableError,
)
from modelshelf.formats import read_json
from modelshelf.formats.model_folder import LONGEST_CONFIG
from modelshelf.schema.shard_name import parse_shard_name
from modelshelf.schema.weight_suffix import WEIGHT_SUFFIXES

__all__ = ["MODEL_SUFFIXES", "discover_models", "is_model_folder"]

MODEL_SUFFIXES = WEIGHT_SUFFIXES | {".pt2"}
"""File name suffixes that programs around diffusion models give to weights: those that are read here, and
the exported programs of torch, which ComfyUI lists and nobody reads here."""

_MARKS = frozenset(
    {
        "model_index.json",
        "scheduler_config.json",
        "preprocessor_config.json",
        "tokenizer_config.json",
        "adapter_config.json",
        "image_encoder.txt",
    }
)
"""Files that only a folder which is one model has at its top."""
_CONFIG = "config.json"
"""A model's, or the settings of any program: AUTOMATIC1111 keeps its own beside the folder of its models."""
_SAYS_A_CLASS = frozenset({"_class_name", "_diffusers_version", "architectures", "model_type"})
"""Keys of which a model's configuration has one."""
_FOLDER_WEIGHTS = ("pytorch_lora_weights.", "learned_embeds.", "diffusion_pytorch_model.")
"""Beginnings of the names of weights that belong to the folder they are in."""
_BESIDE_WEIGHTS = (
    *(name.rstrip(".") for name in _FOLDER_WEIGHTS),
    "optimizer",
    "scheduler",
    "scaler",
    "sampler",
    "random_states",
    "rng_state",
    "training_args",
)
"""Beginnings of the names of what lies beside such weights: other forms of them, and what a trainer goes on
from. Whatever else lies there is another model."""
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
    if inside or not path.is_dir() or _is_one_model(path):
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
    """Say whether a folder can be one model, by the files at its top."""
    names = set(_listed(folder))
    return (
        _is_marked(folder, names)
        or _holds(folder, names, _FOLDER_WEIGHTS)
        or _holds_one_in_shards(folder, names)
    )


def _is_one_model(folder: Path) -> bool:
    """Say whether a folder is one model for somebody who looks for models, and not a folder of several.

    People put `pytorch_lora_weights.safetensors` among their other LoRAs, under the name that it came with.
    """
    names = set(_listed(folder))
    if _is_marked(folder, names) or _holds_one_in_shards(folder, names):
        return True
    others = {name for name in names if not name.startswith(_BESIDE_WEIGHTS)}
    return _holds(folder, names, _FOLDER_WEIGHTS) and not _holds_weights(folder, others)


def _is_marked(folder: Path, names: Collection[str]) -> bool:
    if not _MARKS.isdisjoint(names):
        return True
    return _CONFIG in names and (_holds_weights(folder, names) or _says_a_class(folder / _CONFIG))


def _holds_one_in_shards(folder: Path, names: Iterable[str]) -> bool:
    """Say whether all weights in *folder* are shards of one model, and no folder in it may hold others."""
    others = [name for name in names if name not in _NOT_LIBRARIES]
    found = [parse_shard_name(name) for name in others if _is_weights(folder / name)]
    models = {shard.model for shard in found if shard is not None}
    if len(found) < 2 or None in found or len(models) != 1:  # noqa: PLR2004 - one is a file by itself
        return False
    return not any((folder / name).is_dir() for name in others)


def _says_a_class(path: Path) -> bool:
    try:
        config = read_json(path, limit=LONGEST_CONFIG) if path.is_file() else None
    except (FormatError, SourceError):
        return False
    return isinstance(config, dict) and not _SAYS_A_CLASS.isdisjoint(config)


def _holds_weights(folder: Path, names: Iterable[str]) -> bool:
    weights = (name for name in names if _is_weights(folder / name))
    return any((folder / name).is_file() for name in weights)


def _holds(folder: Path, names: Iterable[str], beginnings: tuple[str, ...]) -> bool:
    return any(name.startswith(beginnings) and (folder / name).is_file() for name in names)


def _below(folder: Path, apart: Collection[Path]) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        inner: list[Path] = []
        for name in _listed(current):
            path = current / name
            try:
                if not path.is_dir():
                    if _is_weights(path):
                        yield path
                elif name in _NOT_LIBRARIES or path.is_symlink() or path.resolve() in apart:
                    continue
                elif _is_one_model(path):
                    yield path
                else:
                    inner.append(path)
            except (OSError, SourceUnreadableError):
                # Named as it is: whoever adds it is told why, and the others are found all the same.
                yield path
        waiting.extend(reversed(inner))


def _is_weights(file: Path) -> bool:
    """Say whether *file* is called as weights are.

    In a folder of packages `.pth` are lines for Python, although they end as checkpoints do: programs that draw
    have such a folder beside their models. Weights that packages bring lie deeper.
    """
    suffix = file.suffix.lower()
    return suffix in MODEL_SUFFIXES and not (suffix == ".pth" and file.parent.name in _PACKAGES)


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(path: Path, error: OSError) -> SourceUnreadableError:
    """Say in the system's words why a path cannot be looked at."""
    return SourceUnreadableError(path=str(path), reason=error.strerror or str(error))
