from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelshelf.blobs.recipe_reader import RecipeReader
from modelshelf.schema.recipe import Literal, Piece, Span, Transposed


class Memory:
    """Bytes that read like a file, a few at a time."""

    def __init__(self, content: bytes, at_most: int = 1 << 20) -> None:
        self.content = content
        self.at_most = at_most

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.content)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill a part of *buffer*."""
        found = self.content[offset : offset + min(len(buffer), self.at_most)]
        buffer[: len(found)] = found
        return len(found)


FILES = (bytes(range(256)), b"the second file, of which some is taken")


def expected(pieces: list[Piece]) -> bytes:
    """Put pieces together the long way."""
    whole = b""
    for piece in pieces:
        if isinstance(piece, Literal):
            whole += piece.content
        elif isinstance(piece, Span):
            whole += FILES[piece.file][piece.offset : piece.offset + piece.length]
        else:
            width = piece.itemsize
            for column in range(piece.columns):
                for row in range(piece.rows):
                    start = piece.offset + (row * piece.columns + column) * width
                    whole += FILES[piece.file][start : start + width]
    return whole


PIECES = st.one_of(
    st.builds(Span, st.just(0), st.integers(0, 200), st.integers(0, 56)),
    st.builds(Span, st.just(1), st.integers(0, 20), st.integers(0, 19)),
    st.builds(Literal, st.binary(max_size=20)),
    st.builds(
        Transposed,
        st.just(0),
        st.integers(0, 90),
        st.integers(1, 4),
        st.integers(1, 5),
        st.sampled_from([1, 2, 4, 8]),
    ),
)


@given(
    pieces=st.lists(PIECES, max_size=8),
    length=st.integers(1, 40),
    at_most=st.integers(1, 9),
    offset=st.integers(0, 100),
)
def test_any_pieces_read_from_any_offset(
    pieces: list[Piece], length: int, at_most: int, offset: int
) -> None:
    """Whatever is asked for is there, however little the files give at a time."""
    reader = RecipeReader(pieces, [Memory(file, at_most) for file in FILES])
    whole = expected(pieces)
    assert reader.size == len(whole)
    buffer = bytearray(length)
    found = reader.read_into(memoryview(buffer), offset)
    assert bytes(buffer[:found]) == whole[offset : offset + length]


@given(cut=st.integers(0, 10))
def test_a_file_that_became_shorter_ends_the_reading(cut: int) -> None:
    """What is missing is not made up."""
    reader = RecipeReader([Span(0, 0, 20), Span(0, 0, 4)], [Memory(bytes(cut))])
    buffer = memoryview(bytearray(24))
    assert reader.read_into(buffer, 0) == cut
    turned = RecipeReader([Transposed(0, 0, 4, 5, 1)], [Memory(bytes(cut))])
    assert turned.read_into(buffer, 0) == 0
