"""Reading a header from front to back: little is read ahead, and what is stepped over is not read."""

from __future__ import annotations

from typing import BinaryIO

from modelshelf.formats.fault import FormatFault

__all__ = ["ForwardReader"]

_SMALLEST_PIECE = 512
_LARGEST_PIECE = 32 << 10


class ForwardReader:
    """A place in a file, moved forward by what is read or stepped over.

    Reads ahead by no more than 32 KiB, and by little right after a leap: where headers lie between
    weights, the weights stay unread.

    Args:
        stream: The file, unbuffered, at its start.
        size: Bytes that it has.
    """

    __slots__ = ("_at", "_base", "_buffer", "_piece", "_size", "_stream")

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._buffer = b""
        self._base = 0
        self._at = 0
        self._piece = _LARGEST_PIECE

    @property
    def offset(self) -> int:
        """Where it stands, counted from the start of the file."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return self._size - self._base - self._at

    def take(self, length: int) -> bytes:
        """Return the next *length* bytes; the caller has bounded them.

        Raises:
            FormatFault: The file ends before.
        """
        self._fill(length)
        begin = self._at
        self._at += length
        return self._buffer[begin : self._at]

    def skip(self, length: int) -> None:
        """Step over *length* bytes without reading those that were not read yet.

        Raises:
            FormatFault: The file ends before.
        """
        if length > self.left:
            raise self._too_short(length)
        self._at += length
        if self._at > len(self._buffer):
            self._base += self._at
            self._at, self._buffer = 0, b""
            self._piece = _SMALLEST_PIECE
            self._stream.seek(self._base)

    def _fill(self, length: int) -> None:
        """Have *length* bytes from here on in the buffer."""
        ready = len(self._buffer) - self._at
        if ready >= length:
            return
        if length > self.left:
            raise self._too_short(length)
        pieces = [self._buffer[self._at :]]
        while ready < length:
            piece = self._stream.read(max(length - ready, self._piece))
            if not piece:
                # It was longer when its size was asked for.
                raise self._too_short(length)
            pieces.append(piece)
            ready += len(piece)
        self._piece = min(2 * self._piece, _LARGEST_PIECE)
        self._base += self._at
        self._at, self._buffer = 0, b"".join(pieces)

    def _too_short(self, length: int) -> FormatFault:
        return FormatFault(
            problem=f"expected {length} bytes at offset {self.offset}, but the file ends at {self._size}"
        )
