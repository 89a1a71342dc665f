import io
import logging
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import requests

from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.proxies import Proxies
from modelshelf.download.transport_choice import choose_transport
from modelshelf.errors import (
    ConnectionLostError,
    ForbiddenAddressError,
    InvalidAnswerError,
    InvalidDownloadError,
    ProxyError,
    StalledError,
    TlsError,
)
from modelshelf.protocols import Address, Request, Transport
from modelshelf.testing.scripted_host import ScriptedHost
from modelshelf.testing.transport_contract import (
    TransportContract,
    error_of,
    read_all,
)
from tests.servers.certificates import Certificate, make_certificate
from tests.servers.proxy import pass_on
from tests.servers.scripted import Asked, Peer, Scripted, status

_SAID = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


class TestOwnConnections(TransportContract):
    """Without a session, all promises are kept over connections of our own."""

    def make_transport(self) -> Transport:
        return HttpTransport()

    def test_a_head_that_trickles_in_has_an_end(self) -> None:
        """A byte now and then keeps each wait short, and yet the whole head is given up."""
        clock = iter(range(1000))

        def trickle(_: Asked, peer: Peer) -> None:
            peer.drip(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000, every=0.001)

        with Scripted() as server:
            transport = HttpTransport(clock=lambda: float(next(clock)))
            request = Request(server.on("/x", trickle), read_timeout=10)
            error_of(StalledError, partial(transport.open, request))
            transport.close()

    def test_endless_interim_answers_have_an_end(self) -> None:
        """A host that says `continue` for ever runs into the limit of a head."""
        with Scripted() as server:
            transport = HttpTransport()
            url = server.on(
                "/x", lambda _, peer: peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 9000)
            )
            error_of(InvalidAnswerError, partial(transport.open, Request(url)))
            transport.close()

    def test_chunks_that_cannot_be_are_a_lost_connection(self) -> None:
        """Lengths with a sign, an underscore or no digits, and a chunk that is longer than it says."""
        for chunks in (
            b"-5\r\nabcde\r\n",
            b"1_0\r\n",
            b"\r\n",
            b"5;" + b"a" * 5000,
            b"2\r\nabc\r\n",
        ):
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            with self.hosting(head + chunks) as (transport, host):
                answer = transport.open(Request(host.url))
                error_of(ConnectionLostError, partial(read_all, answer))
                answer.close()

    def test_other_transfer_codings_are_refused(self) -> None:
        """Nobody asked for a coding, and a body that is not understood is no file."""
        said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        with self.hosting(said) as (transport, host):
            error_of(InvalidAnswerError, partial(transport.open, Request(host.url)))

    def test_idle_connections_are_limited(self) -> None:
        """Of connections without work only as many are kept as were asked for."""
        with ScriptedHost(*[_SAID] * 9) as host:
            transport = HttpTransport(connections=2)
            answers = [transport.open(Request(host.url)) for _ in range(4)]
            for answer in answers:
                read_all(answer)
                answer.close()
            for _ in range(2):
                answers = [transport.open(Request(host.url)) for _ in range(2)]
                for answer in answers:
                    read_all(answer)
                    answer.close()
            assert host.connections == 4
            transport.close()

    def test_no_log_shows_the_query(self, caplog: pytest.LogCaptureFixture) -> None:
        """Not even at the lowest level does any logger write a token."""
        with caplog.at_level(logging.DEBUG), self.hosting(_SAID) as (transport, host):
            transport.open(Request(host.url)).close()
        assert "hidden" not in caplog.text


