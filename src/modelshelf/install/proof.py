"""Proving that a converted checkpoint comes back, before it is registered.

Each stored file is a list of ranges of the checkpoint, and was hashed while it was written. The recipe is a
list of ranges of stored files. So one follows the other on paper: put together they must be the checkpoint
from its first byte to its last. Where the checkpoint is going to be removed, paper is not enough, and the
bytes are put together too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import accumulate
from pathlib import PurePosixPath
from threading import Event

from modelshelf.blobs.hashing import hash_content, hash_twice
from modelshelf.blobs.model_hashes import DataHasher, imohash
from modelshelf.blobs.original_reader import RECIPE, open_original
from modelshelf.blobs.source_reader import advancing, open_source
from modelshelf.errors import ConversionError
from modelshelf.formats import parse_recipe
from modelshelf.protocols import BlobStore
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.member import MemberPath
from modelshelf.schema.progress import Progress, ProgressReporter
from modelshelf.schema.recipe import (
    DerivedFile,
    Literal,
    OriginalFile,
    Piece,
    Recipe,
    Span,
    Transposed,
)
from modelshelf.schema.source import SourceFile
from modelshelf.schema.stored import PartContent

__all__ = ["check_rebuilt", "hash_original", "hashing_original", "prove_recipe"]


def prove_recipe(plan: ImportPlan, source: SourceFile) -> None:
    """Follow the recipe that is going to be stored back to the checkpoint, range by range.

    Raises:
        ConversionError: What would come back is not the checkpoint.
    """
    files = {
        (part.folder, member): _Ranges(file.pieces)
        for part in plan.all_parts
        for member, file in part.files
        if isinstance(file, DerivedFile)
    }
    done = 0
    for piece in (recipe := _recipe_of(plan)).pieces:
        for offset, length in _followed(piece, recipe, files, source, done):
            if offset != done:
                raise ConversionError(path=str(source.path), offset=done)
            done += length
    if done != source.size:
        raise ConversionError(path=str(source.path), offset=done)


def _recipe_of(plan: ImportPlan) -> Recipe:
    """Read what will be stored, not what was meant."""
    parts = [] if plan.original is None else plan.original.files
    written = dict(parts)[RECIPE]
    content = b"".join(
        piece.content
        for piece in (written.pieces if isinstance(written, DerivedFile) else ())
        if isinstance(piece, Literal)
    )
    return parse_recipe(content, path=RECIPE)


class _Ranges:
    """The pieces of one stored file, and where each of them ends in it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.ends = list(accumulate(piece.length for piece in pieces))


def _followed(
    piece: Piece,
    recipe: Recipe,
    files: dict[tuple[str, MemberPath], _Ranges],
    source: SourceFile,
    done: int,
) -> Iterator[tuple[int, int]]:
    """Yield the ranges of the checkpoint, as offset and length, that a piece of the recipe is."""
    wrong = ConversionError(path=str(source.path), offset=done)
    if isinstance(piece, Literal):
        raise wrong
    file = files[recipe.files[piece.file]]
    if isinstance(piece, Transposed):
        number = bisect_right(file.ends, piece.offset)
        begin = file.ends[number] - file.pieces[number].length
        turned = file.pieces[number]
        back = (piece.columns, piece.rows, piece.itemsize)
        if begin != piece.offset or not isinstance(turned, Transposed):
            raise wrong
        if (turned.rows, turned.columns, turned.itemsize) != back:
            raise wrong
        yield turned.offset, turned.length
        return
    at, end = piece.offset, piece.offset + piece.length
    while at < end:
        number = bisect_right(file.ends, at)
        if number == len(file.pieces):
            raise wrong
        stored = file.pieces[number]
        if not isinstance(stored, Span):
            raise wrong
        skipped = at - (file.ends[number] - stored.length)
        length = min(stored.length - skipped, end - at)
        yield stored.offset + skipped, length
        at += length


def hash_original(
    source: SourceFile, *, report: ProgressReporter | None = None, stop: Event | None = None
) -> OriginalFile:
    """Read a checkpoint once for everything that it is known by.

    Args:
        source: The checkpoint.
        report: Told of progress.
        stop: Once set, the reading ends with `InterruptedError`.

    Raises:
        SourceChangedError: It is not what it was when it was listed.
        SourceUnreadableError: The system refused to read it.
    """
    counted = advancing("hashing", source, report or _nobody)

    def advance(length: int) -> None:
        if stop is not None and stop.is_set():
            raise InterruptedError
        counted(length)

    data = DataHasher(source.size)
    with open_source(source) as reader:
        digests = hash_twice(reader, advance=advance, more=(data,))
        reader.check_unchanged(digests.size)
        quick = bytes.fromhex(imohash(reader))
    suffix = PurePosixPath(source.member).suffix
    return OriginalFile(suffix, digests.size, digests.blake3, digests.sha256, quick, data.digest())


@contextmanager
def hashing_original(source: SourceFile | None) -> Iterator[Future[OriginalFile] | None]:
    """Hash a checkpoint while the block stores its parts, which leaves time to; None hashes nothing."""
    if source is None:
        yield None
        return
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        hashing = pool.submit(hash_original, source, stop=stop)
        try:
            yield hashing
        finally:
            stop.set()


def check_rebuilt(
    source: SourceFile,
    original: OriginalFile,
    contents: Sequence[PartContent],
    blobs: BlobStore,
    report: ProgressReporter,
) -> None:
    """Put a checkpoint together from the stored parts and compare its digest.

    Raises:
        ConversionError: What came back is not the checkpoint.
    """
    places = {
        (content.planned.folder, file.member): (content.location, file.member)
        for content in contents
        for file in content.manifest.files
    }
    with open_original(blobs, places) as rebuilt:
        found = hash_content(rebuilt, advance=advancing("checking", source, report))
    if found != original.blake3:
        raise ConversionError(path=str(source.path), offset=0)


def _nobody(_: Progress) -> None:
    pass
