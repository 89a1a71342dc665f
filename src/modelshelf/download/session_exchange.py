"""One exchange over a session that a caller handed in, which is used exactly as it is."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, Protocol

import requests
import urllib3

from modelshelf.download.answer_head import content_length
from modelshelf.download.discreet_logging import discreet_logging
from modelshelf.download.guarded_connection import check_named
from modelshelf.download.origin import WebAddress, public_url
from modelshelf.download.session_failure import session_failure
from modelshelf.download.wire import (
    LARGEST_HEAD,
    MOST_HEADERS,
    BadAnswer,
    Body,
    BufferedWire,
    body_of,
)
from modelshelf.download.wire_answer import is_soon_over, read_body, shut
from modelshelf.errors import (
    ConnectionLostError,
    InvalidAnswerError,
)
from modelshelf.protocols import Request

__all__ = ["SessionAnswer", "open_in_session"]

_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "connection", "user-agent"})
"""Headers of a session that may go to any host."""
_PORTION = 1024 * 1024


class _Raw(Protocol):
    """The part of a response's `raw` that reads bytes as they were sent."""

    def read(self, amount: int, *, decode_content: bool) -> bytes:
        """Return at most *amount* bytes."""


def open_in_session(
    session: requests.Session, request: Request, address: WebAddress
) -> SessionAnswer:
    """Ask through *session*; see `protocols.Transport.open`.

    Args:
        session: Needs only `get`; what it is made of decides what can be checked.
        request: Whose headers go before the session's own.
        address: The same URL, parsed.
    """
    is_direct = _check_before(session, request, address)
    targets: list[str] = []
    try:
        with discreet_logging():
            response = session.get(
                str(address),
                headers={
                    "Accept-Encoding": "identity",
                    **request.headers,
                    **_withheld(session, request),
                },
                stream=True,
                allow_redirects=False,
                timeout=(request.connect_timeout, request.read_timeout),
                **_without_credentials(session, request),
                **_leaving_redirects(session, targets),
            )
    except (requests.RequestException, OSError, http.client.HTTPException) as error:
        failure = session_failure(error, address.public, request)
    except ValueError:
        # What replaces the library's session may still read where a redirect leads.
        failure = InvalidAnswerError(url=address.public, reason="a redirect that cannot be read")
    else:
        if targets:
            response.headers["location"] = targets[-1]
        try:
            return SessionAnswer(response, request, is_direct=is_direct)
        except BaseException:
            response.close()
            raise
    # Outside of the handler: the library's own error quotes addresses, and must not come along as context.
    raise failure


class SessionAnswer:
    """See `protocols.Answer`."""

    def __init__(self, response: requests.Response, request: Request, *, is_direct: bool) -> None:
        self.url = request.url
        self.status = int(response.status_code)
        self.headers = _headers(response.headers, public_url(request.url))
        self._public = public_url(request.url)
        if not 200 <= self.status <= 599:  # noqa: PLR2004 - what is below is interim, and above there is nothing
            # The libraries below a session take early hints for the answer.
            raise InvalidAnswerError(url=self._public, reason=f"status {self.status}")
        self._patience = request.read_timeout
        self._response = response
        self._lock = Lock()
        self._is_aborted = self._is_closed = False
        self._plain, self._socket = _plain_parts(response)
        if is_direct and self._socket is not None and request.check_peer is not None:
            request.check_peer(WebAddress.parse(request.url).origin.host, _peer(self._socket))
        try:
            self._body: Body = self._choose_body()
        except (BadAnswer, ValueError) as error:
            raise InvalidAnswerError(url=self._public, reason=str(error)) from None

    def read_into(self, buffer: memoryview) -> int:
        """See `protocols.Answer`."""
        count = read_body(self._body, buffer, self._public, self._patience)
        if self._is_aborted:
            raise ConnectionLostError(url=self._public, reason="it was broken off")
        return count

    def abort(self) -> None:
        """See `protocols.Answer`; a double without a socket notices after its current read."""
        with self._lock:
            self._is_aborted = True
            if not self._is_closed and self._socket is not None:
                shut(self._socket)

    def close(self) -> None:
        """See `protocols.Answer`."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        if self._plain is not None and not self._is_aborted and self._is_soon_over():
            # Told that nothing is left, the library lets its connection serve another request.
            self._plain.chunked, self._plain.length = False, 0
            self._plain.read()
            self._response.raw.release_conn()
        self._response.close()

    def _is_soon_over(self) -> bool:
        return self._socket is not None and is_soon_over(self._body, self._socket)

    def _choose_body(self) -> Body:
        """Read the socket itself where that is safe, or else what the session offers."""
        if self._plain is not None and self._socket is not None:
            assert isinstance(self._plain.fp, io.BufferedReader)  # noqa: S101 - `_plain_parts` made sure
            return body_of(self.status, self.headers, BufferedWire(self._plain.fp, self._socket))
        return _OfferedBody(self._response, self.headers)


class _OfferedBody:
    """A body from whatever the session made; its length is compared with what was announced."""

    is_over = False
    """See `Body`; the session alone knows what becomes of its connection."""

    def __init__(self, response: requests.Response, headers: Mapping[str, str]) -> None:
        self._left = None if "transfer-encoding" in headers else content_length(headers)
        self._held = memoryview(b"")
        self._portions = self._iterate(response, headers)

    def read_into(self, buffer: memoryview) -> int:
        """See `Body`."""
        if not self._held:
            self._held = memoryview(next(self._portions, b""))
        count = min(len(buffer), len(self._held))
        if self._left is not None:
            count = min(count, self._left)
            if count == 0 and self._left > 0:
                raise EOFError
            self._left -= count
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def _iterate(self, response: requests.Response, headers: Mapping[str, str]) -> Iterator[bytes]:
        """Yield the body, not decoded if that can be had."""
        raw: _Raw | None = getattr(response, "raw", None)
        if raw is None or not hasattr(raw, "read"):
            if headers.get("content-encoding", "identity").lower() != "identity":
                self._left = None
            yield from _translated(iter(response.iter_content(_PORTION)).__next__)
            return
        yield from _translated(lambda: _read(raw))


def _read(raw: _Raw) -> bytes:
    """Read from what may be urllib3's response, or any file."""
    try:
        portion = raw.read(_PORTION, decode_content=False)
    except TypeError:
        portion = raw.read(_PORTION)  # type: ignore[call-arg] # a plain file knows no such argument
    if not portion:
        raise StopIteration
    return portion


