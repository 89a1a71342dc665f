"""Faults 26 to 33: is it still the same file, and is it the file at all?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.errors import (
    AccessDeniedError,
    DigestMismatchError,
    RemoteFileChangedError,
    SizeMismatchError,
    UnexpectedContentError,
)
from modelshelf.schema.transfer import ExpectedContent, Verification
from tests.fault.downloads import QUICK, Place, expecting
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.scripted import Asked, Peer, Script, Scripted, in_turn, redirect, serve

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
OTHER = Offered(payload(seed=2), etag='"two"')
SIZE = len(OFFERED.content)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path).watched() as place:
        yield place


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def cut(offered: Offered, *, respects_if_range: bool = True) -> Script:
    """Answer honestly, and break off after three megabytes."""

    def script(asked: Asked, peer: Peer) -> None:
        peer.reply(
            offered.answer(asked.range, asked.if_range if respects_if_range else None), 3 * MEBIBYTE
        )
        peer.reset()

    return script


def careless(offered: Offered) -> Script:
    """Serve ranges of *offered* whatever `If-Range` says."""
    return lambda asked, peer: peer.reply(offered.answer(asked.range))


def flipped(count: int) -> Script:
    """Serve *count* answers with one wrong bit somewhere in the middle, and right ones thereafter."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range, asked.if_range)
        if asked.number <= count:
            body = bytearray(reply.body)
            body[len(body) // 2] ^= 1
            reply.body = bytes(body)
        peer.reply(reply)

    return script


def test_26_file_is_replaced_between_two_ranges(place: Place, server: Scripted) -> None:
    """Fault 26: the entity tag changes; `If-Range` gets the new file whole, and nothing of the old stays."""
    url = server.on("/x", in_turn(cut(OFFERED), serve(OTHER)))
    place.arrived(place.fetch(url), OTHER)
    assert server.requests()[1].if_range == OFFERED.etag


def test_26_the_host_ignores_if_range(place: Place, server: Scripted) -> None:
    """Fault 26: the host sends the rest of the new file to who has the beginning of the old one."""
    url = server.on("/x", in_turn(cut(OFFERED), careless(OTHER)))
    place.arrived(place.fetch(url), OTHER)


def test_26_replaced_while_several_connections_fetch_it(place: Place, server: Scripted) -> None:
    """Fault 26: from the third request on it is another file; the old one's digest is not known."""
    url = server.on("/x", in_turn(cut(OFFERED), cut(OFFERED), serve(OTHER)))
    place.arrived(place.fetch(url), OTHER)


def test_26_replaced_again_and_again(place: Place, server: Scripted) -> None:
    """Fault 26: every answer is about another file, which ends in an error and not in a mixture."""

    def script(asked: Asked, peer: Peer) -> None:
        cut(Offered(payload(seed=asked.number % 3 + 1), etag=f'"{asked.number}"'))(asked, peer)

    place.failed(place.fetch(server.on("/x", script)), RemoteFileChangedError)
    assert server.count() <= 8 * QUICK.restarts


def test_26_strong_date_is_a_validator(place: Place, server: Scripted) -> None:
    """Fault 26: without an entity tag, a date that is old enough tells whether it is the same file."""
    old = "Mon, 02 Feb 2026 02:02:02 GMT"
    new = "Tue, 03 Feb 2026 02:02:02 GMT"
    first = Offered(OFFERED.content, etag=None, last_modified=old)
    then = Offered(OTHER.content, etag=None, last_modified=new)
    url = server.on("/x", in_turn(cut(first), serve(then)))
    place.arrived(place.fetch(url), then)


def test_27_weak_entity_tag(place: Place, server: Scripted) -> None:
    """Fault 27: a weak tag does not promise the same bytes: one stream, and never in `If-Range`."""
    weak = Offered(OFFERED.content, etag='W/"one"')
    url = server.on("/x", serve(weak))
    place.arrived(place.fetch(url), weak)
    assert server.count() == 1, "parallel ranges on a weak validator"


def test_27_weak_entity_tag_and_a_drop(place: Place, server: Scripted) -> None:
    """Fault 27: after a drop, a file that may have changed is not patched together without a digest."""
    first = Offered(OFFERED.content, etag='W/"one"')
    then = Offered(OTHER.content, etag='W/"one"')
    url = server.on("/x", in_turn(cut(first), serve(then)))
    place.arrived(place.fetch(url), then)
    assert all(not (asked.if_range or "").startswith("W/") for asked in server.requests())


def test_27_weak_entity_tag_and_a_digest(place: Place, server: Scripted) -> None:
    """Fault 27: with a digest the rest may be fetched, because a mixture would be noticed."""
    weak = Offered(OFFERED.content, etag='W/"one"')
    url = server.on("/x", in_turn(cut(weak), serve(weak)))
    place.arrived(place.fetch(place.order(url, expecting(weak))), weak, Verification.DIGEST)
    assert server.sent() - SIZE <= MEBIBYTE


def test_28_size_changes_without_entity_tag(place: Place, server: Scripted) -> None:
    """Fault 28: only the length tells that it is another file; what was there is thrown away."""
    first = Offered(OFFERED.content, etag=None)
    longer = Offered(payload(9 * MEBIBYTE, seed=3), etag=None)
    url = server.on("/x", in_turn(cut(first), serve(longer)))
    place.arrived(place.fetch(url), longer)


def test_28_size_is_not_what_the_listing_says(place: Place, server: Scripted) -> None:
    """Fault 28: the listing is older than the file."""
    url = server.on("/x", serve(OFFERED))
    order = place.order(url, ExpectedContent(size=SIZE - 1))
    place.failed(place.fetch(order), SizeMismatchError, RemoteFileChangedError)
    assert server.count() <= QUICK.attempts


def test_29_bit_flips_once(place: Place, server: Scripted) -> None:
    """Fault 29: a bit flips on the way; the digest tells, and the second time it is right."""
    url = server.on("/x", flipped(1))
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED, Verification.DIGEST)
    assert server.sent() <= 2 * SIZE


