"""What imports say of one part, joined so that it does not matter which of them came first.

A part may be added by itself, under several names, and as a component of any number of pipelines. Each
of these imports claims what it is, and the library keeps the join
(`docs/decisions/0014-a-part-is-what-it-is-alone.md`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelshelf.records.user_words import OWN_FACTS, with_words
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.served_bases import learned_bases, own_bases, served_bases
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["PartClaim", "joined"]

_KINDS = {kind: place for place, kind in enumerate(ModelType)}
"""Stand-alone kinds come first in the taxonomy: what a part is wins over what it serves as."""
_PROVEN = {
    IdentityStatus.IDENTIFIED: 3,
    IdentityStatus.BROKEN: 2,
    IdentityStatus.PARTIAL: 2,
    IdentityStatus.UNDECIDED: 1,
    IdentityStatus.AMBIGUOUS: 1,
}
"""How far an answer goes; 0 for one that says nothing."""


@dataclass(frozen=True)
class PartClaim:
    """What one import says of a part, or what all of them together do."""

    type: ModelType
    format: ModelFormat
    bases: tuple[BaseModelType, ...]
    """`unknown` alone where nobody knows."""
    detail: str = "{}"
    """What was found when the part was looked at alone, as `ModelInfo.detail`; `{}` from a pipeline."""

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """*detail*, read."""
        return dict(json.loads(self.detail))

    @property
    def is_own(self) -> bool:
        """Whether the part was looked at alone."""
        return bool(self.facts)

    @property
    def words(self) -> Mapping[str, Any]:
        """What a user says instead, field by field."""
        return dict(self.facts.get("override", {}))

    @property
    def own_bases(self) -> tuple[BaseModelType, ...]:
        """The bases that it has without its pipelines."""
        return own_bases(self.facts, self.bases)

    @property
    def learned_bases(self) -> tuple[BaseModelType, ...]:
        """The bases that it has of pipelines alone."""
        return learned_bases(self.facts, self.bases)

    @property
    def own_format(self) -> ModelFormat:
        """How it lies on disk, as who looked at it alone says; `unknown` where nobody did."""
        unsaid = self.format if self.is_own else ModelFormat.UNKNOWN
        return ModelFormat(self.facts.get("format", unsaid))

    @property
    def knows_type(self) -> bool:
        """Whether looking at it alone told what it is."""
        is_untold = (
            self.facts.get("status") == IdentityStatus.UNKNOWN
            # Of a damaged or ambiguous one the type may be a pipeline's word, too.
            or self.facts.get("type") == ModelType.UNKNOWN
        )
        return self.is_own and not is_untold and self.type is not ModelType.UNKNOWN

    def without_words(self) -> PartClaim:
        """Return what was detected, below what the user says."""
        if not self.words:
            return self
        detected = self.facts.get("detected", {})
        facts = {
            name: value
            for name, value in self.facts.items()
            if name not in {"override", "detected", "learned", *self.words}
        }
        facts |= {
            name: detected[name] for name in OWN_FACTS if name in detected.keys() & self.words
        }
        kept = {"type": self.type, "format": self.format}
        found = kept | {name: detected.get(name) for name in kept.keys() & self.words}
        own = map(BaseModelType, detected.get("bases", ()))
        return PartClaim(
            ModelType(found["type"] or ModelType.UNKNOWN),
            ModelFormat(found["format"] or ModelFormat.UNKNOWN),
            served_bases(own, self.learned_bases) if "bases" in self.words else self.bases,
            json.dumps(facts, sort_keys=True),
        )


def joined(known: PartClaim, added: PartClaim) -> PartClaim:
    """Return what is known of a part of which *known* was, when an import says *added*.

    Of two that looked at it alone, the one that knows more counts; a pipeline's word counts for what
    nobody who looked at it alone knows. Every base is kept. The user's words stand above all that, the
    last one first. Without such words the order of joining changes nothing, and what is joined twice is
    joined once.

    Example:
        >>> clip = PartClaim(ModelType.CLIP_EMBED, ModelFormat.TRANSFORMERS, (BaseModelType.ANY,), '{"a": 1}')
        >>> part = PartClaim(ModelType.TEXT_ENCODER, ModelFormat.TRANSFORMERS, (BaseModelType.SD_1,))
        >>> joined(part, clip) == joined(clip, part) == clip
        True
    """
    words = {**known.words, **added.words}
    if not words:
        return _joined(known, added)
    claim = _joined(known.without_words(), added.without_words())
    held = {"type": claim.type, "format": claim.format, "bases": list(claim.own_bases)}
    facts = with_words(dict(claim.facts), words, held, learned=claim.learned_bases)
    return PartClaim(
        ModelType(words.get("type", claim.type)),
        ModelFormat(words.get("format", claim.format)),
        tuple(map(BaseModelType, words["bases"])) if "bases" in words else claim.bases,
        json.dumps(facts, sort_keys=True),
    )


def _joined(known: PartClaim, added: PartClaim) -> PartClaim:
    own = _better(known, added)
    lead = own if own is not None and own.knows_type else _named(known, added)
    own_format = ModelFormat.UNKNOWN if own is None else own.own_format
    return PartClaim(
        lead.type,
        lead.format if own_format is ModelFormat.UNKNOWN else own_format,
        served_bases(() if own is None else own.own_bases, (*known.bases, *added.bases)),
        "{}" if own is None else own.detail,
    )


def _better(known: PartClaim, added: PartClaim) -> PartClaim | None:
    """Return which of those who looked at the part alone knows more; None where neither did."""
    own = [claim for claim in (known, added) if claim.is_own]
    if len(own) < 2:  # noqa: PLR2004 - both
        return own[0] if own else None
    if _knowledge(known) != _knowledge(added):
        return max(own, key=_knowledge)
    if known.facts.get("rules") != added.facts.get("rules"):
        return added
    # They differ in words alone, such as the shard that a file's name says it is.
    return min(own, key=lambda claim: (_place(claim) if claim.knows_type else None, claim.detail))


def _knowledge(claim: PartClaim) -> tuple[bool, int, bool, bool]:
    proven = _PROVEN.get(claim.facts.get("status", ""), 0)
    has_format = claim.own_format is not ModelFormat.UNKNOWN
    return claim.knows_type, proven, has_format, bool(claim.own_bases)


def _named(known: PartClaim, added: PartClaim) -> PartClaim:
    """Return the claim whose type counts where nobody who looked at the part alone knows it."""
    return min(known, added, key=_place)


def _place(claim: PartClaim) -> tuple[int, str]:
    return _KINDS[claim.type], claim.format.value
