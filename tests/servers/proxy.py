"""Proxies as companies have them: one that passes requests on, and one that wants to know who asks."""

from __future__ import annotations

import contextlib
import select
import socket
from urllib.parse import urlsplit

from tests.servers.scripted import Asked, Peer

__all__ = ["pass_on"]


def pass_on(asked: Asked, peer: Peer) -> None:
    """Do as an honest proxy does: tunnel on CONNECT, fetch what a whole URL names."""
    if asked.method == "CONNECT":
        host, _, port = asked.target.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as upstream:
            peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            _join(peer.connection, upstream)
        peer.hang_up()
    url = urlsplit(asked.target)
    wanted = url.path + (f"?{url.query}" if url.query else "")
    lines = [f"{asked.method} {wanted} HTTP/1.1", "connection: close"]
    lines += [
        f"{name}: {value}"
        for name, value in asked.headers.items()
        if name not in {"connection", "proxy-authorization", "proxy-connection"}
    ]
    with socket.create_connection((url.hostname, url.port or 80), timeout=10) as upstream:
        upstream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        _join(peer.connection, upstream)
    peer.hang_up()


def _join(left: socket.socket, right: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    other = {left: right, right: left}
    with contextlib.suppress(OSError):
        while ready := select.select([left, right], [], [], 30)[0]:
            for source in ready:
                data = source.recv(1 << 16)
                if not data:
                    return
                other[source].sendall(data)
