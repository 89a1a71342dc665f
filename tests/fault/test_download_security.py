"""Faults 43 to 50: hosts that want a secret, a place on the disk, or a way into the network."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.proxies import Proxies
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import (
    ConnectionLostError,
    DestinationExistsError,
    DownloadError,
    ForbiddenAddressError,
    ForbiddenRedirectError,
    InvalidAnswerError,
    ModelshelfError,
    SizeMismatchError,
    UnexpectedContentError,
    UnsafeFileNameError,
)
from modelshelf.schema.transfer import ExpectedContent, PrivateAddresses, Stopped
from tests.fault.downloads import QUICK, Place, expecting
from tests.servers.certificates import make_certificate
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.proxy import pass_on
from tests.servers.scripted import Asked, Peer, Scripted, in_turn, redirect, serve, status

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
SMALL = Offered(payload(5000))
SIZE = len(OFFERED.content)
SECRET = "hf_SeCrEtOfTheUser"  # noqa: S105 - it opens nothing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path).watched() as place:
        yield place


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def knows_secret(server: Scripted) -> bool:
    """Tell whether the secret came to *server* in any way."""
    said = [f"{asked.target} {asked.headers}" for asked in server.requests()]
    return any(SECRET in one for one in said)


def test_43_secrets_stay_with_the_origin(place: Place, server: Scripted) -> None:
    """Fault 43: token, cookie and own headers go to the host that was named, never to another port."""
    with Scripted() as store:
        store.on("/y", serve(OFFERED))
        url = server.on("/x", redirect(store.url("/y")))
        headers = {"Cookie": f"session={SECRET}", "X-Secret": SECRET}
        order = place.order(f"{url}?token={SECRET}", token=SECRET, headers=headers)
        place.arrived(place.fetch(order), OFFERED)
        assert all(
            asked.credentials == ("authorization", "cookie", "x-secret", "token")
            for asked in server.requests()
        )
        assert not knows_secret(store)
        assert all(not asked.credentials for asked in store.requests())


def test_43_secrets_stay_with_the_origin_on_the_way_back(place: Place, server: Scripted) -> None:
    """Fault 43: a stranger sends the request back to the origin, with an address of the stranger's making."""
    with Scripted() as stranger:
        stranger.on("/y", redirect(server.url("/z")))
        url = server.on("/x", redirect(stranger.url("/y")))
        server.on("/z", serve(OFFERED))
        place.arrived(place.fetch(place.order(url, token=SECRET)), OFFERED)
        assert not knows_secret(stranger)


def test_43_another_name_of_the_same_machine(place: Place, server: Scripted) -> None:
    """Fault 43: `localhost` and `127.0.0.1` are the same machine and not the same origin."""
    server.on("/y", serve(OFFERED))
    url = server.on("/x", redirect(server.url("/y", host="localhost")))
    order = place.order(url, token=SECRET, private=PrivateAddresses.ALLOW)
    place.arrived(place.fetch(order), OFFERED)
    assert all(not asked.credentials for asked in server.requests("/y"))


def test_43_another_scheme(place: Place, tmp_path: Path) -> None:
    """Fault 43: from http to https of the same name is another origin, too."""
    made = make_certificate(tmp_path)
    transport = HttpTransport(certificates=str(made.certificate))
    with Scripted(tls=made.server) as safe, Scripted() as server:
        safe.on("/y", serve(OFFERED))
        url = server.on("/x", redirect(safe.url("/y")))
        order = place.order(url, token=SECRET)
        place.arrived(place.fetch(order, transport=transport), OFFERED)
        assert knows_secret(server)
        assert not knows_secret(safe)
        transport.close()


def test_43_from_https_to_http(place: Place, tmp_path: Path) -> None:
    """Fault 43: nobody is led from https down to http, where everybody can read and change the file."""
    made = make_certificate(tmp_path)
    transport = HttpTransport(certificates=str(made.certificate))
    with Scripted(tls=made.server) as safe, Scripted() as server:
        server.on("/y", serve(OFFERED))
        url = safe.on("/x", redirect(server.url("/y")))
        outcome = place.fetch(place.order(url, token=SECRET), transport=transport)
        place.failed(outcome, ForbiddenRedirectError)
        assert server.connections == 0
        transport.close()


