"""What went wrong in a session that a caller handed in, in our words."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import requests

from modelshelf.download.guarded_connection import words_of
from modelshelf.errors import (
    ConnectionLostError,
    DownloadError,
    InvalidAnswerError,
    InvalidDownloadError,
    ProxyError,
    StalledError,
    TlsError,
)
from modelshelf.protocols import Request

__all__ = ["session_failure"]


def session_failure(error: Exception, url: str, request: Request) -> DownloadError:
    """Say in our words what a session said in its own."""
    causes = list(_causes(error))
    words = words_of(causes[-1])
    match error:
        case requests.exceptions.ProxyError():
            failure: DownloadError = ProxyError(url=url, reason=words)
        case requests.exceptions.SSLError():
            failure = _tls_failure(causes, url)
        case requests.exceptions.ConnectTimeout():
            failure = ConnectionLostError(url=url, reason="nobody answered in time")
        case requests.Timeout() | TimeoutError():
            failure = StalledError(url=url, reason=f"{request.read_timeout:g} seconds")
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            reason = "the session cannot ask for such an address"
            failure = InvalidDownloadError(url=url, reason=reason)
        case requests.exceptions.InvalidHeader():
            failure = InvalidAnswerError(url=url, reason="an impossible header")
        case _ if any(_is_flood(cause) for cause in causes):
            failure = InvalidAnswerError(url=url, reason="too many headers")
        case _:
            failure = ConnectionLostError(url=url, reason=words)
    return failure


def _tls_failure(causes: list[BaseException], url: str) -> DownloadError:
    """Tell a host that cannot prove who it is from one that hung up."""
    for cause in causes:
        # Errors that a double made lack what OpenSSL's own have.
        words = getattr(cause, "verify_message", None) or getattr(cause, "reason", None)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsError(url=url, reason=words or "the certificate is wrong")
        if isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return ConnectionLostError(url=url, reason="it closed during the handshake")
        if isinstance(cause, ssl.SSLError) and isinstance(words, str) and words:
            return TlsError(url=url, reason=words.lower())
    return TlsError(url=url, reason="the handshake failed")


def _is_flood(error: BaseException) -> bool:
    """Tell whether the standard library gave up on a head that was too large."""
    return isinstance(error, http.client.LineTooLong) or "got more than" in str(error)[:40]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was made from, outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [
            current.__cause__,
            current.__context__,
            getattr(current, "reason", None),
            *current.args,
        ]
        waiting.extend(one for one in inner if isinstance(one, BaseException))
