"""`model_index.json`: the table of contents of a diffusers pipeline folder."""

from __future__ import annotations

from typing import TypeGuard

from modelshelf.errors import InvalidPipelineError, UnportableNameError
from modelshelf.formats.json_document import read_json
from modelshelf.schema.member import MemberPath
from modelshelf.schema.pipeline import PipelineIndex, PipelineSlot
from modelshelf.schema.source import SourceFile, SourceTree

__all__ = ["read_modular_pipeline", "read_pipeline"]

_NAME = "model_index.json"
_MODULAR_NAME = "modular_model_index.json"
_MOST_SLOTS = 64
"""Components; the largest published pipelines have fifteen."""


def read_pipeline(tree: SourceTree) -> PipelineIndex | None:
    """Read the pipeline that *tree* holds, or return None where it holds none.

    A component is a key whose value is `[library, class]`; null and `[null, null]` say that the
    pipeline was saved without it. All other keys are settings of the pipeline and no concern here.
    `_class_name` may be a list (custom pipelines write `[module, class]`): the last word counts. Some
    repositories have a modular pipeline's contents under this name: its components count as well.

    Raises:
        InvalidPipelineError: There is no class name, or a component's name is no plain folder name.
        InvalidJsonError: The file is no JSON.
    """
    return _read(tree, _NAME)


def read_modular_pipeline(tree: SourceTree) -> PipelineIndex | None:
    """Read the modular pipeline that *tree* describes, or return None where it describes none.

    Its components are `[library, class, where]` and mostly lie in other repositories: library and class
    are then null, and `where` gives both under `type_hint`.

    Raises:
        InvalidPipelineError: There is no class name, or a component's name is no plain folder name.
        InvalidJsonError: The file is no JSON.

    Source: `modular_pipelines/modular_pipeline.py` of huggingface/diffusers.
    """
    return _read(tree, _MODULAR_NAME)


def _read(tree: SourceTree, name: str) -> PipelineIndex | None:
    member = None if tree.is_file else tree.member(name)
    if member is None:
        return None
    document = read_json(member.path)
    if not isinstance(document, dict):
        raise InvalidPipelineError(
            path=str(member.path), problem="expected an object, got an array"
        )
    slots = [
        _slot(member, folder, words)
        for folder, value in document.items()
        if not folder.startswith("_") and _is_component(words := _library_and_class(value))
    ]
    if len(slots) > _MOST_SLOTS:
        problem = f"expected at most {_MOST_SLOTS} components, got {len(slots)}"
        raise InvalidPipelineError(path=str(member.path), problem=problem)
    return PipelineIndex(
        class_name=_class_name(member, document.get("_class_name")),
        slots=tuple(sorted(slots, key=lambda slot: slot.folder)),
        member=member,
    )


def _library_and_class(value: object) -> object:
    """Return a modular pipeline's component as others write it, and everything else as it is."""
    if not isinstance(value, list) or not value or not isinstance(value[-1], dict):
        return value
    own, where = value[:-1], value[-1]
    return own if _is_component(own) else where.get("type_hint")


def _class_name(member: SourceFile, value: object) -> str:
    word = value[-1] if isinstance(value, list) and value else value
    if not isinstance(word, str) or not word:
        raise InvalidPipelineError(
            path=str(member.path), problem="expected a class name under `_class_name`"
        )
    return word


def _is_component(value: object) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and len(value) == len(("library", "class"))
        and all(isinstance(word, str) for word in value)
    )


def _slot(member: SourceFile, name: str, value: list[str]) -> PipelineSlot:
    try:
        step = MemberPath.parse(name)
    except UnportableNameError as error:
        raise _no_folder_name(member, name) from error
    if step.folder:
        raise _no_folder_name(member, name)
    return PipelineSlot(folder=name, library=value[0], class_name=value[1])


def _no_folder_name(member: SourceFile, name: str) -> InvalidPipelineError:
    return InvalidPipelineError(
        path=str(member.path), problem=f"the component {name[:100]!r} is no plain folder name"
    )
