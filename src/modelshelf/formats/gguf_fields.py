"""The key-value pairs of a GGUF header: single values kept as text, arrays stepped over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.gguf_cursor import Cursor

__all__ = ["Fields", "read_fields"]

_MOST_FIELDS = 65_536
_FIELD_COST = 8
_LONGEST_KEY = 65_535
"""The specification's bound."""
_LONGEST_VALUE = 64 << 10
_MOST_SIDES = 8

_FORMS: Mapping[int, str] = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
"""Type numbers of single values, and their letters in the module `struct`."""
_WHOLE = frozenset("BbHhIiQq")
_FLOAT32, _BOOL = "f", "?"
_STRING, _ARRAY = 8, 9
_SIZES = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "?": 1, "Q": 8, "q": 8, "d": 8}
# A field is at least the length of its key, one character, its type and a byte of value.
_SHORTEST_FIELD = 4 + 1 + 4 + 1

_ALIGNMENT = "general.alignment"
_USUAL_ALIGNMENT = 32
_LARGEST_ALIGNMENT = 1 << 20
_SHAPE_PREFIX = "comfy.gguf.orig_shape."
_SPLIT = "split.count"


@dataclass(frozen=True, slots=True)
class Fields:
    """What the key-value pairs of one file say."""

    texts: Mapping[str, str]
    """Every single value as text, in file order."""
    shapes: Mapping[str, tuple[int, ...]]
    """Tensors with the shape that they had before a writer folded it, in torch order."""
    alignment: int
    """What the places of tensors are multiples of, in bytes."""
    findings: tuple[str, ...]
    """What was left alone."""


def read_fields(cursor: Cursor) -> Fields:
    """Read their count and then all key-value pairs.

    Args:
        cursor: At the tensor count's end. It is left at the first tensor's record; the tensors' count
            stands before the fields'.

    Raises:
        FormatFault: A rule of the format is broken.
    """
    begin, count = cursor.offset, cursor.count()
    if count > _MOST_FIELDS or count * _SHORTEST_FIELD > cursor.left:
        room = min(_MOST_FIELDS, cursor.left // _SHORTEST_FIELD)
        raise FormatFault(problem=f"expected at most {room} fields at offset {begin}, got {count}")
    cursor.budget.spend(_FIELD_COST * count)
    texts: dict[str, str] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    findings: list[str] = []
    keys: set[str] = set()
    for number in range(count):
        key = cursor.text("a key", at_most=_LONGEST_KEY)
        keys.add(key)
        if len(keys) != number + 1:
            raise FormatFault(problem=f"the key `{key}` is there twice")
        kind = cursor.integer("I")
        if kind == _ARRAY:
            if sides := _array(cursor, key):
                shapes[key.removeprefix(_SHAPE_PREFIX)] = sides
        elif (text := _value(cursor, key, kind)) is None:
            findings.append(f"`{key}` is longer than {_LONGEST_VALUE} bytes and was left alone")
        else:
            texts[key] = text
    if texts.get(_SPLIT, "0") not in {"0", "1"}:
        findings.append(f"one of {texts[_SPLIT]} files that make one model")
    return Fields(texts, shapes, _alignment(texts), tuple(findings))


def _value(cursor: Cursor, key: str, kind: int) -> str | None:
    if kind == _STRING:
        return cursor.loose_text(at_most=_LONGEST_VALUE)
    form = _form(key, kind)
    (number,) = cursor.numbers(form)
    if form == _BOOL:
        return "true" if number else "false"
    # Seven digits are all that 32 bits hold: 0.1 shall not read 0.10000000149011612.
    return f"{number:.7g}" if form == _FLOAT32 else str(number)


def _array(cursor: Cursor, key: str) -> tuple[int, ...]:
    """Step over an array; return it where it is a tensor's shape."""
    kind, begin = cursor.integer("I"), cursor.offset
    count = cursor.count()
    if kind == _STRING:
        cursor.skip_strings(count)
        return ()
    if kind == _ARRAY:
        raise FormatFault(
            problem=f"`{key}` is an array of arrays at offset {begin}, which nobody reads"
        )
    form = _form(key, kind)
    if key.startswith(_SHAPE_PREFIX) and form in _WHOLE and count <= _MOST_SIDES:
        sides = tuple(map(int, cursor.numbers(form * count)))
        if min(sides, default=0) < 0 or prod(sides) >= 1 << 63:
            raise FormatFault(problem=f"`{key}` is no shape: {list(sides)}")
        return sides
    cursor.skip(count * _SIZES[form])
    return ()


def _form(key: str, kind: int) -> str:
    form = _FORMS.get(kind)
    if form is None:
        raise FormatFault(problem=f"`{key}` has a value of type {kind}, expected one of 0 to 12")
    return form


def _alignment(texts: Mapping[str, str]) -> int:
    text = texts.get(_ALIGNMENT, str(_USUAL_ALIGNMENT))
    found = int(text) if text.isdecimal() and len(text) <= len(str(_LARGEST_ALIGNMENT)) else 0
    if found < 1 or found > _LARGEST_ALIGNMENT or found & (found - 1):
        raise FormatFault(
            problem=f"`{_ALIGNMENT}` is {text[:20]}, expected a power of two up to {_LARGEST_ALIGNMENT}"
        )
    return found