def test_43_password_in_the_address(place: Place, server: Scripted) -> None:
    """Fault 43: `user:password@` is for the host that it stands before, and is told to nobody."""
    with Scripted() as store:
        store.on("/y", serve(OFFERED))
        url = server.on("/x", redirect(store.url("/y"))).replace("://", f"://me:{SECRET}@")
        place.arrived(place.fetch(place.order(url)), OFFERED)
        assert server.requests()[0].credentials == ("authorization",)
        assert not knows_secret(store)
        store.on("/y", status(403))
        (place.folder / "model.bin").unlink()
        error = place.failed(place.fetch(place.order(url)), DownloadError)
        assert SECRET not in f"{error} {error.facts} {error.__cause__!r}"


@pytest.mark.parametrize("attributes", ["", "; Path=/", "; Domain=127.0.0.1"])
def test_43_the_session_of_the_caller_leaks_nothing(
    place: Place, server: Scripted, attributes: str
) -> None:
    """Fault 43: what a session holds for a host, and what that host gives it, is sent to no other port."""
    with Scripted() as store, requests.Session() as session:
        session.headers["X-Secret"] = SECRET
        session.auth = ("me", SECRET)
        session.cookies.set("own", SECRET)
        store.on("/y", serve(OFFERED))
        url = server.on("/x", redirect(store.url("/y"), set_cookie=f"id={SECRET}{attributes}"))
        outcome = place.fetch(place.order(url), transport=HttpTransport(session))
        place.arrived(outcome, OFFERED)
        assert server.requests()[0].credentials == ("authorization", "cookie", "x-secret")
        assert store.requests()
        assert not knows_secret(store)
        assert [asked.credentials for asked in store.requests() if asked.credentials] == []
        assert session.cookies.get("own", domain="") == SECRET


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "data:text/plain,hello",
        "javascript:alert(1)",
        "gopher://127.0.0.1:70/x",
        "unix:///run/docker.sock",
        "http:///x",
        "http://",
        "//",
    ],
)
def test_44_redirect_to_another_scheme(place: Place, server: Scripted, target: str) -> None:
    """Fault 44: a redirect leads to this machine's files, or to another protocol."""
    url = server.on("/x", redirect(target))
    place.failed(place.fetch(url), ForbiddenRedirectError, InvalidAnswerError)
    assert server.count() == 1


def test_44_such_an_address_in_the_order(place: Place) -> None:
    """Fault 44: the same as the order's own address."""
    for url in ("file:///etc/passwd", "ftp://h/x", "data:,x", "/etc/passwd", "", "http://"):
        place.failed(place.fetch(place.order(url)), DownloadError)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.2",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "0.0.0.0",  # noqa: S104 - somewhere to be led to, not to listen
        "0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "127.0.0.1.",
        "①②⑦.0.0.1",
    ],
)
def test_45_redirect_into_this_machine_or_network(place: Place, host: str) -> None:
    """Fault 45: a host leads to a private address, written in any way that some library understands."""
    with Scripted() as server, Scripted() as inner:
        url = server.on("/x", redirect(f"http://{host}:{inner.port}/secret"))
        named = url.replace("127.0.0.1", "localhost")
        inner.on("/secret", serve(OFFERED))
        outcome = place.fetch(place.order(named))
        # A name that nobody knows leads nowhere, too.
        kinds = (ForbiddenAddressError, ForbiddenRedirectError, ConnectionLostError)
        place.failed(outcome, *kinds)
        assert inner.received == 0, "something was sent there"


def test_45_name_that_turns_private(place: Place, server: Scripted) -> None:
    """Fault 45: a name leads inside, as after DNS rebinding: the connected peer decides, nothing is sent."""
    url = server.on("/x", serve(OFFERED)).replace("127.0.0.1", "localhost")
    order = place.order(url, private=PrivateAddresses.REFUSE)
    error = place.failed(place.fetch(order), ForbiddenAddressError)
    assert error.address in {"127.0.0.1", "::1"}
    assert (server.received, server.count()) == (0, 0)


