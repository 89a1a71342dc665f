"""A tree of conditions as a WHERE clause.

What comes out selects exactly the records that `selector_matching.matches` accepts; a property test holds
the two together. Values only ever travel as parameters.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeGuard

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)

from modelshelf.errors import UsageError
from modelshelf.records.config_tables import (
    model_config,
    model_config_base,
    model_config_hash,
    model_config_tag,
)
from modelshelf.records.word_search import WordSearch, successor
from modelshelf.schema.selector import And, Attribute, Not, Operator, Or, Selector, Term
from modelshelf.schema.selector_form import simplified
from modelshelf.schema.selector_matching import folded

__all__ = ["condition_for"]

_MOST = 500
"""Conditions in one selector: SQLite walks a tree of at most 1,000 levels."""
_MANY = 1_000
"""Records up to which it is counted how many fit a condition."""
_COLUMNS: Mapping[Attribute, ColumnElement[Any]] = MappingProxyType(
    {
        Attribute.KEY: model_config.c.folded_key,
        Attribute.NAME: model_config.c.folded_name,
        # Not the column itself: SQLite would go through half of all records by its index rather than
        # through the few of a name by theirs.
        Attribute.TYPE: func.coalesce(model_config.c.type, ""),
        Attribute.FORMAT: model_config.c.format,
        Attribute.VARIANT: model_config.c.variant,
        Attribute.PREDICTION: model_config.c.prediction,
        Attribute.AUTHOR: model_config.c.folded_author,
        Attribute.LICENSE: model_config.c.folded_license,
        Attribute.SOURCE: model_config.c.folded_source,
        Attribute.PATH: model_config.c.folded_path,
        Attribute.TEXT: model_config.c.text,
    }
)
_NUMBERS: Mapping[Attribute, ColumnElement[Any]] = MappingProxyType(
    {
        Attribute.SIZE: model_config.c.size,
        Attribute.ADDED: model_config.c.created_at,
        Attribute.CHANGED: model_config.c.updated_at,
        Attribute.USED: model_config.c.last_used_at,
    }
)
_LISTS: Mapping[Attribute, tuple[FromClause, ColumnElement[Any]]] = MappingProxyType(
    {
        Attribute.BASE: (model_config_base, model_config_base.c.base),
        Attribute.TAG: (model_config_tag, model_config_tag.c.folded_tag),
        Attribute.HASH: (model_config_hash, model_config_hash.c.hash),
    }
)
_COMPARISONS: Mapping[Operator, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        Operator.IS: operator.eq,
        Operator.LESS: operator.lt,
        Operator.AT_MOST: operator.le,
        Operator.MORE: operator.gt,
        Operator.AT_LEAST: operator.ge,
    }
)


def condition_for(
    connection: Connection, selector: Selector, *, is_page: bool = False
) -> ColumnElement[bool]:
    """Return whether a row of `model_config` fits *selector*.

    Args:
        connection: Asked for what makes the quickest condition.
        selector: The condition.
        is_page: Only some of what fits is wanted.

    Raises:
        UsageError: It has more conditions than a database takes.
    """
    simple = simplified(selector)
    terms = _terms(simple)
    if terms > _MOST:
        problem = f"{terms} conditions at once; at most {_MOST} can be asked"
        raise UsageError(problem=problem, remedy="ask for less at a time")
    return _compiled(simple, _Dialect(connection, is_page=is_page))


def _terms(selector: Selector) -> int:
    match selector:
        case And(parts) | Or(parts):
            return sum(map(_terms, parts))
        case Not(part):
            return _terms(part)
        case Term():
            return 1


class _Dialect:
    """What the databases say differently."""

    def __init__(self, connection: Connection, *, is_page: bool) -> None:
        self._connection = connection
        self._is_page = is_page
        self.words = WordSearch(connection, is_page=is_page)

    def frequency(self, ids: Select[int]) -> int:
        """Return how many ids a query finds, where that is few."""
        some = ids.limit(_MANY).subquery()
        return self._connection.scalars(select(func.count()).select_from(some)).one()

    def fills_pages(self, ids: Select[int]) -> bool:
        """Say whether only some is wanted of so many that who reads the list in its order soon has it."""
        return self._is_page and self.frequency(ids) == _MANY

    def is_for_few(self, ids: Select[int]) -> bool:
        """Say whether only some is wanted, of few."""
        return self._is_page and self.frequency(ids) < _MANY


def _compiled(selector: Selector, dialect: _Dialect) -> ColumnElement[bool]:
    match selector:
        case And(parts):
            # All words in one question: the rarest decides how much is read.
            words = [folded(str(each.value)) for each in parts if _is_word(each)]
            tags = [each for each in parts if _is_tag(each)]
            others = [each for each in parts if not _is_word(each) and not _is_tag(each)]
            return and_(
                true(),
                dialect.words.condition(words),
                *_tags(tags, dialect, alone=len(tags) == len(parts)),
                *(_compiled(each, dialect) for each in others),
            )
        case Or(parts):
            return or_(false(), *(_compiled(each, dialect) for each in parts))
        case Not(part):
            return not_(_compiled(part, dialect))
        case Term():
            tags = [selector] if _is_tag(selector) else []
            return and_(*_tags(tags, dialect, alone=True)) if tags else _term(selector, dialect)


def _is_word(selector: Selector) -> TypeGuard[Term]:
    return (
        isinstance(selector, Term)
        and selector.attribute is Attribute.TEXT
        and selector.operator is Operator.HAS
    )


def _is_tag(selector: Selector) -> TypeGuard[Term]:
    return (
        isinstance(selector, Term)
        and selector.attribute is Attribute.TAG
        and selector.operator is Operator.IS
    )


def _tags(terms: Sequence[Term], dialect: _Dialect, *, alone: bool) -> list[ColumnElement[bool]]:
    """Ask for the rarest tag first, and whoever has it for the others; *alone* if for nothing else."""
    owner, about = model_config_tag.c.config_id, model_config_tag.c.folded_tag
    tags = sorted({folded(str(term.value)) for term in terms})
    if len(tags) > 1:
        tags.sort(key=lambda tag: dialect.frequency(select(owner).where(about == tag)))
    if not tags:
        return []
    # By the index of tags alone: a record that has not all of them is not read.
    further = [
        exists().where(other.c.config_id == owner, other.c.folded_tag == tag)
        for tag in tags[1:]
        for other in [model_config_tag.alias()]
    ]
    having = select(owner).where(about == tags[0], *further)
    if alone and dialect.fills_pages(having):
        return [exists().where(owner == model_config.c.id, about == tag) for tag in tags]
    return [model_config.c.id.in_(having)]


def _term(term: Term, dialect: _Dialect) -> ColumnElement[bool]:
    attribute = term.attribute
    if attribute in _NUMBERS:
        # "And there is one": or its negation would be unknown too for a record that has none.
        about = _NUMBERS[attribute]
        fits = and_(about.is_not(None), _number(about, term))
        ids = select(model_config.c.id).where(fits).correlate(None)
        # SQLite would go through the list in its order for a few that its index of numbers has at once.
        return model_config.c.id.in_(ids) if dialect.is_for_few(ids) else fits
    text = folded(str(term.value))
    if _is_word(term):
        return dialect.words.condition([text])
    if attribute in _LISTS:
        entries, about = _LISTS[attribute]
        fits = _text(about, term.operator, text, dialect)
        if attribute is Attribute.BASE:
            # A base may be that of half of all records: they are better asked one by one.
            return exists().where(entries.c.config_id == model_config.c.id, fits)
        return model_config.c.id.in_(select(entries.c.config_id).where(fits))
    about = _COLUMNS[attribute]
    return and_(about.is_not(None), _text(about, term.operator, text, dialect))


def _text(
    about: ColumnElement[Any], comparison: Operator, text: str, dialect: _Dialect
) -> ColumnElement[bool]:
    match comparison:
        case Operator.IS:
            return about == text
        case Operator.STARTS:
            # All that begins with it lies between it and its successor, so an index finds it.
            end = successor(text)
            return about >= text if end is None else and_(about >= text, about < end)
        case Operator.HAS:
            return dialect.words.has(about, text)
        case _:
            return false()


def _number(about: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
    value = term.value
    if isinstance(value, str):
        return false()
    if term.attribute is Attribute.SIZE and isinstance(value, float):
        if term.operator is Operator.IS and not value.is_integer():
            return false()
        # Whole numbers are compared as such: as a fraction the large ones lose digits.
        value = (
            math.ceil(value)
            if term.operator in {Operator.LESS, Operator.AT_LEAST}
            else math.floor(value)
        )
    compare = _COMPARISONS.get(term.operator)
    return false() if compare is None else compare(about, value)
