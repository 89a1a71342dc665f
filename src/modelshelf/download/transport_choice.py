"""Which transport is used where nobody chose one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from modelshelf.download.requests_transport import RequestsTransport
from modelshelf.protocols import Transport

if TYPE_CHECKING:
    import requests

__all__ = ["choose_transport"]


def choose_transport(
    environ: Mapping[str, str],
    session: requests.Session | None = None,
    *,
    connections: int = 64,
) -> Transport:
    """Return a caller's session as a transport, or libcurl where it is installed, or our own connections.

    Libcurl decrypts for about a fifth less work; in all else the two are alike, and keep one contract.

    Args:
        environ: Names proxies and certificates, such as `os.environ`.
        session: Used as it is, and before all others.
        connections: How many connections without work are kept.

    Example:
        >>> transport = choose_transport({})
        >>> transport.close()
    """
    if session is not None:
        return RequestsTransport(session)
    if find_spec("pycurl") is not None:
        from modelshelf.download.curl_transport import CurlTransport  # noqa: PLC0415 - an extra

        return CurlTransport.from_environment(environ, connections=connections)
    return RequestsTransport.from_environment(environ, connections=connections)
