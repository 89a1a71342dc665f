"""The one model inside a folder that is none: what archives and the Hugging Face cache put around it."""

from __future__ import annotations

from typing import NamedTuple

from modelshelf.errors import SourceError
from modelshelf.formats import read_start
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.weight_suffix import WEIGHT_SUFFIXES

__all__ = ["Inner", "only_model_in"]

_DEEPEST = 3
"""Steps down: a cache has the repository, `snapshots` and the revision around a model."""
_WEIGHTS = (*sorted(WEIGHT_SUFFIXES), ".msgpack", ".h5")
"""Flax's and TensorFlow's, too: what lies beside a model need not be readable to be something else."""
_MISSED = ".no_exist"
"""Below it `huggingface_hub` keeps empty files that stand for what a repository does not have."""
_CACHE = frozenset({"blobs", "refs", "snapshots"})
"""What it lays out in a repository's folder; models lie below `snapshots` alone."""


class Inner(NamedTuple):
    """The model inside."""

    tree: SourceTree
    """Its folder."""
    why: str
    """Why it is what the whole is."""


def only_model_in(tree: SourceTree) -> Inner | None:
    """Return the folder inside *tree* that is all that it holds of models, or None.

    That is the only revision in a repository of the Hugging Face cache, or of several the one that
    `refs/main` names, as loading the repository takes it; or the only pipeline, at most three steps
    down. Where a configuration or weights lie at the top, or weights beside that folder, the whole is
    something else.

    Args:
        tree: A folder without `model_index.json` at its top.

    Example:
        >>> from modelshelf.formats import read_tree
        >>> from modelshelf.testing import tiny
        >>> outer = getfixture("tmp_path") / "unpacked"
        >>> model = tiny.pipeline(outer / "dream", base="sd-1")
        >>> inner = only_model_in(read_tree(outer))
        >>> inner.tree.root == model, inner.why
        (True, 'the only model in the folder')

    Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    files = [file for file in tree.files if _MISSED not in file.member.split("/")]
    if any(not file.member.folder and _is_telling(file) for file in files):
        return None
    revisions = _revisions(files)
    if len(revisions) > 1:
        return _current(tree, revisions)
    found = revisions or {
        file.member.folder
        for file in files
        if file.member.name == "model_index.json" and file.member.count("/") <= _DEEPEST
    }
    if len(found) != 1:
        return None
    folder = found.pop()
    outside = (file for file in files if not file.member.startswith(folder + "/"))
    if any(file.member.lower().endswith(_WEIGHTS) for file in outside):
        return None
    return Inner(tree.below(folder), "the only model in the folder")


def _current(tree: SourceTree, revisions: set[str]) -> Inner | None:
    """Return the one of *revisions* that the repository's main branch is at; None where nothing says so."""
    file = tree.member("refs/main")
    if file is None or not file.path.is_file():
        return None
    try:
        name = read_start(file.path, _COMMIT).decode("ascii", "replace").strip()
    except SourceError:
        return None
    folder = f"snapshots/{name}"
    if folder not in revisions:
        return None
    return Inner(tree.below(folder), "of several revisions the one that refs/main names")


_COMMIT = 64
"""Bytes of a reference that are read; the name of a commit has forty."""


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
