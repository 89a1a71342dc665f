"""Faults 1 to 15: the network, the connection and whoever is in between."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.proxies import Proxies
from modelshelf.errors import (
    AccessDeniedError,
    ConnectionLostError,
    DownloadError,
    InvalidAnswerError,
    ProxyError,
    SizeMismatchError,
    TlsError,
)
from modelshelf.protocols import Request
from modelshelf.schema.transfer import ExpectedContent, Verification
from tests.fault.downloads import QUICK, Place, WatchedTransport, expecting, own_transport
from tests.servers.certificates import make_certificate
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.nginx import run_nginx
from tests.servers.proxy import pass_on
from tests.servers.scripted import Asked, Peer, Script, Scripted, in_turn, serve, status

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
SIZE = len(OFFERED.content)
WHOLE = OFFERED.answer()
PIECE = MEBIBYTE
"""The most that may have to be fetched again for each connection that breaks."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path).watched() as place:
        yield place


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def cut_after(count: int) -> Script:
    """Answer honestly, and break off with a reset after *count* bytes of body."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range, asked.if_range)
        peer.reply(reply, count)
        if count < len(reply.body):
            peer.reset()

    return script


def chunked(asked: Asked, peer: Peer) -> None:
    """Send the file in chunks, without a length and without ranges."""
    del asked
    peer.head(Reply(200, {"transfer-encoding": "chunked"}, b""))
    for start in range(0, SIZE, 300_000):
        peer.chunk(memoryview(OFFERED.content)[start : start + 300_000])
    peer.chunk(b"")


def until_close(upto: int | None = None) -> Script:
    """Send the file, or its beginning, and say by hanging up that it was all."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(200, {"connection": "close"}, OFFERED.content), upto)
        peer.hang_up()

    return script


def test_01_refused_then_alive(place: Place) -> None:
    """Fault 1: the host's port is closed, and opens after the second attempt."""
    with Scripted(listening=False) as server:
        url = server.on("/x", serve(OFFERED))

        def wake(number: int, request: Request) -> Request:
            if number == 3:
                server.listen()
            return request

        transport = WatchedTransport(own_transport(), wake)
        place.arrived(place.fetch(url, transport=transport), OFFERED)
        transport.close()


