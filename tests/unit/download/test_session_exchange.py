import http.client
import io
import ssl
from collections.abc import Iterator
from functools import partial

import pytest
import requests
import urllib3

from modelshelf.download.http_transport import HttpTransport
from modelshelf.errors import (
    ConnectionLostError,
    DownloadError,
    ForbiddenAddressError,
    InvalidAnswerError,
    InvalidDownloadError,
    ProxyError,
    StalledError,
    TlsError,
)
from modelshelf.protocols import Address, Answer, Request
from modelshelf.testing.transport_contract import error_of, read_all
from tests.servers.content import MEBIBYTE, Reply, payload
from tests.servers.scripted import Asked, Peer, Scripted, status

_URL = "http://hub.example/a?token=hidden"


class Failing:
    """A session whose every request fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get(self, url: str, **_: object) -> requests.Response:
        del url
        raise self.error


class Streaming:
    """A response that has no `raw` to read from, as some doubles make."""

    raw = None

    def __init__(self, portions: list[bytes | Exception], headers: dict[str, str]) -> None:
        self.status_code = 200
        self.portions, self.headers = portions, headers
        self.is_closed = False

    def iter_content(self, size: int) -> Iterator[bytes]:
        assert size > 0
        for portion in self.portions:
            if isinstance(portion, Exception):
                raise portion
            yield portion

    def close(self) -> None:
        self.is_closed = True


class Giving:
    """A session that always has the same response."""

    def __init__(self, response: object) -> None:
        self.response = response

    def get(self, url: str, **_: object) -> object:
        del url
        return self.response


def ask(session: object, *, url: str = _URL) -> Answer:
    """Ask through a double."""
    return HttpTransport(session).open(Request(url))  # type: ignore[arg-type]


_CONNECTION, _TLS, _PROXY = (
    requests.exceptions.ConnectionError,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
)


def _made_of(
    inner: Exception, kind: type[requests.RequestException] = _CONNECTION
) -> requests.RequestException:
    """Wrap an error as the libraries do, with a text that quotes the whole address."""
    outer = kind(f"Max retries exceeded with url: {_URL}", inner)
    outer.__cause__ = outer.__context__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (_made_of(ConnectionRefusedError(111, "Refused")), ConnectionLostError, "refused"),
        (_made_of(http.client.RemoteDisconnected("gone")), ConnectionLostError, "broke"),
        (requests.ConnectTimeout(_URL), ConnectionLostError, "in time"),
        (requests.ReadTimeout(_URL), StalledError, "15 seconds"),
        (TimeoutError(), StalledError, "15 seconds"),
        (_made_of(OSError("Tunnel connection failed: 407"), _PROXY), ProxyError, "broke"),
        (_TLS(_URL), TlsError, "handshake"),
        (_made_of(ssl.SSLCertVerificationError("no"), _TLS), TlsError, "certificate"),
        (_made_of(ssl.SSLError(1, "wrong version"), _TLS), TlsError, "handshake"),
        (_made_of(ssl.SSLEOFError(8, "EOF"), _TLS), ConnectionLostError, "handshake"),
        (requests.exceptions.InvalidURL(_URL), InvalidDownloadError, "session"),
        (requests.exceptions.InvalidSchema(_URL), InvalidDownloadError, "session"),
        (requests.exceptions.InvalidHeader(_URL), InvalidAnswerError, "header"),
        (_made_of(http.client.LineTooLong("header line")), InvalidAnswerError, "many"),
        (_made_of(http.client.HTTPException("got more than 100")), InvalidAnswerError, "many"),
        (requests.exceptions.ChunkedEncodingError(_URL), ConnectionLostError, "broke"),
        (OSError(f"odd {_URL}"), ConnectionLostError, "broke"),
        (ValueError(f"odd {_URL}"), InvalidAnswerError, "redirect"),
    ],
)
def test_says_in_our_words_what_a_session_says(
    error: Exception, kind: type[DownloadError], said: str
) -> None:
    """Each failure has its type, and neither it nor what it came from shows the address's query."""
    raised = error_of(kind, partial(ask, Failing(error)))
    assert type(raised) is kind
    assert said in str(raised)
    assert "hidden" not in f"{raised} {raised.facts}"
    assert raised.__context__ is None
    assert raised.__cause__ is None


def test_reads_what_can_only_be_iterated() -> None:
    """A response without `raw` is read through its iterator, and closed."""
    response = Streaming([b"abc", b"", b"de"], {"Content-Length": "5"})
    answer = ask(Giving(response))
    assert read_all(answer, 2) == b"abcde"
    answer.abort()
    with pytest.raises(ConnectionLostError):
        answer.read_into(memoryview(bytearray(1)))
    answer.close()
    answer.close()
    assert response.is_closed


