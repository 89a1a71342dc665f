"""What is wrong with a record, in words: field, what was expected, what it got."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from modelshelf.errors import InvalidModelConfigException

__all__ = ["Problem", "invalid_config", "problems_of", "quoted"]

_SHOWN = 60
"""Characters of a wrong value that are quoted."""
_BITS = 200
"""Of a number that is quoted: str() of one with more digits than Python prints raises."""
_MOST = 10
"""Problems that are told at once."""
_WORD = re.compile("'([^']*)'")
_SURROGATE = re.compile("[\ud800-\udfff]")

Problem = tuple[str, str]
"""A field, and what is wrong with it."""


def quoted(value: object) -> str:
    r"""Return the beginning of *value* on one line, in characters that every terminal takes.

    Example:
        >>> quoted("ink"), quoted("a\nb"), quoted(7)
        ('`ink`', '`a\\nb`', '`7`')
    """
    # A piece first: whoever sends a megabyte does not make us walk it.
    if not isinstance(value, str):
        return _plain(value)
    text = value[: _SHOWN + 1]
    shown = ascii(text[:_SHOWN])[1:-1] if not text[:_SHOWN].isprintable() else text[:_SHOWN]
    return f"`{shown}…`" if len(text) > _SHOWN else f"`{shown}`"


def _plain(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _BITS:
        return "a number"
    if isinstance(value, int | float) or value is None:
        return f"`{value}`"
    return f"a {type(value).__name__}"


def problems_of(error: ValidationError, fields: Iterable[str], kind: str) -> list[Problem]:
    """Say what pydantic found, each problem as field and sentence.

    Args:
        error: What pydantic raised.
        fields: Names that the record could have, for the nearest one.
        kind: Name of the record's class.

    Returns:
        The first ten, in the order of the fields.
    """
    names = tuple(fields)
    details = error.errors(include_url=False, include_context=True)[:_MOST]
    return [_problem(each, names, kind) for each in details]


def _problem(detail: ErrorDetails, names: tuple[str, ...], kind: str) -> Problem:
    context: Mapping[str, object] = detail.get("ctx", {})
    got = detail["input"]
    place = ".".join(str(each) for each in detail["loc"][:6]) or str(context.get("field", "record"))
    field = quoted(place)[1:-1]
    match detail["type"]:
        case "missing":
            sentence = "expected a value, got none"
        case "extra_forbidden":
            near = get_close_matches(place[:80], names, n=1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            sentence = f"a {kind} has no such field{meant}"
        case "literal_error" | "enum":
            # A word that has two names in its list is told once.
            words = dict.fromkeys(_WORD.findall(str(context["expected"])))
            sentence = f"expected {_one_of(list(words))}, got {quoted(got)}"
        case "string_too_long" | "too_long":
            unit = "characters" if isinstance(got, str) else "entries"
            length = f", got {len(got)}" if hasattr(got, "__len__") else ""
            sentence = f"expected at most {context['max_length']} {unit}{length}"
        case "string_too_short" | "too_short":
            sentence = "expected something, got nothing"
        case "string_pattern_mismatch" if isinstance(got, str) and "\0" in got:
            sentence = f"expected text without NUL, got one at character {got.index(chr(0)) + 1}"
        case "string_pattern_mismatch":
            sentence = f"expected 64 lower-case hexadecimal digits, got {quoted(got)}"
        case "string_unicode":
            sentence = f"expected text that UTF-8 can express, got {_lone(got)}"
        case "refused":
            sentence = detail["msg"]
        case _:
            said = detail["msg"].removeprefix("Input should be ")
            sentence = f"expected {said[:1].lower()}{said[1:]}, got {quoted(got)}"
    return field, sentence


def _one_of(words: list[str]) -> str:
    """Write a choice of words: all but the last with commas."""
    *others, last = [f"`{each}`" for each in words]
    return f"{', '.join(others)} or {last}" if others else last


def _lone(text: object) -> str:
    found = _SURROGATE.search(text) if isinstance(text, str) else None
    if found is None:
        return "bytes that are none"
    return f"the lone surrogate U+{ord(found[0]):04X} at character {found.start() + 1}"


def invalid_config(name: object, problems: Iterable[Problem]) -> InvalidModelConfigException:
    """Make the error for a record called *name*, whatever that is."""
    told = list(problems)
    return InvalidModelConfigException(
        name=quoted(name)[1:-1] if isinstance(name, str) else "",
        problem="; ".join(f"`{field}`: {sentence}" for field, sentence in told),
        fields=", ".join(dict.fromkeys(field for field, _ in told)),
    )
