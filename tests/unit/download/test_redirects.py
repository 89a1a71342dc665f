from collections.abc import Mapping
from functools import partial

import pytest

from modelshelf.download.address_policy import AddressPolicy
from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.redirects import Arrived, Timeouts, open_at, open_following
from modelshelf.errors import (
    ForbiddenAddressError,
    ForbiddenRedirectError,
    InvalidDownloadError,
)
from modelshelf.protocols import Answer, Request, Transport
from modelshelf.schema.transfer import PrivateAddresses
from modelshelf.testing.transport_contract import error_of, read_all
from tests.servers.scripted import Scripted, redirect, status

_SECRETS = {"Authorization": "Bearer hidden", "Cookie": "a=hidden", "X-Secret": "hidden"}


def follow(
    url: str,
    *,
    secrets: dict[str, str] | None = None,
    private: PrivateAddresses = PrivateAddresses.ALLOW,
    transport: Transport | None = None,
) -> Arrived:
    """Follow with a transport of its own, and close the answer."""
    used = transport or HttpTransport()
    try:
        arrived = open_following(
            used,
            url,
            headers={"Range": "bytes=0-"},
            secret_headers=secrets or {},
            policy=AddressPolicy(private, "127.0.0.1"),
            timeouts=Timeouts(),
        )
        read_all(arrived.answer)
        arrived.answer.close()
    finally:
        used.close()
    return arrived


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_follows_relative_and_absolute(code: int) -> None:
    """Every kind of redirect is followed, whatever way its target is written."""
    with Scripted() as server:
        server.on("/end", status(200, b"abc"))
        for target in (
            "/end",
            "../x/../end",
            "//" + server.url().partition("//")[2] + "/end",
            server.url("/end"),
        ):
            url = server.on("/x/start", redirect(target, code))
            arrived = follow(url)
            assert arrived.answer.status == 200
            assert arrived.url == server.url("/end")
            assert arrived.hops == (url, server.url("/end"))
            assert arrived.is_at_origin
    assert all(asked.range == "bytes=0-" for asked in server.requests())


def test_secrets_stay_at_home() -> None:
    """Authorization, cookies and the caller's own headers go to the order's origin, before and after others."""
    with Scripted() as home, Scripted() as abroad:
        home.on("/start", redirect("/next"))
        home.on("/next", redirect(abroad.url("/away")))
        abroad.on("/away", redirect(home.url("/back?x=1")))
        home.on("/back", status(200))
        arrived = follow(home.url("/start"), secrets=_SECRETS)
        assert arrived.is_at_origin
        assert all(len(asked.credentials) == 3 for asked in home.requests())
        assert [asked.credentials for asked in abroad.requests()] == [()]
        assert home.count() == 3


def test_another_port_scheme_or_name_is_another_origin() -> None:
    """The same machine under another name, or on another port, learns nothing."""
    with Scripted() as home:
        home.on("/end", status(200))
        for name in ("localhost", "127.1"):
            home.on("/start", redirect(home.url("/end", host=name)))
            arrived = follow(home.url("/start"), secrets=_SECRETS)
            assert not arrived.is_at_origin
        assert all(asked.credentials == () for asked in home.requests("/end"))


def test_the_user_of_an_address_becomes_a_header() -> None:
    """A name and password in the order's address are sent to its origin as a header, and never on."""
    with Scripted() as home, Scripted() as abroad:
        url = home.on("/start", redirect(abroad.url("/away").replace("://", "://evil:hidden@")))
        abroad.on("/away", status(200))
        arrived = follow(url.replace("://", "://me:p%40ss@"))
        assert home.requests()[0].headers["authorization"] == "Basic bWU6cEBzcw=="
        assert abroad.requests()[0].credentials == ()
        assert "hidden" not in arrived.url
        assert arrived.hops == (url, abroad.url("/away"))


def test_a_copied_token_is_taken_out() -> None:
    """A host that copies the query into another origin's address does not hand the order's token on."""
    with Scripted() as home, Scripted() as abroad:
        home.on("/start", redirect(abroad.url("/away?token=hidden&X-Signature=abc&token=other")))
        abroad.on("/away", status(200))
        follow(home.url("/start?token=hidden"))
        assert abroad.requests()[0].target == "/away?X-Signature=abc&token=other"
        home.on("/start", redirect("/end?token=hidden"))
        home.on("/end", status(200))
        follow(home.url("/start?token=hidden"))
        assert home.requests("/end")[0].query == {"token": "hidden"}


