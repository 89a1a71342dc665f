"""Where the bytes of an order come from: its origin, and the address that the origin leads to for a while."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from modelshelf.download.address_policy import AddressPolicy
from modelshelf.download.content_answer import CONTENT_STATUSES
from modelshelf.download.failed_attempts import RetryLaterError
from modelshelf.download.origin import Origin, public_url
from modelshelf.download.patience import Patience
from modelshelf.download.redirects import Arrived, Timeouts, open_at, open_following
from modelshelf.download.refusals import BODY_PREFIX, Retry, refusal
from modelshelf.errors import ConnectionLostError, DownloadError, InvalidDownloadError
from modelshelf.protocols import Answer, Transport
from modelshelf.schema.transfer import TransferOrder

__all__ = ["RemoteSource"]

_EXPIRED = frozenset({400, 401, 403, 404, 410})
"""What storages say to a signature that is too old, and to one whose file they have moved."""


class RemoteSource:
    """Asks for ranges of one file. Safe in any thread.

    The origin is asked once and again only when the address that it led to is refused or dead: signatures
    expire, and hosts count how often they are asked. Secrets go to the origin alone.

    Args:
        transport: Does the exchanges.
        order: What to fetch.
        patience: Timeouts.

    Raises:
        InvalidDownloadError: The order's URL is no http or https address.
    """

    def __init__(self, transport: Transport, order: TransferOrder, patience: Patience) -> None:
        self._transport = transport
        self._url = order.url
        try:
            self.origin = Origin.of(order.url)
        except ValueError as error:
            raise InvalidDownloadError(url=public_url(order.url), reason=str(error)) from None
        self._policy = AddressPolicy(order.private, self.origin.host)
        self._timeouts = Timeouts(connect=patience.connect, silence=patience.silence)
        self._secrets = dict(order.headers)
        if order.token is not None:
            self._secrets["Authorization"] = f"Bearer {order.token}"
        self._lock = Lock()
        self._address: Arrived | None = None
        self._losses = 0

    @property
    def public_url(self) -> str:
        """The origin, without secrets."""
        return public_url(self._url)

    def ask(self, asked: tuple[int, int] | None, *, validator: str | None = None) -> Arrived:
        """Ask for a half-open range, or for the whole file.

        Args:
            asked: First byte and the one behind the last; None asks without Range.
            validator: Which version the range is of; another version comes whole.

        Returns:
            An answer that speaks of the file's bytes. The caller closes it.

        Raises:
            DownloadError: There is none to be had, now or ever.
        """
        headers = {}
        if asked is not None:
            headers["Range"] = f"bytes={asked[0]}-{asked[1] - 1}"
            if validator is not None:
                headers["If-Range"] = validator
        while True:
            address = self._address
            if address is not None:
                arrived = self._ask_at(address, headers)
                if arrived is not None:
                    return arrived
                self._forget(address)
            with self._lock:
                # Whoever waited here while another thread asked goes where that one was led.
                if self._address is None:
                    return self._ask_origin(headers)

    def _ask_at(self, address: Arrived, headers: dict[str, str]) -> Arrived | None:
        """Ask the address that the origin led to; None when it is of no use any more."""
        try:
            answer = open_at(
                self._transport,
                address.url,
                headers=headers,
                policy=self._policy,
                timeouts=self._timeouts,
            )
        except ConnectionLostError:
            self._losses += 1
            if self._losses > 1:
                # Maybe that machine is gone, and the origin knows another one.
                self._forget(address)
            raise
        self._losses = 0
        if answer.status in _EXPIRED:
            answer.close()
            return None
        return Arrived(
            self._accepted(answer), address.url, address.hops, address.facts, is_at_origin=False
        )

    def _ask_origin(self, headers: dict[str, str]) -> Arrived:
        arrived = open_following(
            self._transport,
            self._url,
            headers=headers,
            secret_headers=self._secrets,
            policy=self._policy,
            timeouts=self._timeouts,
        )
        self._accepted(arrived.answer)
        if not arrived.is_at_origin:
            self._address = arrived
        return arrived

    def _forget(self, address: Arrived) -> None:
        if self._address is address:
            self._address = None

    def _accepted(self, answer: Answer) -> Answer:
        """Return an answer about bytes; raise what any other one means."""
        if answer.status in CONTENT_STATUSES:
            return answer
        try:
            raise self._refusal(answer)
        finally:
            answer.close()

    def _refusal(self, answer: Answer) -> DownloadError | RetryLaterError:
        prefix = bytearray(BODY_PREFIX)
        with suppress(ConnectionLostError):
            del prefix[answer.read_into(memoryview(prefix)) :]
        refused = refusal(
            answer.status,
            answer.headers,
            bytes(prefix),
            url=self._url,
            secrets=tuple(self._secrets.values()),
        )
        if isinstance(refused, Retry):
            return RetryLaterError(refused.error, refused.most)
        return refused
