"""Asking for the ranges of a file after its first answer, of one version alone."""

from __future__ import annotations

from modelshelf.download.content_answer import Content, content_of
from modelshelf.download.failed_attempts import RemoteChangedError, UnusableAnswerError
from modelshelf.download.holdings import Holdings
from modelshelf.download.redirects import SeenFacts
from modelshelf.download.remote_source import RemoteSource
from modelshelf.protocols import Answer

__all__ = ["PartAsking"]


class PartAsking:
    """Asks for a range of the version that is being fetched; see `transfer_seams.PartOpener`.

    Args:
        source: Whom to ask.
        holdings: What is held of that version.
        facts: What hubs said of it on the way to the first answer.
    """

    def __init__(self, source: RemoteSource, holdings: Holdings, facts: SeenFacts) -> None:
        self._source = source
        self._holdings = holdings
        self._facts = facts

    def __call__(self, start: int, end: int, /) -> Answer:
        """Return the checked answer; see `transfer_seams.PartOpener`."""
        head = self._holdings.head
        validator = head.validator if head is not None else None
        arrived = self._source.ask((start, end), validator=validator)
        answer = arrived.answer
        try:
            is_same_file = arrived.facts.linked_etag == self._facts.linked_etag
            content = content_of(answer.status, answer.headers, (start, end))
            self._check(content if is_same_file else None, validator)
        except BaseException:
            answer.abort()
            answer.close()
            raise
        return answer

    def _check(self, content: Content | None, validator: str | None) -> None:
        """Raise unless an answer brings a range of the version that is being fetched."""
        if content is None or not self._holdings.may_be_of(content.entity):
            raise RemoteChangedError
        if content.is_part:
            return
        if validator is None or content.entity.strong_validator != validator:
            raise RemoteChangedError
        message = "the whole file in place of a range"
        raise UnusableAnswerError(message)