def test_29_bit_is_always_wrong(place: Place, server: Scripted) -> None:
    """Fault 29: the file at the host is damaged: after the second time it is given up and removed."""
    url = server.on("/x", flipped(10_000))
    order = place.order(url, expecting(OFFERED))
    place.failed(place.fetch(order), DigestMismatchError)
    assert server.sent() <= 2 * SIZE + MEBIBYTE


def test_29_bit_flips_in_a_small_file(place: Place, server: Scripted) -> None:
    """Fault 29: the same for a file of one kilobyte that git's digest is known of."""
    small = Offered(payload(1000))
    git = hashlib.sha1(b"blob 1000\0" + small.content, usedforsecurity=False).hexdigest()
    url = server.on("/x", in_turn(serve(Offered(payload(1000, seed=2))), serve(small)))
    order = place.order(url, ExpectedContent(size=1000, git_sha1=git))
    place.arrived(place.fetch(order), small, Verification.DIGEST)
    server.on("/y", serve(Offered(payload(1000, seed=2))))
    (place.folder / "model.bin").unlink()
    order = place.order(server.url("/y"), ExpectedContent(size=1000, git_sha1=git))
    place.failed(place.fetch(order), DigestMismatchError)
    assert server.count("/y") == 2


LOGIN = b"<!doctype html><html><title>Sign in</title><form>password</form></html>"


def page(media_type: str, body: bytes) -> Script:
    """Answer 200 with a page, whatever was asked."""
    headers = {"content-type": media_type, "content-length": str(len(body))}
    return lambda _asked, peer: peer.reply(Reply(200, dict(headers), body))


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/html; charset=utf-8", LOGIN),
        ("application/json", json.dumps({"error": "Unauthorized"}).encode()),
        ("application/octet-stream", LOGIN),
    ],
    ids=["html", "json", "mislabelled"],
)
@pytest.mark.parametrize("known", [True, False])
def test_30_page_to_log_in(
    place: Place, server: Scripted, media_type: str, body: bytes, *, known: bool
) -> None:
    """Fault 30: status 200, and a page in place of the model: the hint says to log in, or where to look."""
    server.on("/login", page(media_type, body))
    url = server.on("/model.safetensors", redirect("/login"))
    expected = expecting(OFFERED) if known else None
    order = place.order(url, expected, destination=place.folder / "model.safetensors")
    error = place.failed(
        place.fetch(order), AccessDeniedError, UnexpectedContentError, SizeMismatchError
    )
    assert "log in" in error.advice or "address" in error.advice
    assert server.count("/login") <= 2


def test_30_json_that_is_the_file(place: Place, server: Scripted) -> None:
    """Fault 30, the other way round: a `config.json` is JSON and is meant to be."""
    config = Offered(b'{"model_type": "clip"}', media_type="application/json")
    url = server.on("/config.json", serve(config))
    order = place.order(url, destination=place.folder)
    place.arrived(place.fetch(order), config, name="config.json")


def test_32_no_digest_is_known(place: Place, server: Scripted) -> None:
    """Fault 32: the host's listing has no digest; the size is compared, and nobody claims more."""
    url = server.on("/x", serve(OFFERED))
    order = place.order(url, expecting(OFFERED, sha256=False))
    downloaded = place.arrived(place.fetch(order), OFFERED, Verification.SIZE)
    assert downloaded.verification is not Verification.DIGEST


POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    b"size 12345\n"
)


@pytest.mark.parametrize("known", [True, False])
def test_33_pointer_in_place_of_the_file(place: Place, server: Scripted, *, known: bool) -> None:
    """Fault 33: a mirror sends the three lines that git keeps for a large file."""
    url = server.on("/model.safetensors", serve(Offered(POINTER, media_type="text/plain")))
    expected = expecting(OFFERED) if known else None
    order = place.order(url, expected, destination=place.folder / "model.safetensors")
    place.failed(place.fetch(order), UnexpectedContentError, SizeMismatchError)
    assert server.count() <= 2
