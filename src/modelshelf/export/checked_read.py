"""Reading a stored file for somebody outside, and refusing to pass damage on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from blake3 import blake3

from modelshelf.errors import BlobCorruptError
from modelshelf.protocols import BlobStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.stored import StoredFile

__all__ = ["CheckedReader", "damaged", "open_checked", "open_whole"]


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class CheckedReader:
    """A stored file that is hashed as it is read; made by `open_checked`."""

    def __init__(self, opened: _Readable) -> None:
        self._opened = opened
        self._hasher = blake3(max_threads=blake3.AUTO)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to *size* bytes, fewer only at the end."""
        content = self._opened.read(size)
        self._hasher.update(content)
        return content

    @property
    def digest(self) -> Digest:
        """BLAKE3 of what was read so far."""
        return Digest.blake3(self._hasher.digest())


@contextmanager
def open_whole(blobs: BlobStore, file: StoredFile) -> Iterator[BinaryIO]:
    """Open a stored file that has the length it should have.

    Raises:
        BlobMissingError: The store has lost the file.
        BlobCorruptError: It is longer or shorter than what was stored.
    """
    with blobs.open(file.location, file.member) as opened:
        length = os.fstat(opened.fileno()).st_size
        if length != file.size:
            raise damaged(blobs, file, f"{length} bytes instead of {file.size}")
        yield opened


@contextmanager
def open_checked(blobs: BlobStore, file: StoredFile) -> Iterator[CheckedReader]:
    """Open a stored file; when the block ends, what was read must have been all of it, unharmed.

    Raises:
        BlobMissingError: The store has lost the file.
        BlobCorruptError: What was read is not what was stored.
    """
    with open_whole(blobs, file) as opened:
        reader = CheckedReader(opened)
        yield reader
    if reader.digest != file.blake3:
        raise damaged(blobs, file, reader.digest.hexadecimal)


def damaged(blobs: BlobStore, file: StoredFile, got: str) -> BlobCorruptError:
    """Say that a stored file is not what it was."""
    return BlobCorruptError(
        path=str(blobs.folder(file.location) / file.member),
        expected=file.blake3.hexadecimal,
        got=got,
    )
