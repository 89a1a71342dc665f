"""A bounded walk over the fields of a protobuf message in a file; what nobody asks for is not read.

Format: each field is a varint (number times 8 plus wire type) and its value.
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.forward_reader import ForwardReader

__all__ = ["LENGTH", "VARINT", "FieldReader"]

VARINT = 0
"""Wire type of a whole number."""
LENGTH = 2
"""Wire type of text, bytes, a message or packed numbers."""
_FIXED = {1: 8, 5: 4}
_LARGEST = 2**64 - 1
_LONGEST_VARINT = 10
_MORE = 0x80
"""The bit of a byte that says that another follows."""
_MOST_FIELDS = 400_000
"""A graph of a large model has some 40,000 fields at the levels that are walked."""
_MOST_TEXT = 8 << 20
"""Bytes of text that are kept; a large model has 0.2 MB of names."""


class FieldReader(ForwardReader):
    """A place in a protobuf file, moved forward field by field.

    Whatever the file claims, the memory that is taken and the steps that are made are bounded. It
    descends only where the caller asks, so nested messages cost no stack.

    Args:
        stream: The file, unbuffered, at its start.
        size: Bytes that it has.
    """

    __slots__ = ("_text", "walked")

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__(stream, size)
        self.walked = 0
        """Fields that were gone through so far."""
        self._text = 0

    def fields(self, end: int) -> Iterator[tuple[int, int, int]]:
        """Go through the fields of the message that ends at offset *end*.

        Yields the field's number, its wire type and its value: the number of a `VARINT`; of `LENGTH`
        where the value ends, and the reader then stands at its first byte. What the caller leaves
        unread of it is stepped over. Values of other wire types come as 0.

        Raises:
            FormatFault: A rule of the encoding is broken.
        """
        while self.offset < end:
            begin = self.offset
            tag = self.varint()
            number, wire = tag >> 3, tag & 7
            self._count_field()
            if wire == VARINT:
                yield number, wire, self.varint()
            elif wire == LENGTH:
                length = self.varint()
                stop = self.offset + length
                if stop > end:
                    raise FormatFault(
                        problem=f"field {number} at offset {begin} has {length} bytes, "
                        f"but what it belongs to ends at {end}"
                    )
                yield number, wire, stop
                self.skip(stop - self.offset)
            elif wire in _FIXED:
                self.skip(_FIXED[wire])
                yield number, wire, 0
            else:
                raise FormatFault(
                    problem=f"expected a field at offset {begin}, got {number} of wire type {wire}"
                )
        if self.offset > end:
            raise FormatFault(problem=f"a field goes beyond its message, which ends at {end}")

    def varint(self) -> int:
        """Return the whole number that stands here, without sign."""
        if len(self._buffer) - self._at < _LONGEST_VARINT:
            self._fill(min(_LONGEST_VARINT, self.left))
        buffer, at = self._buffer, self._at
        if at < len(buffer) and buffer[at] < _MORE:
            # Most tags and lengths have one byte.
            self._at = at + 1
            return buffer[at]
        value = 0
        for place, byte in enumerate(buffer[at : at + _LONGEST_VARINT]):
            value |= (byte & 0x7F) << 7 * place
            if byte < _MORE:
                if value > _LARGEST:
                    break
                self._at = at + place + 1
                return value
        else:
            if self.left < _LONGEST_VARINT:
                raise self._too_short(self.left + 1)
        raise FormatFault(problem=f"the number at offset {self.offset} has more than 64 bits")

    def varints(self, end: int, *, at_most: int) -> list[int]:
        """Return the packed whole numbers that end at offset *end*."""
        found: list[int] = []
        while self.offset < end:
            if len(found) == at_most:
                raise FormatFault(problem=f"more than {at_most} numbers at offset {self.offset}")
            found.append(self.varint())
        return found

    def text(self, end: int, *, at_most: int) -> str | None:
        """Return the text that ends at offset *end*, or None where it is longer than *at_most* bytes.

        Bytes that are no UTF-8 come as U+FFFD.
        """
        length = end - self.offset
        if length > at_most:
            return None
        self._text += length
        if self._text > _MOST_TEXT:
            raise FormatFault(problem=f"names and values take more than {_MOST_TEXT} bytes")
        return self.take(length).decode("utf-8", errors="replace")

    def _count_field(self) -> None:
        self.walked += 1
        if self.walked > _MOST_FIELDS:
            raise FormatFault(problem=f"more than {_MOST_FIELDS} fields at offset {self.offset}")
