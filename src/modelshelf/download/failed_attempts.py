"""What an attempt can come back with besides bytes: for the engine's own ears, never seen by a user."""

from __future__ import annotations

from modelshelf.errors import ConnectionLostError, DownloadError

__all__ = [
    "HEALING",
    "RemoteChangedError",
    "RetryLaterError",
    "TransferStoppedError",
    "UnusableAnswerError",
]


class TransferStoppedError(Exception):
    """The stop signal was said."""


class RemoteChangedError(Exception):
    """The host serves another version of the file than the one that is being fetched."""


class UnusableAnswerError(Exception):
    """The answer does not fit the request, and is thrown away. Its text says why."""


class RetryLaterError(Exception):
    """The host refused in a way that may pass.

    Args:
        error: What to say when it does not.
        most: How often asking again is worth it; None for as often as patience allows.
    """

    def __init__(self, error: DownloadError, most: int | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.most = most


HEALING = (ConnectionLostError, RetryLaterError, UnusableAnswerError)
"""Failures that another attempt may heal."""
