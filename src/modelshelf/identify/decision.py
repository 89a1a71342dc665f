"""From what all families say to one identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from modelshelf.errors import AmbiguousIdentityError
from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Architecture, Detail, Families, Family, Trait, Verdict
from modelshelf.schema.identity import Evidence, Identity, NearMiss
from modelshelf.schema.taxonomy import (
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)
from modelshelf.schema.tensor import TensorIndex

__all__ = ["decide", "precision_of"]

_Value = TypeVar("_Value")

_MOST_NEAR_MISSES = 5


def decide(facts: Facts, families: Families, *, path: str, fallback: ModelFormat) -> Identity:
    """Ask every family and return the one answer, or `unknown` with the nearest misses.

    Args:
        facts: What was read.
        families: Whom to ask.
        path: For the error.
        fallback: The format of an unknown model.

    Raises:
        AmbiguousIdentityError: Several agree and none is declared to go before the others.
    """
    verdicts = [family.judge(facts) for family in families]
    agreed = [verdict for verdict in verdicts if verdict.missing is None]
    winners = [
        one
        for one in agreed
        if not any(families.goes_before(other.family, one.family) for other in agreed)
    ]
    if len(winners) > 1:
        ids = ", ".join(verdict.family.id for verdict in winners)
        raise AmbiguousIdentityError(path=path, families=ids)
    precision = precision_of(facts.layout.index)
    if not winners:
        return Identity(
            type=ModelType.UNKNOWN,
            format=fallback,
            precision=precision,
            near_misses=_near_misses(verdicts),
        )
    return _identity(winners[0], facts, precision)


def precision_of(index: TensorIndex) -> str | None:
    """Return the dtype that most bytes of *index* have, or None where it has no bytes."""
    entries = index.tensors.values()
    dtypes = {entry.dtype for entry in entries}
    if len(dtypes) <= 1:
        return next(iter(dtypes), None)
    sizes: Counter[str] = Counter()
    for entry in entries:
        sizes[entry.dtype] += entry.end - entry.begin
    return min(sizes, key=lambda dtype: (-sizes[dtype], dtype))


@dataclass(slots=True)
class _Traits:
    variant: ModelVariantType | None = None
    prediction: SchedulerPredictionType | None = None
    format: ModelFormat | None = None
    architecture: Architecture | None = None
    details: tuple[tuple[str, str], ...] = ()

    @classmethod
    def choose(cls, traits: list[Trait]) -> _Traits:
        """Keep of each kind the value that all traits of that kind agree on."""
        return cls(
            variant=_only(t.value for t in traits if isinstance(t.value, ModelVariantType)),
            prediction=_only(
                t.value for t in traits if isinstance(t.value, SchedulerPredictionType)
            ),
            format=_only(t.value for t in traits if isinstance(t.value, ModelFormat)),
            architecture=_only(t.value for t in traits if isinstance(t.value, Architecture)),
            details=_agreed(t.value for t in traits if isinstance(t.value, Detail)),
        )


def _only(values: Iterable[_Value]) -> _Value | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _agreed(details: Iterable[Detail]) -> tuple[tuple[str, str], ...]:
    """Return those that nothing contradicts, sorted."""
    values: dict[str, set[str]] = {}
    for detail in details:
        values.setdefault(detail.name, set()).add(detail.value)
    return tuple(sorted((name, min(found)) for name, found in values.items() if len(found) == 1))


def _identity(verdict: Verdict, facts: Facts, precision: str | None) -> Identity:
    family = verdict.family
    held = list(family.hold(facts))
    chosen = _Traits.choose([trait for trait, _ in held])
    found = dict.fromkeys((*verdict.found, *(one for _, one in held)))
    return Identity(
        type=family.type,
        format=chosen.format or family.format,
        bases=family.bases,
        candidates=family.candidates,
        variant=chosen.variant,
        prediction_type=chosen.prediction or family.prediction_type,
        precision=precision,
        architecture=chosen.architecture.name if chosen.architecture else family.architecture,
        details=_details(family, chosen),
        evidence=tuple(
            Evidence(family.id, one.where, one.what) for one in found if not one.is_absence
        )
        + _contents(family, facts),
    )


def _details(family: Family, chosen: _Traits) -> tuple[tuple[str, str], ...]:
    constant = {detail.name: detail.value for detail in family.details}
    return tuple(sorted((constant | dict(chosen.details)).items()))


def _contents(family: Family, facts: Facts) -> tuple[Evidence, ...]:
    """Tell a bundle from a bare denoiser: which other models the same file holds."""
    if family.type is not ModelType.MAIN:
        return ()
    parts = ", ".join(facts.layout.parts) or "one model without wrapper"
    return (Evidence(family.id, "parts of the file", parts),)


def _near_misses(verdicts: list[Verdict]) -> tuple[NearMiss, ...]:
    near = [verdict for verdict in verdicts if verdict.found and verdict.missing is not None]
    near.sort(key=lambda one: (-len(one.found) / len(one.family.conditions), one.family.id))
    return tuple(
        NearMiss(verdict.family.id, str(verdict.missing)) for verdict in near[:_MOST_NEAR_MISSES]
    )
