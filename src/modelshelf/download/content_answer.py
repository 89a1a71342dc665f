"""What an answer to a request for bytes really brings, checked to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelshelf.download.answer_head import ContentRange, Entity, content_length
from modelshelf.download.failed_attempts import UnusableAnswerError

__all__ = ["CONTENT_STATUSES", "Content", "content_of"]

_WHOLE, _PART, _UNSATISFIED = 200, 206, 416
CONTENT_STATUSES = frozenset({_WHOLE, _PART, _UNSATISFIED})
"""Answers that speak of the file's bytes; all others are refusals."""


@dataclass(frozen=True, slots=True)
class Content:
    """Which bytes of which version of the file follow."""

    start: int
    """Offset of the first one."""
    end: int | None
    """Offset behind the last one; None where only the end of the body tells."""
    entity: Entity
    """Of which version."""
    is_part: bool
    """Whether the host keeps to ranges; False for a whole file."""
    end_is_marked: bool
    """Whether a body that is cut short is noticed: its length or its last chunk is announced."""


def content_of(
    status: int, headers: Mapping[str, str], asked: tuple[int, int] | None
) -> Content | None:
    """Read the head of an answer with one of `CONTENT_STATUSES`.

    Args:
        status: Of the answer.
        headers: Names in lower case.
        asked: The half-open range that was asked for; None for the whole file.

    Returns:
        What follows; None where there are no such bytes: the file is shorter than where the range begins.

    Raises:
        UnusableAnswerError: It holds other bytes than were asked for, packed ones, several parts, or says
            nothing that could be checked.

    Example:
        >>> content = content_of(206, {"content-range": "bytes 0-9/30"}, (0, 10))
        >>> content.start, content.end, content.entity.size
        (0, 10, 30)
        >>> content_of(206, {"content-range": "bytes 5-9/30"}, (0, 10))
        Traceback (most recent call last):
        modelshelf.download.failed_attempts.UnusableAnswerError: bytes 5-9/30 in place of bytes 0-9
    """
    try:
        entity = Entity.of(status, headers)
        length = content_length(headers)
    except ValueError as error:
        raise UnusableAnswerError(str(error)) from error
    if status == _UNSATISFIED:
        return None
    if entity.content_encoding is not None:
        message = f"bytes packed as {entity.content_encoding[:40]!r}, unasked"
        raise UnusableAnswerError(message)
    is_marked = length is not None or "transfer-encoding" in headers
    if status == _WHOLE:
        return Content(0, entity.size, entity, is_part=False, end_is_marked=is_marked)
    start, end = _part(headers, asked, length)
    return Content(start, end, entity, is_part=True, end_is_marked=True)


def _part(
    headers: Mapping[str, str], asked: tuple[int, int] | None, length: int | None
) -> tuple[int, int]:
    """Return the range that an answer holds, if it is the one that was asked for, or the front of it."""
    text = headers.get("content-range", "")
    part = ContentRange.parse(text)
    if asked is None or part is None or part.total is None:
        message = f"a part that says {text[:60]!r} of itself"
        raise UnusableAnswerError(message)
    if part.start != asked[0] or part.end > asked[1]:
        message = f"{text[:60]} in place of bytes {asked[0]}-{asked[1] - 1}"
        raise UnusableAnswerError(message)
    if length is not None and length != part.end - part.start:
        message = f"{length} bytes for {text[:60]}"
        raise UnusableAnswerError(message)
    return part.start, part.end
