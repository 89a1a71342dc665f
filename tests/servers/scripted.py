"""A server on loopback that says, byte for byte, what a test tells it to: the hosts nobody wants to meet.

Each path has a *script*, a function that gets what was asked and the connection, and does with it what it
likes: send half a body, then a reset; one byte, then nothing; never a word. By default files are served
honestly, ranges and all, so that a test bends exactly one thing.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import NoReturn, Self
from urllib.parse import parse_qsl

from tests.servers.content import Offered, Reply

__all__ = ["Asked", "Peer", "Script", "Scripted", "in_turn", "redirect", "serve", "status"]

_LONGEST_HEAD = 64 * 1024
_PIECE = 64 * 1024
_TICK = 0.02
_PATIENCE = 30.0
"""Seconds after which a server gives a waiting script up; far more than any test takes."""


@dataclass(slots=True)
class Asked:
    """One request as the log keeps it: whether credentials came, never which."""

    method: str
    target: str = field(repr=False)
    """As it stood in the request line: with the query, or a whole URL where the server is a proxy."""
    headers: dict[str, str] = field(repr=False)
    """Names in lower case."""
    number: int = 0
    """The how-manieth request for this path, counted from 1."""
    at: float = 0.0
    """When it came, in the seconds of `time.monotonic`."""
    sent: int = 0
    """Bytes of the body that were handed to the connection."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query's names and values."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def range(self) -> str | None:
        """The `Range` header."""
        return self.headers.get("range")

    @property
    def start(self) -> int:
        """The first byte that the `Range` header wants; 0 without one."""
        return int((self.range or "bytes=0-").removeprefix("bytes=").partition("-")[0])

    @property
    def if_range(self) -> str | None:
        """The `If-Range` header."""
        return self.headers.get("if-range")

    @property
    def credentials(self) -> tuple[str, ...]:
        """Ways in which credentials came: `authorization`, `cookie`, `token` (in the query)."""
        names = ("authorization", "cookie", "proxy-authorization", "x-secret")
        given = [name for name in names if name in self.headers]
        return (*given, "token") if "token" in self.query else tuple(given)


class _OverError(Exception):
    """The script has done with this connection."""


class Peer:
    """The connection that a script answers on."""

    def __init__(self, connection: socket.socket, asked: Asked, stopping: Event) -> None:
        self.connection = connection
        """The socket, for what has no method here."""
        self._asked = asked
        self._stopping = stopping

    def send(self, data: bytes | memoryview) -> None:
        """Send *data* as it is, uncounted."""
        self.connection.sendall(data)

    def head(self, reply: Reply) -> None:
        """Send the head of *reply*."""
        self.send(reply.head)

    def body(self, data: bytes | memoryview) -> None:
        """Send bytes of a body, and count them."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            piece = view[start : start + _PIECE]
            self.connection.sendall(piece)
            self._asked.sent += len(piece)

    def reply(self, reply: Reply, upto: int | None = None) -> None:
        """Send *reply*, or its head and the first *upto* bytes of its body."""
        body = memoryview(reply.body)[:upto]
        if len(body) > _PIECE:
            self.head(reply)
            self.body(body)
            return
        # In one piece, as servers send what is short: what came with the head is what a client finds there.
        self.send(reply.head + body)
        self._asked.sent += len(body)

    def chunk(self, data: bytes | memoryview) -> None:
        """Send *data* as one chunk of a chunked body; an empty one is the last."""
        self.send(b"%x\r\n" % len(data))
        self.body(data)
        self.send(b"\r\n")

    def drip(self, data: bytes | memoryview, every: float = 0.05) -> None:
        """Send *data* byte by byte, until it is sent or the other side goes."""
        for at in range(len(data)):
            if self._stopping.wait(every):
                raise _OverError
            self.body(memoryview(data)[at : at + 1])

    def delivered(self) -> None:
        """Wait until the other side's system has everything that was sent."""
        waiting = array.array("i", [1])
        until = time.monotonic() + _PATIENCE
        while waiting[0] and time.monotonic() < until and not self._stopping.is_set():
            fcntl.ioctl(self.connection, termios.TIOCOUTQ, waiting)
            self._stopping.wait(_TICK / 10)

    def reset(self) -> NoReturn:
        """Break the connection off with RST, once what was sent has arrived."""
        self.delivered()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _OverError

    def hang_up(self) -> NoReturn:
        """End the connection with FIN."""
        raise _OverError

    def hold(self) -> NoReturn:
        """Say nothing more until the other side goes."""
        while not self._stopping.is_set() and not self.is_gone():
            self._stopping.wait(_TICK)
        raise _OverError

    def is_gone(self) -> bool:
        """Tell whether the other side has closed the connection."""
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def wait(self, event: Event) -> None:
        """Say nothing until *event*."""
        until = time.monotonic() + _PATIENCE
        while not event.wait(_TICK):
            if self._stopping.is_set() or time.monotonic() > until:
                raise _OverError


Script = Callable[[Asked, Peer], None]


def serve(offered: Offered) -> Script:
    """Answer as a server without faults does."""
    return lambda asked, peer: peer.reply(offered.answer(asked.range, asked.if_range))