def test_45_private_address_behind_a_proxy(place: Place, server: Scripted) -> None:
    """Fault 45: with a proxy, what it would connect to is checked before it is asked for that."""
    with Scripted() as proxy, Scripted() as inner:
        proxy.otherwise(pass_on)
        inner.on("/secret", serve(OFFERED))
        transport = HttpTransport(proxies=Proxies.from_environment({"HTTP_PROXY": proxy.url()}))
        for host in ("127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254"):
            url = server.on("/x", redirect(f"http://{host}:{inner.port}/secret"))
            named = url.replace("127.0.0.1", "localhost")
            outcome = place.fetch(place.order(named), transport=transport)
            place.failed(outcome, ForbiddenAddressError)
        transport.close()
        assert inner.connections == 0
        assert {one.path for one in proxy.requests()} == {server.url("/x", host="localhost")}


def test_45_private_address_that_was_meant(place: Place, server: Scripted) -> None:
    """Fault 45, the other way round: who names a machine of their own gets its file."""
    url = server.on("/x", serve(OFFERED))
    place.arrived(place.fetch(place.order(url)), OFFERED)
    order = place.order(url, private=PrivateAddresses.REFUSE, overwrite=True)
    error = place.fetch(order).error
    assert isinstance(error, ForbiddenAddressError)


LONG = "n" * 300
NAMES = {
    "climbs": 'attachment; filename="../../evil.bin"',
    "climbs backwards": r'attachment; filename="..\..\evil.bin"',
    "absolute": 'attachment; filename="/tmp/evil.bin"',
    "drive": r'attachment; filename="C:\evil.bin"',
    "share": r'attachment; filename="\\host\share\evil.bin"',
    "nul": 'attachment; filename="evil\0.bin"',
    "control": 'attachment; filename="evil\x07.bin"',
    "device": 'attachment; filename="CON"',
    "device with suffix": 'attachment; filename="nul.safetensors"',
    "dots": 'attachment; filename=".."',
    "hidden": 'attachment; filename=".bashrc"',
    "long": f'attachment; filename="{LONG}.safetensors"',
    "extended": "attachment; filename*=UTF-8''..%2F..%2Fevil.bin",
    "extended nul": "attachment; filename*=UTF-8''evil%00.bin",
    "extended wins": "attachment; filename=\"../a\"; filename*=UTF-8''mod%C3%A8le.bin",
    "bad charset": "attachment; filename*=klingon''x.bin",
    "greedy": 'attachment; filename="a.bin"; other="../../b"',
    "escaped": r'attachment; filename="a\"; filename=\"../b.bin"',
    "unquoted": "attachment; filename=../../evil.bin",
    "trailing dot": 'attachment; filename="evil.bin. . "',
    "empty": 'attachment; filename=""',
    "percent": 'attachment; filename="..%2f..%2fevil.bin"',
    "continued": 'attachment; filename*0="../"; filename*1="evil.bin"',
    "own part": 'attachment; filename=".model.bin.0123.part"',
}


