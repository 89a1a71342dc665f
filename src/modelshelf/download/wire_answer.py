"""One exchange over a connection of our own."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from threading import Lock

from modelshelf.download.guarded_connection import Connection, basic_credentials, words_of
from modelshelf.download.origin import WebAddress, public_url
from modelshelf.download.wire import (
    BadAnswer,
    Body,
    Head,
    MeasuredBody,
    SocketWire,
    body_of,
    read_head,
)
from modelshelf.errors import ConnectionLostError, InvalidAnswerError, StalledError
from modelshelf.protocols import Request

__all__ = ["StaleConnectionError", "WireAnswer", "ask", "is_soon_over", "read_body", "shut"]

_SWALLOWED = 64 * 1024
"""Bytes of a body nobody wants, such as a redirect's, that are read so that the connection can stay."""


class StaleConnectionError(Exception):
    """The host closed a kept connection before it saw the request, which can therefore be sent again."""


def ask(
    connection: Connection,
    request: Request,
    address: WebAddress,
    headers: Mapping[str, str],
    give_back: Callable[[Connection], None],
    *,
    is_kept: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> WireAnswer:
    """Send a request over *connection*, and read the head of the answer.

    Args:
        connection: Belongs to the answer from here on, and is closed when this fails.
        request: Whose time-out for reading is used.
        address: What is asked for.
        headers: All headers, in lower case, checked.
        give_back: Takes the connection when the body was read to its end.
        is_kept: Whether the connection served an earlier request.
        clock: Seconds that only ever grow.

    Raises:
        StaleConnectionError: A kept connection ended before the first byte of an answer.
        StalledError: No head came in time.
        ConnectionLostError: The connection broke.
        InvalidAnswerError: What came is no head.
    """
    target, sent = address.target, dict(headers)
    if connection.proxy is not None:
        target = str(address)
        if connection.proxy.user is not None:
            sent["proxy-authorization"] = basic_credentials(connection.proxy.user)
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    url = address.public
    failure: Exception
    wire = SocketWire(connection.socket, clock=clock)
    try:
        # Each wait is short where bytes trickle in, so the whole head has an end as well.
        wire.deadline = clock() + 2 * request.read_timeout
        connection.socket.settimeout(request.read_timeout)
        connection.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        head = read_head(wire)
        wire.deadline = None
        body = body_of(head.status, head.headers, wire)
        return WireAnswer(request, connection, head, body, wire, give_back)
    except TimeoutError:
        failure = StalledError(url=url, reason=f"{request.read_timeout:g} seconds")
    except (EOFError, ConnectionError, ssl.SSLEOFError) as error:
        failure = ConnectionLostError(url=url, reason=words_of(error))
        if is_kept and wire.is_untouched:
            failure = StaleConnectionError()
    except OSError as error:
        failure = ConnectionLostError(url=url, reason=words_of(error))
    except BadAnswer as error:
        failure = InvalidAnswerError(url=url, reason=str(error))
    except BaseException:
        connection.close()
        raise
    connection.close()
    raise failure


def read_body(body: Body, buffer: memoryview, url: str, patience: float) -> int:
    """Read the next bytes of a body, and say what went wrong as a transport does."""
    try:
        return body.read_into(buffer)
    except TimeoutError:
        failure: ConnectionLostError = StalledError(url=url, reason=f"{patience:g} seconds")
    except (OSError, EOFError) as error:
        failure = ConnectionLostError(url=url, reason=words_of(error))
    except BadAnswer as error:
        failure = ConnectionLostError(url=url, reason=f"it sent {error}")
    raise failure


class WireAnswer:
    """See `protocols.Answer`."""

    def __init__(
        self,
        request: Request,
        connection: Connection,
        head: Head,
        body: Body,
        wire: SocketWire,
        give_back: Callable[[Connection], None],
    ) -> None:
        self.url = request.url
        self.status = head.status
        self.headers = head.headers
        self._public = public_url(request.url)
        self._patience = request.read_timeout
        self._connection = connection
        self._may_stay = head.may_stay
        self._body = body
        self._wire = wire
        self._give_back = give_back
        self.is_followed = False
        """Whether a body went on behind its announced length, as far as that was here when this was closed."""
        self._is_aborted = False
        self._is_closed = False
        self._lock = Lock()

    def read_into(self, buffer: memoryview) -> int:
        """See `protocols.Answer`."""
        count = read_body(self._body, buffer, self._public, self._patience)
        # A socket that was shut down ends without an error, and what was in it may still come.
        if self._is_aborted:
            raise ConnectionLostError(url=self._public, reason="it was broken off")
        return count

    def abort(self) -> None:
        """See `protocols.Answer`."""
        with self._lock:
            self._is_aborted = True
            if not self._is_closed:
                shut(self._connection.socket)

    def close(self) -> None:
        """See `protocols.Answer`."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            # From here on the connection may be another exchange's, which `abort` must not touch.
        self.is_followed = not self._is_aborted and self._goes_on()
        if self._may_stay and not self._is_aborted and self._is_read():
            self._give_back(self._connection)
        else:
            self._connection.close()

    def _goes_on(self) -> bool:
        """Tell whether more of the body lies behind its last byte.

        Blank lines are none of it, nor is an answer that nobody asked for, with which hosts say goodbye.
        """
        if not isinstance(self._body, MeasuredBody) or not self._body.is_over:
            return False
        behind = self._wire.look_behind().lstrip(b"\r\n")
        return bool(behind) and not behind.startswith(b"HTTP/")

    def _is_read(self) -> bool:
        """Tell whether the body is over and nothing follows it; read what little of it is already here."""
        return is_soon_over(self._body, self._connection.socket) and self._wire.held == 0


def is_soon_over(body: Body, sock: socket.socket) -> bool:
    """Tell whether nothing is left of *body*, once what little of it is already here was read."""
    try:
        usual = sock.gettimeout()
        sock.settimeout(0)
        rest = memoryview(bytearray(_SWALLOWED))
        while not body.is_over and len(rest) > 0:
            count = body.read_into(rest)
            if count == 0:
                break
            rest = rest[count:]
        sock.settimeout(usual)
    except (OSError, EOFError, ValueError):
        return False
    return body.is_over


def shut(sock: socket.socket) -> None:
    """Wake whoever waits for *sock*, from any thread."""
    try:
        # Past the method of a TLS socket, which would go on reading as if its cipher text were content.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return
