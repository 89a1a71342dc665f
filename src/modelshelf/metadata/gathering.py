"""Collecting statements while sources are read: everything cut to a bounded length on its way in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.metadata import Field, Statement
from modelshelf.schema.taxonomy import ModelType, SchedulerPredictionType
from modelshelf.schema.vocabulary import Meaning, base_meant

__all__ = ["Gathering", "as_line", "as_text", "embedded_json"]

_LINE = 300
"""Characters of a statement that is one line."""
_PROSE = 4000
"""Characters of a description."""
_MOST_VALUES = 100
"""Statements of one field from one source; a model with more tags than that has no tags."""
_MOST_TEXT = 40_000
"""Characters of all statements of one source; descriptions have a few thousand."""
_SAID = 100
_LARGEST_ID = 2**63
_PROSE_FIELDS = frozenset({Field.DESCRIPTION, Field.NOTE, Field.USAGE_HINT, Field.NETWORK_ARGS})
_LONGEST_JSON = 1024 * 1024
_MARKUP = re.compile(r"<[^<>]{0,500}>")
_HASHES = {
    Field.SHA256: 64,
    Field.DATA_SHA256: 64,
    Field.BLAKE3: 64,
    Field.AUTOV1: 8,
    Field.AUTOV2: 10,
    Field.AUTOV3: 12,
    Field.CRC32: 8,
}
_HEXADECIMAL = re.compile(r"[0-9a-f]+")


class Gathering:
    """Statements and claims of one source, in the order in which it is read.

    Values that are no text, or empty, are passed over: what is missing is no fault.
    """

    def __init__(self, source: str, trust: Trust) -> None:
        self._source = source
        self._trust = trust
        self._counts: dict[Field, int] = {}
        self._left = _MOST_TEXT
        self.statements: list[Statement] = []
        """What was taken so far."""
        self.claims: list[Declared] = []
        """What was said about type and base so far."""
        self.problems: list[str] = []
        """What could not be read, a sentence each."""

    def say(self, field: Field, value: object, key: str) -> None:
        """Take one value from the place *key* of the source, if it is text or a number."""
        text = as_text(value)
        if field in _HASHES:
            text = _hash(text, _HASHES[field])
        elif field in _PROSE_FIELDS:
            text = _as_prose(text)
        else:
            text = as_line(text, _LINE)
        counted = self._counts.get(field, 0)
        if text and counted < _MOST_VALUES and len(text) <= self._left:
            self._left -= len(text)
            self._counts[field] = counted + 1
            self.statements.append(Statement(field, text, self.place(key)))

    def say_all(self, field: Field, values: object, key: str) -> None:
        """Take every text of a list; a single text counts as a list of one."""
        for value in values[:_MOST_VALUES] if isinstance(values, list) else [values]:
            self.say(field, value, key)

    def say_id(self, field: Field, value: object, key: str) -> None:
        """Take a number that a web site counts its pages by."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_ID:
            self.say(field, value, key)

    def claim_base(self, words: object, key: str, *, type: ModelType | None = None) -> None:  # noqa: A002
        """Take what a source calls the base; words that nobody knows are kept as words."""
        text = as_text(words)
        if text.strip().lower() not in {"", "none", "unknown", "other"}:
            self.claim(key, text, base_meant(text), type=type)
        elif type is not None:
            self.claim(key, type.value, None, type=type)

    def claim_any(self, names: Sequence[str], key: str, *, type: ModelType | None = None) -> None:  # noqa: A002
        """Take several bases that a source names at once: the model works with each of them."""
        meant = [meaning for name in names if (meaning := base_meant(name)) is not None]
        if len(names) == 1 or not meant:
            for name in names:
                self.claim_base(name, key, type=type)
            return
        bases = tuple(dict.fromkeys(base for meaning in meant for base in meaning.bases))
        self.claim(key, ", ".join(names), Meaning(bases), type=type)

    def claim(
        self,
        key: str,
        said: str,
        meaning: Meaning | None = None,
        *,
        type: ModelType | None = None,  # noqa: A002 - the field's name
        prediction_type: SchedulerPredictionType | None = None,
    ) -> None:
        """Take a claim about what the model is; without words there is none."""
        words = as_line(said, _SAID)
        if not words:
            return
        self.claims.append(
            Declared(
                trust=self._trust,
                where=self.place(key),
                said=words,
                bases=meaning.bases if meaning else (),
                type=type or (meaning.type if meaning else None),
                variant=meaning.variant if meaning else None,
                prediction_type=prediction_type or (meaning.prediction_type if meaning else None),
                architecture=meaning.architecture if meaning else "",
            )
        )

    def doubt(self, problem: str) -> None:
        """Remember what could not be read."""
        self.problems.append(f"{self._source}: {problem}")

    def place(self, key: str) -> str:
        """Name a place of the source."""
        return as_line(f"{self._source}:{key}", _LINE)


def as_text(value: object) -> str:
    """Return text and numbers as text, anything else as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def as_line(text: str, most: int) -> str:
    """Make *text* one line of at most *most* characters that any file and database can hold."""
    # Far more than is kept, and far less than a header can hold.
    line = " ".join(_sound(text[: most * 4]).split())
    return line if len(line) <= most and len(text) <= most * 4 else line[: most - 1] + "…"


def _as_prose(text: str) -> str:
    plain = html.unescape(_MARKUP.sub(" ", _sound(text[: _PROSE * 4]))).strip()
    plain = "\n".join(line for each in plain.splitlines() if (line := " ".join(each.split())))
    return plain if len(plain) <= _PROSE and len(text) <= _PROSE * 4 else plain[: _PROSE - 1] + "…"


def _sound(text: str) -> str:
    # JSON can smuggle in half a surrogate pair, which no file can be written with.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _hash(text: str, digits: int) -> str:
    plain = text.strip().lower().removeprefix("0x") if len(text) <= _LINE else ""
    return plain if len(plain) == digits and _HEXADECIMAL.fullmatch(plain) else ""


def embedded_json(gathering: Gathering, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    """Read the JSON object that a trainer wrote as text; empty where it is none.

    At most a megabyte is parsed: what is longer is said to be left out.
    """
    text = metadata.get(key, "")
    if len(text) > _LONGEST_JSON:
        gathering.doubt(f"`{key}` has {len(text)} characters and was left out")
        return {}
    if not text.lstrip().startswith("{"):
        return {}
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        gathering.doubt(f"`{key}` is not valid JSON")
        return {}
    return parsed if isinstance(parsed, dict) else {}