def test_01_dead_then_alive(place: Place, server: Scripted) -> None:
    """Fault 1: the host takes connections and ends them without a word, then it is well."""
    url = server.on("/x", in_turn(*[lambda _, peer: peer.hang_up()] * 2, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)


def test_01_dead_for_good(place: Place) -> None:
    """Fault 1: the host never comes back, which is told soon and without a storm."""
    with Scripted(listening=False) as server:
        transport = WatchedTransport(own_transport(), lambda _, request: request)
        outcome = place.fetch(server.url("/x"), transport=transport)
        place.failed(outcome, ConnectionLostError)
        assert transport.asked <= QUICK.attempts + 1
        transport.close()


def test_02_resets_in_mid_body(place: Place, server: Scripted) -> None:
    """Fault 2: each connection is reset after half a megabyte; there are more resets than attempts."""
    url = server.on("/x", cut_after(MEBIBYTE // 2))
    place.arrived(place.fetch(place.order(url, expecting(OFFERED)), connections=1), OFFERED)
    assert server.count() > 3 * QUICK.attempts
    assert server.sent() - SIZE <= PIECE, "more than a piece was fetched twice"


def test_02_resets_on_all_of_several_connections(place: Place, server: Scripted) -> None:
    """Fault 2: the same with four connections at once."""
    url = server.on("/x", cut_after(700_000))
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED)
    assert server.sent() - SIZE <= 4 * PIECE
    assert server.count() < 100


def test_02_reset_at_the_first_byte_for_ever(place: Place, server: Scripted) -> None:
    """Fault 2: a connection that brings nothing each time ends in an error, not in a storm."""
    url = server.on("/x", cut_after(0))
    place.failed(place.fetch(url), ConnectionLostError)
    assert server.count() <= QUICK.attempts + 1


def test_03_ends_short_of_the_announced_length(place: Place, server: Scripted) -> None:
    """Fault 3: a proxy in between ends the connection politely, two thirds through."""

    def short(asked: Asked, peer: Peer) -> None:
        peer.reply(OFFERED.answer(asked.range, asked.if_range), 2 * SIZE // 3)
        peer.hang_up()

    url = server.on("/x", in_turn(short, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.sent() - SIZE <= PIECE


def test_04_drop_without_ranges(place: Place, server: Scripted) -> None:
    """Fault 4: the connection drops on a host that only ever sends whole files."""
    whole = Offered(OFFERED.content, ranges=False)

    def drop(_asked: Asked, peer: Peer) -> None:
        peer.reply(whole.answer(), 3 * MEBIBYTE)
        peer.reset()

    url = server.on("/x", in_turn(drop, serve(whole)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() == 2


def test_04_drop_without_ranges_on_nginx(place: Place, tmp_path: Path) -> None:
    """Fault 4: nginx with ranges switched off serves one stream, and one only."""
    (tmp_path / "nginx").mkdir()
    with run_nginx(tmp_path / "nginx") as nginx:
        (nginx.files / "x").write_bytes(OFFERED.content)
        place.arrived(place.fetch(nginx.url("/whole/x")), OFFERED, Verification.SIZE)
        assert [one.status for one in nginx.log()] == [200]


def test_05_chunked_without_length(place: Place, server: Scripted) -> None:
    """Fault 5: no length is announced, but the listing knows it: the total is there from the start."""
    url = server.on("/x", chunked)
    outcome = place.fetch(place.order(url, expecting(OFFERED)))
    place.arrived(outcome, OFFERED, Verification.DIGEST)
    assert {total for received, total in outcome.progress if received} == {SIZE}


def test_05_chunked_and_nobody_knows_the_length(place: Place, server: Scripted) -> None:
    """Fault 5: the last chunk says that it is whole, though nobody knew how much was to come."""
    place.arrived(place.fetch(server.on("/x", chunked)), OFFERED)


@pytest.mark.parametrize("is_told", [True, False])
def test_05_chunked_and_empty(place: Place, server: Scripted, *, is_told: bool) -> None:
    """Fault 5: an empty file without a length is there as soon as its last chunk is, which is its first."""
    empty = Offered(b"")

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"transfer-encoding": "chunked"}, b""))
        peer.chunk(b"")

    url = server.on("/x", script)
    place.arrived(place.fetch(place.order(url, expecting(empty) if is_told else None)), empty)
    assert server.count() == 1
    other = place.order(url, expecting(OFFERED, sha256=False), destination=place.folder / "other")
    outcome = place.fetch(other)
    assert isinstance(outcome.error, SizeMismatchError)
    assert place.names == ["model.bin"]


def test_06_chunked_and_cut(place: Place, server: Scripted) -> None:
    """Fault 6: the connection ends in the midst of the chunks, where HTTP/1.0 would call it whole."""

    def cut(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"transfer-encoding": "chunked"}, b""))
        for start in range(0, SIZE // 2, MEBIBYTE):
            peer.chunk(memoryview(OFFERED.content)[start : start + MEBIBYTE])
        peer.hang_up()

    url = server.on("/x", in_turn(cut, chunked))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() == 2


@pytest.mark.parametrize(
    "expected",
    [expecting(OFFERED, sha256=False), expecting(OFFERED, size=False)],
    ids=["size", "digest"],
)
def test_07_body_without_end_mark_is_cut(
    place: Place, server: Scripted, expected: ExpectedContent
) -> None:
    """Fault 7: the end of the connection is the end of the file, too early; size or digest tell."""
    url = server.on("/x", in_turn(until_close(SIZE // 2), until_close()))
    place.arrived(place.fetch(place.order(url, expected)), OFFERED)
    assert server.count() == 2


def test_07_body_without_end_mark_and_nothing_is_known(place: Place, server: Scripted) -> None:
    """Fault 7: what cannot be checked is there, and is called unverified."""
    url = server.on("/x", until_close())
    place.arrived(place.fetch(url), OFFERED, Verification.UNVERIFIED)


def container(size: int) -> bytes:
    """Make a file of safetensors whose header says how long it is."""
    table = {"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    header = json.dumps(table).encode()
    return len(header).to_bytes(8, "little") + header + payload(size)


def test_07_container_knows_its_length(place: Place, server: Scripted) -> None:
    """Fault 7: nobody announced a size, but the file's own header tells that the end is missing."""
    whole = Offered(container(3 * MEBIBYTE), etag=None)

    def script(upto: int | None) -> Script:
        def play(_asked: Asked, peer: Peer) -> None:
            peer.reply(Reply(200, {"connection": "close"}, whole.content), upto)
            peer.hang_up()

        return play

    name = place.folder / "model.safetensors"
    url = server.on("/model.safetensors", in_turn(script(2 * MEBIBYTE), script(None)))
    order = place.order(url, destination=name)
    place.arrived(place.fetch(order), whole, Verification.UNVERIFIED, "model.safetensors")
    name.unlink()
    url = server.on("/cut/model.safetensors", script(2 * MEBIBYTE))
    place.failed(place.fetch(place.order(url, destination=name)), DownloadError)
    assert server.count() <= 2 + QUICK.attempts + 1


@pytest.mark.parametrize("is_told", [False, True])
def test_07_tls_ends_without_a_farewell(place: Place, tmp_path: Path, *, is_told: bool) -> None:
    """Fault 7: over TLS an end that the host did not announce may be a stranger's doing (RFC 9112, 9.8)."""
    made = make_certificate(tmp_path)
    with Scripted(tls=made.server) as server:

        def script(asked: Asked, peer: Peer) -> None:
            peer.reply(Reply(200, {"connection": "close"}, OFFERED.content[: SIZE // asked.number]))
            if is_told:
                assert isinstance(peer.connection, ssl.SSLSocket)
                with contextlib.suppress(OSError):
                    peer.connection.unwrap()
            peer.hang_up()

        transport = HttpTransport(certificates=str(made.certificate))
        outcome = place.fetch(server.on("/x", script), transport=transport)
        transport.close()
        if is_told:
            place.arrived(outcome, OFFERED, Verification.UNVERIFIED)
        else:
            place.failed(outcome, ConnectionLostError)


def test_07_old_host(place: Place, server: Scripted) -> None:
    """Fault 7: a host of 1996 says HTTP/1.0, knows no ranges, and ends each answer with the connection."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.send(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        peer.body(OFFERED.content)
        peer.hang_up()

    place.arrived(place.fetch(server.on("/x", script)), OFFERED, Verification.SIZE)


@pytest.mark.parametrize(
    "chunk",
    [b"-5\r\n", b"FFFFFFFFFFFFFFFFFF\r\n", b"zz\r\n", b"\r\n", b"5;" + b"x" * 200_000 + b"\r\n"],
    ids=["negative", "overflow", "garbage", "empty", "extension"],
)
def test_06_impossible_chunk(place: Place, server: Scripted, chunk: bytes) -> None:
    """Fault 6: the length of a chunk is negative, larger than any disk, or none."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"transfer-encoding": "chunked"}, b""))
        peer.chunk(OFFERED.content[:100_000])
        peer.send(chunk + payload(5000) + b"\r\n0\r\n\r\n")
        peer.hang_up()

    outcome = place.fetch(server.on("/x", script))
    place.failed(outcome, ConnectionLostError, InvalidAnswerError)
    assert server.count() <= 2 * QUICK.attempts


def test_06_trailers_without_end(place: Place, server: Scripted) -> None:
    """Fault 6: the body is whole, and the headers that may follow it never end."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"transfer-encoding": "chunked"}, b""))
        peer.chunk(OFFERED.content)
        peer.send(b"0\r\n" + b"x-more: y\r\n" * 200_000)
        peer.hold()

    outcome = place.fetch(server.on("/x", script))
    place.failed(outcome, ConnectionLostError, InvalidAnswerError)
    assert server.count() <= QUICK.attempts + 1


def test_06_length_and_chunks_at_once(place: Place, server: Scripted) -> None:
    """Fault 6: both are there, which can only be a mistake or an attack: never a wrong file."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"transfer-encoding": "chunked", "content-length": "5000"}, b""))
        peer.chunk(OFFERED.content)
        peer.chunk(b"")
        peer.hang_up()

    outcome = place.fetch(server.on("/x", script))
    if outcome.error is None:
        place.arrived(outcome, OFFERED)
    else:
        place.failed(outcome, DownloadError)


def test_08_announced_length_is_too_long(place: Place, server: Scripted) -> None:
    """Fault 8: the host announces a thousand bytes more than it ever sends."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(200, {"content-length": str(SIZE + 1000)}, OFFERED.content))
        peer.hang_up()

    url = server.on("/x", script)
    place.failed(place.fetch(url), ConnectionLostError, SizeMismatchError)
    assert server.count() <= QUICK.attempts + 1
    place.failed(place.fetch(place.order(url, expecting(OFFERED))), SizeMismatchError)
    assert server.count() <= 2 * QUICK.attempts + 2


def test_09_announced_length_is_too_short(place: Place, server: Scripted) -> None:
    """Fault 9: the host announces less than it sends, and less than its listing says."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(200, {"content-length": str(SIZE - 1000)}, OFFERED.content))
        peer.hang_up()

    url = server.on("/x", script)
    place.failed(place.fetch(place.order(url, expecting(OFFERED))), SizeMismatchError)
    assert server.count() <= QUICK.attempts + 1


@pytest.mark.parametrize("size", [5000, SIZE])
def test_09_announced_length_is_too_short_and_nothing_is_known(
    place: Place, server: Scripted, size: int
) -> None:
    """Fault 9: what goes on behind the announced length is no whole file, whatever the host says."""
    offered = Offered(payload(size))

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"content-length": str(size - 1000)}, b""))
        peer.body(memoryview(offered.content)[:-2000])
        # In one piece, so that who reads the first half of it has the second one at hand.
        peer.body(memoryview(offered.content)[-2000:])
        peer.hang_up()

    url = server.on("/x", script)
    order = place.order(url, keep_partial=True)
    # A session and libcurl keep to themselves what they find behind a body.
    with contextlib.closing(HttpTransport()) as transport:
        for times in (1, 2):
            place.failed(place.fetch(order, transport=transport), SizeMismatchError)
            assert server.count() == times
        listed = place.order(url, ExpectedContent(size=size - 1000))
        place.arrived(place.fetch(listed, transport=transport), Offered(offered.content[:-1000]))


@pytest.mark.parametrize("behind", [b"\r\n", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_09_what_may_follow_a_body(place: Place, server: Scripted, behind: bytes) -> None:
    """Fault 9: an empty line, or a goodbye that nobody asked for, is no part of a file."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(200, {"content-length": str(SIZE)}, OFFERED.content + behind))
        peer.hang_up()

    place.arrived(place.fetch(server.on("/x", script)), OFFERED)


def test_09_more_bytes_than_the_range(place: Place, server: Scripted) -> None:
    """Fault 9: a part is longer than its `Content-Range`; what is too much lands nowhere."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        if asked.number == 2:
            reply.headers["content-length"] = str(len(reply.body) + 5000)
            reply.body = bytes(reply.body) + bytes(5000)
        peer.reply(reply)

    url = server.on("/x", in_turn(cut_after(2 * MEBIBYTE), script))
    outcome = place.fetch(place.order(url, expecting(OFFERED)), connections=1)
    if outcome.error is None:
        place.arrived(outcome, OFFERED)
    else:
        place.failed(outcome, SizeMismatchError, InvalidAnswerError)
    assert server.count() <= QUICK.attempts + 2


def test_10_headers_never_come(place: Place, server: Scripted) -> None:
    """Fault 10: the host takes the request and falls silent; the next time it answers."""
    url = server.on("/x", in_turn(lambda _, peer: peer.hold(), serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)


def test_10_headers_never_come_at_all(place: Place, server: Scripted) -> None:
    """Fault 10: the host is silent each time, which is an error after some times."""
    url = server.on("/x", lambda _, peer: peer.hold())
    place.failed(place.fetch(url, patience=replace(QUICK, silence=0.2)), ConnectionLostError)
    assert server.count() <= QUICK.attempts + 1


def test_10_headers_come_byte_by_byte(place: Place, server: Scripted) -> None:
    """Fault 10: each byte of a head comes in time, and the head does not."""

    def crawl(asked: Asked, peer: Peer) -> None:
        peer.drip(OFFERED.answer(asked.range).head + b"x" * 1000, 0.1)

    url = server.on("/x", in_turn(crawl, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)


def test_11_stall_in_mid_body(place: Place, server: Scripted) -> None:
    """Fault 11: a connection falls silent for ever; only what it was to bring is asked for again."""

    def stall(asked: Asked, peer: Peer) -> None:
        peer.reply(OFFERED.answer(asked.range), 3 * MEBIBYTE)
        peer.hold()

    url = server.on("/x", in_turn(stall, serve(OFFERED)))
    place.arrived(place.fetch(url, connections=1), OFFERED)
    assert server.requests()[1].start >= 2 * MEBIBYTE
    assert server.sent() - SIZE <= PIECE


def test_11_one_of_several_connections_crawls(place: Place, server: Scripted) -> None:
    """Fault 11: one connection brings a byte now and then, the others are done long since."""

    def crawl(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.reply(reply, 10)
        peer.drip(reply.body[10:])

    url = server.on("/x", in_turn(cut_after(MEBIBYTE), crawl, serve(OFFERED)))
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED)
    assert server.sent() - SIZE <= 2 * PIECE
    starts = [asked.start for asked in server.requests()]
    assert starts.count(0) == 1, "not only that range was asked for again"


@pytest.mark.parametrize("sent", [0, 10, 100_000])
def test_11_the_only_connection_crawls(place: Place, server: Scripted, sent: int) -> None:
    """Fault 11: nobody else is there to compare with: a few bytes a second are too few in any case."""

    def crawl(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.reply(reply, sent)
        peer.drip(reply.body[sent:], 0.2)

    url = server.on("/x", in_turn(crawl, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() < 10


def test_11_a_small_file_crawls(place: Place, server: Scripted) -> None:
    """Fault 11: the same for a file that comes in one piece."""
    small = Offered(payload(20_000))

    def crawl(asked: Asked, peer: Peer) -> None:
        reply = small.answer(asked.range)
        peer.reply(reply, 1000)
        peer.drip(reply.body[1000:], 0.2)

    url = server.on("/x", in_turn(crawl, serve(small)))
    place.arrived(place.fetch(url), small)


@pytest.mark.parametrize(
    "flood",
    [
        b"".join(b"x-%d: y\r\n" % number for number in range(5000)),
        b"x-long: " + b"y" * 300_000 + b"\r\n",
        b"x-folded: a\r\n" + b" b\r\n" * 40_000,
    ],
    ids=["many", "long", "folded"],
)
def test_12_header_flood(place: Place, server: Scripted, flood: bytes) -> None:
    """Fault 12: a head that does not end is given up early, and not tried again and again."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n" + flood + b"content-length: 4\r\n\r\nbody")
        peer.hang_up()

    place.failed(place.fetch(server.on("/x", script)), InvalidAnswerError)
    assert server.count() <= 2


def test_12_interim_answers_without_end(place: Place, server: Scripted) -> None:
    """Fault 12: the host goes on and on that it is about to answer."""

    def script(_asked: Asked, peer: Peer) -> None:
        for _ in range(100_000):
            peer.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
        peer.hold()

    outcome = place.fetch(server.on("/x", script))
    place.failed(outcome, InvalidAnswerError, ConnectionLostError)
    assert server.count() <= QUICK.attempts + 1


@pytest.mark.parametrize("code", [101, 199, 201, 204, 206, 300, 304, 305, 418, 600, 999])
def test_12_status_that_brings_no_file(place: Place, server: Scripted, code: int) -> None:
    """Fault 12: a status that makes no sense for a file, with a body all the same."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(code, {"content-length": "5000"}, payload(5000)))
        peer.hang_up()

    place.failed(place.fetch(server.on("/x", script)), DownloadError)
    assert server.count() <= QUICK.attempts + 1


def test_12_not_http_at_all(place: Place, server: Scripted) -> None:
    """Fault 12: what answers is a mail server."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.send(b"220 mail.example ESMTP ready\r\n")
        peer.hang_up()

    outcome = place.fetch(server.on("/x", script))
    place.failed(outcome, InvalidAnswerError, ConnectionLostError)
    assert server.count() <= QUICK.attempts + 1


@pytest.mark.parametrize("names", ["DNS:localhost,IP:127.0.0.1", "DNS:other.example"])
def test_13_certificate_of_nobody(place: Place, tmp_path: Path, names: str) -> None:
    """Fault 13: a certificate that nobody vouches for is refused at once, and nothing is sent."""
    with Scripted(tls=make_certificate(tmp_path, names).server) as server:
        url = server.on("/x", serve(OFFERED))
        place.failed(place.fetch(url), TlsError)
        assert (server.connections, server.count()) == (1, 0)


def test_13_certificate_for_another_name(place: Place, tmp_path: Path) -> None:
    """Fault 13: a certificate that is believed, but stands for somebody else."""
    made = make_certificate(tmp_path, "DNS:other.example")
    with Scripted(tls=made.server) as server, requests.Session() as session:
        # What the environment names would go before.
        session.verify, session.trust_env = str(made.certificate), False
        transport = HttpTransport(session)
        url = server.on("/x", serve(OFFERED))
        place.failed(place.fetch(url, transport=transport), TlsError)
        assert (server.connections, server.count()) == (1, 0)


def test_13_certificate_that_is_believed(place: Place, tmp_path: Path) -> None:
    """Fault 13, the other way round: with the right certificate the file comes."""
    made = make_certificate(tmp_path)
    with Scripted(tls=made.server) as server, requests.Session() as session:
        # What the environment names would go before.
        session.verify, session.trust_env = str(made.certificate), False
        url = server.on("/x", serve(OFFERED))
        transport = HttpTransport(session)
        place.arrived(place.fetch(place.order(url), transport=transport), OFFERED)


def test_13_no_tls_there(place: Place, server: Scripted) -> None:
    """Fault 13: the port of an https address speaks plain HTTP."""
    url = server.on("/x", serve(OFFERED)).replace("http:", "https:")
    place.failed(place.fetch(url), TlsError)
    assert (server.connections, server.count()) == (1, 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_14_proxy_wants_a_password(place: Place, server: Scripted, scheme: str) -> None:
    """Fault 14: a company's proxy answers 407; the host is never asked around it."""
    with Scripted() as proxy:
        proxy.otherwise(status(407, proxy_authenticate='Basic realm="it"'))
        proxies = Proxies.from_environment({f"{scheme}_proxy": proxy.url()})
        transport = HttpTransport(proxies=proxies)
        url = server.on("/x", serve(OFFERED)).replace("http:", f"{scheme}:")
        outcome = place.fetch(url, transport=transport)
        error = place.failed(outcome, ProxyError, AccessDeniedError)
        transport.close()
        assert "407" in str(error) or "password" in str(error)
        assert (proxy.count(), server.connections) == (1, 0)


def test_14_proxy_is_down(place: Place, server: Scripted) -> None:
    """Fault 14: nobody listens where the proxy should be; the error names no password."""
    with Scripted(listening=False) as proxy:
        address = proxy.url().replace("://", "://me:SECRET@")
        transport = HttpTransport(proxies=Proxies.from_environment({"HTTP_PROXY": address}))
        error = place.failed(
            place.fetch(server.on("/x", serve(OFFERED)), transport=transport), ProxyError
        )
        assert "SECRET" not in f"{error} {error.facts} {error.__cause__}"
        assert server.connections == 0
        transport.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_14_password_of_the_proxy_is_for_the_proxy(
    place: Place, tmp_path: Path, scheme: str
) -> None:
    """Fault 14: the proxy learns the name and password for it, and the host behind it does not."""
    made = make_certificate(tmp_path)
    tls = made.server if scheme == "https" else None
    with Scripted(tls=tls) as server, Scripted() as proxy:
        proxy.otherwise(pass_on)
        address = proxy.url().replace("://", "://me:SECRET@")
        transport = HttpTransport(
            proxies=Proxies.from_environment({f"{scheme.upper()}_PROXY": address}),
            certificates=str(made.certificate),
        )
        url = server.on("/x", serve(OFFERED))
        order = place.order(url, headers={"Authorization": "Bearer mine"})
        place.arrived(place.fetch(order, transport=transport), OFFERED)
        transport.close()
        assert all("proxy-authorization" in one.headers for one in proxy.requests())
        assert all(one.credentials == ("authorization",) for one in server.requests())
        if scheme == "https":
            # What is for the host is not for the proxy.
            assert all("authorization" not in one.headers for one in proxy.requests())


def test_14_proxy_that_works(place: Place, server: Scripted) -> None:
    """Fault 14, the other way round: through a proxy the file comes, and `NO_PROXY` goes past it."""
    with Scripted() as proxy:
        proxy.otherwise(pass_on)
        url = server.on("/x", serve(OFFERED))
        via = {"HTTP_PROXY": proxy.url()}
        transport = HttpTransport(proxies=Proxies.from_environment(via))
        place.arrived(place.fetch(url, transport=transport), OFFERED)
        asked = proxy.count()
        assert asked > 0
        transport.close()
        (place.folder / "model.bin").unlink()
        around = Proxies.from_environment(via | {"NO_PROXY": "127.0.0.1"})
        transport = HttpTransport(proxies=around)
        place.arrived(place.fetch(url, transport=transport), OFFERED)
        assert proxy.count() == asked
        transport.close()


def test_15_name_comes_and_goes(place: Place, server: Scripted) -> None:
    """Fault 15: the name is unknown twice, before the download and in its midst."""
    url = server.on("/x", in_turn(cut_after(MEBIBYTE), serve(OFFERED)))

    def flap(number: int, request: Request) -> Request:
        if number in {1, 3}:
            path = urlsplit(request.url).path
            return replace(request, url=f"http://modelshelf.invalid:{server.port}{path}")
        return request

    transport = WatchedTransport(own_transport(), flap)
    place.arrived(place.fetch(url, transport=transport), OFFERED)
    transport.close()


def test_15_name_that_nobody_knows(place: Place) -> None:
    """Fault 15: a misspelt host is told as such, after few attempts."""
    transport = WatchedTransport(own_transport(), lambda _, request: request)
    outcome = place.fetch("http://modelshelf.invalid/x", transport=transport)
    error = place.failed(outcome, ConnectionLostError)
    assert "modelshelf.invalid" in str(error)
    assert transport.asked <= QUICK.attempts + 1
    transport.close()
