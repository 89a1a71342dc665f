"""The servers are what they say: a double that lies would vouch for anything."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

from tests.servers.certificates import make_certificate
from tests.servers.content import Offered, payload
from tests.servers.nginx import run_nginx
from tests.servers.proxy import pass_on
from tests.servers.scripted import Asked, Peer, Scripted, in_turn, redirect, serve, status

OFFERED = Offered(payload(200_000))


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask with the standard library, following nothing."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    assert scheme == "http"
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", "/" + path, headers=named)
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, fields, answer.read()
    finally:
        connection.close()


def test_a_file_is_served_honestly() -> None:
    """Whole, in part, from a byte on, beyond its end, and whole again when it is another one now."""
    with Scripted() as server:
        url = server.on("/x", serve(OFFERED))
        assert fetch(url)[::2] == (200, OFFERED.content)
        code, headers, body = fetch(url, Range="bytes=10-19")
        assert (code, headers["content-range"], body) == (
            206,
            "bytes 10-19/200000",
            OFFERED.content[10:20],
        )
        assert fetch(url, Range="bytes=199990-", If_Range='"one"')[2] == OFFERED.content[-10:]
        assert fetch(url, Range="bytes=200000-")[0] == 416
        assert fetch(url, Range="bytes=0-1", If_Range='"two"')[0] == 200
        assert fetch(server.url("/y"))[0] == 404
        assert [asked.range for asked in server.requests("/x")][:2] == [None, "bytes=10-19"]
    # A client may have the last piece before it is counted: only a server that stopped has counted all.
    assert server.sent("/x") == 2 * 200_000 + 20


def test_scripts_are_played_in_turn_and_credentials_are_noted() -> None:
    """First an error, then a redirect, then the file for ever; a token is noted and not kept."""
    with Scripted() as server:
        url = server.on("/x", in_turn(status(503), redirect("/y"), serve(OFFERED)))
        codes = [fetch(f"{url}?token=secret", Authorization="Bearer secret")[0] for _ in range(4)]
        assert codes == [503, 302, 200, 200]
        assert server.requests()[0].credentials == ("authorization", "token")
        assert "secret" not in repr(server.requests())


def test_connections_break_as_they_are_told() -> None:
    """A reset, an early end and a refusal to listen are what the client sees."""

    def cut(asked: Asked, peer: Peer) -> None:
        peer.reply(OFFERED.answer(), 1000)
        peer.reset() if asked.number == 1 else peer.hang_up()

    with Scripted() as server, Scripted(listening=False) as dead:
        url = server.on("/x", cut)
        with pytest.raises(ConnectionResetError):
            fetch(url)
        with pytest.raises(http.client.IncompleteRead) as caught:
            fetch(url)
        assert len(caught.value.partial) == 1000
        with pytest.raises(ConnectionRefusedError):
            fetch(dead.url("/x"))
        dead.listen()
        assert fetch(dead.url("/x"))[0] == 404


def test_a_script_waits_and_drips_and_the_server_still_ends() -> None:
    """Whatever a script waits for, leaving the context ends it."""
    with ExitStack() as leaving, Scripted() as server:
        server.on("/wait", lambda _asked, peer: peer.wait(Event()))
        server.on("/hold", lambda _asked, peer: peer.hold())
        for path in ("/wait", "/hold"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            leaving.callback(connection.close)
            connection.request("GET", path)
        url = server.on("/drip", lambda _asked, peer: peer.drip(b"HTTP/1.1 204 No\r\n\r\n", 0))
        assert fetch(url)[0] == 204
    assert server.count() == 3


def test_tls_and_proxies(tmp_path: Path) -> None:
    """A certificate of one's own is believed by who is told to; a proxy carries both kinds of request."""
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate.certificate))
    with Scripted(tls=certificate.server) as server, Scripted() as proxy:
        proxy.otherwise(pass_on)
        url = server.on("/x", serve(OFFERED))
        via = urllib.request.ProxyHandler({"https": proxy.url(), "http": proxy.url()})
        tls = urllib.request.HTTPSHandler(context=context)
        opener = urllib.request.build_opener(via, tls)
        with opener.open(url, timeout=10) as answer:
            assert answer.read() == OFFERED.content
        with pytest.raises(urllib.error.URLError):
            urllib.request.build_opener(via).open(url, timeout=10)
        assert [asked.method for asked in proxy.requests()] == ["CONNECT", "CONNECT"]
        with Scripted() as plain:
            with opener.open(plain.on("/x", serve(OFFERED)), timeout=10) as answer:
                assert answer.read() == OFFERED.content
            assert plain.requests()[0].path == "/x"


def test_nginx_serves_two_origins_and_signs_links(tmp_path: Path) -> None:
    """Ranges, limits and expiring links are nginx's own; the log tells who came with credentials."""
    with run_nginx(tmp_path, requests="1r/m") as nginx:
        (nginx.files / "x").write_bytes(OFFERED.content)
        assert fetch(nginx.url("/x"), Authorization="no")[2] == OFFERED.content
        assert fetch(nginx.url("/x"), Range="bytes=5-6")[::2] == (206, OFFERED.content[5:7])
        assert fetch(nginx.url("/whole/x"), Range="bytes=5-6")[0] == 200
        assert fetch(nginx.url("/weak/x"), Accept_Encoding="gzip")[1]["etag"].startswith("W/")
        assert [fetch(nginx.url("/polite/x"))[0] for _ in range(2)] == [200, 429]
        assert fetch(nginx.signed("x", 60))[2] == OFFERED.content
        assert fetch(nginx.signed("x", -1))[0] == 410
        assert fetch(f"http://127.0.0.1:{nginx.back}/signed/x")[0] == 403
        first, second, *_ = nginx.log()
        assert (first.has_authorization, first.sent) == (True, 200_000)
        assert (second.range, second.status) == ("bytes=5-6", 206)
