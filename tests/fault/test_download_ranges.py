"""Faults 16 to 25: answers to requests for a part of a file, and parts that were kept."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import (
    ConnectionLostError,
    InvalidAnswerError,
    NotEnoughSpaceError,
    SizeMismatchError,
)
from modelshelf.schema.transfer import Stopped, TransferOrder, Verification
from modelshelf.testing.faults import flip_bit
from tests.fault.downloads import QUICK, Place, expecting
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.scripted import Asked, Peer, Script, Scripted, in_turn, redirect, serve

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
OTHER = Offered(payload(7 * MEBIBYTE, seed=2), etag='"two"')
SIZE = len(OFFERED.content)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path).watched() as place:
        yield place


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def cut(asked: Asked, peer: Peer, offered: Offered = OFFERED) -> None:
    """Answer honestly, and break off after three megabytes."""
    peer.reply(offered.answer(asked.range, asked.if_range), 3 * MEBIBYTE)
    peer.reset()


def bent(bend: Callable[[Reply, Asked], None]) -> Script:
    """Answer honestly but for one thing."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range, asked.if_range)
        bend(reply, asked)
        peer.reply(reply)

    return script


def paused(place: Place, order: TransferOrder, after: int = SIZE // 2) -> Stopped:
    """Begin *order*, and pause it once so many bytes are there."""
    stop = StopSignal()

    def watch(received: int, _total: int) -> None:
        if received >= after:
            stop.pause()

    outcome = place.fetch(order, stop=stop, on_progress=watch, connections=2)
    if outcome.error is not None:
        raise outcome.error
    assert isinstance(outcome.result, Stopped)
    assert place.visible == []
    return outcome.result


def slowly(asked: Asked, peer: Peer) -> None:
    """Answer honestly, in small steps, so that a pause finds something left to do."""
    reply = OFFERED.answer(asked.range, asked.if_range)
    peer.head(reply)
    for start in range(0, len(reply.body), MEBIBYTE // 4):
        peer.body(reply.body[start : start + MEBIBYTE // 4])
        peer.delivered()


def test_16_part_from_another_offset(place: Place, server: Scripted) -> None:
    """Fault 16: the host answers with another part than was asked for, and says so."""

    def shift(reply: Reply, asked: Asked) -> None:
        start = max(asked.start - 1000, 0)
        reply.body = memoryview(OFFERED.content)[start : start + len(reply.body)]
        end = start + len(reply.body) - 1
        reply.headers["content-range"] = f"bytes {start}-{end}/{SIZE}"

    url = server.on("/x", in_turn(cut, bent(shift), serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() < 30


def test_16_always_from_the_beginning(place: Place, server: Scripted) -> None:
    """Fault 16: every part that is asked for comes from offset 0 on."""

    def script(asked: Asked, peer: Peer) -> None:
        length = len(OFFERED.answer(asked.range).body)
        peer.reply(OFFERED.answer(f"bytes=0-{length - 1}"))

    url = server.on("/x", in_turn(cut, script))
    outcome = place.fetch(url)
    if outcome.error is None:
        place.arrived(outcome, OFFERED)
    else:
        place.failed(outcome, InvalidAnswerError, ConnectionLostError)
    assert server.count() <= 3 * QUICK.attempts


def test_16_says_the_right_offset_and_sends_another(place: Place, server: Scripted) -> None:
    """Fault 16: only the digest can tell that the bytes are from elsewhere; the second time they are right."""

    def lie(reply: Reply, asked: Asked) -> None:
        reply.body = memoryview(OFFERED.content)[: len(reply.body)]
        assert asked.start > 0

    url = server.on("/x", in_turn(cut, bent(lie), serve(OFFERED)))
    order = place.order(url, expecting(OFFERED))
    place.arrived(place.fetch(order, connections=1), OFFERED, Verification.DIGEST)


def test_17_part_of_a_file_of_another_length(place: Place, server: Scripted) -> None:
    """Fault 17: without an entity tag, only the total in `Content-Range` tells that the file is another one."""
    first, then = Offered(OFFERED.content, etag=None), Offered(OTHER.content, etag=None)
    url = server.on("/x", in_turn(lambda asked, peer: cut(asked, peer, first), serve(then)))
    place.arrived(place.fetch(url), then)


def test_17_total_is_unknown(place: Place, server: Scripted) -> None:
    """Fault 17: `Content-Range` has a star for the total, which RFC 9110 allows."""

    def star(reply: Reply, _asked: Asked) -> None:
        if "content-range" in reply.headers:
            head = reply.headers["content-range"].partition("/")[0]
            reply.headers["content-range"] = f"{head}/*"

    url = server.on("/x", in_turn(cut, bent(star)))
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED)


def test_18_not_satisfiable_because_it_is_complete(place: Place, server: Scripted) -> None:
    """Fault 18: an empty file has no first byte, so a range of it is refused, and yet it is whole."""
    empty = Offered(b"")
    place.arrived(place.fetch(server.on("/x", serve(empty))), empty)
    place.arrived(
        place.fetch(place.order(server.url("/x"), expecting(empty), overwrite=True)), empty
    )
    assert server.count() <= 4


def test_18_everything_was_there_already(place: Place, server: Scripted) -> None:
    """Fault 18: the last byte came and the program died; nothing is left to ask the host for."""
    stop = StopSignal()

    def watch(received: int, _total: int) -> None:
        if received == SIZE:
            stop.pause()

    url = server.on("/x", serve(OFFERED))
    order = place.order(url, expecting(OFFERED))
    outcome = place.fetch(order, stop=stop, on_progress=watch)
    if isinstance(outcome.result, Stopped):
        sent = server.sent()
        outcome = place.fetch(order)
        assert server.sent() - sent <= MEBIBYTE
    place.arrived(outcome, OFFERED, Verification.DIGEST)


def test_19_not_satisfiable_though_bytes_are_missing(place: Place, server: Scripted) -> None:
    """Fault 19: the host says that the file ends before the part that is missing; it starts anew."""

    def refuse(asked: Asked, peer: Peer) -> None:
        assert asked.range is not None
        headers = {"content-range": "bytes */1000", "content-length": "0"}
        peer.reply(Reply(416, headers, b""))

    url = server.on("/x", in_turn(cut, refuse, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)


def test_19_not_satisfiable_for_ever(place: Place, server: Scripted) -> None:
    """Fault 19: a host that refuses every range, the first one too, is not asked without end."""

    def refuse(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(416, {"content-range": f"bytes */{SIZE}", "content-length": "0"}, b""))

    outcome = place.fetch(server.on("/x", refuse))
    assert outcome.error is not None
    place.failed(outcome, type(outcome.error))
    assert server.count() <= 3 * QUICK.attempts


def test_20_whole_file_in_place_of_the_rest(place: Place, server: Scripted) -> None:
    """Fault 20: after a drop the host ignores the range and sends all from the beginning."""
    deaf = Offered(OFFERED.content, ranges=False)
    url = server.on("/x", in_turn(cut, serve(deaf)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() < 10


def test_20_some_machines_ignore_ranges(place: Place, server: Scripted) -> None:
    """Fault 20: behind a balancer, every second machine knows no ranges, with four connections."""
    deaf = Offered(OFFERED.content, ranges=False)

    def script(asked: Asked, peer: Peer) -> None:
        serve(deaf if asked.number % 2 == 0 else OFFERED)(asked, peer)

    url = server.on("/x", script)
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED)
    assert server.count() < 30


def test_21_resume_across_a_redirect(place: Place, server: Scripted) -> None:
    """Fault 21: the origin leads to another address of the same file each time it is asked."""
    with Scripted() as store:
        for number in range(1, 20):
            store.on(f"/{number}", cut if number == 1 else serve(OFFERED))
        url = server.on(
            "/x", lambda asked, peer: redirect(store.url(f"/{asked.number}"))(asked, peer)
        )
        store.on("/1", in_turn(cut, lambda _, peer: peer.hang_up()))
        order = place.order(url, expecting(OFFERED))
        place.arrived(place.fetch(order, connections=1), OFFERED)
        assert store.sent() - SIZE <= MEBIBYTE
        assert server.count() <= 4


def test_21_resume_across_a_redirect_in_a_new_process(place: Place, server: Scripted) -> None:
    """Fault 21: what was kept from a signed address goes on at the next signed address."""
    with Scripted() as store:
        url = server.on(
            "/x", lambda asked, peer: redirect(f"{store.url('/y')}?{asked.number}")(asked, peer)
        )
        store.on("/y", slowly)
        order = place.order(url, expecting(OFFERED))
        kept = paused(place, order).received
        assert kept >= SIZE // 2
        downloaded = place.arrived(place.fetch(order), OFFERED, Verification.DIGEST)
        assert downloaded.fetched == SIZE - kept


def test_22_multipart_answer(place: Place, server: Scripted) -> None:
    """Fault 22: the host wraps the one part that was asked for into `multipart/byteranges`."""

    def wrap(reply: Reply, _asked: Asked) -> None:
        head = f"--X\r\nContent-Range: {reply.headers.pop('content-range')}\r\n\r\n".encode()
        reply.body = head + bytes(reply.body) + b"\r\n--X--\r\n"
        reply.headers["content-type"] = "multipart/byteranges; boundary=X"
        reply.headers["content-length"] = str(len(reply.body))

    url = server.on("/x", in_turn(cut, bent(wrap), serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    always = server.on(
        "/y", lambda asked, peer: (bent(wrap) if asked.range else serve(OFFERED))(asked, peer)
    )
    place.arrived(place.fetch(place.order(always, overwrite=True)), OFFERED)
    assert server.count() < 30


def test_23_compressed_answer_to_a_range(place: Place, server: Scripted) -> None:
    """Fault 23: a proxy compresses a part on its way, though nobody said that it may."""

    def compress(reply: Reply, _asked: Asked) -> None:
        reply.body = gzip.compress(bytes(reply.body), 0)
        reply.headers |= {"content-encoding": "gzip", "content-length": str(len(reply.body))}

    url = server.on("/x", in_turn(cut, bent(compress), serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.requests()[0].headers["accept-encoding"] == "identity"
    assert server.count() < 30


def test_24_kept_part_is_damaged(place: Place, server: Scripted) -> None:
    """Fault 24: a bit of the partial file flips while the program is away; only its piece comes again."""
    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    kept = paused(place, order).received
    flip_bit(place.part, 8 * 300_000)
    downloaded = place.arrived(place.fetch(order), OFFERED)
    assert SIZE - kept < downloaded.fetched <= SIZE - kept + MEBIBYTE


def test_24_kept_part_is_larger_than_the_file(place: Place, server: Scripted) -> None:
    """Fault 24: something appended to the partial file; it is cut, and what was whole stays."""
    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    kept = paused(place, order).received
    with place.part.open("ab") as part:
        part.write(payload(100_000, seed=9))
    downloaded = place.arrived(place.fetch(order), OFFERED)
    assert downloaded.fetched == SIZE - kept


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "gone"])
def test_24_journal_is_damaged(place: Place, server: Scripted, damage: str) -> None:
    """Fault 24: the journal is overwritten, emptied, cut in a record, or removed: right bytes all the same."""
    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    paused(place, order)
    journal = place.journal
    content = journal.read_bytes()
    match damage:
        case "garbage":
            journal.write_bytes(payload(len(content), seed=5))
        case "empty":
            journal.write_bytes(b"")
        case "cut":
            journal.write_bytes(content[:-5])
        case _:
            journal.unlink()
    downloaded = place.arrived(place.fetch(order), OFFERED)
    assert downloaded.fetched <= SIZE


def test_24_kept_part_without_digest_is_damaged(place: Place, server: Scripted) -> None:
    """Fault 24: nobody knows a digest, yet the damaged piece is found and fetched again."""
    order = place.order(server.on("/x", slowly))
    paused(place, order)
    flip_bit(place.part, 8 * 1_000_000 + 3)
    place.arrived(place.fetch(order), OFFERED, Verification.SIZE)


@pytest.mark.parametrize(
    "length", ["-5", "9" * 30, "18446744073709551616", "5, 6", "abc", "0x10", "+8388608", "1e6", ""]
)
def test_25_impossible_content_length(place: Place, server: Scripted, length: str) -> None:
    """Fault 25: lengths that are negative, too large for any disk, two at once, or no numbers."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(200, {"content-length": length}, OFFERED.content))
        peer.hang_up()

    place.failed(place.fetch(server.on("/x", script)), InvalidAnswerError, NotEnoughSpaceError)
    assert server.count() <= 2


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 5-2/8388608",
        "bytes 0--5/8388608",
        "bytes 0-8388607/-1",
        "bytes 0-8388607/5",
        f"bytes 0-8388607/{'9' * 30}",
        "bytes 0-8388607/9223372036854775807",
        "bytes 0-8388607",
        "lines 0-8388607/8388608",
        "bytes -1-8388607/8388608",
        "bytes a-b/c",
        "",
    ],
)
def test_25_impossible_content_range(place: Place, server: Scripted, content_range: str) -> None:
    """Fault 25: the same in `Content-Range`."""

    def bend(reply: Reply, _asked: Asked) -> None:
        if reply.status == 206:
            reply.headers["content-range"] = content_range

    outcome = place.fetch(server.on("/x", bent(bend)))
    if outcome.error is None:
        # A host that makes no sense of ranges may still be asked without one.
        place.arrived(outcome, OFFERED)
        assert any(asked.range is None for asked in server.requests())
    else:
        place.failed(outcome, InvalidAnswerError, SizeMismatchError, NotEnoughSpaceError)
    assert server.count() <= 2 * QUICK.attempts
