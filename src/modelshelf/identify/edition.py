"""Which rules gave an answer, so that what they could not say is asked again when they change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from blake3 import blake3

from modelshelf import formats
from modelshelf.identify.families import BUILT_IN
from modelshelf.identify.family import Families
from modelshelf.schema import vocabulary

__all__ = ["rules_edition"]

_DIGITS = 12
_ENGINE = Path(__file__).parent
_CODE = (
    _ENGINE,
    Path(formats.__file__).parent,
    # By its place: no stage imports another, and what is said beside a file is handed in by the use cases.
    _ENGINE.with_name("metadata"),
    Path(vocabulary.__file__),
)
"""Folders of the engine, of the readers and of what reads sidecars and metadata, and the words that models
are told in; the rules speak for themselves."""


def rules_edition(families: Families = BUILT_IN) -> str:
    """Return a few digits that are others as soon as any rule is another, or the code that reads it.

    A release may learn to read names, containers or sidecars without a change of any rule.

    Example:
        >>> rules_edition() == rules_edition(), len(rules_edition())
        (True, 12)
        >>> rules_edition(Families([])) == rules_edition()
        False
    """
    return _edition(families)


@cache
def _edition(families: Families) -> str:
    # Families iterate by id, and a rule's representation says everything that it asks for.
    hasher = blake3("\n".join(repr(family) for family in families).encode())
    for place in _CODE:
        for path in sorted(place.glob("*.py")) if place.is_dir() else [place]:
            hasher.update(path.read_bytes())
    return hasher.hexdigest(length=_DIGITS // 2)
