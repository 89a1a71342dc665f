from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from blake3 import blake3

from modelshelf.blobs.copying import copy_and_hash
from modelshelf.blobs.hashing import hash_content, hash_twice
from modelshelf.disk import LocalDisk
from modelshelf.schema.digest import Digest, FileDigests
from modelshelf.testing.faults import FailingDisk, ShortWritingDisk, system_error

MEGABYTE = 1024 * 1024
SIZES = [0, 1, 4095, MEGABYTE, MEGABYTE + 1, 8 * MEGABYTE, 25 * MEGABYTE + 77]


class Memory:
    """Content in memory that may say a wrong size and come in small pieces."""

    def __init__(self, content: bytes, *, size: int | None = None, piece: int = 2**30) -> None:
        self.content = content
        self.size = len(content) if size is None else size
        self.piece = piece

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """See `Content`."""
        chunk = self.content[offset : offset + min(self.piece, len(buffer))]
        buffer[: len(chunk)] = chunk
        return len(chunk)


class Broken(Memory):
    """Content that cannot be read from some byte on."""

    def __init__(self, content: bytes, broken_at: int) -> None:
        super().__init__(content)
        self.broken_at = broken_at

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """See `Content`."""
        if offset >= self.broken_at:
            raise system_error(errno.EIO)
        return super().read_into(buffer, offset)


def digests(content: bytes) -> FileDigests:
    """Compute both digests in the simplest way."""
    return FileDigests(
        len(content),
        Digest.blake3(blake3(content).digest()),
        Digest.sha256(hashlib.sha256(content).digest()),
    )


def written(tmp_path: Path, content: Memory, disk: LocalDisk | ShortWritingDisk) -> bytes:
    """Copy content into a file; check the digests and return what the file has."""
    path = tmp_path / "target"
    descriptor = disk.create(path)
    try:
        assert copy_and_hash(content, descriptor, disk) == digests(content.content)
    finally:
        os.close(descriptor)
    return path.read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_all_ways_give_the_same_digests(tmp_path: Path, size: int) -> None:
    """Hashing alone, hashing twice and copying agree with the simplest way, whatever the size."""
    content = os.urandom(size)
    assert hash_content(Memory(content)) == digests(content).blake3
    assert hash_twice(Memory(content)) == digests(content)
    assert written(tmp_path, Memory(content), LocalDisk()) == content


@pytest.mark.parametrize("size", [100, 5 * MEGABYTE + 3])
@pytest.mark.parametrize("believed", [0, 1, 2 * MEGABYTE, 20 * MEGABYTE])
def test_what_is_read_decides(tmp_path: Path, size: int, believed: int) -> None:
    """A content that is longer or shorter than it says is hashed and copied as it is."""
    content = os.urandom(size)
    assert hash_content(Memory(content, size=believed)) == digests(content).blake3
    assert written(tmp_path, Memory(content, size=believed), LocalDisk()) == content


@pytest.mark.parametrize("piece", [999, 4096, 100_001])
def test_pieces_of_any_length(tmp_path: Path, piece: int) -> None:
    """Reads and writes that move less than they were asked to lose nothing."""
    content = os.urandom(3 * MEGABYTE + 5)
    assert hash_content(Memory(content, piece=piece)) == digests(content).blake3
    disk = ShortWritingDisk(LocalDisk(), at_most=70_000)
    assert written(tmp_path, Memory(content, piece=piece), disk) == content


@pytest.mark.parametrize("size", [100, 20 * MEGABYTE])
def test_progress_counts_every_byte(size: int) -> None:
    """What `advance` is told adds up to the content."""
    for hashing in (hash_content, hash_twice):
        told: list[int] = []
        hashing(Memory(bytes(size)), advance=told.append)
        assert sum(told) == size


@pytest.mark.parametrize("at", [2, 3, 5])
def test_a_write_that_fails_is_not_forgotten(tmp_path: Path, at: int) -> None:
    """A failure in the middle of a large file, on a thread of its own, reaches the caller."""
    disk = FailingDisk(LocalDisk(), at, system_error(errno.EIO))
    descriptor = disk.create(tmp_path / "target")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        copy_and_hash(Memory(bytes(40 * MEGABYTE)), descriptor, disk)
    os.close(descriptor)


def test_a_read_that_fails_is_not_forgotten() -> None:
    """What reading raises is passed on, from the first chunk and from a later one."""
    for broken_at in (0, 9 * MEGABYTE):
        content = Broken(bytes(30 * MEGABYTE), broken_at)
        for hashing in (hash_content, hash_twice):
            with pytest.raises(OSError, match=os.strerror(errno.EIO)):
                hashing(content)
