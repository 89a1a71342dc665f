"""The root of every error that modelshelf raises, and how an error holds its facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = ["ModelshelfError"]


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
    """The sentence: what failed, got and expected, which thing; `{field}` stands for a fact."""
    kept: ClassVar[str] = ""
    """What state things are in now, as one or more whole sentences; empty where the message says it."""
    hint: ClassVar[str] = ""
    """The next step, with the command where there is one; empty where only a person can tell."""

    def __init__(self, **facts: object) -> None:
        for name, value in facts.items():
            setattr(self, name, value)
        self.facts: Mapping[str, object] = facts
        super().__init__(self.message.format(**facts))

    @property
    def advice(self) -> str:
        """The hint with the facts filled in."""
        return self.hint.format(**self.facts)

    def __reduce__(self) -> tuple[object, tuple[type[ModelshelfError], dict[str, object]]]:
        return _rebuild, (type(self), dict(self.facts))


def _rebuild(kind: type[ModelshelfError], facts: dict[str, object]) -> ModelshelfError:
    return kind(**facts)
