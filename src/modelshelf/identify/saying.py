"""What the file's own metadata says, as a condition: for models that structure cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.claims import claims_of
from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["Says"]


@dataclass(frozen=True)
class Says:
    """The metadata of the file names this base, and no other.

    Only for a rule that chooses among equals: what tensors prove, no text overrules.
    """

    base: BaseModelType

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        claims = [one for one in claims_of(facts.layout.index.metadata) if one.bases]
        if not claims or any(one.bases != (self.base,) for one in claims):
            return None
        return Found(claims[0].where, claims[0].said)

    def __str__(self) -> str:
        return f"metadata that names {self.base}"
