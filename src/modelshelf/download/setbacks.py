"""What has gone wrong with a download so far, and how much more of it is worth bearing."""

from __future__ import annotations

from random import Random

from modelshelf.download.failed_attempts import (
    RetryLaterError,
    TransferStoppedError,
    UnusableAnswerError,
)
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import InvalidAnswerError, RemoteFileChangedError

__all__ = ["Setbacks"]

_UNUSABLE = 2
"""Answers that do not fit the request, after which ranges are not asked for any more."""


class Setbacks:
    """Counts failures of one run, waits after each as long as is polite, and says when to give up.

    Args:
        patience: The limits.
        stop: Ends a wait.
        url: What is fetched, without secrets, for errors.
    """

    def __init__(self, patience: Patience, stop: StopSignal, url: str) -> None:
        self._patience = patience
        self._stop = stop
        self._url = url
        self._random = Random()  # noqa: S311 - spreads pauses, guards nothing
        self._failures = 0
        self._best = 0
        self._unusable = 0
        self._restarts = 0
        self._mismatches = 0
        self.is_rangeless = False
        """Whether the host cannot be trusted with ranges: then the file is asked for as a whole."""

    def bear(self, error: Exception, *, got: int) -> None:
        """Wait before another attempt.

        Args:
            error: One of `failed_attempts.HEALING`.
            got: Bytes that are there: attempts count only as long as that does not grow.

        Raises:
            DownloadError: There is no use in another attempt.
            TransferStoppedError: The stop signal was said.
        """
        self._failures = 1 if got > self._best else self._failures + 1
        self._best = max(self._best, got)
        if isinstance(error, UnusableAnswerError):
            self._bear_unusable(error)
        else:
            most = self._patience.attempts
            if isinstance(error, RetryLaterError) and error.most is not None:
                most = min(most, error.most + 1)
            if self._failures >= most:
                raise error.error if isinstance(error, RetryLaterError) else error
        if self._stop.wait(self._patience.pause_before(self._failures, self._random)):
            raise TransferStoppedError

    def no_range(self, reason: str) -> None:
        """Ask for the file as a whole from now on.

        Raises:
            InvalidAnswerError: That has been done already, and helped nothing.
        """
        if self.is_rangeless:
            raise InvalidAnswerError(url=self._url, reason=reason)
        self.is_rangeless = True

    def count_restart(self) -> None:
        """Note that the file has changed there, so that what came is of no use.

        Raises:
            RemoteFileChangedError: It changes again and again.
        """
        self._restarts += 1
        if self._restarts > self._patience.restarts:
            raise RemoteFileChangedError(url=self._url)

    def is_second_mismatch(self) -> bool:
        """Note that what came is not what was announced; say whether that happens for the second time."""
        self._mismatches += 1
        return self._mismatches > 1

    def _bear_unusable(self, error: UnusableAnswerError) -> None:
        self._unusable += 1
        if self.is_rangeless or self._unusable >= _UNUSABLE:
            self.no_range(str(error))
