"""Addresses that lead inside, however they are written: nobody there is asked who was not named."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from modelshelf.errors import InvalidModelSourceError
from modelshelf.sources import parse_source
from tests.hubs import Answer, Origin, Request
from tests.installers import Place, installing_place

pytestmark = pytest.mark.fault

INSIDE = [
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "169.254.169.254",
    "10.0.0.1",
    "100.64.0.1",
    "0x7f000001",
    "017700000001",
    "127.0.0.1.",
]
"""Hosts of this machine, of its link or its network, or that cannot be asked for a file."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with installing_place(tmp_path) as place:
        yield place


def redirect_to(origin: Origin, host: str) -> None:
    """Let *origin* send whoever asks for a file on to *host*, at the port that it named."""
    answer = origin.answer

    def elsewhere(request: Request) -> Answer:
        found = answer(request)
        if "Location" in found.headers:
            target = urlsplit(found.headers["Location"])
            moved = target._replace(netloc=f"{host}:{target.port}")
            found.headers["Location"] = moved.geturl()
        return found

    origin.answer = elsewhere  # type: ignore[method-assign]


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_an_inside_address_is_asked_where_none_may_be(
    tmp_path: Path, host: str
) -> None:
    """Refused with a word that says so, and not after having connected."""
    with installing_place(tmp_path, download={"private_addresses": "refuse"}) as place:
        port = urlsplit(place.hub.files.url).port
        job = place.install(f"http://{host}:{port}/x.safetensors")
        assert job.errored
        assert job.error_code == "address-forbidden", job.error
        assert place.hub.files.requests() == []


@pytest.mark.parametrize("host", ["[::ffff:127.0.0.1]", "[::1]", "[::]", "127.0.0.2", "0.0.0.0"])  # noqa: S104
def test_no_redirect_leads_inside_by_another_spelling(place: Place, host: str) -> None:
    """The hub was named, and what it sends to was not."""
    redirect_to(place.hub, host)
    job = place.install("acme/dream")
    assert (job.status.value, job.error_code) == ("error", "address-forbidden"), job.error
    assert place.hub.files.requests() == []


@pytest.mark.parametrize("zone", ["fe80::1%eth0", "fe80::1%25lo", "fe80::1%", "::1%lo"])
def test_an_address_with_a_zone_names_no_source(place: Place, zone: str) -> None:
    """It means something on this machine alone, so no model can be said to come from there."""
    with pytest.raises(InvalidModelSourceError, match="names no model source"):
        place.install(f"http://[{zone}]:9/x.safetensors")


@pytest.mark.parametrize("zone", ["fe80::1%25lo", "fe80::1%lo", "::1%25lo"])
def test_no_redirect_leads_to_an_address_with_a_zone(place: Place, zone: str) -> None:
    """It is told as what it is, and nobody is asked."""
    redirect_to(place.hub, f"[{zone}]")
    job = place.install("acme/dream")
    assert job.errored
    assert job.error_code in {"address-forbidden", "redirect-forbidden", "answer-invalid"}, (
        job.error
    )
    assert place.hub.files.requests() == []


class SixServer(ThreadingHTTPServer):
    """A host that has an address of version six alone."""

    address_family = socket.AF_INET6


class QuietHandler(SimpleHTTPRequestHandler):
    """Gives the files of a folder."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_model_comes_from_an_address_of_six_that_was_named(place: Place) -> None:
    """It keeps its brackets from the text to the record."""
    handler = partial(QuietHandler, directory=str(place.lora.parent))
    try:
        server = SixServer(("::1", 0), handler)
    except OSError:
        pytest.skip("this machine has no address of version six")
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://[::1]:{server.server_address[1]}/{place.lora.name}"
        job = place.install(url)
        server.shutdown()
    assert job.complete, job.error
    assert job.config_out is not None
    assert job.config_out.source == url
    assert str(parse_source(url)) == url
