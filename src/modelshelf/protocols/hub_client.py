"""Asking a hub's API for a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from modelshelf.schema.hub_answer import HubAnswer

__all__ = ["HubClient"]


class HubClient(Protocol):
    """Fetches JSON from one hub at a time; small documents, never a model."""

    def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> HubAnswer:
        """GET *url* and read the answer, whatever its status.

        Redirects are followed within the origin of *url*; one that leads elsewhere is followed without
        *headers*, or not at all. The body is bounded, and so is the time.

        Args:
            url: Absolute, `http` or `https`.
            headers: Sent to the origin of *url* alone; an `Authorization` is among them or not.

        Raises:
            HubUnreachableError: No answer came.
            HubAnswerError: It is too long, or redirects lead in circles.
        """
