"""Reading a file that is made of pieces of others as if it were there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Literal

from modelshelf.blobs.hashing import Content
from modelshelf.schema import recipe
from modelshelf.schema.recipe import Piece, Transposed

__all__ = ["RecipeReader"]

_CODES: Mapping[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""Formats of numbers by their bytes; which numbers they are does not matter to moving them."""


class RecipeReader:
    """Content that is put together while it is read, from any offset on."""

    def __init__(self, pieces: Sequence[Piece], contents: Sequence[Content]) -> None:
        """Hold what to read.

        Args:
            pieces: In order; each names its content by number.
            contents: Open for reading as long as this is read.
        """
        self._pieces = pieces
        self._contents = contents
        self._ends = list(accumulate(piece.length for piece in pieces))
        self._matrix: tuple[int, bytes] | None = None
        """The last piece that was turned, because it is asked for in chunks."""

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return self._ends[-1] if self._ends else 0

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from byte *offset*; return how much was there.

        Less than the buffer holds means the end, or that a content has become shorter.
        """
        done, number = 0, bisect_right(self._ends, offset)
        while done < len(buffer) and number < len(self._pieces):
            piece, end = self._pieces[number], self._ends[number]
            start = offset + done - (end - piece.length)
            room = buffer[done : done + piece.length - start]
            read = self._read_piece(number, piece, room, start)
            done += read
            if read < len(room):
                break
            number += 1
        return done

    def _read_piece(self, number: int, piece: Piece, room: memoryview, start: int) -> int:
        if isinstance(piece, recipe.Literal):
            room[:] = piece.content[start : start + len(room)]
            return len(room)
        if isinstance(piece, Transposed):
            turned = self._turned(number, piece)[start : start + len(room)]
            room[: len(turned)] = turned
            return len(turned)
        return _fill(self._contents[piece.file], room, piece.offset + start)

    def _turned(self, number: int, piece: Transposed) -> bytes:
        if self._matrix is None or self._matrix[0] != number:
            rows = memoryview(bytearray(piece.length))
            read = _fill(self._contents[piece.file], rows, piece.offset)
            if read < piece.length:
                return b""
            numbers = rows.cast(_CODES[piece.itemsize])
            columns = (bytes(numbers[column :: piece.columns]) for column in range(piece.columns))
            self._matrix = number, b"".join(columns)
        return self._matrix[1]


def _fill(content: Content, room: memoryview, offset: int) -> int:
    done = 0
    while done < len(room) and (read := content.read_into(room[done:], offset + done)):
        done += read
    return done
