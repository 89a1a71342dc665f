"""Narrowing what structure leaves open, by what others say, the most trusted first.

A claim may choose among the candidates that structure left, and never add one. Where it says
something else than what is proven or left, the answer stays and the contradiction is reported: a
majority of claims is no proof either. Of a prediction type that is only the usual one, the first claim
about it takes the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["USUAL", "is_left_open", "narrow"]

USUAL = "prediction type"
"""Where evidence stands that the prediction type is the usual one of such models, and not proven."""

_PREDICTS = frozenset({ModelType.MAIN, ModelType.UNET, ModelType.TRANSFORMER})
"""Types whose prediction type is a property of their own."""


def narrow(identity: Identity, claims: Iterable[Declared]) -> Identity:
    """Return *identity* with the claims that agree with it taken in, and all of them cited.

    Args:
        identity: What tensors and configurations prove.
        claims: Sorted here by trust, place and words: their order means nothing.

    Example:
        >>> from modelshelf.schema.declared import Trust
        >>> from modelshelf.schema.taxonomy import ModelFormat
        >>> vae = Identity(
        ...     ModelType.VAE,
        ...     ModelFormat.CHECKPOINT,
        ...     candidates=(BaseModelType.SD_1, BaseModelType.SDXL),
        ...     status=IdentityStatus.UNDECIDED,
        ... )
        >>> claim = Declared(Trust.SIDECAR, "model.civitai.info:baseModel", "SDXL 1.0",
        ...                  bases=(BaseModelType.SDXL,))
        >>> narrow(vae, [claim]).base.value
        'sdxl'
    """
    if identity.type is ModelType.UNKNOWN:
        return identity
    # Whoever reads what lies beside a file may have read what `identify` reads on its own.
    for claim in sorted(set(claims), key=lambda one: (one.trust, one.where, one.said)):
        if _is_heard(identity, claim):
            identity = _take(identity, claim)
    return identity


def is_left_open(identity: Identity) -> bool:
    """Say whether anything is left that a name could choose: several bases, or a usual prediction type."""
    return bool(identity.candidates) or _is_prediction_open(identity)


def _is_prediction_open(identity: Identity) -> bool:
    return identity.type in _PREDICTS and (
        identity.prediction_type is None or any(one.where == USUAL for one in identity.evidence)
    )


def _is_heard(identity: Identity, claim: Declared) -> bool:
    """Say whether *claim* matters: too many names are wrong to ask one about what is decided."""
    if claim.trust is not Trust.HINT:
        return True
    return bool(identity.candidates) if claim.bases else _is_prediction_open(identity)


def _take(identity: Identity, claim: Declared) -> Identity:
    if claim.type is not None and claim.type is not identity.type:
        return _contradicted(identity, claim, f"type {identity.type}")
    if claim.bases:
        known = identity.bases or identity.candidates
        left = tuple(base for base in known if base in claim.bases)
        if known and not left and BaseModelType.ANY not in known:
            return _contradicted(identity, claim, " or ".join(known))
        if not identity.bases and left and left != identity.candidates:
            identity = _narrowed(identity, left)
        identity = _cited(identity, claim, "says")
    if claim.prediction_type is not None and identity.type in _PREDICTS:
        identity = _without_usual(identity)
        if identity.prediction_type not in {None, claim.prediction_type}:
            return _contradicted(identity, claim, f"prediction type {identity.prediction_type}")
        identity = replace(identity, prediction_type=claim.prediction_type)
        identity = identity if claim.bases else _cited(identity, claim, "says")
    if claim.architecture and not identity.architecture and identity.bases:
        identity = replace(identity, architecture=claim.architecture)
    return identity


def _without_usual(identity: Identity) -> Identity:
    """Return *identity* without a prediction type that is only the usual one: somebody says it."""
    proven = tuple(one for one in identity.evidence if one.where != USUAL)
    if len(proven) == len(identity.evidence):
        return identity
    return replace(identity, prediction_type=None, evidence=proven)


def _narrowed(identity: Identity, left: tuple[BaseModelType, ...]) -> Identity:
    if len(left) > 1 or left == (BaseModelType.UNKNOWN,):
        return replace(identity, candidates=left)
    is_whole = identity.status is IdentityStatus.UNDECIDED
    status = IdentityStatus.IDENTIFIED if is_whole else identity.status
    return replace(identity, bases=left, candidates=(), status=status)


def _cited(identity: Identity, claim: Declared, verb: str) -> Identity:
    rule = f"claim/{claim.trust.name.lower()}"
    said = Evidence(rule, claim.where, f"{verb} {claim.said!r}")
    return replace(identity, evidence=(*identity.evidence, said))


def _contradicted(identity: Identity, claim: Declared, proven: str) -> Identity:
    return _cited(identity, claim, f"is not believed, against {proven}:")