@pytest.mark.parametrize("disposition", NAMES.values(), ids=NAMES.keys())
def test_46_file_name_of_the_host(place: Place, server: Scripted, disposition: str) -> None:
    """Fault 46: `Content-Disposition` suggests a name that leaves the folder or that no disk can hold."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = SMALL.answer(asked.range)
        reply.headers["content-disposition"] = disposition
        peer.reply(reply)

    url = server.on("/good.bin", script)
    outcome = place.fetch(place.order(url, destination=place.folder))
    assert not Path("/tmp/evil.bin").exists()  # noqa: S108 - the name that the host suggests
    if outcome.error is not None:
        place.failed(outcome, UnsafeFileNameError, InvalidAnswerError)
        return
    name = outcome.downloaded.path.name
    place.arrived(outcome, SMALL, name=name)
    assert len(name.encode()) <= 255
    assert not name.startswith(".")
    assert name == name.rstrip(". ")
    assert name.split(".", maxsplit=1)[0].upper() not in {"CON", "NUL", ""}
    assert not any(character in name for character in '/\\:\0\x07"')


def test_46_good_names_are_taken(place: Place, server: Scripted) -> None:
    """Fault 46, the other way round: an honest name is the file's name, one in any script too."""
    for number, (said, name) in enumerate(
        {
            'attachment; filename="my model.safetensors"': "my model.safetensors",
            "attachment; filename*=UTF-8''mod%C3%A8le.bin": "modèle.bin",
            'inline; filename="a (1).bin";': "a (1).bin",
            "attachment": "7.bin",
        }.items()
    ):

        def script(asked: Asked, peer: Peer, said: str = said) -> None:
            reply = SMALL.answer(asked.range)
            reply.headers["content-disposition"] = said
            peer.reply(reply)

        server.on(f"/{number}/7.bin", script)
        order = place.order(server.url(f"/{number}/7.bin?x=/y.txt"), destination=place.folder)
        place.arrived(place.fetch(order), SMALL, name=name)
        (place.folder / name).unlink()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.bin",
        "..",
        "/tmp/evil.bin",  # noqa: S108 - the name in the listing
        r"..\evil.bin",
        "C:evil.bin",
        "a/../../evil.bin",
        "CON",
        "a\0b",
        "",
        ".",
        LONG * 2,
    ],
)
def test_47_file_name_of_a_repository(place: Place, server: Scripted, name: str) -> None:
    """Fault 47: the listing of a repository has such a name; it comes with the order."""
    url = server.on("/x", serve(SMALL))
    order = place.order(url, destination=place.folder, file_name=name)
    outcome = place.fetch(order)
    assert not Path("/tmp/evil.bin").exists()  # noqa: S108 - the name in the listing
    if outcome.error is not None:
        place.failed(outcome, UnsafeFileNameError, DownloadError)
    else:
        assert outcome.downloaded.path.parent == place.folder
        place.arrived(outcome, SMALL, name=outcome.downloaded.path.name)


def test_47_file_name_in_the_address(place: Place, server: Scripted) -> None:
    """Fault 47: the address itself ends in such a name, percent signs and all."""
    for path in ("/..%2f..%2fevil.bin", "/%00", "/", "/a%5c..%5cevil.bin", "/CON", "/%2e%2e"):
        server.on(path, serve(SMALL))
        outcome = place.fetch(place.order(server.url(path), destination=place.folder))
        if outcome.error is None:
            assert outcome.downloaded.path.parent == place.folder
            assert not any(c in outcome.downloaded.path.name for c in "/\\\0")
            outcome.downloaded.path.unlink()
        assert place.names == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("dangling", [False, True])
def test_48_link_at_the_final_name(
    place: Place, server: Scripted, *, overwrite: bool, dangling: bool
) -> None:
    """Fault 48: somebody put a link where the file is to be: what it leads to is left alone."""
    target = place.home / ("nowhere" if dangling else "diary.txt")
    link = place.folder / "model.bin"
    place.planted = frozenset({"model.bin"})
    link.symlink_to(target)
    order = place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED), overwrite=overwrite)
    outcome = place.fetch(order)
    if overwrite:
        assert not link.is_symlink()
        place.arrived(outcome, OFFERED)
    else:
        assert isinstance(outcome.error, DestinationExistsError)
        assert link.is_symlink()
        assert place.visible == ["model.bin"]


