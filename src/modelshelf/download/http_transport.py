"""The transport that is always there: over connections of our own, or a session that a caller hands in."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from modelshelf.download.guarded_connection import Connection, Dialer, check_named
from modelshelf.download.idle_connections import IdleConnections
from modelshelf.download.origin import WebAddress
from modelshelf.download.proxies import Proxies
from modelshelf.download.sendable import parsed, sendable_headers
from modelshelf.download.wire_answer import StaleConnectionError, WireAnswer, ask
from modelshelf.errors import TlsError
from modelshelf.protocols import Answer, Request

if TYPE_CHECKING:
    import requests

__all__ = ["HttpTransport"]


class HttpTransport:
    """HTTP/1.1 over connections that are checked before a byte is sent; see `protocols.Transport`.

    With a *session* everything is left to it as it is: adapters, proxies, certificates, headers. The address
    of a peer is then known only when the answer is there, so names are also resolved and checked beforehand.
    What the session would send by itself, such as its log-in, goes to the order's own origin alone. Its
    libraries take early hints for an answer, which is told as an error, and let a head trickle in for long.

    Args:
        session: A `requests.Session`, or what behaves like one; None uses connections of our own.
        proxies: Whom to ask for others, without a session; None: nobody. See `Proxies.from_environment`.
        connections: How many connections without work are kept for the next request.
        certificates: File with the certificates to trust, without a session; None trusts those of `certifi`.
        agent: Name under which requests are made.
        clock: Seconds that only ever grow.

    Example:
        >>> transport = HttpTransport()
        >>> transport.open(Request("ftp://hub.example/a"))
        Traceback (most recent call last):
        modelshelf.errors.download.InvalidDownloadError: cannot download `ftp:…`: it is neither http nor https
        >>> transport.close()
    """

    def __init__(
        self,
        session: requests.Session | None = None,
        *,
        proxies: Proxies | None = None,
        connections: int = 64,
        certificates: str | None = None,
        agent: str = "modelshelf",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._proxies = proxies or Proxies()
        self._agent = agent
        self._clock = clock
        self._idle: IdleConnections[Connection] = IdleConnections(connections)
        self._certificates = certificates or certifi.where()
        self._dialer: Dialer | None = None

    def open(self, request: Request) -> Answer:
        """See `protocols.Transport`."""
        address = parsed(request)
        if self._session is not None:
            from modelshelf.download.session_exchange import (  # noqa: PLC0415 - requests is slow to import
                open_in_session,
            )

            return open_in_session(self._session, request, address)
        return self._open(request, address)

    def close(self) -> None:
        """See `protocols.Transport`. A session that was handed in stays open: it is its owner's."""
        self._idle.close()

    def _open(self, request: Request, address: WebAddress) -> WireAnswer:
        """Ask over a connection that is left over, or else over a new one."""
        origin = address.origin
        headers = sendable_headers(request, address, self._agent)
        proxy = self._proxies.for_url(request.url)
        if proxy is not None and request.check_peer is not None:
            check_named(request.check_peer, origin.host)
        # After a fork both processes would talk over the same connection: each keeps to its own.
        key = (os.getpid(), origin, proxy)
        giver = self._idle.giver(key)
        while (connection := self._idle.take(key)) is not None:
            _check_again(connection, request, origin.host)
            try:
                return ask(
                    connection, request, address, headers, giver, is_kept=True, clock=self._clock
                )
            except StaleConnectionError:
                continue
        connection = self._tls_dialer(address.public).connect(request, origin, proxy)
        return ask(connection, request, address, headers, giver, clock=self._clock)

    def _tls_dialer(self, url: str) -> Dialer:
        """Read the certificates when first needed: that takes longer than a request on a fast network."""
        if self._dialer is None:
            context = self._tls_context(url)
            context.set_alpn_protocols(["http/1.1"])
            self._dialer = Dialer(context, clock=self._clock)
        return self._dialer

    def _tls_context(self, url: str) -> ssl.SSLContext:
        """Trust the certificates in a file, or in a folder as `c_rehash` makes it."""
        where = Path(self._certificates)
        try:
            if where.is_dir():
                return ssl.create_default_context(capath=str(where))
            return ssl.create_default_context(cafile=str(where))
        except OSError as error:
            reason = f"the certificates in `{where}` cannot be read: {error.strerror or error}"
            raise TlsError(url=url, reason=reason) from None


def _check_again(connection: Connection, request: Request, host: str) -> None:
    """Check the peer of a kept connection: it was made for a request with a check of its own."""
    if connection.peer is None or request.check_peer is None:
        return
    try:
        request.check_peer(host, connection.peer)
    except BaseException:
        connection.close()
        raise
