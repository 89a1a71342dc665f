"""Which transport is used where nobody chose one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.proxies import Proxies
from modelshelf.download.xet_transport import XetTransport, has_xet
from modelshelf.protocols import Answer, Request, Transport

if TYPE_CHECKING:
    import requests

__all__ = ["choose_transport"]


def choose_transport(
    environ: Mapping[str, str],
    session: requests.Session | None = None,
    *,
    connections: int = 64,
) -> Transport:
    """Return a caller's session as a transport, or the best of what is installed.

    Our own connections read plain HTTP for less work than libcurl, and libcurl decrypts for about a fifth
    less: where it is installed each does what it does better. In all else the two are alike, and keep one
    contract. Where `hf_xet` is installed, files that a hub keeps in Xet come from there.

    Args:
        environ: Names proxies and certificates, such as `os.environ`; `HF_HUB_DISABLE_XET` leaves Xet alone,
            and `HF_ENDPOINT` says which hub is believed about it.
        session: Used as it is, and before all others.
        connections: How many connections without work are kept.

    Example:
        >>> transport = choose_transport({})
        >>> transport.close()
    """
    if session is not None:
        return HttpTransport(session)
    proxies = Proxies.from_environment(environ)
    certificates = environ.get("REQUESTS_CA_BUNDLE") or environ.get("SSL_CERT_FILE") or None
    transport: Transport = HttpTransport(
        proxies=proxies, connections=connections, certificates=certificates
    )
    if find_spec("pycurl") is not None:
        from modelshelf.download.curl_transport import CurlTransport  # noqa: PLC0415 - an extra

        curl = CurlTransport(proxies=proxies, connections=connections, certificates=certificates)
        transport = _ByScheme(transport, curl)
    if environ.get("HF_HUB_DISABLE_XET", "").lower() not in _YES and has_xet():
        with suppress(ValueError):
            transport = XetTransport(transport, environ.get("HF_ENDPOINT") or _HUB)
    return transport


_YES = frozenset({"1", "on", "yes", "true"})
_HUB = "https://huggingface.co"


class _ByScheme:
    """One transport for http and another for https."""

    def __init__(self, plain: Transport, encrypted: Transport) -> None:
        self._plain = plain
        self._encrypted = encrypted

    def open(self, request: Request) -> Answer:
        """Send *request*; see `protocols.Transport`."""
        is_encrypted = request.url[:6].lower() == "https:"
        return (self._encrypted if is_encrypted else self._plain).open(request)

    def close(self) -> None:
        """Close idle connections of both."""
        self._plain.close()
        self._encrypted.close()
