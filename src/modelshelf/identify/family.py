"""A family is a value: what a kind of model is, and the conditions by which it is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from modelshelf.errors import UsageError
from modelshelf.identify.anchor import Shortlist
from modelshelf.identify.condition import Condition, Found, Never, Setting
from modelshelf.identify.facts import Facts
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["Architecture", "Detail", "Families", "Family", "Trait", "Verdict"]

_DENOISERS = frozenset({ModelType.UNET, ModelType.TRANSFORMER})


@dataclass(frozen=True, slots=True)
class Architecture:
    """The published name of an architecture, where it is finer than the base."""

    name: str
    """Lower case, such as `wan-2.2-ti2v-5b`."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A finer fact that has no field of its own."""

    name: str
    """What it is about, such as `scale`."""
    value: str
    """What it is, such as `4`."""


@dataclass(frozen=True, slots=True)
class Trait:
    """A finer point that a family decides by a condition of its own.

    Where the conditions of two traits of one kind hold and their values differ, neither counts.
    """

    value: ModelVariantType | SchedulerPredictionType | ModelFormat | Architecture | Detail
    """The kind of value says which field of the identity it sets."""
    condition: Condition
    """When it holds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one family says about one model."""

    family: Family
    """Who says it."""
    found: tuple[Found, ...]
    """What its conditions found; as many as hold."""
    missing: Condition | None
    """The first condition that does not hold; None when the family agrees."""


@dataclass(frozen=True, slots=True)
class Family:
    """One way in which one kind of model lies in a file or folder."""

    id: str
    """Unique: base, kind and layout, such as `sd-1/main/ldm`."""
    type: ModelType
    """What the model does."""
    format: ModelFormat
    """How it lies on disk, unless a trait knows better."""
    conditions: tuple[Condition, ...]
    """All of them must hold. Order the most telling first: near misses count from the front."""
    bases: tuple[BaseModelType, ...] = ()
    """The bases that the conditions prove."""
    candidates: tuple[BaseModelType, ...] = ()
    """Where they prove none: those that they leave possible."""
    traits: tuple[Trait, ...] = ()
    """Variant, prediction, format, architecture, where shape or configuration tell."""
    prediction_type: SchedulerPredictionType | None = None
    """What every model of this kind predicts, unless a trait knows better."""
    usual_prediction: SchedulerPredictionType | None = None
    """Where tensors prove nothing and nearly all models of this kind predict the same: what that is,
    until somebody says otherwise."""
    architecture: str = ""
    """The published name of the architecture where it is finer than the base; a trait may refine
    it."""
    details: tuple[Detail, ...] = ()
    """Finer facts that hold for every model of this kind; traits may add others."""
    blocks: tuple[tuple[str, int], ...] = ()
    """Lists of blocks as (folded path such as `double_blocks`, how many the whole model has). A file
    with fewer than four fifths of one of them is part of a model."""
    special_case_of: tuple[str, ...] = ()
    """Ids of families that may agree as well, and that this one goes before."""
    is_one_of_several: bool = False
    """True where families of this kind may agree together: each is then a candidate."""
    is_fallback: bool = False
    """True for a family that knows the type alone: all others go before it."""

    def judge(self, facts: Facts) -> Verdict:
        """Ask the conditions in order; stops at the first that does not hold."""
        found: list[Found] = []
        for condition in self.conditions:
            one = condition.check(facts)
            if one is None:
                return Verdict(self, tuple(found), condition)
            found.append(one)
        return Verdict(self, tuple(found), None)

    def hold(self, facts: Facts) -> Iterator[tuple[Trait, Found]]:
        """Yield the traits whose conditions hold, and not for want of a shape."""
        measured = facts.measured()
        for trait in self.traits:
            if (found := trait.condition.check(measured)) is not None:
                yield trait, found

    def leave_open(self, facts: Facts) -> Iterator[Trait]:
        """Yield the traits whose conditions may hold, where nothing tells a shape."""
        measured = facts.measured()
        if measured is not facts:
            for trait in self.traits:
                if trait.condition.check(facts) and not trait.condition.check(measured):
                    yield trait


class Families:
    """The families to ask, checked once: unique ids, no equal rules, an order without cycles."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._by_id: dict[str, Family] = {}
        for family in families:
            if family.id in self._by_id:
                raise UsageError(
                    problem=f"two families are called `{family.id}`", remedy="rename one of them"
                )
            self._by_id[family.id] = family
        self._by_id = dict(sorted(self._by_id.items()))
        self._check_rules()
        self._order = self._check_order()
        self._shortlist = Shortlist(self)

    def __iter__(self) -> Iterator[Family]:
        """Yield all families by id, whatever order they were given in."""
        return iter(self._by_id.values())

    def ask(self, facts: Facts) -> list[Verdict]:
        """Return the verdicts of all families that may agree, by id."""
        return [family.judge(facts) for family in self.worth_asking(facts)]

    def worth_asking(self, facts: Facts) -> list[Family]:
        """Return all families that may agree, by id, and few others."""
        return self._shortlist.of(facts)

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, family_id: object) -> bool:
        return family_id in self._by_id

    def goes_before(self, special: Family, general: Family) -> bool:
        """Say whether *special* is declared to go before *general*, directly or not."""
        if special.is_fallback is not general.is_fallback:
            return general.is_fallback
        return general.id in self._order[special.id]

    def bases_of_class(self, class_name: str, pipeline: str) -> tuple[BaseModelType, ...]:
        """Return the bases of a denoiser's class that families of one base alone ask for, else none.

        `FluxTransformer2DModel` is such a class; `UNet2DConditionModel`, which many have, is not.
        A family that asks for the class of the *pipeline* too asks for it in such a pipeline alone.
        """
        around = Facts(settings={"pipeline": pipeline})
        asking = [
            family
            for family in self
            if family.type in _DENOISERS
            for condition in family.conditions
            if isinstance(condition, Setting)
            and condition.name == "class"
            and class_name in condition.values
            if all(one.check(around) for one in family.conditions if _is_of_pipeline(one))
        ]
        found = {family.bases for family in asking if family.bases}
        only = found.pop() if len(found) == 1 else ()
        # Of another width is what nearly nobody has.
        doubts = {family.candidates for family in asking if not family.bases}
        return only if doubts <= {(*only, BaseModelType.UNKNOWN)} else ()

    def _check_rules(self) -> None:
        seen: dict[frozenset[str], str] = {}
        for family in self:
            rule = frozenset(map(str, family.conditions))
            if rule in seen:
                raise UsageError(
                    problem=f"`{family.id}` and `{seen[rule]}` have the same conditions",
                    remedy="make them one family, or say what tells them apart",
                )
            seen[rule] = family.id

    def _check_order(self) -> dict[str, frozenset[str]]:
        graph = {family.id: family.special_case_of for family in self}
        strangers = {one for general in graph.values() for one in general} - graph.keys()
        if strangers:
            raise UsageError(
                problem=f"`special_case_of` names no family: {', '.join(sorted(strangers))}",
                remedy="correct the id",
            )
        try:
            ordered = tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise UsageError(
                problem=f"families go before each other: {' < '.join(error.args[1])}",
                remedy="take one `special_case_of` away",
            ) from error
        reach: dict[str, frozenset[str]] = {}
        for id_ in ordered:
            reach[id_] = frozenset(graph[id_]).union(*(reach[one] for one in graph[id_]))
        return reach


def _is_of_pipeline(condition: Condition) -> bool:
    inner = condition.condition if isinstance(condition, Never) else condition
    return isinstance(inner, Setting) and inner.name == "pipeline"