def test_circles_and_long_walks_end() -> None:
    """The same address twice, or more than ten redirects, are refused."""
    with Scripted() as server:
        server.on("/a", redirect("/b"))
        server.on("/b", redirect("/a"))
        error_of(ForbiddenRedirectError, partial(follow, server.url("/a")))
        assert server.count() == 2
        for number in range(20):
            server.on(f"/{number}", redirect(f"/{number + 1}"))
        server.on("/20", status(200))
        error_of(ForbiddenRedirectError, partial(follow, server.url("/0")))
        assert server.count() == 2 + 11
        assert len(follow(server.url("/10")).hops) == 11


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/hostname",
        "ftp://127.0.0.1/a",
        "data:text/plain,abc",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "http://",
        "http://[::1/",
        "http://a\\@b/",
        "http://hub.example:99999/",
        "/" + "a" * 40_000,
    ],
)
def test_leads_nowhere_else(target: str) -> None:
    """Other schemes, and what is no address, are refused, and no secret of theirs is shown."""
    with Scripted() as server:
        error = error_of(ForbiddenRedirectError, partial(follow, server.on("/x", redirect(target))))
        assert len(str(error)) < 500
        assert server.count() == 1


class _Moved:
    """An answer that leads from https to http."""

    status = 302
    headers: Mapping[str, str] = {"location": "http://hub.example/b?token=hidden"}
    url = ""
    is_closed = False

    def read_into(self, buffer: memoryview) -> int:
        return 0 * len(buffer)

    def abort(self) -> None:
        return

    def close(self) -> None:
        self.is_closed = True


class _Canned:
    """A transport with one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def open(self, request: Request) -> Answer:
        del request
        return self.answer

    def close(self) -> None:
        return


def test_never_from_https_to_http() -> None:
    """What was asked for safely is not fetched in the open."""
    answer = _Moved()
    act = partial(follow, "https://hub.example/a?token=hidden", transport=_Canned(answer))
    error = error_of(ForbiddenRedirectError, act)
    assert answer.is_closed
    assert "hidden" not in f"{error} {error.facts}"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "127.1"],
)
def test_a_stranger_cannot_lead_inside(host: str) -> None:
    """A redirect to this machine is refused before it is asked, by number or by name."""
    with Scripted() as server:
        url = server.on("/x", redirect(f"http://{host}:{server.port}/inside"))
        act = partial(follow, url, private=PrivateAddresses.AS_NAMED)
        error = error_of(ForbiddenAddressError, act)
        assert "/inside" in str(error)
        assert server.count() == 1
        error_of(ForbiddenAddressError, partial(follow, url, private=PrivateAddresses.REFUSE))
        assert server.count() == 1


def test_remembers_what_was_said_on_the_way() -> None:
    """The first word on size, digest, revision and name is kept, also when the last host says otherwise."""
    facts = {
        "X_Linked_Size": "1234",
        "X_Linked_Etag": '"abc"',
        "X_Repo_Commit": "c0ffee",
        "X_Xet_Hash": "def",
    }
    with Scripted() as hub, Scripted() as cdn:
        signed = cdn.url(
            "/x?Response-Content-Disposition=attachment%3B%20filename%3D%22a.bin%22&X=1"
        )
        hub.on("/x", redirect(signed, 302, **facts))
        cdn.on("/x", status(200, b"", X_Linked_Size="9", ETag='"other"'))
        said = follow(hub.url("/x")).facts
        assert (said.linked_size, said.linked_etag) == (1234, "abc")
        assert (said.commit, said.xet_hash) == ("c0ffee", "def")
        assert said.disposition == 'attachment; filename="a.bin"'


def test_a_redirect_without_a_target_is_an_answer() -> None:
    """Somebody else says what a 302 without Location, or a 304, means."""
    with Scripted() as server:
        assert follow(server.on("/x", status(302))).answer.status == 302
        assert follow(server.on("/y", status(304))).answer.status == 304


def test_reads_targets_in_utf_8() -> None:
    """A host that does not encode its target means UTF-8."""
    said = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\xc3\xa4 b\r\n\r\n"
    with Scripted() as server:
        url = server.on("/x", lambda _, peer: peer.send(said))
        server.on("/%C3%A4%20b", status(200))
        assert follow(url).answer.status == 200


def test_asks_one_address_without_secrets() -> None:
    """A signed address is asked as it is, nothing is followed, and secrets come only where they belong."""
    policy = AddressPolicy(PrivateAddresses.ALLOW, "")
    with Scripted() as server:
        url = server.on("/x", redirect("/y"))
        transport = HttpTransport()
        for secrets in (None, _SECRETS):
            answer = open_at(
                transport,
                url,
                headers={},
                policy=policy,
                timeouts=Timeouts(),
                secret_headers=secrets,
            )
            assert answer.status == 302
            answer.close()
        assert [len(asked.credentials) for asked in server.requests()] == [0, 3]
        transport.close()


def test_orders_for_other_schemes_are_invalid() -> None:
    """What cannot be downloaded at all is the order's fault, not a host's."""
    for url in ("file:///etc/hostname", "hub.example/a", "http://[::1"):
        error_of(InvalidDownloadError, partial(follow, url))
