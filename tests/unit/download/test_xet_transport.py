from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from modelshelf.download import DownloadJobRemoteSource, DownloadQueueService, ExpectedContent
from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.transport_choice import choose_transport
from modelshelf.download.xet_transport import XetTransport, has_xet
from modelshelf.errors import ConnectionLostError
from modelshelf.protocols import Request, Transport
from modelshelf.schema.digest import Digest
from tests.hubs import TOKEN, HuggingFaceHub, hugging_face_hub
from tests.servers.scripted import Asked, Peer, Scripted, redirect, status

pytestmark = pytest.mark.skipif(not has_xet(), reason="needs hf_xet")
SIZE = 3_000_000


@pytest.fixture
def content() -> bytes:
    return random.Random(7).randbytes(SIZE)  # noqa: S311 - content, no secret


@pytest.fixture
def hub(tmp_path: Path, content: bytes) -> Iterator[HuggingFaceHub]:
    """A hub whose one large file lies in a real Xet store on this disk."""
    import hf_xet  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    store = f"local://{tmp_path / 'xet'}"
    with hf_xet.XetSession().new_upload_commit(endpoint=store) as commit:
        sent = commit.start_upload_bytes(content)
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(content)
    with hugging_face_hub() as hub:
        hub.xet_endpoint = store
        repository = hub.add("acme/large", folder, xet=True, is_private=True)
        (commit_id,) = repository.commits
        (file,) = repository.commits[commit_id].values()
        stored = replace(file, xet_hash=sent.result().xet_info.hash)
        repository.commits[commit_id] = {stored.name: stored}
        yield hub


def fetch(
    hub: HuggingFaceHub,
    folder: Path,
    content: bytes,
    *,
    believed: str | None = None,
    schemes: tuple[str, ...] = ("local",),
    transport: Transport | None = None,
) -> DownloadJobRemoteSource:
    job = DownloadJobRemoteSource(
        source=f"{hub.url}/acme/large/resolve/main/model.safetensors",
        destination=folder / "model.safetensors",
        access_token=TOKEN,
        expected=ExpectedContent(
            size=len(content), sha256=Digest.sha256(hashlib.sha256(content).digest())
        ),
    )
    transport = transport or XetTransport(HttpTransport(), believed or hub.url, schemes=schemes)
    with DownloadQueueService(quiet=True, transport=transport) as queue:
        queue.submit_download_job(job)
        queue.wait_for_job(job, timeout=60)
    transport.close()
    return job


def test_a_file_in_xet_comes_out_of_xet(
    hub: HuggingFaceHub, tmp_path: Path, content: bytes
) -> None:
    """Checked as ever, and without a byte from the file host."""
    job = fetch(hub, tmp_path, content)
    assert job.error is None
    assert (tmp_path / "model.safetensors").read_bytes() == content
    assert hub.files.bytes_sent.total() == 0
    assert str(job.verification) == "digest"
    assert hub.requests(path="xet-read-token")


def test_without_its_store_the_address_is_asked(
    hub: HuggingFaceHub, tmp_path: Path, content: bytes
) -> None:
    """Nobody who has the library is worse off than who has not."""
    hub.xet_endpoint = f"local://{tmp_path / 'nothing'}"
    job = fetch(hub, tmp_path, content)
    assert job.error is None
    assert (tmp_path / "model.safetensors").read_bytes() == content
    assert hub.files.bytes_sent.total() >= SIZE


def test_another_file_in_its_store_is_noticed(
    hub: HuggingFaceHub, tmp_path: Path, content: bytes
) -> None:
    """What Xet brings is believed no more than what HTTP brings."""
    job = fetch(hub, tmp_path, bytes(SIZE))
    assert type(job.error).__name__ == "DigestMismatchError"
    assert not (tmp_path / "model.safetensors").exists()
    assert content


