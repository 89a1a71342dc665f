from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from modelshelf.download.proxies import Proxies
from modelshelf.errors import ForbiddenAddressError, ProxyError, TlsError
from modelshelf.protocols import Address, Request
from modelshelf.testing.transport_contract import TransportContract, error_of, read_all
from tests.servers.certificates import make_certificate
from tests.servers.proxy import pass_on
from tests.servers.scripted import Scripted, status

if TYPE_CHECKING:
    from pathlib import Path

    from modelshelf.protocols import Transport

pytest.importorskip("pycurl", reason="needs the extra `curl`")


def make(proxies: Proxies | None = None, certificates: Path | None = None) -> Transport:
    """Make one, now that the extra is there."""
    from modelshelf.download.curl_transport import CurlTransport  # noqa: PLC0415 - an extra

    return CurlTransport(proxies=proxies, certificates=str(certificates) if certificates else None)


class TestCurl(TransportContract):
    """Over libcurl, all promises are kept."""

    def make_transport(self) -> Transport:
        return make()


def test_believes_only_the_right_certificate(tmp_path: Path) -> None:
    """A host that proves itself is read, one that cannot gets no request."""
    shown = make_certificate(tmp_path)
    with Scripted(tls=shown.server) as server:
        url = server.on("/x", status(200, b"abc"))
        stranger = make()
        error_of(TlsError, partial(stranger.open, Request(url)))
        assert server.requests() == []
        friend = make(certificates=shown.certificate)
        answer = friend.open(Request(url))
        assert read_all(answer) == b"abc"
        answer.close()
        stranger.close()
        friend.close()


def test_passes_through_a_proxy(tmp_path: Path) -> None:
    """Plain requests are passed on whole, TLS goes through a tunnel; the proxy alone learns its password."""
    shown = make_certificate(tmp_path)
    with Scripted() as proxy, Scripted() as plain, Scripted(tls=shown.server) as secure:
        proxy.otherwise(pass_on)
        address = proxy.url().replace("http://", "http://me:pass@")
        transport = make(Proxies(http=address, https=address), shown.certificate)
        for server in (plain, secure):
            answer = transport.open(Request(server.on("/x", status(200, b"abc"))))
            assert read_all(answer) == b"abc"
            answer.close()
            assert server.requests()[0].credentials == ()
        assert [asked.method for asked in proxy.requests()] == ["GET", "CONNECT"]
        transport.close()


def test_a_proxy_that_refuses_or_is_not_there() -> None:
    """The error says that it is the proxy, and not who may pass it."""
    with Scripted() as proxy, Scripted(listening=False) as nobody:
        proxy.otherwise(status(407))
        for address in (proxy.url(), nobody.url()):
            transport = make(Proxies(https=address.replace("://", "://me:hidden@")))
            request = Request("https://hub.example/x")
            error = error_of(ProxyError, partial(transport.open, request))
            assert "hidden" not in f"{error} {error.facts}"
            transport.close()


def test_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libcurl's own habit of asking the environment for a proxy is off."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Scripted() as server:
        transport = make()
        answer = transport.open(Request(server.on("/x", status(200, b"abc"))))
        assert read_all(answer) == b"abc"
        answer.close()
        transport.close()


def test_a_proxy_is_not_a_way_in() -> None:
    """The host that a proxy would be asked for is checked here."""

    def refuse(host: str, address: Address) -> None:
        raise ForbiddenAddressError(url=host, address=address)

    with Scripted() as proxy:
        transport = make(Proxies(http=proxy.url()))
        request = Request("http://localhost/x", check_peer=refuse)
        error_of(ForbiddenAddressError, partial(transport.open, request))
        assert proxy.connections == 0
        transport.close()