def test_48_link_at_the_name_of_the_part(place: Place, server: Scripted) -> None:
    """Fault 48: a link waits where the partial file and its journal will be."""
    stop = StopSignal()

    def pause(received: int, _total: int) -> None:
        if received:
            stop.pause()

    def slowly(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.head(reply)
        for start in range(0, len(reply.body), MEBIBYTE // 2):
            peer.body(reply.body[start : start + MEBIBYTE // 2])
            peer.delivered()

    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    outcome = place.fetch(order, stop=stop, on_progress=pause)
    assert isinstance(outcome.result, Stopped)
    for hidden in (place.part, place.journal):
        hidden.unlink()
        hidden.symlink_to(place.home / "diary.txt")
    outcome = place.fetch(order)
    assert (place.home / "diary.txt").read_text() == "not yours"
    if outcome.error is None:
        assert outcome.downloaded.path.read_bytes() == OFFERED.content
        assert not outcome.downloaded.path.is_symlink()
    else:
        assert isinstance(outcome.error, ModelshelfError)
        assert place.visible == []


def test_49_more_bytes_than_announced(place: Place, server: Scripted) -> None:
    """Fault 49: a host that never stops sending is left soon after the announced size."""
    endless = payload()

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"transfer-encoding": "chunked"}, b""))
        for _ in range(64):
            peer.chunk(endless)

    url = server.on("/x", script)
    outcome = place.fetch(place.order(url, ExpectedContent(size=MEBIBYTE)))
    place.failed(outcome, SizeMismatchError)
    assert server.sent() <= 64 * MEBIBYTE
    assert server.count() <= QUICK.attempts


def test_49_more_bytes_than_the_disk_has(place: Place, server: Scripted) -> None:
    """Fault 49: the length that the host announces is more than any disk holds."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(200, {"content-length": str(1 << 60)}, payload(200_000)))
        peer.hold()

    place.failed(place.fetch(server.on("/x", script)), ModelshelfError)
    assert server.count() == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_49_compressed_without_being_asked(place: Place, server: Scripted, encoding: str) -> None:
    """Fault 49: a few kilobytes that unpack to a gigabyte are not unpacked, and not taken for the file."""
    bomb = gzip.compress(bytes(64 * MEBIBYTE))

    def script(_asked: Asked, peer: Peer) -> None:
        headers = {"content-encoding": encoding, "content-length": str(len(bomb))}
        peer.reply(Reply(200, headers, bomb))

    outcome = place.fetch(server.on("/x", script))
    place.failed(outcome, InvalidAnswerError, UnexpectedContentError, SizeMismatchError)
    assert server.count() <= QUICK.attempts


def test_50_token_is_written_down_nowhere(
    place: Place, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault 50: neither logs nor errors, neither the journal nor any name has the token in it."""
    caplog.set_level(logging.DEBUG)
    stop = StopSignal()
    seen: list[bytes] = []

    def look(received: int, _total: int) -> None:
        seen.extend(path.read_bytes() for path in place.folder.glob(".*.journal"))
        seen.extend(path.name.encode() for path in place.folder.iterdir())
        if received > SIZE // 2:
            stop.pause()

    def slowly(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.head(reply)
        for start in range(0, len(reply.body), MEBIBYTE // 2):
            peer.body(reply.body[start : start + MEBIBYTE // 2])
            peer.delivered()

    with Scripted() as store:
        store.on("/y", slowly)
        url = server.on("/x", redirect(f"{store.url('/y')}?X-Amz-Signature={SECRET}"))
        url = url.replace("://", f"://me:{SECRET}@") + f"?token={SECRET}"
        headers = {"Cookie": f"a={SECRET}", "X-Secret": SECRET}
        order = place.order(url, expecting(OFFERED), token=SECRET, headers=headers)
        outcome = place.fetch(order, stop=stop, on_progress=look)
        assert isinstance(outcome.result, Stopped)
        assert seen
        server.on("/x", in_turn(status(401), status(500)))
        errors = [
            place.fetch(place.order(url, token=SECRET, headers=headers)).error for _ in (1, 2)
        ]
        # Hosts repeat what they were told.
        store.on("/y", status(403, f"no such signature: {SECRET}".encode()))
        server.on("/x", redirect(f"{store.url('/y')}?X-Amz-Signature={SECRET}"))
        errors.append(place.fetch(place.order(url, token=SECRET)).error)
    assert all(error is not None for error in errors)
    said = " ".join(
        f"{error} {error!r} {error.facts} {error.__cause__!r}" for error in errors if error
    )
    assert SECRET not in said
    assert all(SECRET.encode() not in one for one in seen)
    # What a session that somebody hands in logs by itself is theirs.
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("urllib3")]
    assert SECRET not in " ".join(ours)
