"""The one form of a tree of conditions: what means the same by the rules of logic is written the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from modelshelf.schema.selector import (
    And,
    Attribute,
    Everything,
    Not,
    Operator,
    Or,
    Selector,
    Term,
)
from modelshelf.schema.selector_matching import NUMBERS, bare_hash, folded
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["VOCABULARIES", "Nothing", "is_text", "simplified"]

Nothing = Or(())
"""The condition that no record fits."""

VOCABULARIES: Mapping[Attribute, type[StrEnum]] = {
    Attribute.TYPE: ModelType,
    Attribute.BASE: BaseModelType,
    Attribute.FORMAT: ModelFormat,
    Attribute.VARIANT: ModelVariantType,
    Attribute.PREDICTION: SchedulerPredictionType,
}
"""The attributes whose values are a fixed list of words."""

_ORDERS = frozenset({Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST})
_LARGEST = 2**63


def simplified(selector: Selector) -> Selector:
    """Return a condition that the same records fit, without what adds nothing.

    Conjunctions within conjunctions are one, of one part that part is left, a double negation is none, and
    conditions that always or never hold vanish or decide. So the result is `Everything`, `Nothing`, or a
    tree that holds neither. `simplified(simplified(s)) == simplified(s)`.

    Example:
        >>> lora = Term(Attribute.TYPE, Operator.IS, "LoRA")
        >>> simplified(And((Not(Not(lora)), And(())))).value
        'lora'
    """
    match selector:
        case Term():
            return _number(selector) if selector.attribute in NUMBERS else _text(selector)
        case Not(part):
            return _negated(simplified(part))
        case And(parts) | Or(parts):
            kind = type(selector)
            neutral, deciding = (Everything, Nothing) if kind is And else (Nothing, Everything)
            flat: list[Selector] = []
            for each in map(simplified, parts):
                if each == deciding:
                    return deciding
                flat += each.parts if isinstance(each, kind) else [each]
            if not flat:
                return neutral
            return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _negated(selector: Selector) -> Selector:
    if isinstance(selector, Not):
        return selector.part
    if selector == Everything:
        return Nothing
    return Everything if selector == Nothing else Not(selector)


def _text(term: Term) -> Selector:
    """Write words and hashes as records do; what no text can be is nothing."""
    value = term.value
    if term.operator in _ORDERS or not isinstance(value, str) or not is_text(value):
        return Nothing
    if term.attribute is Attribute.HASH:
        value = bare_hash(value)
    vocabulary = VOCABULARIES.get(term.attribute)
    if vocabulary is not None and term.operator is Operator.IS:
        value = folded(value)
        if value not in {each.value for each in vocabulary}:
            return Nothing
    return Term(term.attribute, term.operator, value)


def is_text(value: str) -> bool:
    """Say whether a record can hold *value*: no NUL, and nothing that UTF-8 cannot say."""
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _number(term: Term) -> Selector:
    value = term.value
    if term.operator in {Operator.STARTS, Operator.HAS} or isinstance(value, str):
        return Nothing
    if math.isnan(value):
        return Nothing
    if -_LARGEST < value < _LARGEST:
        return term
    # No record has such a number, and no database column: each has less than it, or more.
    is_more = value > 0
    low = term.operator in {Operator.LESS, Operator.AT_MOST}
    high = term.operator in {Operator.MORE, Operator.AT_LEAST}
    if (is_more and low) or (not is_more and high):
        return Term(term.attribute, Operator.AT_LEAST, 0)
    return Nothing
