"""Which records somebody asks for, as a tree of conditions that every store evaluates alike.

`shelf ls`, the web API and the page have one language for it (`parse_selector`), the SQL stores compile the
tree, the YAML store walks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["And", "Attribute", "Everything", "Not", "Operator", "Or", "Order", "Selector", "Term"]


class Attribute(StrEnum):
    """What a condition can be about; the values are the words of the language."""

    KEY = "key"
    NAME = "name"
    TYPE = "type"
    BASE = "base"
    """One of all bases that the model works with."""
    FORMAT = "format"
    VARIANT = "variant"
    PREDICTION = "prediction"
    TAG = "tag"
    AUTHOR = "author"
    LICENSE = "license"
    SOURCE = "source"
    PATH = "path"
    HASH = "hash"
    """Any hash of the model or its files, or the first digits of one."""
    SIZE = "size"
    """Bytes."""
    ADDED = "added"
    """Seconds since 1970, UTC."""
    CHANGED = "changed"
    """Seconds since 1970, UTC."""
    USED = "used"
    """Seconds since 1970, UTC; a model that nobody used has none, and no condition on it holds."""
    TEXT = "text"
    """Name, description, source, tags, trigger phrases and author together."""


class Operator(StrEnum):
    """How a record's value is compared with the one asked for."""

    IS = "="
    """Equal, whatever the case of letters; of several values one."""
    STARTS = "^"
    HAS = "~"
    """The text is somewhere in it, whatever the case of letters."""
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. A record without the attribute fails it."""

    attribute: Attribute
    """What it is about."""
    operator: Operator
    """How to compare."""
    value: str | int | float
    """With what: text, bytes, or seconds since 1970."""


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold; an empty one holds always."""

    parts: tuple[Selector, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them holds; an empty one never does."""

    parts: tuple[Selector, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    part: Selector


Selector = Term | And | Or | Not
"""A condition on records."""

Everything = And(())
"""The condition that every record fits."""


class Order(StrEnum):
    """How a list of records is sorted; equal ones by key, so that pages never overlap."""

    DEFAULT = "default"
    """By type, base, name and format, as MM2's own lists."""
    NAME = "name"
    TYPE = "type"
    BASE = "base"
    FORMAT = "format"
    SIZE = "size"
    ADDED = "added"
    CHANGED = "changed"
    USED = "used"
