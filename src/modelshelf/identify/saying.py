"""What words in a file and beside it say, as a condition: for models that structure cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.claims import bases_said, claims_of
from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["Says"]


@dataclass(frozen=True)
class Says:
    """The metadata of the file names this base, and no other; without, what lies beside it or its name does.

    Only for a rule that chooses among equals: what tensors prove, no text overrules.
    """

    base: BaseModelType

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        claims = [one for one in claims_of(facts.layout.index.metadata) if one.bases]
        if (bases_said(claims) or facts.said) != {(self.base,)}:
            return None
        # What lies beside other files with the same tensors may say the same in other words.
        return Found(claims[0].where, claims[0].said) if claims else Found("beside it", self.base)

    def __str__(self) -> str:
        return f"metadata or a file beside it that names {self.base}"
