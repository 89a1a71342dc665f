"""The journal of a partial file: what is fetched, from where, and which pieces of it came."""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from modelshelf.download.owned_file import OwnedFile
from modelshelf.download.piece_checksum import piece_checksum
from modelshelf.errors import InvalidDigestError
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import ExpectedContent

__all__ = ["Journal", "JournalHead", "Piece"]

_MAGIC = b"shelfdl1"
"""First bytes of a journal; the last of them is the version of its format."""
_FRONT = struct.Struct("<8sIQ")
"""Magic, bytes of the head that follows, their checksum."""
_RECORD = struct.Struct("<QIQI")
"""Offset, length, checksum of the piece, checksum of the three; little-endian, 24 bytes."""
_NOTHING_EXPECTED = ExpectedContent()
_LONGEST_HEAD = 256 * 1024
_RECORDS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class JournalHead:
    """What a partial file is a part of. It lies on the disk, so nothing in it is a secret."""

    origin: str
    """Address that was asked for, without user information, query and fragment."""
    key: str
    """What the partial file is found by."""
    name: str
    """Final name, without its folder."""
    size: int | None = None
    """Bytes of the whole file; None while nobody knows."""
    validator: str | None = None
    """Strong entity tag of the address that serves the bytes, in quotes; None where it gives none."""
    last_modified: str | None = None
    """Its `Last-Modified`, as it was sent."""
    expected: ExpectedContent = _NOTHING_EXPECTED
    """What was known of the content beforehand."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        if "@" in parts.netloc or parts.query or parts.fragment:
            # Not an error a user can meet: it would put a token on the disk.
            trouble = "the origin in a journal is without user information, query and fragment"
            raise ValueError(trouble)

    def to_bytes(self) -> bytes:
        """Write it as JSON."""
        fields: dict[str, object] = {
            "origin": self.origin,
            "key": self.key,
            "name": self.name,
            "size": self.size,
            "validator": self.validator,
            "last_modified": self.last_modified,
            "expected_size": self.expected.size,
            "sha256": str(self.expected.sha256) if self.expected.sha256 else None,
            "blake3": str(self.expected.blake3) if self.expected.blake3 else None,
            "git_sha1": self.expected.git_sha1,
        }
        return json.dumps(fields | {"ledger": secrets.token_hex(8)}).encode()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: It is something else.
        """
        fields = json.loads(content)
        if not isinstance(fields, dict):
            raise ValueError(fields)  # noqa: TRY004 - what was read is wrong, not what was passed
        try:
            return cls(
                origin=_text(fields, "origin") or "",
                key=_text(fields, "key") or "",
                name=_text(fields, "name") or "",
                size=_length(fields, "size"),
                validator=_text(fields, "validator"),
                last_modified=_text(fields, "last_modified"),
                expected=ExpectedContent(
                    size=_length(fields, "expected_size"),
                    sha256=_digest(fields, "sha256"),
                    blake3=_digest(fields, "blake3"),
                    git_sha1=_text(fields, "git_sha1"),
                ),
            )
        except InvalidDigestError as error:
            raise ValueError(fields) from error


class Piece(NamedTuple):
    """Bytes that were written before their record was. A length of 0 marks the moment of publication."""

    offset: int
    """Where they begin; for a publication the inode of the file."""
    length: int
    """How many they are."""
    checksum: int
    """`piece_checksum` of them."""


class Journal:
    """A head, then a record of 24 bytes for each piece, each with a checksum of its own.

    Records are written after the bytes that they speak of and are never moved, so whatever instant the process
    dies at, every record that can be read is true or is refuted by its piece. Nothing here is flushed: after a
    power cut the pieces are compared anyway. What is torn, zeroed or of an earlier ledger is passed over.

    Threads may append at once.
    """

    def __init__(self, file: OwnedFile) -> None:
        """Read what is there; whoever owns *file* owns the journal."""
        self.head: JournalHead | None = None
        """What is fetched; None before the first `begin`, and where it cannot be read."""
        self._file = file
        self._lock = Lock()
        self._first = 0
        self._count = 0
        self._salt = 0
        self._read_head()

    def begin(self, head: JournalHead) -> None:
        """Forget every record and write a new head.

        Raises:
            OSError: The system refused; there is no head then, or the new one.
        """
        # The old head is what makes the old records true: it goes first.
        self.forget()
        content = head.to_bytes()
        front = _FRONT.pack(_MAGIC, len(content), piece_checksum(content))
        self._file.write(front + content, 0)
        self._accept(head, content)

    def append(self, piece: Piece) -> None:
        """Write the record of a piece whose bytes are in the file by now.

        Raises:
            OSError: The system refused; the piece counts as not there.
        """
        with self._lock:
            index = self._count
            self._count += 1
        self._write(index, _RECORD.pack(*piece, self._check(piece)))

    def erase(self, index: int) -> None:
        """Make record number *index* say nothing any more."""
        self._write(index, bytes(_RECORD.size))

    def pieces(self) -> Iterator[tuple[int, Piece]]:
        """Yield every record that can be read, with its number, in the order of writing."""
        for index in range(0, self._count, _RECORDS_AT_ONCE):
            at_once = self._file.read(_RECORDS_AT_ONCE * _RECORD.size, self._position(index))
            usable = len(at_once) // _RECORD.size * _RECORD.size
            for number, (offset, length, checksum, check) in enumerate(
                _RECORD.iter_unpack(at_once[:usable]), start=index
            ):
                piece = Piece(offset, length, checksum)
                if check == self._check(piece):
                    yield number, piece

    def forget(self) -> None:
        """Become a journal without a head, as a new one is.

        Raises:
            OSError: The system refused.
        """
        self.head = None
        self._count = 0
        if self._file.status.st_size:
            self._file.truncate(0)

    def _read_head(self) -> None:
        front = self._file.read(_FRONT.size, 0)
        if len(front) < _FRONT.size:
            return
        magic, length, checksum = _FRONT.unpack(front)
        if magic != _MAGIC or length > _LONGEST_HEAD:
            return
        content = self._file.read(length, _FRONT.size)
        if piece_checksum(content) != checksum:
            return
        # RecursionError: whoever can write the folder can nest brackets as deep as they like.
        with suppress(ValueError, RecursionError):
            self._accept(JournalHead.parse(content), content)
            # A torn record at the end is passed over, and what is appended does not lie across it.
            records = self._file.status.st_size - self._first
            self._count = -(-records // _RECORD.size)

    def _accept(self, head: JournalHead, content: bytes) -> None:
        self.head = head
        self._first = _FRONT.size + len(content)
        # Each ledger has a head of its own, so no record of an earlier one passes for one of this.
        self._salt = piece_checksum(content, seed=1)

    def _check(self, piece: Piece) -> int:
        content = struct.pack("<QIQ", *piece)
        return piece_checksum(content, self._salt) & 0xFFFF_FFFF

    def _position(self, index: int) -> int:
        return self._first + index * _RECORD.size

    def _write(self, index: int, content: bytes) -> None:
        self._file.write(content, self._position(index))


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(name)
    return value


def _length(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (not isinstance(value, int) or value < 0):
        raise ValueError(name)
    return value


def _digest(fields: Mapping[str, object], name: str) -> Digest | None:
    text = _text(fields, name)
    return Digest.parse(text) if text else None
