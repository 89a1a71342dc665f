"""Deciding, before anything is stored, which parts a model is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelshelf.errors import InvalidNameError
from modelshelf.normalize.detail import identity_detail
from modelshelf.schema.conversion import Conversion, KeptWhole
from modelshelf.schema.identity import Component, Identity
from modelshelf.schema.manifest import ImportPlan, PlannedPart, canonical_member
from modelshelf.schema.metadata import Field, ModelMetadata
from modelshelf.schema.override import Override
from modelshelf.schema.pipeline import PipelineIndex
from modelshelf.schema.source import SourceTree
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["model_name_of", "plan_import"]

_LONGEST_NAME = 500
_HUB_CACHE = "models--"
"""Begins the folder of a repository in the Hugging Face cache, `models--<owner>--<name>/snapshots/<commit>`."""


def plan_import(  # noqa: PLR0913 - what is known of one model, each named at the call
    tree: SourceTree,
    identity: Identity,
    pipeline: PipelineIndex | None,
    *,
    conversion: Conversion | KeptWhole | None = None,
    rules: str = "",
    override: Override | None = None,
    said: ModelMetadata | None = None,
    name: str | None = None,
    description: str = "",
    source: str = "",
    by_source: bool = False,
    record: Mapping[str, Any] | None = None,
) -> ImportPlan:
    """Split a model into the parts that will be stored.

    A pipeline gives one part per declared component folder that is there, and one for everything
    outside them, so that an export loses nothing. So does a checkpoint that is converted, and one part
    more that brings it back. Anything else is one part.

    Args:
        tree: What lies at the source.
        identity: What it is.
        pipeline: Its `model_index.json`; None for anything but a pipeline folder.
        conversion: The components of a checkpoint, or why it stays one file; None for anything else.
        rules: The edition of the rules that say so.
        override: What the user says instead, field by field.
        said: What is written in and beside it.
        name: What to call it; None for `model_name_of`.
        description: Free text to keep with it; empty for what is written about it.
        source: Where it came from; empty for the path itself.
        by_source: Whether the same name and content from elsewhere is another model.
        record: Further fields of its record.

    Returns:
        The plan. Nothing has been stored and no weight read.

    Raises:
        InvalidNameError: It cannot be called that.
    """
    overridden = (override or Override()).over(identity)
    identity = overridden.effective
    split = conversion if isinstance(conversion, Conversion) else None
    if split is None:
        parts, leftovers = _split(tree, identity, pipeline)
    else:
        parts, leftovers = split.parts, split.leftovers
    return ImportPlan(
        name=_checked(name if name is not None else model_name_of(tree.root, is_file=tree.is_file)),
        type=identity.type,
        format=identity.format,
        bases=_bases(identity.bases),
        parts=parts,
        is_pipeline=pipeline is not None or split is not None,
        leftovers=leftovers,
        original=None if split is None else split.original,
        warnings=() if split is None else split.warnings,
        description=description or ("" if said is None else said.first(Field.DESCRIPTION)),
        said=said or ModelMetadata(),
        # A folder above the model may have a name that is not UTF-8; this is words for people.
        source=(source or str(tree.root)).encode("utf-8", "backslashreplace").decode("utf-8"),
        by_source=by_source,
        record=record or {},
        file_name=tree.files[0].member if tree.is_file else None,
        detail=identity_detail(
            overridden,
            rules=rules,
            kept_whole=conversion.reason if isinstance(conversion, KeptWhole) else "",
        ),
    )


def model_name_of(path: Path, *, is_file: bool) -> str:
    """Return what a model at *path* is called when nobody says otherwise.

    Example:
        >>> model_name_of(Path("/models/LoWRA.safetensors"), is_file=True)
        'LoWRA'
        >>> model_name_of(Path("/hub/models--acme--tiny/snapshots/4f1c"), is_file=False)
        'tiny'
    """
    if is_file:
        return path.stem
    repository, folder = path.parent.parent.name, path.parent.name
    if folder == "snapshots" and repository.startswith(_HUB_CACHE):
        # A commit's hash is nobody's name for a model.
        return repository.rpartition("--")[2] or path.name
    return path.name


def _split(
    tree: SourceTree, identity: Identity, pipeline: PipelineIndex | None
) -> tuple[tuple[PlannedPart, ...], PlannedPart | None]:
    if pipeline is None:
        return (_whole(tree, identity),), None
    known = {component.folder: component for component in identity.components}
    there = {file.member.top for file in tree.files if file.member.folder}
    folders = [slot.folder for slot in pipeline.slots if slot.folder in there]
    parts = tuple(_component(tree, folder, known.get(folder), identity) for folder in folders)
    return parts, _leftovers(tree, set(folders), identity)


def _whole(tree: SourceTree, identity: Identity) -> PlannedPart:
    return PlannedPart(
        folder="",
        type=identity.type,
        format=identity.format,
        bases=_bases(identity.bases),
        is_file=tree.is_file,
        files=tuple(
            (canonical_member(file.member) if tree.is_file else file.member, file)
            for file in tree.files
        ),
        empty_folders=tree.empty_folders,
    )


def _component(
    tree: SourceTree, folder: str, component: Component | None, pipeline: Identity
) -> PlannedPart:
    inside = tree.below(folder)
    found = component.identity if component is not None else None
    return PlannedPart(
        folder=folder,
        type=found.type if found is not None else ModelType.UNKNOWN,
        format=found.format if found is not None else ModelFormat.UNKNOWN,
        bases=_bases(found.bases if found is not None and found.bases else pipeline.bases),
        is_file=False,
        files=tuple((file.member, file) for file in inside.files),
        empty_folders=inside.empty_folders,
    )


def _leftovers(tree: SourceTree, folders: set[str], identity: Identity) -> PlannedPart:
    return PlannedPart(
        folder="",
        type=ModelType.PIPELINE_FILES,
        format=ModelFormat.DIFFUSERS,
        bases=_bases(identity.bases),
        is_file=False,
        files=tuple(
            (file.member, file)
            for file in tree.files
            if not file.member.folder or file.member.top not in folders
        ),
        empty_folders=tuple(name for name in tree.empty_folders if name.top not in folders),
    )


def _bases(bases: Iterable[BaseModelType]) -> tuple[BaseModelType, ...]:
    return tuple(bases) or (BaseModelType.UNKNOWN,)


def _checked(name: str) -> str:
    if not name.strip():
        raise InvalidNameError(name=name, reason="it is empty")
    if len(name) > _LONGEST_NAME:
        raise InvalidNameError(
            name=name[:40] + "…", reason=f"it is over {_LONGEST_NAME} characters"
        )
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise InvalidNameError(name=shown, reason="it is not UTF-8") from error
    if "\0" in name:
        raise InvalidNameError(name=name.replace("\0", "\\0"), reason="it holds a NUL character")
    return name
