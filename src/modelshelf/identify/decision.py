"""From what all families say to one identity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Architecture, Detail, Families, Family, Trait, Verdict
from modelshelf.identify.gaps import find_gaps
from modelshelf.identify.holes import has_holes, judge_with_holes, judge_without_one
from modelshelf.identify.narrowing import USUAL
from modelshelf.identify.precision import precision_of
from modelshelf.identify.tensor_condition import NoOther
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus, NearMiss
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["decide"]

_Value = TypeVar("_Value")

_MOST_NEAR_MISSES = 5
_ADAPTERS = frozenset({ModelType.LORA, ModelType.CONTROL_LORA})


def decide(facts: Facts, families: Families, *, fallback: ModelFormat) -> Identity:
    """Ask the families and return what those that agree have in common.

    One family's answer is the answer. Several that agree without a declared order, and say different
    things, make it ambiguous: what they share is kept, their bases become candidates, and all of them
    are named. Nobody is chosen by the order of a list.

    Args:
        facts: What was read.
        families: Whom to ask.
        fallback: The format of an unknown model.
    """
    winners = _winners(facts, families)
    precision = precision_of(facts.layout)
    verdicts = [] if winners else _near(facts, families)
    if not winners and facts.groups:
        lost = (
            _winners(facts.leniently(), families)
            or _winners_with_holes(facts, families)
            or _winners_without_one(facts, families, verdicts)
        )
        if lost:
            answer = _answer(facts, lost, precision, fallback)
            is_known = answer.type is not ModelType.UNKNOWN
            return replace(answer, status=IdentityStatus.PARTIAL) if is_known else answer
        if stranger := _winners_but_for_joints(facts, families, verdicts):
            answer = _answer(facts, stranger, precision, fallback)
            return replace(answer, near_misses=_near_misses(verdicts))
    if not winners:
        return Identity(
            type=ModelType.UNKNOWN,
            format=fallback,
            precision=precision,
            near_misses=_near_misses(verdicts) or _strange(facts),
            status=IdentityStatus.UNKNOWN,
        )
    return _answer(facts, winners, precision, fallback)


def _near(facts: Facts, families: Families) -> list[Verdict]:
    """Return the verdicts of all families, none of which agrees, whose first condition holds."""
    # Nine in ten shake their heads at once, and making verdicts of that takes longer than asking.
    return [one.judge(facts) for one in families if one.conditions[0].check(facts) is not None]


def _winners(facts: Facts, families: Families) -> list[Verdict]:
    """Return who agrees, without those that another one of them goes before."""
    asked = families.worth_asking(facts)
    # All others go before a fallback, so that it matters only where none of them agrees.
    agreed = _agreeing(facts, (one for one in asked if not one.is_fallback))
    agreed = agreed or _agreeing(facts, (one for one in asked if one.is_fallback))
    return _in_order(agreed, families)


def _winners_with_holes(facts: Facts, families: Families) -> list[Verdict]:
    """Return who agrees but for modules that are lost, if the file shows that some are."""
    if not has_holes(facts):
        return []
    return _in_order(judge_with_holes(facts.leniently(), families), families)


def _winners_without_one(
    facts: Facts, families: Families, verdicts: list[Verdict]
) -> list[Verdict]:
    """Return who agrees but for one lost module, of those of whom the first or the rarest thing is there."""
    near = verdicts + [one for one in families.ask(facts) if not one.found]
    return _in_order(judge_without_one(facts, near), families)


def _winners_but_for_joints(
    facts: Facts, families: Families, verdicts: list[Verdict]
) -> list[Verdict]:
    """Return who agrees but for what joins a model to others: of that type, and of no base that is known."""
    found = []
    for one in verdicts:
        if isinstance(one.missing, NoOther):
            inside = [each for each in one.family.conditions if not isinstance(each, NoOther)]
            verdict = replace(one.family, conditions=tuple(inside)).judge(facts)
            if verdict.missing is None:
                found.append(replace(verdict, family=_without_base(one.family)))
    return _in_order(found, families)


def _without_base(family: Family) -> Family:
    """Return what a model is that has all that *family* has inside, and was trained for something else."""
    return replace(
        family,
        bases=(),
        candidates=(),
        architecture="",
        prediction_type=None,
        usual_prediction=None,
        traits=tuple(one for one in family.traits if isinstance(one.value, ModelFormat)),
    )


def _in_order(agreed: list[Verdict], families: Families) -> list[Verdict]:
    """Return *agreed* without those that another one of them goes before."""
    return [
        one
        for one in agreed
        if not any(families.goes_before(other.family, one.family) for other in agreed)
    ]


def _agreeing(facts: Facts, families: Iterable[Family]) -> list[Verdict]:
    verdicts = (family.judge(facts) for family in families)
    return [verdict for verdict in verdicts if verdict.missing is None]


def _answer(
    facts: Facts, winners: list[Verdict], precision: str | None, fallback: ModelFormat
) -> Identity:
    answers = [_identity(winner, facts, precision) for winner in winners]
    answer = answers[0] if len(answers) == 1 else _shared(answers, winners, fallback)
    return _with_gaps(answer, facts, [winner.family for winner in winners])


def _shared(answers: list[Identity], winners: list[Verdict], fallback: ModelFormat) -> Identity:
    """Return what several *answers* have in common."""
    types = {one.type for one in answers}
    prediction = _only(one.prediction_type for one in answers)
    evidence = tuple(
        item
        for item in dict.fromkeys(item for one in answers for item in one.evidence)
        if prediction is not None or item.where != USUAL
    )
    if len(types) > 1:
        return Identity(
            type=ModelType.UNKNOWN,
            format=fallback,
            precision=answers[0].precision,
            evidence=evidence,
            near_misses=_rivals(winners),
            status=IdentityStatus.AMBIGUOUS,
        )
    bases = {one.bases for one in answers}
    is_agreed = len(bases) == 1 and bases != {()}
    possible = {base for one in answers for base in one.bases or one.candidates}
    is_expected = all(one.family.is_one_of_several for one in winners)
    # One that knows no base at all leaves every base possible.
    is_bounded = all(one.bases or one.candidates for one in answers)
    return replace(
        answers[0],
        format=_only(one.format for one in answers) or fallback,
        bases=answers[0].bases if is_agreed else (),
        candidates=()
        if is_agreed or not is_bounded
        else tuple(base for base in BaseModelType if base in possible),
        variant=_only(one.variant for one in answers),
        prediction_type=prediction,
        architecture=_only(one.architecture for one in answers) or "",
        details=_only(one.details for one in answers) or (),
        evidence=evidence,
        near_misses=() if is_agreed or is_expected else _rivals(winners),
        status=_shared_status(is_agreed=is_agreed, is_expected=is_expected),
    )


def _shared_status(*, is_agreed: bool, is_expected: bool) -> IdentityStatus:
    if is_agreed:
        return IdentityStatus.IDENTIFIED
    return IdentityStatus.UNDECIDED if is_expected else IdentityStatus.AMBIGUOUS


def _rivals(winners: list[Verdict]) -> tuple[NearMiss, ...]:
    return tuple(
        NearMiss(winner.family.id, "an order: it agrees, and so do the others")
        for winner in winners
    )


def _with_gaps(identity: Identity, facts: Facts, families: list[Family]) -> Identity:
    """Call a model partial of which shards or most of the blocks are missing."""
    gaps = find_gaps(facts, families)
    if not gaps or identity.type is ModelType.UNKNOWN:
        return identity
    is_settled = identity.status in {IdentityStatus.IDENTIFIED, IdentityStatus.UNDECIDED}
    return replace(
        identity,
        evidence=identity.evidence + gaps,
        status=IdentityStatus.PARTIAL if is_settled else identity.status,
    )


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
    # What all models of the kind have is not believed where a finer point may say otherwise.
    is_open = {type(trait.value) for trait in family.leave_open(facts)}
    chosen = _Traits.choose([trait for trait, _ in held])
    found = dict.fromkeys((*verdict.found, *(one for _, one in held)))
    proven = chosen.prediction or (
        None if SchedulerPredictionType in is_open else family.prediction_type
    )
    architecture = "" if Architecture in is_open else family.architecture
    return Identity(
        type=family.type,
        format=chosen.format or family.format,
        bases=family.bases,
        candidates=family.candidates,
        variant=chosen.variant,
        prediction_type=proven or family.usual_prediction,
        precision=precision,
        architecture=chosen.architecture.name if chosen.architecture else architecture,
        details=_details(family, chosen, facts),
        evidence=tuple(
            Evidence(family.id, one.where, one.what) for one in found if not one.is_absence
        )
        + (() if proven else _usual(family))
        + _contents(family, facts),
        status=IdentityStatus.IDENTIFIED if family.bases else IdentityStatus.UNDECIDED,
    )


def _details(family: Family, chosen: _Traits, facts: Facts) -> tuple[tuple[str, str], ...]:
    constant = {detail.name: detail.value for detail in family.details}
    if family.type in _ADAPTERS and facts.adapter is not None:
        constant |= dict(facts.adapter.details)
    return tuple(sorted((constant | dict(chosen.details)).items()))


def _contents(family: Family, facts: Facts) -> tuple[Evidence, ...]:
    """Tell a bundle from a bare denoiser: which other models the same file holds."""
    if family.type is not ModelType.MAIN:
        return ()
    parts = ", ".join(facts.layout.parts) or "one model without wrapper"
    return (Evidence(family.id, "parts of the file", parts),)


def _usual(family: Family) -> tuple[Evidence, ...]:
    """Tell what is known of such models from what this one proves."""
    if family.usual_prediction is None:
        return ()
    return (Evidence(family.id, USUAL, f"{family.usual_prediction}, as nothing says otherwise"),)


def _near_misses(verdicts: list[Verdict]) -> tuple[NearMiss, ...]:
    # What is absent, as a rule demands, is absent from every file: no rule is nearer for it.
    near = [
        verdict
        for verdict in verdicts
        if verdict.missing is not None and not all(one.is_absence for one in verdict.found)
    ]
    near.sort(key=lambda one: (-len(one.found) / len(one.family.conditions), one.family.id))
    return tuple(
        NearMiss(verdict.family.id, str(verdict.missing)) for verdict in near[:_MOST_NEAR_MISSES]
    )


def _strange(facts: Facts) -> tuple[NearMiss, ...]:
    """Name a tensor of a file that no rule comes near, so that a reader knows what was looked at."""
    names = [name for group in facts.groups.values() for name in group.names]
    if not names:
        return ()
    missing = f"any that a rule asks for first, among {len(names)} such as `{min(names)}`"
    return (NearMiss("tensors", missing),)
