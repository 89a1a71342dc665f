from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelshelf.blobs.fingerprint import FINGERPRINT_SIZE, fingerprint
from modelshelf.errors import SourceChangedError
from modelshelf.testing.blob_store_contract import source_file
from tests.unit.blobs.test_model_hashes import message

KB = 1024


@pytest.mark.parametrize("size", [0, 1, 16 * KB, 128 * KB - 1, 128 * KB, 3000 * KB])
def test_equal_content_has_an_equal_fingerprint(tmp_path: Path, size: int) -> None:
    """A copy has the fingerprint of the original, always of the same length."""
    content = os.urandom(size)
    one = fingerprint(source_file(tmp_path / "one", content))
    assert one == fingerprint(source_file(tmp_path / "two", content))
    assert len(one.quick) == FINGERPRINT_SIZE


@pytest.mark.parametrize("at", [0, 5, 64 * KB, 127 * KB])
def test_a_small_file_is_sampled_whole(tmp_path: Path, at: int) -> None:
    """Below 128 KiB each byte counts."""
    content = bytearray(128 * KB - 1)
    one = fingerprint(source_file(tmp_path / "one", content))
    content[at] ^= 1
    assert fingerprint(source_file(tmp_path / "two", content)) != one


@pytest.mark.parametrize(
    ("at", "is_seen"),
    [(0, True), (16 * KB - 1, True), (16 * KB, False), (500 * KB, True), (700 * KB, False)],
)
def test_a_large_file_is_sampled_in_three_places(tmp_path: Path, at: int, *, is_seen: bool) -> None:
    """16 KiB at the start, the middle and the end count, and what lies between does not."""
    content = bytearray(1000 * KB)
    one = fingerprint(source_file(tmp_path / "one", content))
    content[at] ^= 1
    assert (fingerprint(source_file(tmp_path / "two", content)) != one) == is_seen


def test_the_size_counts(tmp_path: Path) -> None:
    """Files of zeros of two lengths have two fingerprints, although their samples are equal."""
    sizes = (0, 1, 1000 * KB, 1000 * KB + 1)
    found = {fingerprint(source_file(tmp_path / str(size), bytes(size))) for size in sizes}
    assert len(found) == len(sizes)


def test_a_file_that_changed_has_none(tmp_path: Path) -> None:
    """A file that is not what was listed is refused before it is sampled."""
    source = source_file(tmp_path / "one", b"before")
    source.path.write_bytes(b"after all")
    with pytest.raises(SourceChangedError):
        fingerprint(source)


@pytest.mark.parametrize(
    ("size", "published"),
    [
        (0, "00000000000000000000000000000000"),
        (1, "016ac6dd306a3e594e711127c5b5a8e4"),
        (131_072, "808008ed886018d5cd37a9b35bbae286"),
        (500_000, "a0c21ea46738cf366d496962000a45f7"),
    ],
)
def test_the_samples_give_the_published_quick_hash(
    tmp_path: Path, size: int, published: str
) -> None:
    """At exactly 128 KiB, too, from which on only three places are looked at."""
    found = fingerprint(source_file(tmp_path / "one", message(size)))
    assert found.imohash.hex() == published
