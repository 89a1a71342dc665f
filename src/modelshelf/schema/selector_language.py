"""The language in which people ask for models: from text to conditions, and back.

`type:lora base:sdxl tag:ink -tag:draft size>100MB used>90d`: blanks mean *and*, `or` and parentheses
group, `-` or `not` negates, a bare word is looked for everywhere. `docs/guides/selectors.md` shows all of it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

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
from modelshelf.schema.selector_form import VOCABULARIES, Nothing, simplified
from modelshelf.schema.selector_matching import NUMBERS, bare_hash, folded
from modelshelf.schema.selector_values import NEVER_USED, UNITS, size_term, time_term
from modelshelf.schema.selector_words import Mark, Word, words_of, wrong

__all__ = ["parse_selector", "render"]

_DEEPEST = 50
"""Parentheses within one another."""
_NATURAL = {
    Attribute.KEY: Operator.STARTS,
    Attribute.HASH: Operator.STARTS,
    Attribute.TEXT: Operator.HAS,
}
"""What `:` means; for all others it is equal."""
_TEXTUAL = {"=": Operator.IS, "^": Operator.STARTS, "~": Operator.HAS}
_CONDITION = "a condition such as `type:lora` or a word"


def parse_selector(text: str, *, now: datetime) -> Selector:
    """Return the conditions that *text* asks for.

    Whatever the text, the answer is a tree or this one error, in time proportional to the text's length.

    Args:
        text: What somebody wrote; an empty one asks for everything. At most 4,096 characters.
        now: What ages such as `90d` are counted from; aware of its time zone.

    Returns:
        A tree in the form of `simplified`, so equal questions in other words are often equal trees.

    Raises:
        InvalidSelectorError: Says the column, what was expected there and what stands there, with the
            nearest word where one is near.

    Example:
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 1, 31, tzinfo=UTC)
        >>> selector = parse_selector("type:lora (base:sdxl or base:flux) -tag:draft", now=now)
        >>> [type(each).__name__ for each in selector.parts]
        ['Term', 'Or', 'Not']
        >>> parse_selector("tpye:lora", now=now)
        Traceback (most recent call last):
            ...
        modelshelf.errors.library.InvalidSelectorError: ... got `tpye`; did you mean `type`?
    """
    return simplified(_Reader(words_of(text), now).read())


class _Reader:
    """Goes through the words once, from the first to the last."""

    def __init__(self, words: list[Word], now: datetime) -> None:
        self._words = words
        self._now = now
        self._at = 0

    def _next(self) -> Word:
        return self._words[self._at]

    def _take(self) -> Word:
        word = self._next()
        self._at += 1
        return word

    def read(self) -> Selector:
        """Return the whole selector."""
        if self._next().mark is Mark.END:
            return Everything
        found = self._either(0)
        if self._next().mark is not Mark.END:
            raise wrong(
                self._next().column, "an opening parenthesis before it", self._next().written
            )
        return found

    def _either(self, depth: int) -> Selector:
        parts = [self._all(depth)]
        while self._next().mark is Mark.OR:
            self._take()
            parts.append(self._all(depth))
        return Or(tuple(parts))

    def _all(self, depth: int) -> Selector:
        parts = [self._one(depth)]
        while self._next().mark not in {Mark.OR, Mark.CLOSE, Mark.END}:
            if self._next().mark is Mark.AND:
                self._take()
            parts.append(self._one(depth))
        return And(tuple(parts))

    def _one(self, depth: int) -> Selector:
        is_negated = False
        while self._next().mark is Mark.NOT:
            self._take()
            is_negated = not is_negated
        word = self._take_condition(depth)
        if word.mark is Mark.OPEN:
            found = self._either(depth + 1)
            if self._next().mark is not Mark.CLOSE:
                expected = f"the `)` for the `(` at column {word.column}"
                raise wrong(self._next().column, expected, self._next().written)
            self._take()
        else:
            found = _condition(word, self._now)
        return Not(found) if is_negated else found

    def _take_condition(self, depth: int) -> Word:
        word = self._next()
        if word.mark not in {Mark.OPEN, Mark.CONDITION}:
            raise wrong(word.column, _CONDITION, word.written)
        if word.mark is Mark.OPEN and depth >= _DEEPEST:
            raise wrong(word.column, f"at most {_DEEPEST} parentheses within one another", "more")
        return self._take()


def _condition(word: Word, now: datetime) -> Selector:
    attribute = word.attribute
    if attribute is None:
        return _bare(word)
    if attribute is Attribute.SIZE:
        return size_term(word)
    if attribute in NUMBERS:
        return time_term(attribute, word, now)
    operator, value = _text(attribute, word)
    vocabulary = VOCABULARIES.get(attribute)
    if vocabulary is not None and operator is Operator.IS:
        known = tuple(each.value for each in vocabulary)
        if folded(value) not in known:
            raise wrong(word.value_column, f"one of {', '.join(known)}", value, known)
    return Term(attribute, operator, bare_hash(value) if attribute is Attribute.HASH else value)


def _bare(word: Word) -> Selector:
    if word.is_quoted:
        return Term(Attribute.TEXT, Operator.HAS, word.value)
    inner = word.value.strip("*")
    if not inner:
        return Everything
    if "*" in inner:
        raise wrong(word.column, "a star only at an end, or quotes", word.written)
    return Term(Attribute.TEXT, Operator.HAS, inner)


def _text(attribute: Attribute, word: Word) -> tuple[Operator, str]:
    """Return how to compare and with what, for a condition on text."""
    operator = _TEXTUAL.get(word.sign)
    if operator is not None:
        return operator, word.value
    if word.sign != ":":
        column = word.value_column - len(word.sign)
        raise wrong(column, f"one of : = ^ ~ for {attribute.value}, which is text", word.sign)
    if not word.value and not word.is_quoted:
        raise wrong(word.value_column, "a value", "")
    natural = _NATURAL.get(attribute, Operator.IS)
    is_starred = "*" in word.value and not word.is_quoted
    return _starred(natural, word) if is_starred else (natural, word.value)


def _starred(natural: Operator, word: Word) -> tuple[Operator, str]:
    """Read stars at the ends: `text*` starts so, `*text*` has it, `*` is there at all."""
    inner = word.value.strip("*")
    has_front, has_end = word.value.startswith("*"), word.value.endswith("*")
    if "*" in inner or (has_front and not has_end and natural is not Operator.HAS):
        raise wrong(word.value_column, "`text*`, `*text*`, `*`, or quotes", word.value)
    return (Operator.HAS if has_front or natural is Operator.HAS else Operator.STARTS), inner


_PLAIN = re.compile(r'[^\s()"*<>=~^:\\-][^\s()"*]*')
"""A value that needs no quotes."""
_BARE = re.compile(r"\w[\w.-]*")
"""A word that needs none."""
_KEYWORDS = {"and", "or", "not"}
_KNOWN: tuple[tuple[Selector, str], ...] = (
    (Everything, ""),
    (Nothing, "-*"),
    (NEVER_USED, "used:never"),
)
_SHOWN_UNITS = ("TB", "GB", "MB", "kB")
_STARS = {Operator.STARTS: "{}*", Operator.HAS: "*{}*"}


def render(selector: Selector) -> str:
    """Return *selector* as text that means the same.

    `parse_selector(render(s), now=any_time) == simplified(s)`: times are written as dates or numbers, never
    as ages. A tree with more than 500 words or 4,096 characters has a text too, which the parser refuses.

    Example:
        >>> lora = Term(Attribute.TYPE, Operator.IS, "lora")
        >>> big = Term(Attribute.SIZE, Operator.MORE, 2_000_000_000)
        >>> render(And((lora, Not(big), Or((lora, big)))))
        'type:lora -size>2GB (type:lora or size>2GB)'
    """
    return _written(simplified(selector), inside=None)


def _written(selector: Selector, inside: type[And | Not] | None) -> str:
    for known, text in _KNOWN:
        if selector == known:
            return text
    match selector:
        case Term():
            return _term(selector)
        case Not(part):
            return f"-{_written(part, Not)}"
        case And(parts):
            all_of = " ".join(_written(each, And) for each in parts)
            return f"({all_of})" if inside is Not else all_of
        case Or(parts):
            any_of = " or ".join(_written(each, None) for each in parts)
            return f"({any_of})" if inside else any_of


def _term(term: Term) -> str:
    name, value = term.attribute.value, term.value
    if not isinstance(value, str):
        number = _size(value) if term.attribute is Attribute.SIZE else _time(term)
        return f"{name}{term.operator.value}{number}"
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if term.attribute is Attribute.TEXT and term.operator is Operator.HAS:
        is_bare = _BARE.fullmatch(value) and value.lower() not in _KEYWORDS
        return value if is_bare else quoted
    natural = _NATURAL.get(term.attribute, Operator.IS)
    if term.operator is natural:
        return f"{name}:{value if _PLAIN.fullmatch(value) else quoted}"
    star = _STARS.get(term.operator)
    if star is not None and natural is not Operator.HAS and _PLAIN.fullmatch(value):
        return f"{name}:{star.format(value)}"
    return f"{name}{term.operator.value}{quoted}"


def _size(value: float) -> str:
    if not isinstance(value, int) or value < 0:
        return f"@{value!r}"
    unit = next((each for each in _SHOWN_UNITS if value and value % UNITS[each.lower()] == 0), "")
    return f"{value // UNITS[unit.lower() or 'b']}{unit}"


def _time(term: Term) -> str:
    value = term.value
    is_edge = term.operator in {Operator.AT_LEAST, Operator.LESS}
    if is_edge and not isinstance(value, str) and value % 86_400 == 0 and 0 <= value < 2**37:
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return f"@{value!r}"
