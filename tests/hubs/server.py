"""One origin of a stand-in: a threaded HTTP server on loopback that keeps a log of who asked what."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["Answer", "Exchange", "Origin", "Request", "Slice", "json_answer"]

_STEP = 64 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as the log keeps it: whether credentials came, never which."""

    origin: str
    """`api` or `files`."""
    method: str
    path: str
    """Without the query, which may hold secrets."""
    range: str | None
    """The `Range` header."""
    if_range: str | None
    """The `If-Range` header."""
    credentials: tuple[str, ...]
    """Ways in which credentials came: `authorization`, `cookie`, `token` (in the query)."""
    status: int
    """What was answered."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    """As sent, percent signs and all, without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def steps(self) -> list[str]:
        """The path's steps, each decoded by itself: a branch may have a slash in its name."""
        return [unquote(step) for step in self.path.split("/")[1:]]

    @property
    def bearer(self) -> str | None:
        """The token of the `Authorization` header; None without one."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None

    @property
    def credentials(self) -> tuple[str, ...]:
        """Ways in which credentials came."""
        given = [name for name in ("authorization", "cookie") if name in self.headers]
        return (*given, "token") if "token" in self.query else tuple(given)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some bytes of a file, read while they are sent."""

    path: Path
    start: int
    length: int


@dataclass(slots=True)
class Answer:
    """What the server says to it."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Slice = b""
    sent: Callable[[int], bool] = lambda _: True
    """Told before each piece how many bytes it had; False breaks the connection
    off behind it."""


def json_answer(
    document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with *document* as JSON."""
    return Answer(
        status,
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        json.dumps(document).encode(),
    )


class Origin:
    """Serves what `answer` says until the context ends. Subclasses say what that is."""

    def __init__(self, name: str, log: list[Exchange]) -> None:
        self.name = name
        self.log = log
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        # Threads are joined when the context ends, so that no socket outlives its test.
        self._server.daemon_threads = False
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def answer(self, request: Request) -> Answer:
        """Say what to answer; runs in the connection's thread."""
        raise LookupError(request.path)

    @property
    def url(self) -> str:
        """Scheme, address and port: an origin, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def requests(self, method: str = "", path: str = "") -> list[Exchange]:
        """Return what this origin was asked: with that method and with *path* in its path."""
        with self._lock:
            return [
                one
                for one in self.log
                if one.origin == self.name and one.method.startswith(method) and path in one.path
            ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def _note(self, request: Request, status: int) -> None:
        with self._lock:
            self.log.append(
                Exchange(
                    self.name,
                    request.method,
                    request.path,
                    request.headers.get("range"),
                    request.headers.get("if-range"),
                    request.credentials,
                    status,
                )
            )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body leave in two writes; Nagle would make the second wait.
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                with origin._lock:
                    origin._connections.add(self.connection)

            def finish(self) -> None:
                with origin._lock:
                    origin._connections.discard(self.connection)
                with contextlib.suppress(OSError):
                    super().finish()

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def do_GET(self) -> None:
                request = self._request()
                answer = origin.answer(request)
                origin._note(request, answer.status)
                _send(self, request, answer)

            do_HEAD = do_POST = do_GET  # noqa: N815 - the names that the library looks for

            def log_message(self, *_: object) -> None:
                """Say nothing: the log is the witness."""

            def _request(self) -> Request:
                path, _, query = self.path.partition("?")
                return Request(
                    self.command,
                    urlsplit(path).path,
                    dict(parse_qsl(query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(int(self.headers.get("Content-Length") or 0)),
                )

        return Handler


def _send(handler: BaseHTTPRequestHandler, request: Request, answer: Answer) -> None:
    body = answer.body
    is_text = "text" in answer.headers.get("Content-Type", "")
    if (
        is_text
        and isinstance(body, bytes)
        and request.method == "GET"
        and "gzip" in request.headers.get("accept-encoding", "")
    ):
        # As the hub's CDN does: compressed on the fly, so no length is known, and no range is cut.
        _send_chunked(handler, answer, gzip.compress(body))
        return
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if "Content-Length" not in answer.headers:
        length = len(body) if isinstance(body, bytes) else body.length
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    if request.method != "HEAD":
        _send_body(handler, answer)


def _send_chunked(handler: BaseHTTPRequestHandler, answer: Answer, body: bytes) -> None:
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        if name not in {"Content-Length", "Accept-Ranges"}:
            handler.send_header(name, value)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    answer.sent(len(body))
    handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


def _send_body(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    body = answer.body
    if isinstance(body, bytes):
        if body:
            goes_on = answer.sent(len(body))
            handler.wfile.write(body)
            handler.close_connection |= not goes_on
        return
    with body.path.open("rb") as stream:
        stream.seek(body.start)
        left = body.length
        while left:
            piece = stream.read(min(_STEP, left))
            # Counted first: whoever has read the last byte finds it in the count.
            goes_on = answer.sent(len(piece))
            handler.wfile.write(piece)
            left -= len(piece)
            if not goes_on:
                handler.close_connection = True
                return
