"""The way back: the checkpoint as ranges of the files that it became, and a file with all the rest.

What no component holds, the header, padding, averaged weights, training leftovers, goes into one file
in the order in which it stood. With that, every byte of the checkpoint is a byte of some stored file.

The recipe is a document of its own, specified in `docs/format.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelshelf.convert.mapping import UnconvertibleError
from modelshelf.convert.written_file import literal_file
from modelshelf.formats import write_recipe
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import DerivedFile, Piece, Recipe, Span, Transposed
from modelshelf.schema.source import SourceFile

__all__ = ["original_files"]

_MOST_PIECES = 500_000
"""A recipe of so many has 15 MB; the largest of a published model has a few thousand."""
_REST, _RECIPE = MemberPath("rest.bin"), MemberPath("recipe.json")


def original_files(
    source: SourceFile, stored: Sequence[tuple[str, DerivedFile]], *, folder: str
) -> tuple[DerivedFile, ...]:
    """Return what has to be stored beside the components to get the checkpoint back.

    Args:
        source: The checkpoint.
        stored: Component folder and file, of all files that hold something of it.
        folder: The folder that the result is going to be stored as.

    Returns:
        The rest and the recipe, sorted by name.
    """
    files = [(there, file.member) for there, file in stored]
    found = sorted(_backwards(stored), key=lambda one: (one[0], -one[1].length))
    rest: list[Span] = []
    pieces: list[Piece] = []
    rest_number, rest_size, done = len(files), 0, 0
    for begin, piece in (*found, (source.size, None)):
        if begin < done:
            # Two tensors that share their bytes: the first has given them back.
            continue
        if begin > done:
            pieces.append(Span(rest_number, rest_size, begin - done))
            rest.append(Span(0, done, begin - done))
            rest_size += begin - done
        if piece is not None:
            pieces.append(piece)
            done = begin + piece.length
    rest_file = DerivedFile(_REST, source, tuple(rest), rest_size)
    if len(pieces) > _MOST_PIECES:
        raise UnconvertibleError(reason=f"it would take {len(pieces)} pieces to put it together")
    recipe = Recipe((*files, (folder, _REST)), tuple(_joined(pieces)))
    return (literal_file(_RECIPE, source, write_recipe(recipe)), rest_file)


def _backwards(stored: Sequence[tuple[str, DerivedFile]]) -> Iterator[tuple[int, Piece]]:
    """Yield for each piece of the checkpoint where it begins there, and where it is now."""
    for number, (_, file) in enumerate(stored):
        at = 0
        for piece in file.pieces:
            if isinstance(piece, Span):
                yield piece.offset, Span(number, at, piece.length)
            elif isinstance(piece, Transposed):
                back = Transposed(number, at, piece.columns, piece.rows, piece.itemsize)
                yield piece.offset, back
            at += piece.length


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield neighbours that go on in the same file as one."""
    waiting: Span | None = None
    for piece in pieces:
        if not isinstance(piece, Span):
            if waiting is not None:
                yield waiting
            waiting = None
            yield piece
        elif waiting is not None and (waiting.file, waiting.offset + waiting.length) == (
            piece.file,
            piece.offset,
        ):
            waiting = Span(waiting.file, waiting.offset, waiting.length + piece.length)
        else:
            if waiting is not None:
                yield waiting
            waiting = piece
    if waiting is not None:
        yield waiting
