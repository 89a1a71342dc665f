"""The one model inside a folder that is none: what archives and the Hugging Face cache put around it."""

from __future__ import annotations

from modelshelf.formats.container import WEIGHT_SUFFIXES
from modelshelf.schema.source import SourceFile, SourceTree

__all__ = ["only_model_in"]

_DEEPEST = 3
"""Steps down: a cache has the repository, `snapshots` and the revision around a model."""
_WEIGHTS = (*sorted(WEIGHT_SUFFIXES), ".msgpack", ".h5")
"""Flax's and TensorFlow's, too: what lies beside a model need not be readable to be something else."""
_MISSED = ".no_exist"
"""Below it `huggingface_hub` keeps empty files that stand for what a repository does not have."""
_CACHE = frozenset({"blobs", "refs", "snapshots"})
"""What it lays out in a repository's folder; models lie below `snapshots` alone."""


def only_model_in(tree: SourceTree) -> SourceTree | None:
    """Return the folder inside *tree* that is all that it holds of models, or None.

    That is the only revision in a repository of the Hugging Face cache, or the only pipeline, at most
    three steps down. Where a configuration or weights lie at the top, or weights beside that folder,
    the whole is something else.

    Args:
        tree: A folder without `model_index.json` at its top.

    Example:
        >>> from modelshelf.formats import read_tree
        >>> from modelshelf.testing import tiny
        >>> outer = getfixture("tmp_path") / "unpacked"
        >>> model = tiny.pipeline(outer / "dream", base="sd-1")
        >>> only_model_in(read_tree(outer)).root == model
        True

    Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    files = [file for file in tree.files if _MISSED not in file.member.split("/")]
    if any(not file.member.folder and _is_telling(file) for file in files):
        return None
    found = _revisions(files) or {
        file.member.folder
        for file in files
        if file.member.name == "model_index.json" and file.member.count("/") <= _DEEPEST
    }
    if len(found) != 1:
        return None
    folder = found.pop()
    outside = (file for file in files if not file.member.startswith(folder + "/"))
    return (
        None
        if any(file.member.lower().endswith(_WEIGHTS) for file in outside)
        else tree.below(folder)
    )


def _is_telling(file: SourceFile) -> bool:
    return file.member.lower().endswith((".json", *_WEIGHTS))


def _revisions(files: list[SourceFile]) -> set[str]:
    tops = {file.member.top for file in files if file.member.folder}
    if "snapshots" not in tops or not tops <= _CACHE:
        return set()
    return {
        "/".join(file.member.split("/", 2)[:2])
        for file in files
        if file.member.top == "snapshots" and file.member.count("/") > 1
    }
