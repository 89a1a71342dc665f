"""Giving a converted checkpoint back as the file that it was, and nothing else under its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modelshelf.blobs.original_reader import open_original
from modelshelf.blobs.recipe_reader import RecipeReader
from modelshelf.errors import BlobCorruptError
from modelshelf.export.checked_read import CheckedReader
from modelshelf.protocols import BlobStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.stored import StoredModel

__all__ = ["check_original", "open_checked_original", "open_stored_original"]


@contextmanager
def open_stored_original(blobs: BlobStore, model: StoredModel) -> Iterator[RecipeReader]:
    """Open the checkpoint that *model* came as; what is read is to be checked by `check_original`.

    Raises:
        BlobMissingError: The store has lost a file that it is made of.
        BlobCorruptError: The recipe is damaged.
    """
    places = {key: (file.location, file.member) for key, file in model.sources.items()}
    with open_original(blobs, places) as reader:
        yield reader


def check_original(original: OriginalFile, model: StoredModel, digest: Digest) -> None:
    """Compare what was read with what was converted.

    Raises:
        BlobCorruptError: They differ.
    """
    if digest != original.blake3:
        raise BlobCorruptError(
            path=f"{model.name}{original.suffix}",
            expected=original.blake3.hexadecimal,
            got=digest.hexadecimal,
        )


@contextmanager
def open_checked_original(
    blobs: BlobStore, model: StoredModel, original: OriginalFile
) -> Iterator[CheckedReader]:
    """Open the checkpoint as a stream; when the block ends, what was read must have been all of it.

    Raises:
        BlobCorruptError: What was read is not what was converted.
        BlobMissingError: The store has lost a file that it is made of.
    """
    with open_stored_original(blobs, model) as reader:
        checked = CheckedReader(_Stream(reader))
        yield checked
    check_original(original, model, checked.digest)


class _Stream:
    """Reads from the front to the back."""

    def __init__(self, reader: RecipeReader) -> None:
        self._reader = reader
        self._offset = 0

    def read(self, size: int = -1, /) -> bytes:
        rest = self._reader.size - self._offset
        buffer = bytearray(rest if size < 0 else min(size, rest))
        length = self._reader.read_into(memoryview(buffer), self._offset)
        self._offset += length
        return bytes(buffer[:length])
