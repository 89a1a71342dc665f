from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.download import DownloadJobRemoteSource, DownloadQueueService, ExpectedContent
from modelshelf.download.requests_transport import RequestsTransport
from modelshelf.download.xet_transport import XetTransport, has_xet
from modelshelf.schema.digest import Digest
from tests.hubs import TOKEN, HuggingFaceHub, hugging_face_hub

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


def fetch(hub: HuggingFaceHub, folder: Path, content: bytes) -> DownloadJobRemoteSource:
    job = DownloadJobRemoteSource(
        source=f"{hub.url}/acme/large/resolve/main/model.safetensors",
        destination=folder / "model.safetensors",
        access_token=TOKEN,
        expected=ExpectedContent(
            size=len(content), sha256=Digest.sha256(hashlib.sha256(content).digest())
        ),
    )
    transport = XetTransport(RequestsTransport())
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
