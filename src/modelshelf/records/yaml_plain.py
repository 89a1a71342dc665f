"""A shorter way to read the records that the program wrote itself and nobody touched since.

ruamel takes two milliseconds for a record. What is read here is read by ruamel as the same, which a
property test holds; whatever else stands in a line is left to ruamel.
"""

from __future__ import annotations

import re

from modelshelf.records.yaml_record import Fields, RecordText
from modelshelf.records.yaml_text import Plain, is_plain

__all__ = ["read_plain"]

_KEY = re.compile(r"([0-9A-Za-z_][0-9A-Za-z_.-]*|'[0-9A-Za-z_.-]+'):")
_FIELD = re.compile(r"  ([a-z][a-z0-9_]*):(?: (.+))?")
_ITEM = "    - "
_INT = re.compile(r"0|[1-9][0-9]{0,18}")
_FLOAT = re.compile(r"[0-9]+\.[0-9]+")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


def read_plain(text: str) -> RecordText | None:
    r"""Read the lines of a record whose every line holds a field, or an entry of a list; None for others.

    Example:
        >>> read_plain("ink:\n  name: Ink\n  tags:\n    - 'a: b'\n  size: 5\n").fields
        {'name': 'Ink', 'tags': ['a: b'], 'size': 5}
        >>> read_plain("ink:\n  name: Ink   # mine\n") is None
        True
    """
    first, *lines = text.removesuffix("\n").split("\n")
    key = _KEY.fullmatch(first)
    if key is None or not lines:
        return None
    fields: Fields = {}
    places: dict[str, int] = {}
    entries: list[Plain] | None = None
    for number, line in enumerate(lines, start=1):
        if entries is not None and line.startswith(_ITEM):
            entry = _value(line[len(_ITEM) :])
            if entry is None:
                return None
            entries.append(entry)
            continue
        field = _FIELD.fullmatch(line)
        if field is None or field[1] in fields or entries == []:
            return None
        entries = None if field[2] else []
        value = _value(field[2]) if field[2] else entries
        if value is None:
            return None
        fields[field[1]] = value
        places[field[1]] = number
    return None if entries == [] else RecordText(key[1].strip("'"), fields, places, ())


def _value(text: str) -> str | int | float | bool | None:
    """Return what *text* says; None where ruamel has to tell."""
    if is_plain(text):
        return text
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    words = _QUOTED.fullmatch(text)
    return words[1].replace("''", "'") if words and text.isprintable() else None
