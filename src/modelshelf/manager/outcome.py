"""Saying what adding a model did."""

from __future__ import annotations

import json
from collections.abc import Sequence

from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.model import AddOutcome, FileInfo, ModelInfo
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import PartContent, StoredFile
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["describe_addition", "describe_file"]


def describe_addition(
    plan: ImportPlan,
    info: ModelInfo,
    contents: Sequence[PartContent],
    *,
    is_new: bool,
    namesakes: int,
) -> AddOutcome:
    """Count what was stored and shared, and collect what a person should know.

    Args:
        plan: What was to be done.
        info: The model as it is now.
        contents: Its parts, with what each took.
        is_new: Whether the library did not have it under this name.
        namesakes: Other models of the same name, type and base.
    """
    stored = sum(content.bytes_stored for content in contents)
    new_parts = sum(content.is_new for content in contents)
    return AddOutcome(
        info=info,
        is_new=is_new,
        bytes_stored=stored,
        bytes_shared=plan.size - stored,
        parts_stored=new_parts,
        parts_shared=len(contents) - new_parts,
        warnings=tuple(_warnings(plan, namesakes)),
    )


def describe_file(member: str, file: StoredFile | OriginalFile, location: str) -> FileInfo:
    """Say what a file is known by, here and elsewhere."""
    return FileInfo(
        member=member,
        size=file.size,
        blake3=file.blake3.hexadecimal,
        sha256=file.sha256.hexadecimal,
        location=location,
        imohash=file.imohash.hex(),
        autov3="" if file.data_sha256 is None else file.data_sha256.hexadecimal[:12],
    )


def _warnings(plan: ImportPlan, namesakes: int) -> list[str]:
    warnings = list(plan.warnings)
    if plan.type is ModelType.UNKNOWN:
        warnings.append(
            "nobody knows what this model is; it is kept as `unknown`, "
            "and `shelf probe --explain` tells what was missing"
        )
    elif BaseModelType.UNKNOWN in plan.bases:
        warnings.append(
            f"{_undecided(plan)}; it is kept as `unknown`, and `shelf identify` takes your word"
        )
    if namesakes:
        warnings.append(
            f"{namesakes} other model(s) have the same name, type and base; use keys to tell them apart"
        )
    return warnings


def _undecided(plan: ImportPlan) -> str:
    candidates = json.loads(plan.detail).get("candidates", [])
    if len(candidates) < 2:  # noqa: PLR2004 - of one there is nothing to choose
        return "what was read does not decide its base"
    listed = f"{', '.join(candidates[:-1])} or {candidates[-1]}"
    return f"its base is {listed}, and nothing that was read tells which"
