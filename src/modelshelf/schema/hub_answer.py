"""What a hub's API answered, as a value: what is made of it needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelshelf.errors import HubAnswerError

__all__ = ["HubAnswer"]


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """One answer.

    Example:
        >>> answer = HubAnswer("https://hub.example/api", 404, {}, {"error": "Not found"})
        >>> answer.is_good, answer.message
        (False, 'Not found')
    """

    url: str
    """Where it came from in the end, without query."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: object = None
    """The parsed JSON, whose text can all be written as UTF-8; None where it is none."""

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3

    @property
    def message(self) -> str:
        """What it says about itself in words, one line of at most 200 characters; empty for nothing."""
        said = self.headers.get("x-error-message")
        if said is None and isinstance(self.body, dict):
            said = self.body.get("message") or self.body.get("error")
        return " ".join(said.split())[:200] if isinstance(said, str) else ""

    def as_object(self, hub: str) -> dict[str, object]:
        """Return the body, which must be a JSON object.

        Raises:
            HubAnswerError: It is something else.
        """
        if not isinstance(self.body, dict):
            raise HubAnswerError(hub=hub, problem=f"{self._kind()}, expected a JSON object")
        return self.body

    def as_array(self, hub: str) -> list[object]:
        """Return the body, which must be a JSON array.

        Raises:
            HubAnswerError: It is something else.
        """
        if not isinstance(self.body, list):
            raise HubAnswerError(hub=hub, problem=f"{self._kind()}, expected a JSON array")
        return self.body

    def _kind(self) -> str:
        if self.body is None:
            return f"`{self.headers.get('content-type', 'no content type')[:40]}`"
        return {"dict": "a JSON object", "list": "a JSON array"}.get(
            type(self.body).__name__, "a bare JSON value"
        )
