"""Files that lost modules: which rules they fit but for what is lost.

In a whole model the modules of one list stand in the same blocks, or one stands in fewer of them than
another: never does each of two lack a block that the other has. Where that is so, modules were left
out by chance, and a rule that asks for one of those may still be the model's.

One lost module alone shows nothing of the kind. Then a rule may be the model's of which all else holds
and that proves a base: no published model of another base is that one without a module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import combinations, islice

from modelshelf.identify.block_lists import Block
from modelshelf.identify.condition import Both, Condition, Either, Found, Never
from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Architecture, Family, Verdict
from modelshelf.identify.folding import fold
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["has_holes", "judge_with_holes", "judge_without_one"]

_BLOCKS = 6
"""Blocks that a module stands in, at least, to be compared with others."""
_ALIKE = 0.6
"""Share of the blocks that two modules have in common: with less they are two kinds of block."""
_MOST_PAIRS = 256
"""Pairs of modules of one list that are compared: enough of any model's, and no work for a hostile one."""
_MOST_KINDS = 2048
"""Names that differ in more than numbers, up to which a file is looked at: models repeat themselves."""
_QUORUM = 0.65
"""Share of a count, and of a rule's tensors, below which nothing is believed."""
_LEAST = 2
"""Tensors that a rule must find."""
_LEAST_WITHOUT_ONE = 3
"""Tensors that a rule must find where nothing but the rule says that a module is lost."""
_ANY = (BaseModelType.ANY,)


def has_holes(facts: Facts) -> bool:
    """Say whether a file lost modules by chance: two of a list each lack a block that the other has.

    Args:
        facts: What was read. An adapter leaves out what it likes, and has no holes.
    """
    if len(facts.groups) > _MOST_KINDS or facts.adapter is not None:
        return False
    return any(
        _cross(modules[one], modules[other])
        for modules in facts.block_lists.values()
        for one, other in islice(combinations(sorted(modules), 2), _MOST_PAIRS)
    )


def _cross(one: frozenset[Block], other: frozenset[Block]) -> bool:
    if one is other:
        return False
    most = max(len(one), len(other))
    common = len(one & other)
    return most >= _BLOCKS and _ALIKE * most <= common < min(len(one), len(other))


def judge_with_holes(facts: Facts, families: Iterable[Family]) -> list[Verdict]:
    """Return the verdicts of those that agree if as few as possible of their tensors are lost.

    Args:
        facts: What was read of a file with holes.
        families: Whom to ask; all of them, as what one is filed under may be what is lost.
    """
    sizes = {
        head: len(frozenset().union(*modules.values()))
        for head, modules in facts.block_lists.items()
    }
    agreed: dict[int, list[Verdict]] = {}
    for family in families:
        found, lost = _found_and_lost(family.conditions, facts, sizes)
        there = sum(not one.is_absence for one in found)
        if _is_enough(there, lost) and not _is_denied(lost, family.conditions):
            agreed.setdefault(len(lost), []).append(Verdict(family, tuple(found), None))
    if not agreed:
        return []
    nearest = agreed[min(agreed)]
    # Kinds without a base are many, and each is another one's with a module more.
    known = [one for one in nearest if one.family.bases or one.family.candidates]
    return known or nearest


def _found_and_lost(
    conditions: Collection[Condition], facts: Facts, sizes: Mapping[str, int]
) -> tuple[list[Found], list[Condition]]:
    """Return what makes *conditions* hold, and those of which the tensors are lost.

    Nothing of either where one is neither, or where too many are lost.
    """
    found: list[Found] = []
    lost: list[Condition] = []
    for condition in conditions:
        one = _find(condition, facts, sizes)
        if one is not None:
            found.append(one)
        elif _is_lost(condition, facts):
            lost.append(condition)
            # Most rules end at the first: not even all others would be enough.
            if not _is_enough(len(conditions) - len(lost), lost):
                return [], []
        else:
            return [], []
    return found, lost


def _is_enough(there: int, lost: Collection[Condition]) -> bool:
    """Say whether a rule is believed that finds so many tensors and misses those that are lost."""
    return there >= _LEAST and there >= _QUORUM * (there + len(lost))


