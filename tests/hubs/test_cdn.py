from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.hubs import FileHost

_CONTENT = bytes(range(256)) * 1024


@pytest.fixture
def files() -> Iterator[FileHost]:
    with FileHost([]) as files:
        yield files


@pytest.fixture
def key(files: FileHost, tmp_path: Path) -> str:
    path = tmp_path / "x.bin"
    path.write_bytes(_CONTENT)
    return files.publish(path, etag="abc")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=262000-", 262_000, 262_144),
        ("bytes=-5", 262_139, 262_144),
        ("bytes=262000-999999", 262_000, 262_144),
    ],
)
def test_a_range_is_cut_exactly(
    files: FileHost, key: str, asked: str, start: int, end: int
) -> None:
    """206 with the bytes asked for, where they stand, and how many were sent."""
    answer = requests.get(files.sign(key), headers={"Range": asked}, timeout=10)
    assert answer.status_code == 206
    assert answer.content == _CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(_CONTENT)}"
    assert files.bytes_sent[key] == end - start


def test_a_range_behind_the_end_names_the_length(files: FileHost, key: str) -> None:
    """416, and nothing of the file."""
    answer = requests.get(files.sign(key), headers={"Range": "bytes=262144-"}, timeout=10)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"] == "bytes */262144"


@pytest.mark.parametrize(
    ("validator", "status"), [('"abc"', 206), ('"old"', 200), ('W/"abc"', 200)]
)
def test_a_range_needs_the_entity_it_began_with(
    files: FileHost, key: str, validator: str, status: int
) -> None:
    """`If-Range` compares strongly: any other validator brings the whole file."""
    headers = {"Range": "bytes=5-9", "If-Range": validator}
    answer = requests.get(files.sign(key), headers=headers, timeout=10)
    assert answer.status_code == status
    assert answer.headers["ETag"] == '"abc"'


def test_signatures_expire(files: FileHost, key: str) -> None:
    """What was signed before stops working; what is signed after works, and none is no signature."""
    url = files.sign(key)
    files.expire_signed_urls()
    statuses = [
        requests.get(one, timeout=10).status_code
        for one in (url, files.public_url(key), files.sign(key))
    ]
    assert statuses == [403, 403, 200]


def test_a_signature_can_expire_in_the_middle_of_a_file(files: FileHost, key: str) -> None:
    """The connection breaks off, and the same URL then answers 403: fault 41."""
    files.expire_after(100_000)
    url = files.sign(key)
    with pytest.raises(requests.exceptions.RequestException):
        _ = requests.get(url, timeout=10).content
    assert 100_000 <= files.bytes_sent[key] < len(_CONTENT)
    assert requests.get(url, headers={"Range": "bytes=100000-"}, timeout=10).status_code == 403
    again = requests.get(files.sign(key), headers={"Range": "bytes=100000-"}, timeout=10)
    assert again.content == _CONTENT[100_000:]


def test_the_log_knows_that_credentials_came_and_not_which(files: FileHost, key: str) -> None:
    """A header, a cookie and a token in the query are told apart; their values are nowhere."""
    url = files.sign(key) + "&token=secret-a"
    headers = {"Authorization": "Bearer secret-b", "Cookie": "s=secret-c", "Range": "bytes=0-0"}
    requests.get(url, headers=headers, timeout=10)
    (seen,) = files.requests()
    assert seen.credentials == ("authorization", "cookie", "token")
    assert seen.range == "bytes=0-0"
    assert "secret" not in repr(files.log)
