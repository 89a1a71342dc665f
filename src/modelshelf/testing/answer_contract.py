"""What every answer of a transport promises, as tests to inherit with `TransportContract`.

Each test plays a host that says exactly the bytes that the test gives it.
"""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

import gzip
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event

from modelshelf.errors import ConnectionLostError, DownloadError, InvalidAnswerError
from modelshelf.protocols import Answer, Request, Transport
from modelshelf.testing.blob_store_contract import error_of
from modelshelf.testing.scripted_host import SECONDS, Say, ScriptedHost, reset, written_answer

__all__ = ["AnswerContract", "read_all"]


def read_all(answer: Answer, portion: int = 1000) -> bytes:
    """Read a body to its end, in small portions."""
    content, buffer = b"", memoryview(bytearray(portion))
    while count := answer.read_into(buffer):
        content += buffer[:count]
    return content


class AnswerContract(ABC):
    """The promises of `protocols.Answer`: its head, and its body to the end."""

    @abstractmethod
    def make_transport(self) -> Transport:
        """Return a transport that reaches loopback directly; each test closes its own."""

    @contextmanager
    def hosting(self, *answers: bytes | Say | None) -> Iterator[tuple[Transport, ScriptedHost]]:
        """Give a transport, and a host that says *answers*."""
        host, transport = ScriptedHost(*answers), self.make_transport()
        try:
            yield transport, host
        finally:
            transport.close()
            host.close()

    # -- the head

    def test_tells_status_and_headers(self) -> None:
        """Names are in lower case, equal ones are joined, and the URL is the one that was asked."""
        said = written_answer(
            b"abc", "X-One: a", "x-one:  b ", 'ETag: W/"t"', status="206 Partial Content"
        )
        with self.hosting(said) as (transport, host):
            answer = transport.open(Request(host.url))
            assert (answer.status, answer.url) == (206, host.url)
            assert answer.headers["x-one"] == "a, b"
            assert answer.headers["etag"] == 'W/"t"'
            assert answer.headers["content-length"] == "3"
            assert read_all(answer) == b"abc"
            answer.close()
            answer.close()

    def test_passes_interim_answers_by(self) -> None:
        """What comes before the final head, such as early hints, is not the answer."""
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        with self.hosting(hints + written_answer(b"ok")) as (transport, host):
            answer = transport.open(Request(host.url))
            assert (answer.status, read_all(answer)) == (200, b"ok")
            answer.close()

    def test_follows_nothing(self) -> None:
        """A redirect is an answer like any other."""
        moved = written_answer(b"there", "Location: /b", status="302 Found")
        with self.hosting(moved) as (transport, host):
            answer = transport.open(Request(host.url))
            assert (answer.status, answer.headers["location"]) == (302, "/b")
            answer.close()
            assert len(host.requests) == 1

    def test_refuses_a_flood(self) -> None:
        """A head of more than 100 lines, or of more than 64 KiB, is no head."""
        lines = "".join(f"X-{number}: a\r\n" for number in range(200))
        long = "".join(f"X-{number}: {'a' * 3000}\r\n" for number in range(40))
        endless = f"X: {'a' * 100_000}\r\n"
        for fields in (lines, long, endless):
            said = f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n".encode()
            with self.hosting(said) as (transport, host):
                request = Request(host.url, read_timeout=5)
                error_of(InvalidAnswerError, partial(transport.open, request))

    def test_refuses_a_flood_behind_the_body(self) -> None:
        """It comes with the last bytes, while nobody reads, and none of them are lost for it."""
        trailers = "X-More: a\r\n" * 300
        head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        said = f"{head}5\r\nabcde\r\n5\r\nfghij\r\n0\r\n{trailers}".encode()
        with self.hosting(said) as (transport, host):
            answer = transport.open(Request(host.url, read_timeout=5))
            buffer = memoryview(bytearray(5))
            assert (answer.read_into(buffer), bytes(buffer)) == (5, b"abcde")
            assert (answer.read_into(buffer), bytes(buffer)) == (5, b"fghij")
            error = error_of(DownloadError, partial(answer.read_into, buffer))
            assert isinstance(error, InvalidAnswerError | ConnectionLostError)
            answer.close()

    def test_refuses_impossible_lengths(self) -> None:
        """A length that is negative, no number, beyond all files, or said twice and differently."""
        for length in ("-1", "0x10", "1_0", "9" * 30, "5\r\nContent-Length: 6"):
            said = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nabcde".encode()
            with self.hosting(said) as (transport, host):
                error_of(InvalidAnswerError, partial(transport.open, Request(host.url)))

    def test_what_is_no_http_is_no_answer(self) -> None:
        """Whatever else listens there may be gone the next time."""
        with self.hosting(b"220 mail.example ready\r\n\r\n") as (transport, host):
            error_of(ConnectionLostError, partial(transport.open, Request(host.url)))

    # -- the body

    def test_reads_exactly_the_length(self) -> None:
        """What follows the announced bytes is not read, and a buffer of any size will do."""
        content = os.urandom(300_000)
        for portion in (1, 7000, 1 << 20):
            part = content if portion > 1 else content[:500]
            with self.hosting(written_answer(part) + b"more") as (transport, host):
                answer = transport.open(Request(host.url))
                assert read_all(answer, portion) == part
                assert answer.read_into(memoryview(bytearray(9))) == 0
                answer.close()

    def test_decodes_nothing(self) -> None:
        """A body comes exactly as it was sent, packed or not."""
        packed = gzip.compress(b"a" * 10_000)
        with self.hosting(written_answer(packed, "Content-Encoding: gzip")) as (transport, host):
            answer = transport.open(Request(host.url))
            assert read_all(answer) == packed
            answer.close()

    def test_joins_chunks(self) -> None:
        """A chunked body comes without its chunks' lengths, extensions and trailer."""
        said = (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nabcde\r\n00a;name=value\r\n0123456789\r\n0\r\nX-Trailer: a\r\n\r\n"
        )
        with self.hosting(said) as (transport, host):
            answer = transport.open(Request(host.url))
            assert read_all(answer, 4) == b"abcde0123456789"
            answer.close()

    def test_reads_to_the_end_of_the_connection(self) -> None:
        """Where nothing announces the end, the connection's end is the body's."""
        with self.hosting(b"HTTP/1.1 200 OK\r\n\r\nabc") as (transport, host):
            answer = transport.open(Request(host.url))
            assert "content-length" not in answer.headers
            assert read_all(answer) == b"abc"
            answer.close()

    def test_some_answers_have_no_body(self) -> None:
        """An empty body, and the answers that have none by their status, end at once."""
        for said in (written_answer(b""), b"HTTP/1.1 204 No Content\r\n\r\n"):
            with self.hosting(said, written_answer(b"")) as (transport, host):
                answer = transport.open(Request(host.url))
                assert read_all(answer) == b""
                answer.close()

    def test_a_short_body_is_an_error(self) -> None:
        """The connection's end before the body's is never taken for the body's."""
        cut = (
            written_answer(b"a" * 5000)[:-2000],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        )
        for said in cut:
            with self.hosting(said) as (transport, host):
                answer = transport.open(Request(host.url))
                error = error_of(ConnectionLostError, partial(read_all, answer))
                assert "hidden" not in f"{error} {error.facts}"
                answer.close()

    def test_what_came_before_a_reset_is_kept(self) -> None:
        """Bytes that arrived are handed out before the break is told."""
        came = Event()

        def say(connection: socket.socket) -> None:
            connection.sendall(written_answer(b"a" * 5000)[:-1000])
            came.wait(SECONDS)
            reset(connection)

        with self.hosting(say) as (transport, host):
            answer = transport.open(Request(host.url))
            buffer, count = memoryview(bytearray(10_000)), 0
            while count < 4000:
                count += answer.read_into(buffer[count:])
            came.set()
            error_of(ConnectionLostError, partial(answer.read_into, buffer))
            answer.close()
