from importlib.util import find_spec

import requests

from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.transport_choice import choose_transport
from modelshelf.protocols import Request
from modelshelf.testing.transport_contract import read_all
from tests.servers.scripted import Scripted, status


def test_a_session_goes_first() -> None:
    """What a caller hands in is used, whatever is installed."""
    with requests.Session() as session:
        assert isinstance(choose_transport({}, session), HttpTransport)


def test_libcurl_is_used_where_it_is_installed() -> None:
    """The extra needs no setting; without it our own connections do the same."""
    chosen = choose_transport({"NO_PROXY": "*", "HTTP_PROXY": "http://127.0.0.1:1"})
    assert isinstance(chosen, HttpTransport) is (find_spec("pycurl") is None)
    with Scripted() as server:
        answer = chosen.open(Request(server.on("/x", status(200, b"abc"))))
        assert read_all(answer) == b"abc"
        answer.close()
    chosen.close()
