"""The bases that a part serves: its own, those that pipelines named, and all of them in one order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["learned_bases", "own_bases", "served_bases"]

_OPEN = frozenset({IdentityStatus.UNDECIDED, IdentityStatus.AMBIGUOUS, IdentityStatus.UNKNOWN})
_PLACES = {base: place for place, base in enumerate(BaseModelType)}


def served_bases(
    own: Iterable[BaseModelType], others: Iterable[BaseModelType] = ()
) -> tuple[BaseModelType, ...]:
    """Return all bases of a part: its own first, then the others in the order of the taxonomy.

    `any` swallows all others, `unknown` gives way to any other.

    Args:
        own: What it was found to serve when it was looked at alone, the first its own.
        others: What pipelines that hold it are of, in whatever order they came.

    Example:
        >>> own, others = [BaseModelType.SDXL], [BaseModelType.SD_2, BaseModelType.SD_1]
        >>> [base.value for base in served_bases(own, others)]
        ['sdxl', 'sd-1', 'sd-2']
        >>> served_bases([], [BaseModelType.UNKNOWN, BaseModelType.SD_1])
        (<BaseModelType.SD_1: 'sd-1'>,)

    Source: `spec/normalized-model-manager.md`, "MODEL_BASE".
    """
    certain = dict.fromkeys([*own, *sorted(others, key=_PLACES.__getitem__)])
    certain.pop(BaseModelType.UNKNOWN, None)
    if BaseModelType.ANY in certain:
        return (BaseModelType.ANY,)
    return tuple(certain) or (BaseModelType.UNKNOWN,)


def own_bases(
    detail: Mapping[str, Any], bases: Sequence[BaseModelType]
) -> tuple[BaseModelType, ...]:
    """Return the bases that a part has without its pipelines; those that a user says where one does.

    Args:
        detail: What was found when the part was looked at alone, as `ModelInfo.detail`, read.
        bases: All that it serves.

    Example:
        >>> served = (BaseModelType.SDXL, BaseModelType.SD_1)
        >>> own_bases({"status": "identified", "format": "diffusers", "bases": ["sdxl"]}, served)
        (<BaseModelType.SDXL: 'sdxl'>,)
        >>> own_bases({}, served)
        ()
    """
    if "bases" in detail:
        return tuple(map(BaseModelType, detail["bases"]))
    # An earlier modelshelf did not write down which they were; today's leaves out what is empty.
    is_settled = detail and "format" not in detail and detail.get("status") not in _OPEN
    return tuple(bases[:1]) if is_settled else ()


def learned_bases(
    detail: Mapping[str, Any], bases: Sequence[BaseModelType]
) -> tuple[BaseModelType, ...]:
    """Return the bases that a part has of pipelines alone, also while a user's word hides them.

    Args:
        detail: As for `own_bases`.
        bases: All that it serves.

    Example:
        >>> served = (BaseModelType.SDXL, BaseModelType.SD_1)
        >>> learned_bases({"format": "diffusers", "bases": ["sdxl"]}, served)
        (<BaseModelType.SD_1: 'sd-1'>,)
        >>> learned_bases({"bases": ["sd-2"], "override": {"bases": ["sd-2"]}, "learned": ["sdxl"]}, served)
        (<BaseModelType.SDXL: 'sdxl'>,)
    """
    if "bases" in detail.get("override", {}):
        return tuple(map(BaseModelType, detail.get("learned", ())))
    own = {*own_bases(detail, bases), BaseModelType.UNKNOWN}
    return tuple(base for base in bases if base not in own)
