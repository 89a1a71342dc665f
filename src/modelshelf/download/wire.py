"""What lies on a connection: the head of an HTTP/1.1 answer, and its body to the last byte.

Read by us and not by `http.client`, because a download must know exactly how much came before a connection
broke, must not wait for a full buffer, and must not believe a head without end. Python's own reader also
takes `-5` and `0_1` for lengths.
"""

from __future__ import annotations

import errno
import re
import select
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from socket import socket
from ssl import SSLSocket
from typing import Protocol

from modelshelf.download.answer_head import content_length

__all__ = [
    "BadAnswer",
    "Body",
    "BufferedWire",
    "Head",
    "MeasuredBody",
    "SocketWire",
    "Wire",
    "body_of",
    "read_head",
]

LARGEST_HEAD = 64 * 1024
"""Bytes of all header lines together, interim answers included."""
MOST_HEADERS = 100
"""Header lines of one answer."""
_LONGEST_LINE = 4096
_PORTION = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t].*)?\r?\n\Z", re.DOTALL)
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CHUNK = re.compile(rb"0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n\Z")


class BadAnswer(ValueError):  # noqa: N818 - never leaves this package: it becomes an InvalidAnswerError
    """What came breaks the protocol; the text continues `answered with …`."""


class Wire(Protocol):
    """Bytes as they come in, with the few that were read too early."""

    def read_into(self, buffer: memoryview, most: int) -> int:
        """Put at most *most* bytes into *buffer* as soon as there are any; 0 at the end of the connection."""

    def line(self, longest: int) -> bytes:
        """Return a line with its end; `EOFError` where the connection ends before, `BadAnswer` if longer."""


