"""The values of a selector: sizes, dates and ages, and the words that a list decides."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from modelshelf.errors import InvalidSelectorError
from modelshelf.schema.selector import And, Attribute, Not, Operator, Selector, Term
from modelshelf.schema.selector_words import Word, wrong

__all__ = ["NEVER_USED", "SECONDS", "UNITS", "size_term", "time_term"]

UNITS = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
"""Bytes."""
SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}
"""Of hours, days, weeks, months of 30 days and years of 365."""
NEVER_USED = Not(Term(Attribute.USED, Operator.AT_LEAST, 0))
"""What `used:never` means."""

_SIZE = re.compile(r"(\d{1,19}(?:\.\d{1,9})?)([A-Za-z]*)", re.ASCII)
_EXACT = re.compile(r"@(-?\d{1,19}(?:\.\d{1,24})?(?:e[+-]?\d{1,3})?)", re.ASCII)
_AGE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([hdwmy])", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z?", re.ASCII)
_LARGEST = 2**63

_OPERATORS = {
    ":": Operator.IS,
    "=": Operator.IS,
    "<": Operator.LESS,
    "<=": Operator.AT_MOST,
    ">": Operator.MORE,
    ">=": Operator.AT_LEAST,
}
_OLDER = {
    Operator.LESS: Operator.MORE,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.MORE: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}
"""More days ago is an earlier time."""


def size_term(word: Word) -> Selector:
    """Return the condition on a size, such as `size>1.5GB`.

    Raises:
        InvalidSelectorError: It is no size, or the sign cannot stand before one.
    """
    operator = _operator(word)
    exact = _exact(word)
    if exact is not None:
        return Term(Attribute.SIZE, operator, exact)
    found = _SIZE.fullmatch(word.value)
    if found is None:
        raise _not_a_size(word)
    if found[2] and found[2].lower() not in UNITS:
        column = word.value_column + found.start(2)
        expected = "one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"
        raise wrong(column, expected, found[2])
    size = int((Decimal(found[1]) * UNITS[found[2].lower() or "b"]).to_integral_value())
    if size >= _LARGEST:
        raise _not_a_size(word)
    return Term(Attribute.SIZE, operator, size)


def _not_a_size(word: Word) -> InvalidSelectorError:
    return wrong(word.value_column, "a size below 9 EB, such as `2GB` or `500MiB`", word.value)


def time_term(attribute: Attribute, word: Word, now: datetime) -> Selector:
    """Return the condition on a time: an age such as `>90d`, a date, a moment, or `never`.

    Raises:
        InvalidSelectorError: It is no time, or the sign cannot stand before one.
    """
    operator = _operator(word)
    if word.value == "never" and attribute is Attribute.USED and operator is Operator.IS:
        return NEVER_USED
    exact = _exact(word)
    if exact is not None:
        return Term(attribute, operator, exact)
    age = _AGE.fullmatch(word.value)
    if age is not None:
        if operator is Operator.IS:
            asked = f"`>{word.value}` for longer ago or `<{word.value}` for since then"
            raise wrong(word.column, asked, word.written)
        then = now.timestamp() - float(age[1]) * SECONDS[age[2]]
        return Term(attribute, _OLDER[operator], then)
    if _DATE.fullmatch(word.value):
        return _on_day(attribute, operator, _day(word))
    if _MOMENT.fullmatch(word.value):
        return Term(attribute, operator, _day(word).timestamp())
    expected = "an age such as `90d` (h, d, w, m, y) or a date such as `2026-01-31`"
    raise wrong(word.value_column, expected, word.value)


def _day(word: Word) -> datetime:
    try:
        return datetime.fromisoformat(word.value.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError as error:
        raise wrong(word.value_column, "a date that exists", word.value) from error


def _on_day(attribute: Attribute, operator: Operator, day: datetime) -> Selector:
    """Compare with a whole day: after it starts when it ends."""
    start = int(day.timestamp())
    end = start + int(timedelta(days=1).total_seconds())
    since = Term(attribute, Operator.AT_LEAST, start)
    match operator:
        case Operator.LESS:
            return Term(attribute, Operator.LESS, start)
        case Operator.AT_MOST:
            return Term(attribute, Operator.LESS, end)
        case Operator.MORE:
            return Term(attribute, Operator.AT_LEAST, end)
        case Operator.AT_LEAST:
            return since
        case _:
            return And((since, Term(attribute, Operator.LESS, end)))


def _exact(word: Word) -> int | float | None:
    """Read a plain number behind `@`, as `render` writes what has no other form."""
    found = _EXACT.fullmatch(word.value)
    if found is None:
        return None
    digits = found[1]
    number = int(digits) if digits.lstrip("-").isdigit() else float(digits)
    if not -_LARGEST < number < _LARGEST:
        raise wrong(word.value_column, "a number below 2^63", word.value)
    return number


def _operator(word: Word) -> Operator:
    sign = word.sign if word.sign == ":" else word.sign.removeprefix(":")
    operator = _OPERATORS.get(sign)
    if operator is None:
        column = word.value_column - len(word.sign)
        raise wrong(column, "one of : = < <= > >=", word.sign)
    if not word.value:
        raise wrong(word.value_column, "a value", "")
    return operator
