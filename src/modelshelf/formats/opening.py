"""Opening a source file, with the operating system's refusals as modelshelf's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from modelshelf.errors import SourceNotFoundError, SourceUnreadableError

__all__ = ["read_start", "reading"]


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open *path* for unbuffered reading; what fails inside the block counts as reading it.

    Unbuffered, so that a reader takes from the disk what it asks for and not a block more.

    Raises:
        SourceNotFoundError: The file is gone.
        SourceUnreadableError: Permission, or a failing disk.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            yield stream
    except FileNotFoundError as error:
        raise SourceNotFoundError(path=str(path)) from error
    except OSError as error:
        raise SourceUnreadableError(path=str(path), reason=error.strerror or str(error)) from error


def read_start(path: Path, size: int) -> bytes:
    """Return the first *size* bytes of *path*, or all where it has fewer.

    Raises:
        SourceNotFoundError: The file is gone.
        SourceUnreadableError: Permission, or a failing disk.
    """
    with reading(path) as stream:
        return stream.read(size)
