"""Files that are made of ranges of other files: what a conversion writes, and how it is undone.

A single-file checkpoint and a diffusers folder of the same model hold the same numbers under other names,
in another order. Nothing has to be computed to go from one to the other, apart from one transposition;
so a conversion is a list of pieces, and so is the way back.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.schema.digest import Digest
from modelshelf.schema.member import MemberPath
from modelshelf.schema.source import SourceFile

__all__ = [
    "LARGEST_MATRIX",
    "DerivedFile",
    "Literal",
    "OriginalFile",
    "Piece",
    "Recipe",
    "Span",
    "StorableFile",
    "Transposed",
]


LARGEST_MATRIX = 64 * 1024 * 1024
"""Bytes of a matrix that is transposed: it is held in memory. The largest published has 7 MB."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes as they stand in a file."""

    file: int
    """Number of the file in the list that goes with the pieces."""
    offset: int
    """First byte."""
    length: int
    """How many."""


@dataclass(frozen=True, slots=True)
class Transposed:
    """A matrix of a file, column by column."""

    file: int
    """Number of the file in the list that goes with the pieces."""
    offset: int
    """First byte of the matrix, which lies row by row."""
    rows: int
    """Rows there; columns of the result."""
    columns: int
    """Columns there; rows of the result."""
    itemsize: int
    """Bytes of one number."""

    @property
    def length(self) -> int:
        """Bytes of the matrix."""
        return self.rows * self.columns * self.itemsize


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that stand in no file."""

    content: bytes
    """The bytes."""

    @property
    def length(self) -> int:
        """How many there are."""
        return len(self.content)


Piece = Span | Transposed | Literal
"""What a file can be made of."""


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """A file to be stored that is made of pieces of one of the user's files."""

    member: MemberPath
    """Its path inside the part."""
    source: SourceFile
    """File number 0 of the pieces."""
    pieces: tuple[Piece, ...]
    """What it is made of, in order."""
    size: int
    """Bytes of all pieces."""


StorableFile = SourceFile | DerivedFile
"""Whatever can be brought into the store."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file that is not stored whole comes back out of files that are."""

    files: tuple[tuple[str, MemberPath], ...]
    """The stored files, as (component folder, member); pieces name them by number."""
    pieces: tuple[Piece, ...]
    """In order."""

    @property
    def size(self) -> int:
        """Bytes of the file that comes out."""
        return sum(piece.length for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """The file that a converted model came as: not stored, and proven to come back."""

    suffix: str
    """Its suffix, as it came; `.safetensors` for instance."""
    size: int
    """Bytes."""
    blake3: Digest
    """Digest of its content."""
    sha256: Digest
    """Digest of its content, as hubs publish it."""
    imohash: bytes = b""
    """The quick hash of other programs; empty where nobody computed it."""
    data_sha256: Digest | None = None
    """Digest of its tensors, if it is a safetensors file: AutoV3."""
