"""Requests as they may be sent: addresses and headers that nobody can read in two ways."""

from __future__ import annotations

import re
from collections.abc import Mapping

from modelshelf.download.origin import WebAddress, public_url
from modelshelf.errors import InvalidDownloadError
from modelshelf.protocols import Request

__all__ = ["parsed", "sendable_headers"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_OURS = frozenset(
    {"connection", "content-length", "host", "proxy-authorization", "transfer-encoding"}
)


def parsed(request: Request) -> WebAddress:
    """Return the address that a request is for, and check its headers.

    Raises:
        InvalidDownloadError: The address is none, or a header would end its line early or decide where a
            message ends.
    """
    try:
        address = WebAddress.parse(request.url)
    except ValueError as error:
        raise InvalidDownloadError(url=public_url(request.url), reason=str(error)) from None
    for name, value in request.headers.items():
        if not _NAME.match(name) or name.lower() in _OURS or not _is_sendable(value):
            reason = f"the header {name[:40]!r} cannot be sent"
            raise InvalidDownloadError(url=address.public, reason=reason)
    return address


def sendable_headers(request: Request, address: WebAddress, agent: str) -> Mapping[str, str]:
    """Return all headers of a checked request, names in lower case."""
    headers = {
        "host": address.origin.host_header,
        "user-agent": agent,
        "accept": "*/*",
        "accept-encoding": "identity",
    }
    return headers | {name.lower(): value.strip(" \t") for name, value in request.headers.items()}


def _is_sendable(value: str) -> bool:
    """Tell whether a header's value is one line that the wire can hold."""
    return all(one == "\t" or ("\x20" <= one <= "\xff" and one != "\x7f") for one in value)
