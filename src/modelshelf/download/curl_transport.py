"""A transport over libcurl, for those who installed `modelshelf[curl]`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import certifi
import pycurl

from modelshelf.download.curl_answer import CurlAnswer
from modelshelf.download.curl_handle import CurlHandle
from modelshelf.download.guarded_connection import check_named
from modelshelf.download.idle_connections import IdleConnections
from modelshelf.download.proxies import Proxies
from modelshelf.download.sendable import parsed, sendable_headers
from modelshelf.protocols import Answer, Request

__all__ = ["CurlTransport"]


class CurlTransport:
    """HTTP/1.1 over libcurl; see `protocols.Transport`.

    Args:
        proxies: Whom to ask for others; None: nobody. Other kinds than http are spoken here, too.
        connections: How many connections without work are kept.
        certificates: File with the certificates to trust; None trusts those of `certifi`.
        agent: Name under which requests are made.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self,
        *,
        proxies: Proxies | None = None,
        connections: int = 64,
        certificates: str | None = None,
        agent: str = "modelshelf",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proxies = proxies or Proxies()
        self._certificates = certificates or certifi.where()
        self._agent = agent
        self._clock = clock
        self._idle: IdleConnections[CurlHandle] = IdleConnections(connections)

    def open(self, request: Request) -> Answer:
        """See `protocols.Transport`."""
        address = parsed(request)
        host = address.origin.host
        headers = sendable_headers(request, address, self._agent)
        proxy = self._proxies.for_url(request.url)
        if proxy is not None and request.check_peer is not None:
            check_named(request.check_peer, host)
        key = (os.getpid(), address.origin, proxy)
        handle = self._idle.take(key) or CurlHandle(clock=self._clock)
        exchange = CurlAnswer(handle, request, address, self._idle.giver(key), clock=self._clock)
        try:
            for name, peer in handle.peers:
                if request.check_peer is not None and proxy is None:
                    request.check_peer(name, peer)
            easy = handle.easy
            is_folder = Path(self._certificates).is_dir()
            easy.setopt(pycurl.CAPATH if is_folder else pycurl.CAINFO, self._certificates)
            # An empty proxy keeps libcurl from reading the environment by itself.
            easy.setopt(pycurl.PROXY, proxy or "")
            easy.setopt(pycurl.NOPROXY, "")
            # A header without a value is left out; the host's own name libcurl writes itself.
            easy.setopt(
                pycurl.HTTPHEADER,
                [
                    f"{name}: {value}" if value else f"{name};"
                    for name, value in headers.items()
                    if name != "host"
                ],
            )
            exchange.begin(is_proxied=proxy is not None)
        except BaseException:
            exchange.drop()
            raise
        return exchange

    def close(self) -> None:
        """See `protocols.Transport`."""
        self._idle.close()
