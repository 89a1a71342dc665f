"""What a condition on records means: the definition that every store's own way of asking is held to.

The YAML store asks with it; the tests compare the SQL stores with it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from modelshelf.schema.config_base import ModelConfigBase
from modelshelf.schema.selector import And, Attribute, Not, Operator, Or, Selector, Term

__all__ = ["NUMBERS", "bare_hash", "folded", "matches", "searchable_text", "values_of"]

NUMBERS = frozenset({Attribute.SIZE, Attribute.ADDED, Attribute.CHANGED, Attribute.USED})
"""The attributes that are numbers; all others are text."""

_ORDERS: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.IS: operator.eq,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
_TEXTUAL: Mapping[Operator, Callable[[str, str], bool]] = {
    Operator.IS: operator.eq,
    Operator.STARTS: str.startswith,
    Operator.HAS: operator.contains,
}


def folded(text: str) -> str:
    """Return *text* so that two texts that differ in case alone become equal.

    It is Unicode's full case folding and nothing more: accents count, and so do ways of writing them. A
    store that compares in SQL keeps the folded text beside the written one, and folds what it is asked.

    Example:
        >>> folded("STRASSE") == folded("Straße"), folded("É") == folded("E")
        (True, False)
    """
    return text.casefold()


def bare_hash(text: str) -> str:
    """Return the digits of a hash, lower case, without the algorithm's name.

    Example:
        >>> bare_hash("blake3:AB12")
        'ab12'
    """
    return text.rpartition(":")[2].lower()


def searchable_text(config: ModelConfigBase) -> str:
    """Return what `Attribute.TEXT` looks through: folded, a line for each of these.

    Name, description, source, author, then each tag and each trigger phrase. A store may keep it in a
    column or an index; a condition may not find across what is not there.
    """
    texts = (config.name, config.description, config.source, config.author)
    said = [each for each in texts if each]
    return folded("\n".join([*said, *config.tags, *config.trigger_phrases]))


def values_of(config: ModelConfigBase, attribute: Attribute) -> tuple[str | int | float, ...]:
    """Return what *config* has as *attribute*: several bases, tags or hashes, or one value, or none.

    Texts are as written, except `Attribute.TEXT` (see `searchable_text`) and hashes (lower case, without
    the algorithm's name). Empty texts and None are no values.
    """
    found: tuple[object, ...]
    match attribute:
        case Attribute.BASE:
            found = config.bases
        case Attribute.TAG:
            found = tuple(config.tags)
        case Attribute.HASH:
            found = config.hashes
        case Attribute.TEXT:
            found = (searchable_text(config),)
        case _:
            found = (getattr(config, _FIELDS[attribute]),)
    return tuple(
        str(each) if isinstance(each, str) else each
        for each in found
        if (isinstance(each, str) and each) or (isinstance(each, int | float))
    )


_FIELDS: Mapping[Attribute, str] = {
    Attribute.KEY: "key",
    Attribute.NAME: "name",
    Attribute.TYPE: "model_type",
    Attribute.FORMAT: "model_format",
    Attribute.VARIANT: "variant",
    Attribute.PREDICTION: "prediction_type",
    Attribute.AUTHOR: "author",
    Attribute.LICENSE: "license",
    Attribute.SOURCE: "source",
    Attribute.PATH: "path",
    Attribute.SIZE: "size",
    Attribute.ADDED: "created_at",
    Attribute.CHANGED: "updated_at",
    Attribute.USED: "last_used_at",
}


def matches(selector: Selector, config: ModelConfigBase) -> bool:
    """Say whether *config* fits *selector*.

    Guaranteed of a `Term`:

    * A record without the attribute fails it, whatever the operator. So `Not` of it holds.
    * One of several values is enough: any base, any tag, any hash.
    * Texts are compared folded (`folded`): `IS` is equal, `STARTS` begins with, `HAS` holds somewhere.
      The other operators never hold for text, nor does a number as the value asked for.
    * Of a hash asked for, `blake3:` and the like before the digits do not count.
    * Numbers are compared as numbers. `STARTS` and `HAS` never hold for them, nor does text as the value
      asked for, nor NaN.

    Example:
        >>> from modelshelf.schema.config import parse_config
        >>> ink = parse_config(
        ...     dict(name="Ink", type="lora", format="lycoris", bases=["sdxl", "sd-1"], path="ink")
        ... )
        >>> matches(Term(Attribute.BASE, Operator.IS, "SD-1"), ink)
        True
        >>> matches(Term(Attribute.USED, Operator.AT_LEAST, 0), ink)
        False
    """
    match selector:
        case And(parts):
            return all(matches(each, config) for each in parts)
        case Or(parts):
            return any(matches(each, config) for each in parts)
        case Not(part):
            return not matches(part, config)
        case Term():
            return _holds(selector, config)


def _holds(term: Term, config: ModelConfigBase) -> bool:
    wanted = term.value
    values = values_of(config, term.attribute)
    if term.attribute in NUMBERS:
        order = _ORDERS.get(term.operator)
        if order is None or isinstance(wanted, str):
            return False
        return any(order(each, wanted) for each in values if not isinstance(each, str))
    compare = _TEXTUAL.get(term.operator)
    if compare is None or not isinstance(wanted, str):
        return False
    text = folded(bare_hash(wanted) if term.attribute is Attribute.HASH else wanted)
    return any(compare(folded(each), text) for each in values if isinstance(each, str))