class TestGivenSession(TransportContract):
    """With a plain session the promises are kept too, where the libraries below it allow it."""

    @pytest.fixture(autouse=True)
    def sessions(self) -> Iterator[None]:
        self.made: list[requests.Session] = []
        yield
        for session in self.made:
            session.close()

    def make_transport(self) -> Transport:
        self.made.append(requests.Session())
        return HttpTransport(self.made[-1])

    def test_passes_interim_answers_by(self) -> None:
        """A session takes early hints for the answer; that is told, and not taken for a file."""
        said = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + _SAID
        with self.hosting(said) as (transport, host):
            error_of(InvalidAnswerError, partial(transport.open, Request(host.url)))

    def test_a_connection_that_was_closed_meanwhile_does_no_harm(self) -> None:
        """A session may notice only when it asks; asking once more helps."""
        with self.hosting(_SAID, None, _SAID, None) as (transport, host):
            answer = transport.open(Request(host.url))
            read_all(answer)
            answer.close()
            try:
                answer = transport.open(Request(host.url))
            except ConnectionLostError:
                answer = transport.open(Request(host.url))
            assert read_all(answer) == b"abc"
            answer.close()

    def test_keeps_no_cookie(self) -> None:
        """A session's cookies are its own: it sends them to the host that gave them."""
        cookie = _SAID.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n\r\n")
        with self.hosting(cookie, _SAID) as (transport, host):
            for _ in range(2):
                answer = transport.open(Request(host.url))
                read_all(answer)
                answer.close()
            assert b"a=b" in host.requests[1]

    def test_adds_nothing_to_the_session(self) -> None:
        """Headers, adapters and hooks of the session are as before."""
        with self.hosting(_SAID) as (transport, host):
            session = self.made[-1]
            before = (dict(session.headers), list(session.adapters.items()), session.auth)
            transport.open(Request(host.url, {"Authorization": "Bearer hidden"})).close()
            assert before == (dict(session.headers), list(session.adapters.items()), session.auth)

    def test_no_log_shows_the_query(self, caplog: pytest.LogCaptureFixture) -> None:
        """The libraries below a session log request lines, here without tokens; afterwards as ever."""
        with caplog.at_level(logging.DEBUG), self.hosting(_SAID) as (transport, host):
            transport.open(Request(host.url)).close()
            logging.getLogger("urllib3.connectionpool").debug("%s", "/x?mine")
        assert "/a/model.bin?…" in caplog.text
        assert "hidden" not in caplog.text
        assert "/x?mine" in caplog.text

    def test_own_credentials_stay_at_home(self) -> None:
        """What a session would send by itself goes to the order's origin, and to no stranger."""
        with self.hosting(_SAID, _SAID) as (transport, host):
            session = self.made[-1]
            session.auth = ("me", "secret")
            session.headers.update({"X-Api-Key": "secret", "User-Agent": "mine"})
            session.params = {"token": "secret"}
            for is_foreign in (False, True):
                answer = transport.open(Request(host.url, is_foreign=is_foreign))
                read_all(answer)
                answer.close()
            home, abroad = (head.lower() for head in host.requests)
            assert b"authorization: basic" in home
            assert b"x-api-key: secret" in home
            assert b"token=secret" in home
            assert b"user-agent: mine" in abroad
            assert b"authorization" not in abroad
            assert b"secret" not in abroad


class _Adapter(requests.adapters.HTTPAdapter):
    """Answers without a network, as tests of other programs do."""

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.url = request.url or ""
        response.headers["Content-Length"] = "5"
        response.raw = io.BytesIO(b"abcde")
        return response