class SocketWire:
    """Reads a socket without anything in between."""

    def __init__(self, sock: socket, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sock = sock
        self._held = bytearray()
        self._clock = clock
        self.is_untouched = True
        """Whether no byte came yet, as far as lines were asked for."""
        self.deadline: float | None = None
        """When a line must be here, by the clock; None sets no limit beyond the socket's own."""

    @property
    def held(self) -> int:
        """Bytes that were read and not yet taken."""
        return len(self._held)

    def read_into(self, buffer: memoryview, most: int) -> int:
        """See `Wire`."""
        if not self._held:
            return self._sock.recv_into(buffer, most)
        count = min(most, len(buffer), len(self._held))
        buffer[:count] = self._held[:count]
        del self._held[:count]
        return count

    def look_behind(self) -> bytes:
        """Return what is here already behind all that was read, without waiting and without taking it."""
        with suppress(OSError, ValueError):
            if not self._held and self._has_more():
                self._held += self._sock.recv(_PORTION)
        return bytes(self._held[:_PORTION])

    def _has_more(self) -> bool:
        if isinstance(self._sock, SSLSocket):
            # What lies on the socket below may be the protocol's own, for which one would have to wait.
            return self._sock.pending() > 0
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def line(self, longest: int) -> bytes:
        """See `Wire`."""
        seen = 0
        while (end := self._held.find(b"\n", seen, longest)) < 0:
            seen = len(self._held)
            if seen >= longest:
                message = f"a line of more than {longest} bytes"
                raise BadAnswer(message)
            # A byte now and then keeps each single wait short, so the whole has a limit of its own.
            if self.deadline is not None and self._clock() >= self.deadline:
                raise TimeoutError
            portion = self._sock.recv(_PORTION)
            if not portion:
                raise EOFError
            self.is_untouched = False
            self._held += portion
        line = bytes(self._held[: end + 1])
        del self._held[: end + 1]
        return line


class BufferedWire:
    """Reads a socket whose first bytes somebody else's buffered reader already took."""

    def __init__(self, first: BufferedReader, sock: socket) -> None:
        self._first = first
        self._rest = SocketWire(sock)
        self._is_drained = False

    def read_into(self, buffer: memoryview, most: int) -> int:
        """See `Wire`."""
        if self._is_drained:
            return self._rest.read_into(buffer, most)
        ready = len(self._first.peek(1))
        count = min(most, len(buffer), ready)
        buffer[:count] = self._first.read1(count) if count else b""
        # Only a reader that gave away all it held may be passed by.
        self._is_drained = 0 < count == ready
        return count

    def line(self, longest: int) -> bytes:
        """See `Wire`."""
        if self._is_drained:
            return self._rest.line(longest)
        line = self._first.readline(longest)
        if not line.endswith(b"\n"):
            if len(line) < longest:
                raise EOFError
            message = f"a line of more than {longest} bytes"
            raise BadAnswer(message)
        return line


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a final answer."""

    status: int
    """200 to 599."""
    headers: Mapping[str, str]
    """Names in lower case; what came twice is joined by `, `."""
    may_stay: bool
    """Whether the connection may serve another request after the body."""


def read_head(wire: Wire) -> Head:
    """Read the head of the answer, passing by interim ones.

    Raises:
        BadAnswer: It is no HTTP/1, larger than 64 KiB or 100 lines, or written against the rules.
        EOFError: The connection ended first.
        ConnectionAbortedError: What came is no HTTP.
    """
    room = LARGEST_HEAD
    while True:
        line = wire.line(room)
        room -= len(line)
        first = _STATUS_LINE.match(line)
        if first is None:
            # Something between here and the host may have spoken: trying again may help.
            raise ConnectionAbortedError(errno.ECONNABORTED, "what came is no HTTP")
        status = int(first[2])
        headers, room = _fields(wire, room)
        if status >= 200:  # noqa: PLR2004 - what is below is interim
            break
        if status == 101:  # noqa: PLR2004 - switching protocols, for which nobody asked
            message = "a change of protocol"
            raise BadAnswer(message)
    if status > 599:  # noqa: PLR2004 - no class of answers is there
        message = f"the impossible status {status}"
        raise BadAnswer(message)
    wishes = headers.get("connection", "").lower()
    stays = "close" not in wishes and (first[1] != b"0" or "keep-alive" in wishes)
    return Head(status, headers, may_stay=stays)


def _fields(wire: Wire, room: int) -> tuple[dict[str, str], int]:
    """Read header lines up to the empty one; also return how many bytes are left of *room*."""
    fields: dict[str, str] = {}
    for _ in range(MOST_HEADERS + 1):
        if room <= 0:
            break
        line = wire.line(room)
        room -= len(line)
        if line in {b"\r\n", b"\n"}:
            return fields, room
        # A pattern for the whole would take the square of the blanks inside a value.
        first, colon, rest = line.removesuffix(b"\n").removesuffix(b"\r").partition(b":")
        rest = rest.strip(b" \t")
        if not colon or _NAME.fullmatch(first) is None or b"\0" in rest or b"\r" in rest:
            message = "a header line that is none"
            raise BadAnswer(message)
        name, value = first.decode("ascii").lower(), rest.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    message = f"more than {MOST_HEADERS} header lines, or more than {LARGEST_HEAD} bytes of them"
    raise BadAnswer(message)


class Body(Protocol):
    """The content of one answer, as it lies on the wire."""

    @property
    def is_over(self) -> bool:
        """Whether the last byte was read, by the body's own account and not because the connection ended."""

    def read_into(self, buffer: memoryview) -> int:
        """Return how many bytes were put into *buffer*, 0 at the end; `EOFError` where it ends too early."""


def body_of(status: int, headers: Mapping[str, str], wire: Wire) -> Body:
    """Choose how the end of the body is found (RFC 9112, section 6.3).

    Raises:
        BadAnswer: The length is impossible, or the transfer coding is one that nobody asked for.
    """
    coding = headers.get("transfer-encoding")
    if status in {204, 304}:
        return MeasuredBody(wire, 0)
    if coding is not None:
        if coding.strip().lower() != "chunked":
            message = f"the transfer coding {coding[:40]!r}"
            raise BadAnswer(message)
        return ChunkedBody(wire)
    try:
        length = content_length(headers)
    except ValueError as error:
        raise BadAnswer(str(error)) from None
    return OpenBody(wire) if length is None else MeasuredBody(wire, length)


class MeasuredBody:
    """A body whose length was announced."""

    def __init__(self, wire: Wire, length: int) -> None:
        self._wire = wire
        self._left = length

    @property
    def is_over(self) -> bool:
        """See `Body`."""
        return self._left == 0

    def read_into(self, buffer: memoryview) -> int:
        """See `Body`."""
        if self._left == 0:
            return 0
        count = self._wire.read_into(buffer, min(len(buffer), self._left))
        if count == 0:
            raise EOFError
        self._left -= count
        return count


class ChunkedBody:
    """A body in chunks, each with its length before it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._left = 0
        self._is_first = True
        self.is_over = False
        """See `Body`."""

    def read_into(self, buffer: memoryview) -> int:
        """See `Body`."""
        if self.is_over:
            return 0
        if self._left == 0 and not self._begin_chunk():
            return 0
        count = self._wire.read_into(buffer, min(len(buffer), self._left))
        if count == 0:
            raise EOFError
        self._left -= count
        return count

    def _begin_chunk(self) -> bool:
        """Read the line before the next chunk, or what follows the last one; tell whether there is a chunk."""
        if not self._is_first and self._wire.line(2) not in {b"\r\n", b"\n"}:
            message = "a chunk without an end"
            raise BadAnswer(message)
        self._is_first = False
        match = _CHUNK.match(self._wire.line(_LONGEST_LINE))
        if match is None:
            message = "a chunk without a length"
            raise BadAnswer(message)
        self._left = int(match[1], 16)
        if self._left == 0:
            _fields(self._wire, LARGEST_HEAD)
            self.is_over = True
        return not self.is_over


class OpenBody:
    """A body that ends when the connection does; whether that was meant, nobody can tell."""

    is_over = False
    """See `Body`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def read_into(self, buffer: memoryview) -> int:
        """See `Body`."""
        return self._wire.read_into(buffer, len(buffer))