def status(code: int, said: bytes = b"", /, **headers: str) -> Script:
    """Answer with a status; header names are written with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _asked, peer: peer.reply(
        Reply(code, {"content-length": str(len(said))} | named, said)
    )


def redirect(target: str, code: int = 302, **headers: str) -> Script:
    """Send the request on to *target*."""
    return status(code, b"", location=target, **headers)


def in_turn(*scripts: Script) -> Script:
    """Play the first script for the first request, and so on; the last one for all that follow."""
    return lambda asked, peer: scripts[min(asked.number, len(scripts)) - 1](asked, peer)


class Scripted:
    """Serves scripts by path until its context ends; the log is the witness of what was asked.

    Example::

        with Scripted() as server:
            server.on("/x", in_turn(status(503), serve(Offered(payload()))))
            ...
            assert server.count("/x") == 2
    """

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        listening: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take a free port.

        Args:
            address: Where: any address of loopback.
            listening: Whether connections are taken from the beginning; until `listen` they are refused.
            tls: Speak TLS with this certificate.
        """
        self.connections = 0
        """How many connections were accepted."""
        self.received = 0
        """Bytes that came in, on all connections together."""
        self.handshakes: list[str] = []
        """What became of the TLS handshakes that failed."""
        self._scripts: dict[str, Script] = {}
        self._otherwise: Script = status(404)
        self._counts: Counter[str] = Counter()
        self._log: list[Asked] = []
        self._lock = Lock()
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._open: set[socket.socket] = set()
        self._tls = tls
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind((address, 0))
        self._address = f"[{address}]" if ":" in address else address
        self.port: int = self._socket.getsockname()[1]
        """The TCP port."""
        if listening:
            self.listen()

    def url(self, path: str = "", *, host: str | None = None) -> str:
        """Return the address of *path*; *host* is another name for the same machine."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{host or self._address}:{self.port}{path}"

    def listen(self) -> None:
        """Take connections from now on."""
        self._socket.listen(128)
        self._spawn(self._accept)

    def on(self, path: str, script: Script) -> str:
        """Play *script* for every request for *path*, which may stand for a query of any kind.

        Returns:
            The address of *path*.
        """
        self._scripts[path] = script
        return self.url(path)

    def otherwise(self, script: Script) -> None:
        """Play *script* for every path that has none; without that it is 404."""
        self._otherwise = script

    def requests(self, path: str | None = None) -> list[Asked]:
        """Return what was asked, in the order in which it came: for one path, or everything."""
        with self._lock:
            return [asked for asked in self._log if path in {None, asked.path}]

    def count(self, path: str | None = None) -> int:
        """Return how many requests there were."""
        return len(self.requests(path))

    def sent(self, path: str | None = None) -> int:
        """Return how many bytes of bodies were handed to the connections."""
        return sum(asked.sent for asked in self.requests(path))

    def unread(self) -> int:
        """Return how many bytes that were sent no client has read: they lie in buffers of the system."""
        with self._lock:
            connections = list(self._open)
        # `proc(5)`: the second field is the socket, the third its peer, the fifth what waits in it.
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        waiting = {
            int(line[1].rpartition(":")[2], 16): int(line[4].rpartition(":")[2], 16)
            for line in lines
            if int(line[2].rpartition(":")[2], 16) == self.port
        }
        total = 0
        queue = array.array("i", [0])
        for connection in connections:
            with contextlib.suppress(OSError):
                fcntl.ioctl(connection, termios.TIOCOUTQ, queue)
                total += queue[0] + waiting.get(connection.getpeername()[1], 0)
        return total

    def cut_all(self) -> None:
        """Break every connection off, as a router does that is switched off and on."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # A socket that only closes does not wake a thread that accepts on it.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.cut_all()
        for thread in self._threads:
            thread.join(_PATIENCE)
        # A thread that accepted at the last moment is in the list by now.
        self.cut_all()

    def _spawn(self, act: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=act, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._spawn(self._talk, connection)

    def _talk(self, plain: socket.socket) -> None:
        connection = plain
        try:
            if self._tls is not None:
                plain.settimeout(_PATIENCE)
                connection = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(connection)
            with contextlib.suppress(ConnectionError, _OverError, ssl.SSLError):
                while not self._stopping.is_set() and self._exchange(connection):
                    pass
        except OSError as error:
            self.handshakes.append(str(error))
        finally:
            with self._lock:
                self._open.discard(connection)
                self._open.discard(plain)
            connection.close()

    def _exchange(self, connection: socket.socket) -> bool:
        """Answer one request; say whether there may be another on the same connection."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(_PIECE)
            self.received += len(data)
            if not data or len(head) > _LONGEST_HEAD:
                return False
            head += data
            if head[:1] == b"\x16":
                # A TLS handshake; a server that speaks plain HTTP says so.
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                return False
        first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        fields = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        asked = Asked(method, target, headers, at=time.monotonic())
        with self._lock:
            self._counts[asked.path] += 1
            asked.number = self._counts[asked.path]
            self._log.append(asked)
        script = self._scripts.get(asked.path, self._otherwise)
        script(asked, Peer(connection, asked, self._stopping))
        return headers.get("connection", "").lower() != "close"
