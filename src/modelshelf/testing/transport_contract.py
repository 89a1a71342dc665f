"""What every transport promises, as tests to inherit, against real sockets on loopback.

A test module subclasses `TransportContract` and supplies `make_transport`. Each test plays a host that says
exactly the bytes that the test gives it.
"""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

import socket
from functools import partial
from threading import Event, Thread

from modelshelf.errors import (
    ConnectionLostError,
    ForbiddenAddressError,
    InvalidDownloadError,
    StalledError,
)
from modelshelf.protocols import Address, Request
from modelshelf.testing.answer_contract import AnswerContract, read_all
from modelshelf.testing.blob_store_contract import error_of
from modelshelf.testing.scripted_host import SECONDS, telling, written_answer

__all__ = ["TransportContract", "error_of", "read_all"]


class TransportContract(AnswerContract):
    """The promises of `protocols.Transport`, and those of its answers."""

    # -- the request

    def test_sends_what_it_was_given(self) -> None:
        """The path, the query, Host, and the headers go out; nothing is packed unasked."""
        with self.hosting(written_answer(b"")) as (transport, host):
            request = Request(host.url, {"Range": "bytes=3-9", "Authorization": "Bearer t"})
            transport.open(request).close()
            head = host.requests[0].decode().split("\r\n")
            names = [line.partition(":")[0].lower() for line in head[1:] if line]
            assert head[0] == "GET /a/model.bin?token=hidden HTTP/1.1"
            assert len(names) == len(set(names))
            sent = {line.lower() for line in head}
            assert {
                "range: bytes=3-9",
                "authorization: bearer t",
                "accept-encoding: identity",
            } <= sent
            assert f"host: {host.url.split('/')[2]}" in sent

    def test_keeps_no_cookie(self) -> None:
        """What a host wants to be told again is told only if the request says so."""
        with self.hosting(written_answer(b"", "Set-Cookie: a=b; Path=/"), written_answer(b"")) as (
            transport,
            host,
        ):
            transport.open(Request(host.url)).close()
            transport.open(Request(host.url)).close()
            assert not any(b"cookie" in head.lower() for head in host.requests)

    def test_refuses_headers_that_end_their_line(self) -> None:
        """A value with a line feed would be a second header, of somebody else's choice."""
        with self.hosting(written_answer(b"")) as (transport, host):
            request = Request(host.url, {"X-Name": "a\r\nX-Other: b"})
            error_of(InvalidDownloadError, partial(transport.open, request))
            assert host.requests == []

    def test_refuses_other_schemes(self) -> None:
        """Only http and https are spoken."""
        with self.hosting() as (transport, _):
            for url in ("file:///etc/hostname", "ftp://127.0.0.1/a", "gopher://127.0.0.1/a", "a/b"):
                error_of(InvalidDownloadError, partial(transport.open, Request(url)))

    # -- time

    def test_silence_is_told(self) -> None:
        """A host that accepts and says nothing, in the head or in the body, is given up."""
        with telling(lambda _: None) as (mute, _), self.hosting(mute) as (transport, host):
            request = Request(host.url, read_timeout=0.2)
            error_of(StalledError, partial(transport.open, request))
        part = written_answer(b"a" * 5000)[:-1000]
        with (
            telling(lambda one: one.sendall(part)) as (half, _),
            self.hosting(half) as (transport, host),
        ):
            answer = transport.open(Request(host.url, read_timeout=0.2))
            error_of(StalledError, partial(read_all, answer))
            answer.close()

    def test_abort_wakes_a_reader(self) -> None:
        """A thread that waits for bytes is let go by another one, long before the time-out."""
        said = written_answer(b"a" * 5000)[:-1000]
        failed: list[ConnectionLostError] = []
        with (
            telling(lambda one: one.sendall(said)) as (half, _),
            self.hosting(half) as (transport, host),
        ):
            answer = transport.open(Request(host.url, read_timeout=SECONDS))
            buffer = memoryview(bytearray(4000))
            count = 0
            while count < 4000:
                count += answer.read_into(buffer[count:])
            started = Event()

            def read() -> None:
                started.set()
                failed.append(error_of(ConnectionLostError, partial(answer.read_into, buffer)))

            reader = Thread(target=read, daemon=True)
            reader.start()
            started.wait()
            answer.abort()
            reader.join(SECONDS / 2)
            assert not reader.is_alive()
            assert not isinstance(failed[0], StalledError)
            answer.close()
            answer.abort()

    # -- connections

    def test_a_read_body_lets_the_connection_serve_again(self) -> None:
        """Two requests in turn need one connection, where the host allows it."""
        with self.hosting(written_answer(b"one"), written_answer(b"two")) as (transport, host):
            for expected in (b"one", b"two"):
                answer = transport.open(Request(host.url))
                assert read_all(answer) == expected
                answer.close()
            assert host.connections == 1

    def test_an_unread_body_is_never_the_next_answer(self) -> None:
        """A body that was left alone does not come up in another exchange."""
        large = written_answer(b"HTTP/1.1 200 OK\r\n" * 200_000)
        with self.hosting(large, written_answer(b"two"), written_answer(b"two")) as (
            transport,
            host,
        ):
            transport.open(Request(host.url)).close()
            answer = transport.open(Request(host.url))
            assert read_all(answer) == b"two"
            answer.close()

    def test_a_connection_that_was_closed_meanwhile_does_no_harm(self) -> None:
        """A host that closes after each answer, without saying so, is asked over a new connection."""
        with self.hosting(written_answer(b"one"), None, written_answer(b"two"), None) as (
            transport,
            host,
        ):
            for expected in (b"one", b"two"):
                answer = transport.open(Request(host.url))
                assert read_all(answer) == expected
                answer.close()
            assert host.connections == 2

    def test_nobody_there(self) -> None:
        """A closed port and an unknown name are connections that may come back."""
        with self.hosting() as (transport, host):
            host.close()
            for url in (host.url, "http://nowhere.invalid/a?token=hidden"):
                error = error_of(ConnectionLostError, partial(transport.open, Request(url)))
                assert "hidden" not in f"{error} {error.facts}"

    def test_serves_many_threads(self) -> None:
        """Exchanges at the same time do not mix."""
        names = [f"{number:04}".encode() * 500 for number in range(16)]

        def say(connection: socket.socket) -> None:
            # Which answer it is depends on what was asked, not on who came first.
            asked = next(
                head for head in reversed(host.requests) if b"X-Ask" in head or b"x-ask" in head
            )
            connection.sendall(written_answer(b"x" * len(asked), "Connection: close"))

        with self.hosting(*[item for _ in names for item in (say, None)]) as (transport, host):
            got: list[int] = []

            def ask() -> None:
                answer = transport.open(Request(host.url, {"X-Ask": "a"}))
                got.append(len(read_all(answer)))
                answer.close()

            threads = [Thread(target=ask, daemon=True) for _ in names]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(SECONDS)
            assert len(got) == len(names)
            assert set(got) == {len(host.requests[0])}

    # -- whom it talks to

    def test_asks_whether_the_peer_may_be_talked_to(self) -> None:
        """The check hears the host's name and the address that answered, before a byte is sent."""
        asked: list[tuple[str, Address]] = []

        def check(host: str, address: Address) -> None:
            asked.append((host, address))

        with self.hosting(written_answer(b"one"), written_answer(b"two")) as (transport, one):
            for _ in range(2):
                answer = transport.open(Request(one.url, check_peer=check))
                read_all(answer)
                answer.close()
            assert set(asked) == {("127.0.0.1", "127.0.0.1")}

    def test_says_nothing_to_a_peer_that_is_refused(self) -> None:
        """A refused peer sees no request, also on a connection that somebody else was allowed to make."""

        def refuse(host: str, address: Address) -> None:
            raise ForbiddenAddressError(url=host, address=address)

        with self.hosting(written_answer(b"one"), written_answer(b"two")) as (transport, one):
            request = Request(one.url, check_peer=refuse)
            error_of(ForbiddenAddressError, partial(transport.open, request))
            assert one.requests == []
            answer = transport.open(Request(one.url))
            read_all(answer)
            answer.close()
            error_of(ForbiddenAddressError, partial(transport.open, request))
            assert len(one.requests) == 1
