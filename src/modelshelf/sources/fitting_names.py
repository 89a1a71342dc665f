"""What becomes of files of a model whose names cannot be used here: left out, called otherwise, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from modelshelf.errors.base import counted
from modelshelf.schema.listing import check_listed_names, safe_file_name, unusable_names
from modelshelf.sources.hugging_face_selection import Selection
from modelshelf.sources.weight_names import WeightsName

__all__ = ["fitting"]

_READ_BY_NAME = re.compile(
    r"""(?:
        model_index\.json | (?:.*_)?config\.json | .*\.index(?:\.[\w-]+)?\.json
      | (?:tokenizer|vocab|added_tokens|special_tokens_map)[\w-]*\.\w+ | merges\.txt | image_encoder\.txt
      | .*\.(?:model|spm|bpe|merges|tiktoken|vocab)
    )""",
    re.VERBOSE,
)
"""What programs look for under just this name, in lower case, in whatever folder."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9_]{1,16}\Z")
_SHOWN = 3


def fitting(source: str, selection: Selection) -> Selection:
    """Return what of a selection can be fetched under names that every file system can hold.

    A model that is one file is called otherwise where it has to be: nothing refers to its name. Of the
    files of a folder, what programs read must have its own name; a text or a licence is left out, which
    the notes say. Of two names that differ in case alone, what is read comes first.

    Args:
        source: For the error.
        selection: Which files were chosen.

    Raises:
        UnsafeListingError: A file that is needed cannot have its name, or one means to leave its folder.

    Example:
        >>> chosen = {name: name for name in ("README.md", "a.safetensors", "at 10:30.txt", "readme.md")}
        >>> found = fitting("acme/ink", Selection(chosen, None, is_folder=True))
        >>> list(found.names), len(found.notes)
        (['README.md', 'a.safetensors'], 2)
    """
    if not selection.is_folder:
        return replace(selection, names=_called(source, selection.names))
    targets = sorted(selection.names.values(), key=lambda name: (not _is_needed(name), name))
    unusable = unusable_names(source, targets)
    needed = [name for name in targets if name not in unusable or _is_needed(name)]
    # Without anything left there is no model, and the name is why.
    check_listed_names(source, needed or targets)
    names = {name: target for name, target in selection.names.items() if target not in unusable}
    return replace(selection, names=names, notes=(*selection.notes, *_notes(unusable)))


def _is_needed(name: str) -> bool:
    # The step alone: with two things that may be of any length, a long name would take its square of steps.
    step = name.rpartition("/")[2]
    return WeightsName.parse(name) is not None or _READ_BY_NAME.fullmatch(step) is not None


def _called(source: str, names: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _safe(target) if unusable_names(source, [target]) else target
        for name, target in names.items()
    }


def _safe(target: str) -> str:
    # What reads a model goes by its suffix, which a name that is too long would lose.
    suffix = _SUFFIX.search(target)
    ending = suffix[0] if suffix else ""
    return safe_file_name(target.removesuffix(ending)) + ending


def _notes(unusable: Mapping[str, str]) -> list[str]:
    shown = [
        f"{name[:80]!a} is left out: {reason}" for name, reason in list(unusable.items())[:_SHOWN]
    ]
    more = len(unusable) - len(shown)
    words = "is left out for its name" if more == 1 else "are left out for their names"
    return [*shown, *([f"{counted(more, 'more file')} {words}"] if more else [])]
