import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

import pytest

from modelshelf.download.guarded_connection import Dialer, basic_credentials, check_named, words_of
from modelshelf.download.origin import Origin
from modelshelf.errors import (
    ConnectionLostError,
    ForbiddenAddressError,
    ModelshelfError,
    ProxyError,
    StalledError,
    TlsError,
)
from modelshelf.protocols import Address, Request
from modelshelf.testing.transport_contract import error_of


@contextmanager
def listening(said: bytes = b"", *, closes: bool = True) -> Iterator[int]:
    """Listen on loopback: say something to whoever comes, and close, or hold the line."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(said)
                if not closes:
                    over.wait(20)

        thread = Thread(target=talk, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        listener.close()
    thread.join(10)


def dial(
    port: int, *, scheme: str = "https", proxy: str | None = None, patience: float = 5
) -> None:
    """Connect to a port, and hang up."""
    url = f"{scheme}://127.0.0.1:{port}/x?token=hidden"
    request = Request(url, connect_timeout=patience)
    Dialer(ssl.create_default_context()).connect(request, Origin.of(url), proxy).close()


def test_a_hang_up_in_the_handshake_is_a_lost_connection() -> None:
    """Who closes during the handshake may be better next time; it is no question of certificates."""
    with listening() as port:
        error = error_of(ConnectionLostError, partial(dial, port))
        assert "hidden" not in f"{error} {error.facts}"


def test_a_silent_handshake_ends() -> None:
    """Who accepts and does not shake hands is given up within the time to connect."""
    with listening(closes=False) as port:
        error_of(StalledError, partial(dial, port, patience=0.2))


def test_nonsense_in_the_handshake_is_no_tls() -> None:
    """Who answers the handshake in plain words speaks no TLS."""
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        error_of(TlsError, partial(dial, port))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 407 Who?\r\n\r\n",
        b"HTTP/1.1 502 No\r\n\r\n",
        b"hello\r\n",
        b"HTTP/1.1 200 OK\r\nbad\r\n\r\n",
    ],
)
def test_a_tunnel_that_is_not_opened_is_the_proxys_fault(said: bytes) -> None:
    """Whatever a proxy says but yes, the request does not go out."""
    with listening(said) as port:
        error_of(ProxyError, partial(dial, 1, proxy=f"http://me:hidden@127.0.0.1:{port}"))


def test_a_proxy_whose_address_is_none() -> None:
    """What the environment names as a proxy may be no address; it is not shown."""
    for proxy in ("http://me:hidden@", "nonsense", "socks5://me:hidden@127.0.0.1:1"):
        error = error_of(ProxyError, partial(dial, 1, proxy=proxy))
        assert "hidden" not in f"{error} {error.facts}"


def test_an_expired_patience_connects_to_nobody() -> None:
    """Where no time is left no connection is tried."""
    error_of(ConnectionLostError, partial(dial, 1, scheme="http", patience=-1.0))


def test_a_host_that_a_proxy_would_ask_for_is_checked_here() -> None:
    """A literal or known name is checked, an unknown one is the proxy's to know."""
    asked: list[Address] = []

    def refuse(host: str, address: Address) -> None:
        asked.append(address)
        raise ForbiddenAddressError(url=host, address=address)

    for host in ("127.0.0.1", "localhost", "0x7f.1", "::1"):
        error_of(ForbiddenAddressError, partial(check_named, refuse, host))
    check_named(refuse, "nowhere.invalid")
    check_named(refuse, "a" * 80 + ".example")
    assert len(asked) == 4


def test_quotes_no_library() -> None:
    """Reasons are the system's own words, or ours; what a library says may hold an address."""
    assert words_of(ConnectionRefusedError(111, "Connection refused")) == "connection refused"
    assert words_of(OSError("https://hub.example/?token=hidden")) == "the connection broke"
    assert words_of(ValueError("token=hidden")) == "the connection broke"
    assert words_of(EOFError()) == "the connection ended too early"
    assert issubclass(ForbiddenAddressError, ModelshelfError)


def test_credentials_are_written_as_rfc_7617_says() -> None:
    """A name alone has an empty password, and both may be outside ASCII."""
    assert basic_credentials("Aladdin:open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic_credentials("test") == "Basic dGVzdDo="
    assert basic_credentials("test:123\u00a3") == "Basic dGVzdDoxMjPCow=="
