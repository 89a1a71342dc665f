"""Reading the user's files: never trusting that a name still means what it meant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from modelshelf.blobs.hashing import Advance, hash_content
from modelshelf.blobs.recipe_reader import RecipeReader
from modelshelf.errors import SourceChangedError, SourceUnreadableError
from modelshelf.schema.digest import Digest
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.recipe import DerivedFile, StorableFile
from modelshelf.schema.source import SourceFile

__all__ = ["DerivedReader", "SourceReader", "advancing", "hash_source", "open_source"]


class SourceReader:
    """An open file of the user. Made by `open_source`."""

    def __init__(self, source: SourceFile, descriptor: int) -> None:
        self._source = source
        self.descriptor = descriptor
        """Open for reading, as long as the `open_source` block lasts."""

    @property
    def size(self) -> int:
        """Bytes that the file had when it was listed."""
        return self._source.size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from byte *offset*; return how much was there, 0 at the end.

        Raises:
            SourceUnreadableError: The system could not read.
        """
        try:
            return os.preadv(self.descriptor, [buffer], offset)
        except OSError as error:
            raise unreadable(self._source, error) from error

    def check_unchanged(self, size: int | None = None) -> None:
        """Compare the open file with what was listed.

        Args:
            size: Bytes that were read of it; None when nothing was.

        Raises:
            SourceChangedError: Another size, time or file.
        """
        source, now = self._source, os.fstat(self.descriptor)
        listed = (source.device, source.inode, source.size, source.modified_ns)
        found = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
        if found != listed or size not in {None, source.size}:
            raise SourceChangedError(
                path=str(source.path),
                before=f"{source.size} bytes, modified at {source.modified_ns} ns",
                after=f"{now.st_size if size is None else size} bytes, modified at {now.st_mtime_ns} ns",
            )


class DerivedReader:
    """A file made of pieces of one of the user's, read as if it were there. Made by `open_source`."""

    def __init__(self, derived: DerivedFile, reader: SourceReader) -> None:
        self._derived = derived
        self._source = reader
        self._recipe = RecipeReader(derived.pieces, (reader,))

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return self._derived.size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from byte *offset*; return how much was there, 0 at the end.

        Raises:
            SourceUnreadableError: The system could not read.
        """
        return self._recipe.read_into(buffer, offset)

    def check_unchanged(self, size: int | None = None) -> None:
        """Compare the open file with what was listed.

        Args:
            size: Bytes that were read of the pieces; None when nothing was.

        Raises:
            SourceChangedError: Another size, time or file.
        """
        self._source.check_unchanged()
        if size not in {None, self.size}:
            raise SourceChangedError(
                path=str(self._derived.source.path),
                before=f"{self.size} bytes of `{self._derived.member}`",
                after=f"{size} bytes",
            )


@contextmanager
def open_source(source: StorableFile) -> Iterator[SourceReader | DerivedReader]:
    """Open a listed file, and make sure that it is the one that was listed.

    Raises:
        SourceChangedError: It is not what it was when it was listed.
        SourceUnreadableError: The system refused to open it.
    """
    if isinstance(source, DerivedFile):
        with _open_file(source.source) as reader:
            yield DerivedReader(source, reader)
    else:
        with _open_file(source) as reader:
            yield reader


@contextmanager
def _open_file(source: SourceFile) -> Iterator[SourceReader]:
    try:
        # O_NONBLOCK: a named pipe put in the file's place must not hang us.
        descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise SourceChangedError(
            path=str(source.path), before=f"{source.size} bytes", after="it is gone"
        ) from error
    except OSError as error:
        raise unreadable(source, error) from error
    try:
        reader = SourceReader(source, descriptor)
        reader.check_unchanged()
        yield reader
    finally:
        os.close(descriptor)


def hash_source(source: StorableFile, report: ProgressReporter = ignore_progress) -> Digest:
    """Digest a file of the user without copying it: BLAKE3 alone, on all cores.

    One that modelshelf wrote itself, and that is still the file that it wrote, is not read again.

    Raises:
        SourceChangedError: It is not what it was when it was listed.
        SourceUnreadableError: The system refused to read it.
    """
    with open_source(source) as reader:
        if isinstance(source, SourceFile) and source.digests is not None:
            return source.digests.blake3
        digest = hash_content(reader, advance=advancing("hashing", source, report))
        reader.check_unchanged()
    return digest


def unreadable(source: SourceFile, error: OSError) -> SourceUnreadableError:
    """Say in the system's words why a file of the user cannot be read."""
    return SourceUnreadableError(path=str(source.path), reason=error.strerror or str(error))


def advancing(stage: str, source: StorableFile, report: ProgressReporter) -> Advance:
    """Make a counter of bytes that reports as `Progress` of one file."""
    done = 0

    def advance(length: int) -> None:
        nonlocal done
        done += length
        report(Progress(stage, source.member, done, source.size))

    return advance
