"""How a value is written in a person's YAML file: one spelling for each, and no surprise in reading it.

Plain where nobody could take the word for something else, else in single quotes, and in double quotes
only what needs an escape. Only ruamel reads; a property test holds that it reads what is written here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TypeAlias

__all__ = [
    "LONGEST_KEY",
    "Plain",
    "in_brackets",
    "inline",
    "is_plain",
    "key_text",
    "lines_of",
    "quoted",
]

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
"""What a record's field can hold in a file."""

LONGEST_KEY = 1000
"""Characters; a reader of YAML looks no further than 1024 for the colon that makes a word a key."""
_STEP = "  "
_PLAIN = re.compile(r"[^\W\d][\w./+@:%=&?()~ -]*|/[\w./+@%=&?()~ -]*", re.ASCII)
_ALSO_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
"""What some reader of YAML takes for a boolean or for nothing."""
_PLAIN_KEY = re.compile(r"(?!\d+(?:e\d+)?$)[0-9A-Za-z_][0-9A-Za-z_.-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def inline(value: Plain) -> str:
    """Write a value on one line, lists and mappings in brackets."""
    match value:
        case str():
            text = value if is_plain(value) else quoted(value)
        case bool():
            text = "true" if value else "false"
        case None:
            text = "null"
        case float():
            text = _float_text(value)
        case int():
            text = str(value)
        case list():
            text = f"[{', '.join(in_brackets(each) for each in value)}]"
        case dict():
            text = f"{{{', '.join(_pair(key, each) for key, each in value.items())}}}"
    return text


def in_brackets(value: Plain) -> str:
    """Write a value that stands in a list or mapping in brackets."""
    # A plain word there may not hold what only a line of its own makes harmless.
    text = inline(value)
    return quoted(value) if isinstance(value, str) and set(text) & set(":?") else text


def key_text(key: str) -> str:
    """Write the key of a record or the name of a field."""
    plain = _PLAIN_KEY.fullmatch(key) and key.lower() not in _ALSO_WORDS
    return key if plain else quoted(key)


def quoted(text: str, mark: str = "'") -> str:
    """Write text in quotes.

    Args:
        text: Any text that UTF-8 can hold.
        mark: The quotation mark that is preferred; `'` cannot hold what needs an escape.
    """
    if mark == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(each) for each in text) + '"'


def lines_of(name: str, value: Plain, indent: str = "") -> list[str]:
    """Write one field, or a whole record, on lines of its own.

    Args:
        name: The field.
        value: What it holds; text of several lines is written as such.
        indent: The spaces that each line begins with.

    Returns:
        Lines without their ends.
    """
    key = key_text(name)
    if len(key) > LONGEST_KEY:
        return [f"{indent}? {key}", f"{indent}: {inline(value)}"]
    head = f"{indent}{key}:"
    inner = indent + _STEP
    if isinstance(value, str) and _fits_a_block(value):
        chomp = "" if value.endswith("\n") else "-"
        body = value.removesuffix("\n").split("\n")
        return [f"{head} |{chomp}", *(f"{inner}{line}" if line else "" for line in body)]
    if isinstance(value, list) and value:
        return [head, *(f"{inner}- {inline(each)}" for each in value)]
    if isinstance(value, dict) and value:
        return [head, *_flat(lines_of(key, each, inner) for key, each in value.items())]
    return [f"{head} {inline(value)}"]


def _flat(groups: Iterable[list[str]]) -> Iterable[str]:
    return (line for group in groups for line in group)


def _pair(key: str, value: Plain) -> str:
    text = key_text(key)
    mark = "? " if len(text) > LONGEST_KEY else ""
    return f"{mark}{text} : {in_brackets(value)}" if mark else f"{text}: {in_brackets(value)}"


def is_plain(text: str) -> bool:
    """Say whether *text* needs no quotes on a line of its own: every reader takes it for that text."""
    return bool(
        _PLAIN.fullmatch(text)
        and text.lower() not in _ALSO_WORDS
        and not text.endswith((" ", ":"))
        and ": " not in text
    )


def _fits_a_block(text: str) -> bool:
    body = text.removesuffix("\n")
    lines = body.split("\n")
    begins, ends = lines[0][:1].strip(), lines[-1]
    return (
        len(lines) > 1
        and bool(begins and ends)
        and all(line.isprintable() and line == line.rstrip() for line in lines)
    )


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    if number < 0x100:  # noqa: PLR2004 - the reach of two hexadecimal digits
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004 - of four


def _float_text(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
