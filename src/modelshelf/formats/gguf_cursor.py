"""A bounded walk through the header of a GGUF file: numbers, text, and what is stepped over."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.forward_reader import ForwardReader
from modelshelf.formats.reading_budget import ReadingBudget

__all__ = ["Cursor", "Record"]

Record = tuple[str, tuple[int, ...], int, int]
"""What a file says about one tensor: name, sides as the file orders them, kind, offset in the data."""
_Form = tuple[tuple[int, ...], int]
"""Sides and kind, which many tensors share."""


_MOST_TEXT = 16 << 20
"""Bytes of names and values that are kept; the largest known header keeps 0.2 MB."""
_MOST_STRINGS = 2_000_000
"""Strings in arrays; the largest known vocabulary has 262,144 tokens and as many merges again."""
_MOST_STRING_BYTES = 64 << 20
"""Bytes of such strings; the largest known vocabulary has 10 MB."""

_STRINGS_COST = 1
"""Strings that are stepped over in one step, as a power of two."""
_LONGEST_NAME = 256
_MOST_DIMENSIONS = 8
"""ggml knows 4; some writers keep the five of a 3-D convolution."""
_LONGEST_RECORD = 8 + _LONGEST_NAME + 4 + 8 * _MOST_DIMENSIONS + 4 + 8
_AHEAD = 256 << 10
"""Bytes read at a time where so many are known to belong to the header."""
_BATCH = 64
_USUAL_WORD = 7
"""Bytes of a word in the middle of a vocabulary."""


def _short_strings(order: str) -> re.Pattern[bytes]:
    """Return a pattern for 64 strings in a row, each shorter than 64 bytes.

    Vocabularies hold 256,000 short strings, each behind its length. A loop that looks at every length
    takes twice as long as this. `(?>…)`: a string has one length, so there is nothing to go back to.
    """
    zeroes = bytes(7)
    length = b"%b" + zeroes if order == "<" else zeroes + b"%b"
    # Those that words mostly have first, as they are tried in this order.
    usual = sorted(range(64), key=lambda count: abs(count - _USUAL_WORD))
    words = [length % re.escape(bytes([count])) + b".{%d}" % count for count in usual]
    return re.compile(b"(?>" + b"|".join(words) + b"){%d}" % _BATCH, re.DOTALL)


class Cursor(ForwardReader):
    """A place in a GGUF header, moved forward by what is read or stepped over.

    Whatever the file claims, the memory that is taken and the steps that are made are bounded.

    Args:
        stream: The file, unbuffered, at its start.
        size: Bytes that it has.
        budget: What may still be read.
    """

    __slots__ = (
        "_length",
        "_order",
        "_place",
        "_short",
        "_strings",
        "_tails",
        "_text",
        "_wide",
        "_word",
        "budget",
    )  # fmt: skip

    def __init__(self, stream: BinaryIO, size: int, budget: ReadingBudget) -> None:
        super().__init__(stream, size)
        self.budget = budget
        """What may still be read."""
        self._text = 0
        self._strings = 0
        self.set_form(order="<", wide=True)

    def set_form(self, *, order: str, wide: bool) -> None:
        """Say how numbers are written.

        Args:
            order: `<` for little-endian, `>` for big-endian.
            wide: True where counts and lengths have 64 bits, False for the 32 of version 1.
        """
        self._order, self._wide = order, wide
        self._short: re.Pattern[bytes] | None = None
        count = "Q" if wide else "I"
        self._length = struct.Struct(order + count)
        self._word = struct.Struct(order + "I")
        self._tails = tuple(
            struct.Struct(f"{order}I{count * sides}I") for sides in range(_MOST_DIMENSIONS + 1)
        )
        self._place = struct.Struct(order + "Q")

    def numbers(self, form: str) -> tuple[int | float, ...]:
        """Return the numbers that *form* describes in the letters of the module `struct`."""
        numbers = struct.Struct(self._order + form)
        return numbers.unpack(self.take(numbers.size))

    def integer(self, form: str) -> int:
        """Return one whole number that *form* describes."""
        return int(self.numbers(form)[0])

    def count(self) -> int:
        """Return a count or a length."""
        (found,) = self._length.unpack(self.take(self._length.size))
        return int(found)

    def records(self, count: int) -> list[Record]:
        """Return what the file says about the next *count* tensors.

        Raises:
            FormatFault: A name is too long or no UTF-8, or there are too many dimensions.
        """
        found: list[Record] = []
        try:
            while len(found) < count:
                self._fill(min(_LONGEST_RECORD, self.left))
                self._take_records(found, count)
        except struct.error as error:
            raise self._too_short(_LONGEST_RECORD) from error
        except UnicodeDecodeError as error:
            problem = f"expected a tensor's name in UTF-8 at offset {self.offset}"
            raise FormatFault(problem=problem) from error
        return found

    def _take_records(self, found: list[Record], count: int) -> None:
        """Add to *found* one record, and all others up to *count* that lie whole in the buffer."""
        buffer, lengths, words, places = self._buffer, self._length, self._word, self._place
        # Kinds with sides by their bytes: many tensors share them.
        forms: dict[bytes, _Form] = {}
        last = max(self._at, len(buffer) - _LONGEST_RECORD)
        while self._at <= last and len(found) < count:
            at = self._at
            (length,) = lengths.unpack_from(buffer, at)
            at += lengths.size
            if length > _LONGEST_NAME:
                problem = f"expected a tensor's name of at most {_LONGEST_NAME} bytes, got {length}"
                raise FormatFault(problem=f"{problem} at offset {self.offset}")
            name = buffer[at : at + length].decode("utf-8")
            at += length
            (dimensions,) = words.unpack_from(buffer, at)
            if dimensions > _MOST_DIMENSIONS:
                problem = f"{dimensions} dimensions, expected at most {_MOST_DIMENSIONS}"
                raise FormatFault(problem=f"`{name}` has {problem}")
            tail = self._tails[dimensions]
            end = at + tail.size
            written = buffer[at:end]
            form = forms.get(written)
            if form is None:
                _, *sides, kind = tail.unpack(written)
                form = forms[written] = tuple(sides), kind
            (offset,) = places.unpack_from(buffer, end)
            found.append((name, *form, offset))
            self._at = end + places.size

    def text(self, what: str, *, at_most: int) -> str:
        """Return the next string, which names something.

        Raises:
            FormatFault: It is too long, or no UTF-8.
        """
        begin, length = self.offset, self.count()
        if length > at_most:
            problem = f"expected {what} of at most {at_most} bytes at offset {begin}, got {length}"
            raise FormatFault(problem=problem)
        raw = self._keep(length)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            problem = f"expected {what} in UTF-8 at offset {begin}, got {raw[:40]!r}"
            raise FormatFault(problem=problem) from error

    def loose_text(self, *, at_most: int) -> str | None:
        """Return the next string, which people read, or None where it is too long: it is stepped over.

        Bytes that are no UTF-8 come as U+FFFD: a title in another code page breaks no model.
        """
        length = self.count()
        if length > at_most:
            self.skip(length)
            return None
        return self._keep(length).decode("utf-8", errors="replace")

    def skip_strings(self, count: int) -> None:
        """Step over *count* strings, building none."""
        self._strings += count
        if self._strings > _MOST_STRINGS:
            raise FormatFault(
                problem=f"expected at most {_MOST_STRINGS} strings in arrays, got more at {self.offset}"
            )
        self.budget.spend(count >> _STRINGS_COST)
        is_many = self._wide and count > _BATCH
        if is_many and self._short is None:
            self._short = _short_strings(self._order)
        short = self._short if is_many else None
        last = self.offset + _MOST_STRING_BYTES
        while count:
            # So much is there at least, so reading it is reading no byte too many.
            self._fill(min(count * self._length.size, _AHEAD))
            while short and count >= _BATCH and (found := short.match(self._buffer, self._at)):
                self._at = found.end()
                count -= _BATCH
            # Among these is one that is long, or reaches beyond the buffer.
            count -= self._skip_in_buffer(min(count, _BATCH))
            if self.offset > last:
                raise FormatFault(
                    problem=f"strings in an array take more than {_MOST_STRING_BYTES} bytes"
                )

    def _skip_in_buffer(self, count: int) -> int:
        """Step over up to *count* strings whose lengths lie in the buffer; return how many."""
        buffer, at, width = self._buffer, self._at, self._length.size
        unpack, last = self._length.unpack_from, len(buffer) - width
        skipped = 0
        while skipped < count and at <= last:
            at += width + unpack(buffer, at)[0]
            skipped += 1
        self.skip(at - self._at)
        return skipped

    def _keep(self, length: int) -> bytes:
        self._text += length
        if self._text > _MOST_TEXT:
            raise FormatFault(problem=f"names and values take more than {_MOST_TEXT} bytes")
        return self.take(length)