class _Session:
    """The least that can be handed in: an object with `get`."""

    def __init__(self, content: bytes, length: int) -> None:
        self.content, self.length = content, length

    def get(self, url: str, **_: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url = 200, url
        response.headers["content-length"] = str(self.length)
        response.raw = io.BytesIO(self.content)
        return response


def test_a_session_may_be_a_double() -> None:
    """A session with adapters of its own, or an object with `get`, is enough; no name is looked up."""

    def refuse(host: str, address: Address) -> None:
        raise ForbiddenAddressError(url=host, address=address)

    session = requests.Session()
    session.mount("http://", _Adapter())
    for given in (session, _Session(b"abcde", 5)):
        transport = HttpTransport(given)  # type: ignore[arg-type]
        request = Request("http://www.civitai.example/models/1", check_peer=refuse)
        answer = transport.open(request)
        assert read_all(answer, 2) == b"abcde"
        answer.abort()
        answer.close()
        transport.close()


def test_a_double_that_ends_early_is_noticed() -> None:
    """The announced length holds for whatever a session makes."""
    transport = HttpTransport(_Session(b"abc", 5))  # type: ignore[arg-type]
    answer = transport.open(Request("http://hub.example/a"))
    error_of(ConnectionLostError, partial(read_all, answer))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def _session(trusted: Path | None = None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    if trusted is not None:
        session.verify = str(trusted)
    return session


@pytest.mark.parametrize("kind", ["own", "session"])
def test_tls_with_the_right_certificate(certificate: Certificate, kind: str) -> None:
    """Over TLS a body comes just the same, and the connection serves again."""
    trusted = certificate.certificate
    session = None if kind == "own" else _session(trusted)
    transport = HttpTransport(session, certificates=str(trusted))
    body = b"x" * 200_000
    with Scripted(tls=certificate.server) as server:
        url = server.on("/x", status(200, body))
        for _ in range(2):
            answer = transport.open(Request(url))
            assert read_all(answer, 100_000) == body
            answer.close()
        assert server.connections == 1
    transport.close()
    if session is not None:
        session.close()


@pytest.mark.parametrize("kind", ["own", "session"])
def test_tls_with_a_wrong_certificate(certificate: Certificate, kind: str, tmp_path: Path) -> None:
    """Nobody vouches for it, it is somebody else's, or it is over: the host gets no request."""
    cases = [
        (certificate, None),
        (make_certificate(tmp_path, "DNS:other.example"), tmp_path / "certificate.pem"),
    ]
    for shown, trusted in cases:
        session = None if kind == "own" else _session(trusted)
        transport = HttpTransport(session, certificates=str(trusted) if trusted else None)
        with Scripted(tls=shown.server) as server:
            url = server.on("/x?token=hidden", status(200))
            error = error_of(TlsError, partial(transport.open, Request(url)))
            assert server.requests() == []
            assert "hidden" not in f"{error} {error.facts}"
        transport.close()
        if session is not None:
            session.close()


@pytest.mark.parametrize("kind", ["own", "session"])
def test_no_tls_there(certificate: Certificate, kind: str) -> None:
    """A host that speaks plain HTTP where TLS is expected is wrong, and stays wrong."""
    session = None if kind == "own" else _session(certificate.certificate)
    transport = HttpTransport(session)

    def speak() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        speaker = Thread(target=speak, daemon=True)
        speaker.start()
        request = Request(f"https://127.0.0.1:{listener.getsockname()[1]}/x")
        error_of(TlsError, partial(transport.open, request))
        speaker.join(10)
    transport.close()
    if session is not None:
        session.close()


def _ask_for_a_name(_: Asked, peer: Peer) -> None:
    peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    peer.hang_up()


def test_passes_through_a_proxy(certificate: Certificate) -> None:
    """Plain requests are passed on whole, TLS goes through a tunnel; the proxy alone learns its password."""
    with Scripted() as proxy, Scripted() as plain, Scripted(tls=certificate.server) as secure:
        proxy.otherwise(pass_on)
        address = proxy.url().replace("http://", "http://me:pass@")
        transport = HttpTransport(
            proxies=Proxies(http=address, https=address), certificates=str(certificate.certificate)
        )
        for server in (plain, secure):
            url = server.on("/x", status(200, b"abc"))
            answer = transport.open(Request(url))
            assert read_all(answer) == b"abc"
            answer.close()
            assert server.requests()[0].credentials == ()
        assert [asked.method for asked in proxy.requests()] == ["GET", "CONNECT"]
        assert all(asked.credentials == ("proxy-authorization",) for asked in proxy.requests())
        transport.close()


def test_a_proxy_that_refuses_or_is_not_there() -> None:
    """The error says that it is the proxy, and not who may pass it."""
    with Scripted() as proxy, Scripted(listening=False) as nobody:
        proxy.otherwise(_ask_for_a_name)
        for address in (proxy.url(), nobody.url(), "socks5://127.0.0.1:1", "https://127.0.0.1:1"):
            shown = address.replace("://", "://me:hidden@")
            transport = HttpTransport(proxies=Proxies(https=shown))
            request = Request("https://hub.example/x")
            error = error_of(ProxyError, partial(transport.open, request))
            assert "hidden" not in f"{error} {error.facts}"
            transport.close()


def test_a_proxy_is_not_a_way_in() -> None:
    """Behind a proxy the peer is the proxy, so the host that it would be asked for is checked here."""

    def refuse(host: str, address: Address) -> None:
        raise ForbiddenAddressError(url=host, address=address)

    with Scripted() as proxy:
        transport = HttpTransport(proxies=Proxies(http=proxy.url()))
        for host in ("127.0.0.1", "localhost", "2130706433", "[::1]"):
            request = Request(f"http://{host}/x", check_peer=refuse)
            error_of(ForbiddenAddressError, partial(transport.open, request))
        assert proxy.connections == 0
        transport.close()


def test_unusable_header_names_are_refused() -> None:
    """Headers that decide where a message ends or whom it is for cannot be chosen."""
    transport = HttpTransport()
    for name in ("Host", "content-length", "Transfer-Encoding", "a b", "", "x:y"):
        request = Request("http://127.0.0.1:1/", {name: "1"})
        error_of(InvalidDownloadError, partial(transport.open, request))


def test_reads_certificates_and_proxies_from_the_environment(certificate: Certificate) -> None:
    """`REQUESTS_CA_BUNDLE` and the proxies' variables count, as everywhere."""
    bundle = {"REQUESTS_CA_BUNDLE": str(certificate.certificate), "NO_PROXY": "127.0.0.1"}
    transport = choose_transport({**bundle, "HTTPS_PROXY": "http://127.0.0.1:1"})
    with Scripted(tls=certificate.server) as server:
        answer = transport.open(Request(server.on("/x", status(200, b"a"))))
        assert read_all(answer) == b"a"
        answer.close()
    transport.close()


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    """A bundle that cannot be read is told at the first use, a folder of certificates is as good as a file."""
    missing = HttpTransport(certificates=str(tmp_path / "none.pem"))
    error = error_of(TlsError, partial(missing.open, Request("https://127.0.0.1:1/x")))
    assert "none.pem" in str(error)
    empty = HttpTransport(certificates=str(tmp_path))
    error_of(ConnectionLostError, partial(empty.open, Request("https://127.0.0.1:1/x")))
