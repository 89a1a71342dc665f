"""The words of a selector: brackets, signs, and conditions as they are written, each with its column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto

from modelshelf.errors import InvalidSelectorError
from modelshelf.schema.selector import Attribute
from modelshelf.schema.selector_form import is_text

__all__ = ["ATTRIBUTES", "LONGEST", "Mark", "Word", "words_of", "wrong"]

LONGEST = 4_096
"""Characters of a selector."""
_MOST = 500
"""Words of a selector: SQLite nests no expression deeper than 1,000."""
_SHOWN = 40
"""Characters of a wrong word that are quoted."""

_HEAD = re.compile(r"([A-Za-z_]+)(:(?:<=|>=|<|>)?|<=|>=|<|>|=|~|\^)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PLAIN = re.compile(r'[^\s()"]*')
_BLANK = re.compile(r"\s*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_ALIASES = {
    "model_type": Attribute.TYPE,
    "base_model": Attribute.BASE,
    "bases": Attribute.BASE,
    "model_format": Attribute.FORMAT,
    "prediction_type": Attribute.PREDICTION,
    "tags": Attribute.TAG,
    "licence": Attribute.LICENSE,
    "created": Attribute.ADDED,
    "updated": Attribute.CHANGED,
}
"""What records call these attributes, and what people write."""
ATTRIBUTES: Mapping[str, Attribute] = {each.value: each for each in Attribute} | _ALIASES
"""Every name that an attribute has in a selector, lower case."""


class Mark(Enum):
    """What a word is."""

    OPEN = auto()
    CLOSE = auto()
    NOT = auto()
    """A minus before a condition, or the word `not`."""
    OR = auto()
    AND = auto()
    """The word `and`, which says what a blank says."""
    CONDITION = auto()
    END = auto()


_KEYWORDS = {"or": Mark.OR, "and": Mark.AND, "not": Mark.NOT}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a selector."""

    mark: Mark
    """What it is."""
    column: int
    """Where it starts, counted from 1."""
    written: str
    """The word as it stands there."""
    attribute: Attribute | None = None
    """Of a condition, what it is about; None for a bare word."""
    sign: str = ""
    """Of a condition on an attribute, the sign behind it, such as `:` or `:>=`."""
    value: str = ""
    """Of a condition, its value without quotes."""
    is_quoted: bool = False
    """Whether the value stood in quotes."""
    value_column: int = 0
    """Where the value starts, counted from 1."""


def wrong(column: int, expected: str, got: str, near: tuple[str, ...] = ()) -> InvalidSelectorError:
    """Make the error for what stands at *column*, with the nearest of the words in *near*."""
    close = get_close_matches(got.casefold()[:_SHOWN], near, n=1) if near else []
    shown = got if len(got) <= _SHOWN else f"{got[:_SHOWN]}…"
    if not shown.isprintable():
        shown = ascii(shown)[1:-1]
    return InvalidSelectorError(
        column=column,
        expected=expected,
        got=f"`{shown}`" if shown else "nothing",
        meant=f"; did you mean `{close[0]}`?" if close else "",
    )


def words_of(text: str) -> list[Word]:
    """Return the words of *text*, an END last.

    Raises:
        InvalidSelectorError: Too long, unfinished quotes, an attribute that does not exist, or
            characters that no record can hold.
    """
    if len(text) > LONGEST:
        raise wrong(LONGEST + 1, f"at most {LONGEST} characters", f"{len(text)} characters")
    if not is_text(text):
        place = next(at for at, each in enumerate(text) if not is_text(each))
        raise wrong(place + 1, "a character that a record can hold", ascii(text[place])[1:-1])
    words: list[Word] = []
    position = _after_blank(text, 0)
    while position < len(text):
        word, position = _word_at(text, position)
        words.append(word)
        if len(words) > _MOST:
            raise wrong(word.column, f"at most {_MOST} words", "more")
        position = _after_blank(text, position)
    return [*words, Word(Mark.END, len(text) + 1, "")]


def _after_blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _word_at(text: str, position: int) -> tuple[Word, int]:
    signs = {"(": Mark.OPEN, ")": Mark.CLOSE, "-": Mark.NOT}
    mark = signs.get(text[position])
    if mark is not None:
        return Word(mark, position + 1, text[position]), position + 1
    head = _HEAD.match(text, position)
    start = head.end() if head else position
    value, is_quoted, end = _value_at(text, start)
    written = text[position:end]
    if head is None:
        keyword = None if is_quoted else _KEYWORDS.get(value.lower())
        if keyword is not None:
            return Word(keyword, position + 1, written), end
        attribute, sign = None, ""
    else:
        name, sign = head[1].lower(), head[2]
        attribute = ATTRIBUTES.get(name)
        if attribute is None:
            near = tuple(ATTRIBUTES)
            raise wrong(position + 1, f"one of {', '.join(Attribute)}", head[1], near)
    word = Word(Mark.CONDITION, position + 1, written, attribute, sign, value, is_quoted, start + 1)
    return word, end


def _value_at(text: str, start: int) -> tuple[str, bool, int]:
    """Return the value that starts there, whether it is quoted, and where it ends."""
    is_quoted = text[start : start + 1] == '"'
    found = (_QUOTED if is_quoted else _PLAIN).match(text, start)
    if found is None:
        raise wrong(start + 1, "quotes that are closed", text[start:])
    end = found.end()
    following = text[end : end + 1]
    if following and following not in "()" and not following.isspace():
        expected = "a blank after the quotes" if is_quoted else "quotes around the whole value"
        raise wrong(end + 1, expected, text[end:])
    value = _ESCAPED.sub(r"\1", found[1]) if is_quoted else found[0]
    return value, is_quoted, end
