import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from modelshelf.download.wire import BadAnswer, BufferedWire, SocketWire, body_of, read_head


@contextmanager
def wired(said: bytes) -> Iterator[socket.socket]:
    """Give the end of a connection on which *said* lies, and then nothing more."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        yield ours


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 600 Beyond\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\rc: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\r\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_refuses_heads_that_break_the_rules(said: bytes) -> None:
    """What two readers could read in two ways is no head."""
    with wired(said) as sock, pytest.raises(BadAnswer):
        read_head(SocketWire(sock))


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\r\n\r\n",
        b"ICY 200 OK\r\n",
    ],
)
def test_knows_what_is_no_http(said: bytes) -> None:
    """Another protocol is a connection that broke, as far as one can tell."""
    with wired(said) as sock, pytest.raises(ConnectionAbortedError):
        read_head(SocketWire(sock))


def test_an_end_within_the_head_is_told() -> None:
    """A head that stops is no head, in whatever line it stops."""
    for said in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\na: b\r\n"):
        with wired(said) as sock, pytest.raises(EOFError):
            read_head(SocketWire(sock))


@pytest.mark.parametrize(
    ("said", "may_stay"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 200\r\nConnection: close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\nConnection: Keep-Alive\n\n", True),
    ],
)
def test_tells_whether_the_connection_may_stay(said: bytes, may_stay: bool) -> None:  # noqa: FBT001 - a table's column
    """As the host wishes, and as the version has it by default."""
    with wired(said) as sock:
        assert read_head(SocketWire(sock)).may_stay is may_stay


def test_blanks_around_a_value_are_no_part_of_it_and_those_inside_are() -> None:
    """However many there are: a head full of them is read at once."""
    value = "x" + " \t" * 30_000 + "y"
    with wired(f"HTTP/1.1 200 OK\r\nA: \t{value} \r\nb:\r\n\r\n".encode()) as sock:
        assert read_head(SocketWire(sock)).headers == {"a": value, "b": ""}


@pytest.mark.parametrize("portion", [1, 3, 100_000])
@pytest.mark.parametrize("coding", ["measured", "chunked", "open"])
def test_a_body_may_begin_in_somebody_elses_buffer(coding: str, portion: int) -> None:
    """What another reader took early comes first, and the rest straight from the socket."""
    content = bytes(range(256)) * 200
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (content[:7], content[7:]))
    headers, said = {
        "measured": ({"content-length": str(len(content))}, content + b"more"),
        "chunked": ({"transfer-encoding": "Chunked"}, chunks + b"0\r\n\r\n"),
        "open": ({}, content),
    }[coding]
    with wired(said) as sock, sock.makefile("rb") as first:
        assert isinstance(first, io.BufferedReader)
        first.peek(1)
        body = body_of(200, headers, BufferedWire(first, sock))
        got, buffer = bytearray(), memoryview(bytearray(portion))
        while count := body.read_into(buffer):
            got += buffer[:count]
        assert bytes(got) == content
        assert body.is_over is (coding != "open")


def test_a_body_in_somebody_elses_buffer_may_be_cut() -> None:
    """An end that comes too early is told there as well."""
    for headers, said in (
        ({"content-length": "9"}, b"abc"),
        ({"transfer-encoding": "chunked"}, b"5\r\nabc"),
        ({"transfer-encoding": "chunked"}, b"5"),
    ):
        with wired(said) as sock, sock.makefile("rb") as first:
            assert isinstance(first, io.BufferedReader)
            body = body_of(200, headers, BufferedWire(first, sock))
            with pytest.raises(EOFError):
                sum(iter(partial(body.read_into, memoryview(bytearray(100))), 0))


def test_a_line_of_a_chunk_has_a_limit_in_both_readers() -> None:
    """An extension without end is no chunk."""
    said = b"5;" + b"a" * 5000
    for kind in ("socket", "buffered"):
        with wired(said) as sock, sock.makefile("rb") as first:
            assert isinstance(first, io.BufferedReader)
            wire = SocketWire(sock) if kind == "socket" else BufferedWire(first, sock)
            body = body_of(200, {"transfer-encoding": "chunked"}, wire)
            with pytest.raises(BadAnswer):
                body.read_into(memoryview(bytearray(10)))
