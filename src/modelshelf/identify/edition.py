"""Which rules gave an answer, so that what they could not say is asked again when they change."""

from __future__ import annotations

from functools import cache

from blake3 import blake3

from modelshelf.identify.families import BUILT_IN
from modelshelf.identify.family import Families

__all__ = ["rules_edition"]

_DIGITS = 12


def rules_edition(families: Families = BUILT_IN) -> str:
    """Return a few digits that are others as soon as any rule is another.

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
    written = "\n".join(repr(family) for family in families)
    return blake3(written.encode()).hexdigest(length=_DIGITS // 2)