def judge_without_one(facts: Facts, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts of those that agree if one module is lost, which they name.

    Args:
        facts: What was read of a file that nobody knows.
        verdicts: What families said of it. Those that prove no base of a denoiser are not heard: many
            encoders and upscalers are another one's with a module more.
    """
    if facts.adapter is not None:
        return []
    agreed = (
        _without_one(one, facts)
        for one in verdicts
        if one.missing is not None and _may_be_lost(one.missing, facts) and _proves_base(one.family)
    )
    return [verdict for verdict in agreed if verdict is not None]


def _may_be_lost(condition: Condition, facts: Facts) -> bool:
    """Say in no time of nearly all conditions that do not hold that no single module is what they lack."""
    match condition:
        case Tensor(name, count=count):
            return name in facts.groups if "#" in name and count != 1 else name not in facts.groups
        case Either(conditions):
            return any(_may_be_lost(one, facts) for one in conditions)
        case Both() | Some():
            return True
        case _:
            return False


def _proves_base(family: Family) -> bool:
    return bool(family.candidates) or (bool(family.bases) and family.bases != _ANY)


def _without_one(verdict: Verdict, facts: Facts) -> Verdict | None:
    family = verdict.family
    if not verdict.found and all(one.check(facts) is None for one in family.conditions[1:2]):
        # Nearly every rule ends here: it asks for another kind of model.
        return None
    found = list(verdict.found)
    there = sum(not one.is_absence for one in found)
    lost = [family.conditions[len(found)]]
    for condition in family.conditions[len(found) + 1 :]:
        one = condition.check(facts)
        if one is not None:
            found.append(one)
            there += not one.is_absence
        elif there:
            lost.append(condition)
        else:
            return None
    if there < _LEAST_WITHOUT_ONE or _is_denied(lost, family.conditions):
        return None
    modules = {_lost_module(condition, facts) for condition in lost}
    module = modules.pop()
    if modules or not module:
        return None
    # What the lost module might have refined is not known.
    is_refined = any(
        isinstance(trait.value, Architecture) and f"`{module}." in str(trait.condition)
        for trait in family.traits
    )
    family = replace(family, architecture="") if is_refined else family
    return Verdict(family, (*found, Found(module, "missing")), None)


def _lost_module(condition: Condition, facts: Facts) -> str:
    """Return the module that *condition* misses, if it asks for one that is not there, else nothing."""
    if isinstance(condition, Either):
        # Of several pairs of widths that go together, the one that is there tells which is meant.
        for one in condition.conditions:
            if isinstance(one, Both) and not isinstance(one.second, Absent | Never):
                if one.first.check(facts) is not None:
                    return _lost_module(one.second, facts)
                if one.second.check(facts) is not None:
                    return _lost_module(one.first, facts)
    if isinstance(condition, Tensor) and _is_one_short(condition, facts):
        return condition.name.rpartition(".")[0]
    return min(_asked_for(condition)).rpartition(".")[0] if _is_lost(condition, facts) else ""


def _is_one_short(condition: Tensor, facts: Facts) -> bool:
    """Say whether one module of a list lacks the tensor, and no module lacks another of its tensors."""
    return (
        "#" in condition.name
        and condition.number(facts) + 1 == condition.count == facts.modules_like(condition.name)
        and replace(condition, count=None).check(facts) is not None
    )


def _find(condition: Condition, facts: Facts, sizes: Mapping[str, int]) -> Found | None:
    """Return what makes *condition* hold; of tensors that it counts, most will do.

    All modules of a list together tell how many blocks it had, so that a larger model which lost some is
    no smaller one.
    """
    if isinstance(condition, Either):
        return next(filter(None, (_find(one, facts, sizes) for one in condition.conditions)), None)
    if not isinstance(condition, Tensor) or not condition.count or "#" not in condition.name:
        return condition.check(facts)
    size = sizes.get(condition.name.rpartition("#.")[0], condition.count)
    if size != condition.count or condition.number(facts) < _QUORUM * condition.count:
        return None
    return replace(condition, count=None).check(facts)


def _is_lost(condition: Condition, facts: Facts) -> bool:
    """Say whether the one module that *condition* asks for is not there at all, and its kin are."""
    # Several modules are several kinds of model: which one it is, is not known where none is there.
    tensors = set(_asked_for(condition))
    if "" in tensors or len({name.rpartition(".")[0] for name in tensors}) != 1:
        return False
    return not any(_is_there(name, facts) for name in tensors) and _has_kin(min(tensors), facts)


def _is_there(name: str, facts: Facts) -> bool:
    return _folded(name) in facts.groups and Tensor(name).number(facts) > 0


def _is_denied(lost: list[Condition], conditions: Iterable[Condition]) -> bool:
    """Say whether a rule that denies another shape has lost the tensor that would have it."""
    names = {name for one in lost for name in _asked_for(one)}
    return any(
        isinstance(one, Never) and not names.isdisjoint(_asked_for(one.condition))
        for one in conditions
    )


def _asked_for(condition: Condition) -> Iterator[str]:
    """Yield the tensors that *condition* asks for, each of which is one; a list of them is nameless."""
    match condition:
        case Either(conditions):
            for one in conditions:
                yield from _asked_for(one)
        case Both(first, Absent()):
            # The weight speaks where the bias is not there.
            yield from _asked_for(first)
        case Tensor(name, count=count):
            # Nobody loses all modules of a list by chance.
            yield name if "#" not in name or count == 1 else ""
        case Some(name):
            yield name if "#" not in name else ""
        case _:
            yield ""


def _has_kin(name: str, facts: Facts) -> bool:
    """Say whether the part that the module of tensor *name* stands in is there, if it is in one.

    Nobody loses a whole part by chance either.
    """
    part = _folded(name).rpartition(".")[0].rpartition(".")[0]
    return not part or facts.has_module(part)


@lru_cache(maxsize=2048)
def _folded(name: str) -> str:
    # Rules alone ask, always for the same names: half of the time for a file that nobody knows.
    return fold([name])[0]
