"""A run of bytes of an open file, read forward in pieces and never all at once."""

from __future__ import annotations

import os
import zlib
from typing import Protocol

__all__ = ["DeflatedSpan", "FileSpan", "Span"]

_PIECE = 1 << 16


class Span(Protocol):
    """Bytes to be read once, from front to back."""

    def read(self, count: int) -> bytes:
        """Return up to *count* of the next bytes; fewer only where the run ends."""
        ...

    def skip(self, count: int) -> int:
        """Step over up to *count* bytes; return how many there were."""
        ...


class FileSpan:
    """Bytes *begin* to *end* of the file behind *descriptor*; stepping over some reads nothing."""

    def __init__(self, descriptor: int, begin: int, end: int) -> None:
        self._descriptor = descriptor
        self._at, self._end = begin, end

    def read(self, count: int) -> bytes:
        """Return up to *count* of the next bytes; fewer only where the run or the file ends."""
        pieces = []
        count = min(count, self._end - self._at)
        # One read may return less than asked for, on network file systems at least.
        while count > 0 and (piece := os.pread(self._descriptor, count, self._at)):
            pieces.append(piece)
            self._at += len(piece)
            count -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> int:
        """Step over up to *count* bytes; return how many there were."""
        count = min(count, self._end - self._at)
        self._at += count
        return count


class DeflatedSpan:
    """What a raw deflate stream unpacks to, up to *size* bytes and never more than asked for."""

    def __init__(self, packed: Span, size: int) -> None:
        self._packed = packed
        self._left = size
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, count: int) -> bytes:
        """Return up to *count* of the next bytes; fewer only where the stream ends or is damaged."""
        pieces = []
        count = min(count, self._left)
        while count > 0 and not self._inflate.eof:
            given = self._inflate.unconsumed_tail or self._packed.read(_PIECE)
            try:
                piece = self._inflate.decompress(given, count)
            except zlib.error:
                break
            if not given and not piece:
                break
            pieces.append(piece)
            count -= len(piece)
            self._left -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> int:
        """Unpack up to *count* bytes and forget them; return how many there were."""
        skipped = 0
        while skipped < count and (piece := self.read(min(_PIECE, count - skipped))):
            skipped += len(piece)
        return skipped
