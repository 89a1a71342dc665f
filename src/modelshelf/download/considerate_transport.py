"""A transport that leaves hosts alone which asked for it, on whatever hop of a redirect they are met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from modelshelf.download.answer_head import read_retry_after
from modelshelf.download.failed_attempts import TransferStoppedError
from modelshelf.download.hosts import Hosts
from modelshelf.download.origin import Origin, public_url
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import TooManyRequestsError
from modelshelf.protocols import Answer, Request, Transport

__all__ = ["ConsiderateTransport"]

_OVERLOADED = frozenset({429, 503})


def _utc_now() -> datetime:
    """Return the time by the wall clock, which `Retry-After` dates are compared with."""
    return datetime.now(UTC)


class ConsiderateTransport:
    """Waits before it asks a host that rests, and notes for everybody when one asks for a rest.

    Args:
        inner: Asks.
        hosts: Knows who rests; shared by all downloads.
        stop: Ends the waiting of this download.
        patience: How long a rest may be.
        now: The wall clock, in UTC.
    """

    def __init__(
        self,
        inner: Transport,
        hosts: Hosts,
        stop: StopSignal,
        patience: Patience,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._inner = inner
        self._hosts = hosts
        self._stop = stop
        self._patience = patience
        self._now = now

    def open(self, request: Request) -> Answer:
        """Ask once the host may be asked; see `protocols.Transport`.

        Raises:
            TransferStoppedError: The stop signal was said while waiting.
            TooManyRequestsError: The host asks for more patience than there is.
        """
        host = str(Origin.of(request.url))
        if not self._hosts.await_rest(host, self._stop):
            raise TransferStoppedError
        answer = self._inner.open(request)
        if answer.status in _OVERLOADED:
            seconds = read_retry_after(answer.headers, self._now())
            if seconds is not None:
                self._hosts.rest(host, min(seconds, self._patience.longest_rest))
                if seconds > self._patience.longest_rest:
                    answer.close()
                    raise TooManyRequestsError(url=public_url(request.url), seconds=int(seconds))
        return answer

    def close(self) -> None:
        """Leave the inner transport as it is: others use it too."""