def _translated(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield portions until there is none; a library's error becomes the system's that it stands for."""
    while True:
        try:
            portion = read()
        except StopIteration:
            return
        except (urllib3.exceptions.ReadTimeoutError, requests.Timeout):
            failure: OSError = TimeoutError()
        except (urllib3.exceptions.HTTPError, requests.RequestException, http.client.HTTPException):
            failure = ConnectionError()
        else:
            # Nothing yet is not the end.
            if portion:
                yield portion
            continue
        raise failure


def _check_before(session: requests.Session, request: Request, address: WebAddress) -> bool:
    """Check whom the session is about to connect to, as far as that can be known.

    Returns:
        Whether the peer that answers will be the host itself, so that its address can be checked as well.
    """
    given: object = session
    if not isinstance(given, requests.Session):
        return False
    adapter = session.get_adapter(str(address))
    if type(adapter).send is not requests.adapters.HTTPAdapter.send:
        # A double, or a transport of the caller's own: it goes where it goes.
        return False
    if request.check_peer is not None:
        check_named(request.check_peer, address.origin.host)
    settings = session.merge_environment_settings(str(address), {}, True, None, None)  # noqa: FBT003 - its order
    return requests.utils.select_proxy(str(address), settings["proxies"]) is None


def _withheld(session: requests.Session, request: Request) -> dict[str, str | None]:
    """Return the session's own headers that a stranger must not get, each with None, which leaves it out."""
    own = getattr(session, "headers", None)
    if not request.is_foreign or not isinstance(own, Mapping):
        return {}
    given = {name.lower() for name in request.headers}
    return {name: None for name in own if name.lower() not in _HARMLESS | given}


def _without_credentials(session: requests.Session, request: Request) -> dict[str, Any]:
    """Return what keeps a session's own log-in, cookies and parameters out of a request to a stranger."""
    if not request.is_foreign:
        return {}
    own = getattr(session, "params", None)
    # None for each takes it out; a session's parameters of any other kind give way to any that are given.
    params = dict.fromkeys(own) if isinstance(own, Mapping) else {}
    return {"auth": _take_cookies_out, "params": params}


def _take_cookies_out(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in for a log-in, which is asked last, when the session's cookies are there already.

    A jar sends what one port set to all ports of that host, and what nobody set for a host to everybody.
    """
    prepared.headers.pop("Cookie", None)
    return prepared


def _leaving_redirects(session: requests.Session, targets: list[str]) -> dict[str, Any]:
    """Return what keeps a session from preparing to follow a redirect, for which it reads all of its body.

    That body may have no end. What the session's own hooks see and do stays as it is.

    Args:
        session: Doubles need no such thing.
        targets: Given where the redirect leads, which the session does not see.
    """
    given: object = session
    if not isinstance(given, requests.Session):
        return {}

    def hide(response: requests.Response, **_: object) -> None:
        target = response.headers.pop("location", None)
        if target is not None:
            targets.append(target)

    return {"hooks": {"response": [*given.hooks.get("response", ()), hide]}}


def _headers(headers: Mapping[str, str], url: str) -> dict[str, str]:
    """Return an answer's headers in lower case, within the limits of all transports."""
    items = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    if len(items) > MOST_HEADERS or sum(len(n) + len(v) for n, v in items.items()) > LARGEST_HEAD:
        raise InvalidAnswerError(url=url, reason="too many headers")
    return items


def _plain_parts(
    response: requests.Response,
) -> tuple[http.client.HTTPResponse | None, socket.socket | None]:
    """Return the response of `http.client` inside, and its socket, if nobody changes the bytes in between."""
    plain = getattr(getattr(response, "raw", None), "_fp", None)
    if not isinstance(plain, http.client.HTTPResponse) or not isinstance(
        plain.fp, io.BufferedReader
    ):
        return None, None
    sock = getattr(plain.fp.raw, "_sock", None)
    return (plain, sock) if isinstance(sock, socket.socket) else (None, None)


def _peer(sock: socket.socket) -> str:
    """Return the address that a socket is connected to."""
    try:
        return str(sock.getpeername()[0])
    except OSError:
        return "0.0.0.0"  # noqa: S104 - it is gone, and unknown is not allowed
