"""The JSON inside a safetensors header, turned into checked entries: quickly where it is spelt as usual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from sys import getsizeof

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.json_values import (
    MOST_TEXT,
    MOST_VALUES,
    UNCOUNTED,
    has_too_many_values,
    parsed_size,
)
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.safetensors_entries import (
    DECODER,
    LARGEST,
    METADATA,
    Parsed,
    checked_metadata,
    length_of,
    parse_entries,
    refuse_halves,
)
from modelshelf.schema.tensor import TensorColumns, TensorKind

__all__ = ["parse_header"]

_BEGIN = re.compile(rb"[ \t\n\r]*+\{")
"""The format asks for the brace alone, and its own reader for no more than an object."""
_METADATA_START = b'{"__metadata__":'
_ENTRY_START = b'":{"dtype"'
# What stands around dtype, shape and places of an entry, as every known writer puts it.
_DTYPE, _SHAPE = '"dtype":"', '","shape":['
_MOST_SIDES = 64
"""As many as numpy and torch have: the fast way reads no more."""
_CHUNK = 1 << 16
"""Bytes that are cut into pieces at once: their pieces fit into the cache, and take no new memory from
the system, which would cost as long as cutting."""
_MOST_KINDS = 65_536
"""Kinds that take as much memory as half a million names; models have a few dozen."""
_CONTROLS = bytes(range(0x20))
_COST = 5
"""Bytes that are read in one step, as a power of two."""
_VALUE_COST = 4
"""What a value costs in any other spelling; a comma stands before nearly each."""


class _UnusualError(Exception):
    """The header is not in the one spelling that the fast parser knows, or it has a fault."""


def parse_header(raw: bytes, *, start: int, size: int, budget: ReadingBudget) -> Parsed:
    """Return the tensors and the metadata of the header *raw*.

    Args:
        raw: The header's bytes, padding included.
        start: Offset in the file of the first tensor byte.
        size: Bytes of the whole file.
        budget: What may still be read.

    Raises:
        FormatFault: A rule of the format is broken.
    """
    if _BEGIN.match(raw) is None:
        raise FormatFault(problem=f"expected `{{` at offset 8, got {raw[:1]!r}")
    budget.spend(len(raw) >> _COST)
    # Not inside of an `except`: the error would keep all that the first parser had built.
    with suppress(_UnusualError, FormatFault, ValueError, RecursionError):
        return _parse_usual(raw, start, size)
    budget.spend(_VALUE_COST * raw.count(b","))
    text = _text_of(raw)
    _check_amount(text)
    return parse_entries(text, start=start, size=size)


def _check_amount(text: str) -> None:
    """Prove that building all values in *text* takes no more memory than any sound header does."""
    if len(text) <= UNCOUNTED:
        return
    if (size := parsed_size(text)) > MOST_TEXT:
        raise FormatFault(
            problem=f"the header takes {size} bytes as text; more than {MOST_TEXT} are not read"
        )
    if has_too_many_values(text):
        raise FormatFault(problem=f"expected at most {MOST_VALUES} values in the header, got more")


def _text_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        at = 8 + error.start
        raise FormatFault(
            problem=f"expected UTF-8, got byte {raw[error.start]:#04x} at offset {at}"
        ) from error


def _parse_usual(raw: bytes, start: int, size: int) -> Parsed:
    """Read a sound header in the one spelling that writers use, as fast as a C parser builds JSON.

    Whole columns at a time: next to nothing here runs once per tensor in Python. Every character is
    accounted for: what differs between entries is compared with what a sound file must say there, the
    rest with the spelling. Raises for every other spelling and for every fault, so `parse_entries` has
    the last word on both; a property test holds the two together.
    """
    metadata, at = _leading_metadata(raw)
    kinds = _Kinds()
    names: list[str] = []
    rows: list[TensorKind] = []
    end = taken = 0
    for text in _chunks(raw, at):
        taken += getsizeof(text)
        if taken > MOST_TEXT or len(kinds) > _MOST_KINDS:
            raise _UnusualError
        # `},"name":{"dtype":"F16","shape":[2,3` and `,"data_offsets":[0,12`, and at last nothing.
        pieces = text.split("]")
        # Each boundary keeps a mark that no piece has, so that pieces cannot be right only together.
        halves = "{]".join(pieces[:-1:2]).split("{")
        if len(halves) + 1 != len(pieces):
            raise _UnusualError
        alike = list(map(kinds.__getitem__, halves[1::2]))
        end = _check_usual_places(alike, "]".join(pieces[1::2]), end)
        names += _cut_names("".join(halves[::2]), len(alike))
        rows += alike
    found = dict(zip(names, rows, strict=True))
    if end != size - start or len(found) != len(rows) or METADATA in found:
        raise _UnusualError
    return TensorColumns(found, start=start), metadata


def _leading_metadata(raw: bytes) -> tuple[dict[str, str], int]:
    """Return metadata that stands first, and where the entries begin."""
    if not raw.startswith(_METADATA_START):
        return {}, 1
    before = raw.find(_ENTRY_START)
    if before < 0:
        raise _UnusualError
    text = raw[:before].decode("utf-8")
    _check_amount(text)
    value, at = DECODER.raw_decode(text, len(_METADATA_START))
    if not text.startswith(",", at):
        raise _UnusualError
    refuse_halves(text)
    # A name is shorter than metadata, and quicker counted.
    return checked_metadata(value), before - len(text[at + 1 :].encode())


def _chunks(raw: bytes, at: int) -> Iterator[str]:
    """Yield the entries from *at* on, cut behind the places of one: before a name stands an end.

    Behind the last places stands nothing.
    """
    lead = "},"
    while len(raw) - at > _CHUNK:
        cut = raw.rfind(b']},"', at, at + _CHUNK)
        if cut < at:
            # One entry as long as thousands: in pieces it would take its own memory many times.
            raise _UnusualError
        yield lead + raw[at : cut + 1].decode("utf-8")
        at, lead = cut + 1, ""
    text = lead + raw[at:].decode("utf-8").rstrip(" ")
    if not text.endswith("]}}"):
        raise _UnusualError
    yield text[: -len("}}")]


def _check_usual_places(kinds: list[TensorKind], places: str, start: int) -> int:
    """Prove that tensors of *kinds* lie one behind the other from *start* on; return where they end.

    A sound file leaves no choice where each tensor lies, so that is computed and compared: as one text,
    as a string for each would take most of the time.
    """
    ends = list(accumulate([kind.length for kind in kinds], initial=start))
    expected = [0] * (2 * len(kinds))
    expected[::2], expected[1::2] = ends[:-1], ends[1:]
    if f"{places}]" != ',"data_offsets":[%d,%d]' * len(kinds) % tuple(expected):
        raise _UnusualError
    return ends[-1]


def _cut_names(text: str, count: int) -> list[str]:
    """Return *count* names of *text*, where each stands as `},"name":` and brackets are between them."""
    before, between, behind = '},"', '":]},"', '":'
    names = text[len(before) : -len(behind)].split(between)
    joined = "".join(names)
    encoded = joined.encode()
    is_usual = (
        len(names) == count
        and text == before + between.join(names) + behind
        and '"' not in joined
        # An escape may hide a quote, and text may hold no control character: for the full parser both.
        and "\\" not in joined
        and len(encoded.translate(None, _CONTROLS)) == len(encoded)
    )
    if not is_usual:
        raise _UnusualError
    return names


class _Kinds(dict[str, TensorKind]):
    """What stands between an entry's name and its places → the kind, checked once for all that share it."""

    def __missing__(self, text: str) -> TensorKind:
        start, _, sides = text.partition(_SHAPE)
        dtype = start.removeprefix(_DTYPE)
        if sides.count(",") >= _MOST_SIDES:
            raise _UnusualError
        shape = tuple(map(int, sides.split(","))) if sides else ()
        is_usual = (
            text == f"{_DTYPE}{dtype}{_SHAPE}{','.join(map(str, shape))}"
            and "-" not in sides
            # Beside a 0 the size of the tensor does not show how long a side is.
            and (0 not in shape or max(shape) <= LARGEST)
        )
        if not is_usual:
            raise _UnusualError
        kind = self[text] = TensorKind(dtype, shape, length_of("", dtype, shape))
        return kind
