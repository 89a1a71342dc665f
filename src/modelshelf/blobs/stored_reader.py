"""Reading stored files, for checking and for giving them back."""

from __future__ import annotations

import os
from typing import BinaryIO

__all__ = ["StoredReader"]


class StoredReader:
    """An open stored file as content to hash or copy."""

    def __init__(self, opened: BinaryIO) -> None:
        self._descriptor = opened.fileno()

    @property
    def size(self) -> int:
        """Bytes that the file has now."""
        return os.fstat(self._descriptor).st_size

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from byte *offset*; return how much was there, 0 at the end."""
        return os.preadv(self._descriptor, [buffer], offset)
