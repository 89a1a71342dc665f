"""The table of contents of a ZIP archive, read with distrust; nothing is ever unpacked to a disk.

An archive in which two readers could see two things is refused: a second directory, entries that
overlap, a local header that contradicts the directory.

Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from struct import Struct
from struct import error as StructError  # noqa: N812 - the module names it in lower case
from typing import NamedTuple

from modelshelf.formats.byte_span import DeflatedSpan, FileSpan, Span
from modelshelf.formats.pickle_values import CheckpointFault

__all__ = ["ZipEntry", "open_entry", "read_directory", "stored_at"]

_END = Struct("<4s4H2IH")
_END_64 = Struct("<4sQ2H2I4Q")
_LOCATOR = Struct("<4sIQI")
# What nobody asks for is stepped over: versions, dates, checksums, attributes.
_ENTRY = Struct("<4s4x2H8x2I3H8xI")
_LOCAL = Struct("<4s2x2H16x2H")
_FIELD = Struct("<2H")
_U64 = Struct("<Q")
_LONGEST_COMMENT = 0xFFFF
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFF_FFFF
_MOST_ENTRIES = 100_000
_LARGEST = 16 << 20
_LEAST_PACKED = 1_024
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1
_ZIP_64 = 1


class ZipEntry(NamedTuple):
    """One member of an archive, as the directory tells it."""

    name: str
    """Its path in the archive: text from a stranger, and followed nowhere."""
    method: int
    """0 where its bytes stand in the file as they are, 8 where they are deflated."""
    is_encrypted: bool
    """True where a password stands before them."""
    packed: int
    """Bytes that it takes in the archive."""
    size: int
    """Bytes that it unpacks to, as claimed."""
    header: int
    """Offset of its local header in the file."""
    limit: int
    """Offset of what comes next in the file: it must end before."""


def read_directory(descriptor: int, size: int) -> Mapping[str, ZipEntry]:
    """Read what the archive of *size* bytes behind *descriptor* holds, by name, in its order.

    Raises:
        CheckpointFault: There is no directory, it is cut off, names an entry twice, or its
            entries overlap or lie outside the file.
    """
    begin, length, count = _find_directory(descriptor, size)
    if length > _LARGEST or count > _MOST_ENTRIES:
        raise CheckpointFault(
            problem=f"its directory has {count} entries in {length} bytes, more than any checkpoint"
        )
    raw = FileSpan(descriptor, begin, begin + length).read(length)
    try:
        entries = _entries(raw, count)
    except (StructError, UnicodeDecodeError) as error:
        raise CheckpointFault(
            problem=f"its directory at offset {begin} is damaged: {error}"
        ) from error
    return _checked(entries, begin)


def open_entry(descriptor: int, entry: ZipEntry) -> Span:
    """Return the content of *entry*, unpacked as it is read and never beyond its claimed size.

    Raises:
        CheckpointFault: It is encrypted, packed in an unknown way, or not where it should be.
    """
    begin = stored_at(descriptor, entry)
    packed = FileSpan(descriptor, begin, begin + entry.packed)
    if entry.method == _DEFLATED:
        # A deflated entry may be gigabytes of blocks with nothing in them; no packer makes it longer.
        if entry.packed > 2 * entry.size + _LEAST_PACKED:
            raise CheckpointFault(
                problem=f"{entry.name[:100]!r} is packed to {entry.packed} bytes, from {entry.size}"
            )
        return DeflatedSpan(packed, entry.size)
    if entry.method != _STORED or entry.packed != entry.size:
        raise CheckpointFault(
            problem=f"{entry.name[:100]!r} is packed by method {entry.method}, expected none or deflate"
        )
    return packed


def stored_at(descriptor: int, entry: ZipEntry) -> int:
    """Return the offset in the file where the bytes of *entry* begin.

    Raises:
        CheckpointFault: Its local header says other things than the directory.
    """
    expected = entry.name.encode("utf-8", "surrogateescape")
    raw = os.pread(descriptor, _LOCAL.size + len(expected), entry.header)
    if len(raw) == _LOCAL.size + len(expected):
        magic, flags, method, name_length, extra_length = _LOCAL.unpack_from(raw)
        begin: int = entry.header + _LOCAL.size + name_length + extra_length
        if (
            magic == b"PK\x03\x04"
            and method == entry.method
            and name_length == len(expected)
            and raw[_LOCAL.size :] == expected
            and not flags & _ENCRYPTED
            and not entry.is_encrypted
            and begin + entry.packed <= entry.limit
        ):
            return begin
    raise CheckpointFault(
        problem=f"{entry.name[:100]!r} is not at offset {entry.header} as the directory says"
    )


def _find_directory(descriptor: int, size: int) -> tuple[int, int, int]:
    """Return offset, length and number of entries of the directory."""
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    tail = os.pread(descriptor, size - start, start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise CheckpointFault(problem="its directory is missing: the file is cut short")
    _, disk, first_disk, here, count, length, begin, comment = _END.unpack_from(tail, at)
    end = start + at
    if at + _END.size + comment != len(tail):
        raise CheckpointFault(problem=f"bytes are left over behind its end at {end}")
    if at >= _LOCATOR.size and tail.startswith(b"PK\x06\x07", at - _LOCATOR.size):
        end = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)[2]
        raw = os.pread(descriptor, _END_64.size, min(end, size))
        if len(raw) < _END_64.size or not raw.startswith(b"PK\x06\x06"):
            raise CheckpointFault(problem=f"its 64-bit directory is not at {end}")
        wide = _END_64.unpack(raw)[4:]
        narrow = (disk, first_disk, here, count, length, begin)
        full = (_FULL_16, _FULL_16, _FULL_16, _FULL_16, _FULL_32, _FULL_32)
        if any(low not in {high, most} for low, high, most in zip(narrow, wide, full, strict=True)):
            raise CheckpointFault(problem="its two directories contradict each other")
        disk, first_disk, here, count, length, begin = wide
    if disk or first_disk or here != count:
        raise CheckpointFault(problem="it is one part of an archive in several files")
    if begin + length != end:
        raise CheckpointFault(problem=f"its directory ends at {begin + length}, expected {end}")
    return begin, length, count


def _entries(raw: bytes, count: int) -> list[ZipEntry]:
    """Read *count* entries; their limits are still to come."""
    entries = []
    at = 0
    for _ in range(count):
        (magic, flags, method, packed, size, name_length, extra_length, comment_length,
         header) = _ENTRY.unpack_from(raw, at)  # fmt: skip
        if magic != b"PK\x01\x02":
            raise CheckpointFault(problem=f"its directory is damaged at byte {at}")
        at += _ENTRY.size
        name = raw[at : at + name_length].decode("utf-8", "surrogateescape")
        at += name_length
        if _FULL_32 in {packed, size, header}:
            extra = raw[at : at + extra_length]
            packed, size, header = _widened(extra, packed, size, header)
        at += extra_length + comment_length
        encrypted = bool(flags & _ENCRYPTED)
        entries.append(ZipEntry(name, method, encrypted, packed, size, header, 0))
    if at != len(raw):
        raise CheckpointFault(problem="its directory has another length than it says")
    return entries


def _widened(extra: bytes, packed: int, size: int, header: int) -> tuple[int, int, int]:
    """Return the three numbers with those that are full taken from the 64-bit field."""
    at = 0
    while at + _FIELD.size <= len(extra):
        kind, length = _FIELD.unpack_from(extra, at)
        at += _FIELD.size
        if kind == _ZIP_64:
            wide = iter(_U64.unpack_from(extra, place)[0] for place in range(at, at + length, 8))
            size = next(wide, size) if size == _FULL_32 else size
            packed = next(wide, packed) if packed == _FULL_32 else packed
            header = next(wide, header) if header == _FULL_32 else header
            break
        at += length
    return packed, size, header


def _checked(entries: list[ZipEntry], end: int) -> dict[str, ZipEntry]:
    """Prove that no two entries share a byte or a name; *end* is where the directory begins."""
    limits = dict.fromkeys(sorted(entry.header for entry in entries), end)
    ordered = list(limits)
    limits.update(pairwise(ordered))
    found: dict[str, ZipEntry] = {}
    for entry in entries:
        limit = limits[entry.header]
        if entry.header + _LOCAL.size + len(entry.name) + entry.packed > limit:
            raise CheckpointFault(
                problem=f"{entry.name[:100]!r} reaches beyond {limit}, where something else begins"
            )
        found[entry.name] = ZipEntry(*entry[:-1], limit)
    if len(found) != len(entries):
        raise CheckpointFault(problem="its directory names an entry twice")
    if len(limits) != len(entries):
        raise CheckpointFault(problem="two of its entries begin at the same byte")
    return found
