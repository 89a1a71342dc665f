"""Proving that a converted checkpoint comes back, before the file that it was is let go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from modelshelf.blobs.hashing import hash_twice
from modelshelf.blobs.model_hashes import DataHasher, imohash
from modelshelf.blobs.original_reader import open_original
from modelshelf.blobs.recipe_reader import RecipeReader
from modelshelf.blobs.source_reader import DerivedReader, SourceReader, advancing, open_source
from modelshelf.errors import ConversionError
from modelshelf.protocols import BlobStore
from modelshelf.schema.progress import ProgressReporter
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.source import SourceFile
from modelshelf.schema.stored import PartContent

__all__ = ["prove_original"]


def prove_original(
    source: SourceFile,
    contents: Sequence[PartContent],
    blobs: BlobStore,
    report: ProgressReporter,
) -> OriginalFile:
    """Put a checkpoint together from the stored parts, and compare it with the file byte by byte.

    Args:
        source: The checkpoint.
        contents: The parts that it became, stored.
        blobs: Where they are.
        report: Told of progress.

    Returns:
        What the file is, for the records; it was read once more for this.

    Raises:
        ConversionError: What came back is not the file.
        SourceChangedError: The file changed meanwhile.
        SourceUnreadableError: The system refused to read it.
    """
    places = {
        (content.planned.folder, file.member): (content.location, file.member)
        for content in contents
        for file in content.manifest.files
    }
    data = DataHasher(source.size)
    with open_source(source) as reader, open_original(blobs, places) as original:
        both = _Compared(reader, original, source)
        digests = hash_twice(both, advance=advancing("checking", source, report), more=(data,))
        reader.check_unchanged(digests.size)
        quick = bytes.fromhex(imohash(reader))
    if digests.size != original.size:
        raise _different(source, min(digests.size, original.size))
    suffix = PurePosixPath(source.member).suffix
    return OriginalFile(suffix, digests.size, digests.blake3, digests.sha256, quick, data.digest())


class _Compared:
    """The file's own bytes, as long as the stored parts give the same."""

    def __init__(
        self, reader: SourceReader | DerivedReader, original: RecipeReader, source: SourceFile
    ) -> None:
        self._reader = reader
        self._original = original
        self._source = source
        self._other = memoryview(bytearray())

    @property
    def size(self) -> int:
        return self._reader.size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        length = self._reader.read_into(buffer, offset)
        if len(self._other) < length:
            self._other = memoryview(bytearray(len(buffer)))
        found = self._original.read_into(self._other[:length], offset)
        # As bytes, because comparing views goes number by number.
        if found != length or bytes(buffer[:length]) != bytes(self._other[:length]):
            self._reader.check_unchanged()
            raise _different(self._source, offset)
        return length


def _different(source: SourceFile, offset: int) -> ConversionError:
    return ConversionError(path=str(source.path), offset=offset)
