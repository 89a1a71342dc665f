"""Finding out which pieces of a partial file are as they were written."""

from __future__ import annotations

from collections.abc import Callable

from modelshelf.download.journal import Journal, Piece
from modelshelf.download.owned_file import OwnedFile
from modelshelf.download.piece_checksum import piece_checksum
from modelshelf.download.spans import Spans

__all__ = ["LONGEST_PIECE", "check_pieces"]

LONGEST_PIECE = 1024 * 1024
"""Bytes of the longest piece: what a kill or a damaged page can cost."""


def check_pieces(
    journal: Journal, file: OwnedFile, held: Spans, go_on: Callable[[], bool]
) -> Spans:
    """Read the pieces that a journal knows, and make it forget those that are not as they were.

    No byte that is held is read again, so however many records there are, the file is read about once.

    Args:
        journal: What was written.
        file: Where.
        held: What need not be looked at.
        go_on: Asked before each piece; once it says False, the others are left as they are.

    Returns:
        *held* and the pieces that are sound.

    Raises:
        OSError: The system refused.
    """
    size = file.status.st_size
    buffer = memoryview(bytearray(LONGEST_PIECE))
    for index, piece in journal.pieces():
        end = piece.offset + piece.length
        if not go_on():
            break
        # A mark of publication has no length, and stays.
        if held.contains(piece.offset, end):
            continue
        if _is_sound(piece, file, size, buffer):
            held = held.add(piece.offset, end)
        else:
            journal.erase(index)
    return held


def _is_sound(piece: Piece, file: OwnedFile, size: int, buffer: memoryview) -> bool:
    if piece.length > LONGEST_PIECE or piece.offset + piece.length > size:
        return False
    content = buffer[: piece.length]
    came = file.read_into(content, piece.offset)
    return came == piece.length and piece_checksum(content) == piece.checksum
