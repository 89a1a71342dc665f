"""The bases that a part serves, in the one order that does not depend on who named them first."""

from __future__ import annotations

from collections.abc import Iterable

from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["served_bases"]

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
