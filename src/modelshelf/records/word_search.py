"""Asking for words that stand somewhere in a record's text, through the full-text index where there is one.

With the index or without it, the same records are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    column,
    false,
    func,
    select,
    table,
    true,
)

from modelshelf.records.config_tables import model_config
from modelshelf.records.text_index import TEXT_INDEX, TEXT_TERMS

__all__ = ["WordSearch", "successor"]

_GROUP = 3
"""Letters in a group of the index; shorter words are the beginnings of groups."""
_ASKED = 64
"""Letters of a word that the index is asked for; the text itself is asked for all of them."""
_MISREAD = frozenset("\ufffd\ufffe\uffff")
"""Letters that SQLite's index takes for one another; words with them are looked for in the texts alone."""
_PLACES = 20_000
"""Places in texts at which a short word is looked up; one that stands at more is so common that the texts
are read instead."""
_MANY = 2_000
"""Records of which a page is made by sorting what the index finds; of more, the list is read in its order
until the page is full."""


class WordSearch:
    """What a record's text has in it, asked of one database."""

    def __init__(self, connection: Connection, *, is_page: bool) -> None:
        """Ask on *connection*; *is_page* says that only some of what is found is wanted."""
        self._connection = connection
        self._is_page = is_page
        self._is_sqlite = connection.dialect.name == "sqlite"

    def has(self, about: ColumnElement[Any], text: str) -> ColumnElement[bool]:
        """Return whether *text* is somewhere in a column."""
        # Not LIKE: its `%` and `_` would need quoting, and its patterns are bounded in length.
        find = func.instr if self._is_sqlite else func.strpos
        return find(about, text) > 0

    def condition(self, words: Sequence[str]) -> ColumnElement[bool]:
        """Return whether a record's text has all of these folded words somewhere."""
        known = [word for word in words if not _MISREAD & set(word)]
        asked = [word[:_ASKED] for word in known if len(word) >= _GROUP]
        there = self._indexes() if known else set()
        questions = [_phrase(word) for word in asked] if TEXT_INDEX in there else []
        # The index finds exactly what has these letters, one after the other; the text is asked for what
        # it was not, and for line ends, of which the index has more.
        exact = set(asked) if questions else set()
        if {TEXT_INDEX, TEXT_TERMS} <= there:
            for word in filter(None, known):
                groups = self._of_groups(word) if len(word) < _GROUP else None
                if groups == []:
                    return false()
                if groups:
                    questions.append(f"({' OR '.join(groups)})")
                    exact.add(word)
        question = " AND ".join(questions)
        if not question or (self._is_page and self._finds_many(question)):
            return and_(true(), *(self.has(model_config.c.text, word) for word in words))
        rest = (word for word in words if word not in exact or "\n" in word)
        return and_(
            model_config.c.id.in_(_found(question)),
            *(self.has(model_config.c.text, word) for word in rest),
        )

    def _of_groups(self, word: str) -> list[str] | None:
        """Return the groups that begin with a shorter word, each as a question; None for too many."""
        terms = table(TEXT_TERMS, column("term"), column("cnt"))
        inside = [terms.c.term >= word]
        end = successor(word)
        if end is not None:
            inside.append(terms.c.term < end)
        groups: list[str] = []
        places = 0
        for term, count in self._connection.execute(
            select(terms.c.term, terms.c.cnt).where(*inside)
        ):
            places += count
            if places > _PLACES:
                return None
            groups.append(_phrase(term))
        return groups

    def _finds_many(self, question: str) -> bool:
        some = _found(question).limit(_MANY).subquery()
        return self._connection.scalars(select(func.count()).select_from(some)).one() == _MANY

    def _indexes(self) -> set[str]:
        """Return which of the index's tables are there; a lent database may be anybody's."""
        if not self._is_sqlite:
            return set()
        found = self._connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE name IN (?, ?)", (TEXT_INDEX, TEXT_TERMS)
        )
        return set(found.scalars())


def _phrase(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"'


def _found(question: str) -> Select[int]:
    """Return the query for the ids of the records that the index finds."""
    rowid: ColumnElement[int] = column("rowid")
    matches = column(TEXT_INDEX).op("MATCH", is_comparison=True)
    return select(rowid).select_from(table(TEXT_INDEX)).where(matches(question))


def successor(prefix: str) -> str | None:
    """Return the smallest text that is larger than all that begin with *prefix*; None for the end.

    Example:
        >>> successor("ab"), successor("")
        ('ac', None)
    """
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code <= 0x10FFFF:  # noqa: PLR2004 - the last code point
            # Surrogates are no characters.
            return prefix[: end - 1] + chr(0xE000 if code == 0xD800 else code)  # noqa: PLR2004
    return None
