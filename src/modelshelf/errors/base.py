"""The root of every error that modelshelf raises, and how an error holds its facts."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any, ClassVar

__all__ = ["ModelshelfError", "counted"]


class ModelshelfError(Exception):
    """Something failed in a way that modelshelf foresaw.

    Each subclass is one reaction a caller can have. Its facts are fields, its sentence is made from
    them, its code never changes. Faces (`cli`, `api`) render it; nothing else does.

    Example:
        >>> from modelshelf.errors import SourceNotFoundError
        >>> error = SourceNotFoundError(path="/no/such/model")
        >>> str(error)
        'nothing exists at `/no/such/model`'
        >>> error.code, error.exit_status, error.http_status
        ('source-not-found', 4, 404)
    """

    code: ClassVar[str] = "failed"
    """Stable kebab-case name of the kind of failure."""
    exit_status: ClassVar[int] = 1
    """What a command ends with."""
    http_status: ClassVar[int] = 500
    """What the web API answers."""
    message: ClassVar[str] = "the operation failed"
    """The sentence: what failed, got and expected, which thing; `{field}` stands for a fact,
    `{field:# thing}` for so many things, and `{field:? thing}` likewise where 0 means that nobody knows."""
    kept: ClassVar[str] = ""
    """What state things are in now, as one or more whole sentences; empty where the message says it."""
    hint: ClassVar[str] = ""
    """The next step, with the command where there is one; empty where only a person can tell."""

    def __init__(self, **facts: object) -> None:
        for name, value in facts.items():
            setattr(self, name, value)
        self.facts: Mapping[str, object] = facts
        super().__init__(_SENTENCE.vformat(self.message, (), facts))

    @property
    def advice(self) -> str:
        """The hint with the facts filled in."""
        return _SENTENCE.vformat(self.hint, (), self.facts)

    def __reduce__(self) -> tuple[object, tuple[type[ModelshelfError], dict[str, object]]]:
        return _rebuild, (type(self), dict(self.facts))


def _rebuild(kind: type[ModelshelfError], facts: dict[str, object]) -> ModelshelfError:
    return kind(**facts)


def counted(number: int, thing: str) -> str:
    """Say how many there are of what has an `s` behind it where it is not one alone.

    Example:
        >>> counted(1, "mistake"), counted(2, "mistake"), counted(0, "mistake")
        ('1 mistake', '2 mistakes', '0 mistakes')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


class _Sentence(Formatter):
    """Fills facts into a sentence that a person reads."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - as it is inherited
        mark, thing = format_spec[:2], format_spec[2:]
        if mark == "? " and not value:
            return f"an unknown number of {thing}s"
        if mark in {"# ", "? "}:
            return counted(value, thing)
        return str(super().format_field(value, format_spec))


_SENTENCE = _Sentence()