@pytest.mark.parametrize(
    ("disabled", "named", "asked"), [("", True, True), ("", False, False), ("1", True, False)]
)
def test_the_environment_names_the_hub(
    hub: HuggingFaceHub, tmp_path: Path, content: bytes, disabled: str, *, named: bool, asked: bool
) -> None:
    """The hub of `HF_ENDPOINT` is asked for a way into Xet, another one is not; files come all the same."""
    environ = {"HF_HUB_DISABLE_XET": disabled} | ({"HF_ENDPOINT": hub.url} if named else {})
    job = fetch(hub, tmp_path, content, transport=choose_transport(environ))
    assert job.error is None
    assert bool(hub.requests(path="xet-read-token")) is asked


def test_only_the_users_own_hub_is_believed(
    hub: HuggingFaceHub, tmp_path: Path, content: bytes
) -> None:
    """Any other host could lead the library, which checks no peers, into the user's network."""
    job = fetch(hub, tmp_path, content, believed="https://huggingface.co")
    assert job.error is None
    assert not hub.requests(path="xet-read-token")
    assert hub.files.bytes_sent.total() >= SIZE


def test_a_hub_leads_to_the_web_alone(hub: HuggingFaceHub, tmp_path: Path, content: bytes) -> None:
    """A store of the form `local://` would make folders wherever the hub says."""
    hub.xet_endpoint = f"local://{tmp_path / 'made-by-a-stranger'}"
    job = fetch(hub, tmp_path, content, schemes=("https",))
    assert job.error is None
    assert not (tmp_path / "made-by-a-stranger").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("X-Linked-Size", "9" * 5000),
        ("X-Linked-Size", "\u00b3"),
        ("Link", '<//[/token>; rel="xet-auth"'),
        ("Link", '<https://h.example:99999/token>; rel="xet-auth"'),
        ("Location", "http://[::1"),
    ],
)
def test_odd_words_on_a_redirect_are_passed_over(name: str, text: str) -> None:
    """The redirect itself is for whoever follows it to judge."""
    said = {
        "X-Xet-Hash": "ab" * 32,
        "X-Linked-Size": "1000",
        "Link": '</token>; rel="xet-auth"',
        "Location": "/there",
        "Content-Length": "0",
    }
    lines = "".join(f"{name}: {text}\r\n" for name, text in (said | {name: text}).items())

    def send_on(_asked: Asked, peer: Peer) -> None:
        peer.send(f"HTTP/1.1 302 Found\r\n{lines}\r\n".encode("latin-1", "replace"))

    with Scripted() as server:
        url = server.on("/file", send_on)
        transport = XetTransport(HttpTransport(), url)
        answer = transport.open(Request(url))
        assert answer.status == 302
        answer.close()
        transport.close()


def test_a_stream_that_waits_can_be_broken_off() -> None:
    """And the next one comes out of Xet again: nothing was wrong with it."""
    is_waiting = Event()

    def wait(_asked: Asked, peer: Peer) -> None:
        is_waiting.set()
        peer.hold()

    with Scripted() as store, Scripted() as hub:
        store.otherwise(wait)
        token = {"casUrl": store.url(), "accessToken": "x", "exp": 2**40}
        hub.on("/token", status(200, json.dumps(token).encode()))
        link = '</token>; rel="xet-auth"'
        url = hub.on(
            "/file", redirect("/there", X_Xet_Hash="ab" * 32, X_Linked_Size="1000", Link=link)
        )
        transport = XetTransport(HttpTransport(), url, schemes=("http",))
        transport.open(Request(url)).close()
        target = hub.url("/there")
        for _ in range(2):
            is_waiting.clear()
            errors: list[Exception] = []
            answer = transport.open(Request(target, {"Range": "bytes=0-999"}))
            assert answer.headers["content-range"] == "bytes 0-999/1000"

            def read(answer: object = answer, errors: list[Exception] = errors) -> None:
                try:
                    answer.read_into(memoryview(bytearray(10)))  # type: ignore[attr-defined]
                except ConnectionLostError as error:
                    errors.append(error)

            reader = Thread(target=read)
            reader.start()
            assert is_waiting.wait(20)
            answer.abort()
            reader.join(20)
            assert len(errors) == 1
            answer.close()
        transport.close()