def test_an_iterator_that_breaks_is_a_broken_connection() -> None:
    """What the library raises while a body is read becomes what a transport raises."""
    cases: list[tuple[Exception, type[ConnectionLostError]]] = [
        (requests.exceptions.ChunkedEncodingError(_URL), ConnectionLostError),
        (requests.exceptions.ConnectionError(_URL), ConnectionLostError),
        (requests.exceptions.Timeout(_URL), StalledError),
        (urllib3.exceptions.ProtocolError(_URL), ConnectionLostError),
    ]
    for error, kind in cases:
        answer = ask(Giving(Streaming([b"abc", error], {})))
        raised = error_of(kind, partial(read_all, answer))
        assert "hidden" not in f"{raised} {raised.facts}"


def test_what_was_unpacked_has_no_known_length() -> None:
    """A double that can only unpack is not measured by the packed length."""
    response = Streaming([b"abcdefgh"], {"Content-Length": "3", "Content-Encoding": "gzip"})
    assert read_all(ask(Giving(response))) == b"abcdefgh"


def test_urllib3s_own_responses_are_read_as_sent() -> None:
    """A double that builds urllib3's response over a buffer works, too."""
    response = requests.Response()
    response.status_code = 200
    response.raw = urllib3.HTTPResponse(
        io.BytesIO(b"abc"), headers={"Content-Encoding": "gzip"}, preload_content=False
    )
    response.headers["Content-Encoding"] = "gzip"
    assert read_all(ask(Giving(response))) == b"abc"


def test_odd_heads_are_refused() -> None:
    """Too many headers, an impossible length or status: no answer, and the response is closed."""
    for headers in (
        {f"X-{n}": "a" for n in range(101)},
        {"X": "a" * 70_000},
        {"Content-Length": "-1"},
    ):
        response = Streaming([], headers)
        error_of(InvalidAnswerError, partial(ask, Giving(response)))
        assert response.is_closed


def test_checks_who_answered() -> None:
    """A name that leads inside is refused before it is asked, and the peer that answers is checked as well."""
    asked: list[tuple[str, Address]] = []

    def refuse_second(host: str, address: Address) -> None:
        asked.append((host, address))
        if len(asked) == 2:
            raise ForbiddenAddressError(url=host, address=address)

    with Scripted() as server, requests.Session() as session:
        session.trust_env = False
        url = server.on("/x", status(200, b"abc"))
        request = Request(url, check_peer=refuse_second)
        act = partial(HttpTransport(session).open, request)
        error_of(ForbiddenAddressError, act)
        assert server.count() == 1
        assert set(asked) == {("127.0.0.1", "127.0.0.1")}


def test_behind_a_sessions_proxy_the_peer_is_the_proxy() -> None:
    """What answers is then not the host, so that only the host's own address is checked."""
    asked: list[tuple[str, Address]] = []
    with Scripted() as proxy, requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy.url()}
        proxy.otherwise(status(200, b"abc"))
        request = Request(
            "http://8.8.8.8/x", check_peer=lambda host, address: asked.append((host, address))
        )
        answer = HttpTransport(session).open(request)
        assert read_all(answer) == b"abc"
        answer.close()
        assert set(asked) == {("8.8.8.8", "8.8.8.8")}


def test_the_body_of_a_redirect_is_not_read_to_see_where_it_leads() -> None:
    """It may have no end. The session's own hooks see the answer as it came, and so do we."""
    portion = payload(MEBIBYTE)

    def endless(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(302, {"location": "/b", "content-length": str(1 << 40)}, b""))
        while not peer.is_gone():
            peer.body(portion)

    seen: list[str] = []
    with Scripted() as server, requests.Session() as session:
        session.hooks["response"].append(lambda came, **_: seen.append(came.headers["location"]))
        answer = ask(session, url=server.on("/a", endless))
        assert (answer.status, answer.headers["location"], seen) == (302, "/b", ["/b"])
        assert len(session.hooks["response"]) == 1
        answer.close()
        assert server.sent("/a") < 64 * MEBIBYTE


def test_a_redirect_with_a_short_body_leaves_its_connection_to_the_next_request() -> None:
    """As browsers are shown a page, most redirects have one."""
    connections = []

    def found(_asked: Asked, peer: Peer) -> None:
        connections.append(peer.connection.getpeername())
        peer.reply(Reply(302, {"location": "/b", "content-length": "5"}, b"Found"))

    with Scripted() as server, requests.Session() as session:
        url = server.on("/a", found)
        for _ in range(3):
            ask(session, url=url).close()
    assert (len(connections), len(set(connections))) == (3, 1)
