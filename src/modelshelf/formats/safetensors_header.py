"""The JSON inside a safetensors header, turned into checked entries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import NoReturn, TypeGuard

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.json_values import MOST_VALUES, has_too_many_values
from modelshelf.schema.tensor import TensorColumns, TensorEntry

__all__ = ["BITS", "parse_header"]

BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits that one element of each dtype takes."""

_LARGEST = 2**64 - 1
_METADATA = "__metadata__"
_METADATA_START = '{"__metadata__":'

# An entry as every known writer puts it, cut at its colons: `"name"`, `{"dtype"`, `"F16","shape"`,
# `[2,3],"data_offsets"`, `[0,12]},"next name"`, …
_PIECES = 4
_DTYPE_START = '{"dtype"'
_DTYPE_TEXT = re.compile(r'"([A-Z0-9_]+)","shape"')
_SHAPE_TEXT = re.compile(
    r'\[((?:(?:0|[1-9][0-9]{0,18})(?:,(?:0|[1-9][0-9]{0,18})){0,63})?)\],"data_offsets"'
)
_CONTROLS = bytes(range(0x20))

_Row = tuple[str, str, tuple[int, ...], int, int]
"""Name, dtype, shape, and the tensor's place counted from the end of the header."""
_Kind = tuple[str, tuple[int, ...], int]
"""Dtype, shape, and the bytes that a tensor of them takes."""
_Parsed = tuple[Mapping[str, TensorEntry], dict[str, str]]
"""The tensors, and the metadata."""


class _UnusualError(Exception):
    """The header is not in the one spelling that the fast parser knows, or it has a fault."""


def parse_header(raw: bytes, *, start: int, size: int) -> _Parsed:
    """Return the tensors and the metadata of the header *raw*.

    Args:
        raw: The header's bytes, padding included.
        start: Offset in the file of the first tensor byte.
        size: Bytes of the whole file.

    Raises:
        FormatFault: A rule of the format is broken.
    """
    if raw[:1] != b"{":
        raise FormatFault(problem=f"expected `{{` at offset 8, got {raw[:1]!r}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        at = 8 + error.start
        raise FormatFault(
            problem=f"expected UTF-8, got byte {raw[error.start]:#04x} at offset {at}"
        ) from error
    if has_too_many_values(text):
        raise FormatFault(problem=f"expected at most {MOST_VALUES} values in the header, got more")
    # Not inside of an `except`: the error would keep all that the first parser had built.
    with suppress(_UnusualError, FormatFault, ValueError, RecursionError):
        return _parse_usual(text, start, size)
    return _parse_any(text, start, size)


def _parse_usual(text: str, start: int, size: int) -> _Parsed:
    """Read a sound header in the one spelling that writers use, as fast as a C parser builds JSON.

    Whole columns at a time: next to nothing here runs once per tensor in Python. Every character is
    accounted for: what differs between entries is compared with what a sound file must say there, the
    rest with the spelling. Raises for every other spelling and for every fault, so `_parse_any` has
    the last word on both; a property test holds the two together.
    """
    metadata, at = _leading_metadata(text)
    pieces = text[at:].split(":")
    pieces[-1] = pieces[-1].rstrip(" ")
    count, rest = divmod(len(pieces) - 1, _PIECES)
    if rest or not count or pieces[1::_PIECES].count(_DTYPE_START) != count:
        raise _UnusualError
    kinds = _Kinds()
    rows = list(map(kinds.__getitem__, zip(pieces[2::_PIECES], pieces[3::_PIECES], strict=True)))
    lengths = [length for _, _, length in rows]
    # A sound file leaves no choice where each tensor lies, so the places are computed and compared.
    ends = list(accumulate(lengths))
    names = _cut_names(pieces[0], pieces[4::_PIECES], ends)
    shapes = dict(zip(names, [shape for _, shape, _ in rows], strict=True))
    if ends[-1] != size - start or len(shapes) != count or _METADATA in shapes:
        raise _UnusualError
    return TensorColumns(shapes, [dtype for dtype, _, _ in rows], lengths, start=start), metadata


def _leading_metadata(text: str) -> tuple[dict[str, str], int]:
    """Return metadata that stands first, and where the entries begin."""
    if not text.startswith(_METADATA_START):
        return {}, 1
    value, at = _DECODER.raw_decode(text, len(_METADATA_START))
    if not text.startswith(",", at):
        raise _UnusualError
    return _check_metadata(value), at + 1


def _cut_names(first: str, tails: list[str], ends: list[int]) -> list[str]:
    """Return the tensors' names: the first, and what follows the right places in all *tails*.

    A tail is an entry's places and the name of the next entry in its quotes.
    """
    places = [0] * (2 * len(ends))
    places[1::2], places[2::2] = ends, ends[:-1]
    # As one text: a string for each would take most of the time, and their memory the rest.
    expected = ('[%d,%d]},"\n' * len(ends) % tuple(places))[: -len(',"\n')] + "}"
    # A name ends at the quote behind it and at its tail's end; a line's end inside shows a lie.
    places_and_names = "\n".join(tails).split('"')
    names = [first[1:-1], *places_and_names[1::2]]
    joined = "".join(names)
    encoded = joined.encode()
    is_usual = (
        # With a quote where each name was: no name may stand anywhere else.
        '"'.join(places_and_names[::2]) == expected
        and first == f'"{names[0]}"'
        and '"' not in names[0]
        # An escape may hide a quote, and text may hold no control character: for the full parser both.
        and "\\" not in joined
        and len(encoded.translate(None, _CONTROLS)) == len(encoded)
    )
    if not is_usual:
        raise _UnusualError
    return names


class _Kinds(dict[tuple[str, str], _Kind]):
    """Pieces with dtype and shape → what they mean, checked once for all tensors that share them."""

    def __missing__(self, key: tuple[str, str]) -> _Kind:
        dtype, sides = _DTYPE_TEXT.fullmatch(key[0]), _SHAPE_TEXT.fullmatch(key[1])
        if dtype is None or sides is None:
            raise _UnusualError
        shape = tuple(map(int, sides[1].split(","))) if sides[1] else ()
        kind = self[key] = dtype[1], shape, _length("", dtype[1], shape)
        return kind


def _parse_any(text: str, start: int, size: int) -> _Parsed:
    """Read a header in any legal spelling, and name the fault of any other."""
    header = _decode(text)
    metadata = _check_metadata(header.pop(_METADATA, {}))
    rows = [_row(name, entry) for name, entry in header.items()]
    _check_places(rows, size - start)
    return {
        name: TensorEntry(dtype, shape, start + begin, start + end)
        for name, dtype, shape, begin, end in rows
    }, metadata


def _decode(text: str) -> dict[str, object]:
    try:
        header: dict[str, object] = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        offset = 8 + len(text[: error.pos].encode())
        raise FormatFault(problem=f"{error.msg} at offset {offset}") from error
    except RecursionError as error:
        raise FormatFault(problem="the header is nested deeper than any header is") from error
    return header


def _check_places(rows: Iterable[_Row], size: int) -> None:
    """Prove that the tensors fill *size* bytes from 0 to the end, each as long as its shape says."""
    expected = 0
    lengths: dict[tuple[str, tuple[int, ...]], int] = {}
    for name, dtype, shape, begin, end in sorted(rows, key=_place):
        kind = dtype, shape
        length = lengths.get(kind)
        if length is None:
            length = lengths[kind] = _length(name, dtype, shape)
        if begin != expected:
            fault = "a hole" if begin > expected else "an overlap"
            raise FormatFault(problem=f"`{name}` begins at {begin}, expected {expected}: {fault}")
        if end - begin != length:
            what = f"{dtype} {list(shape)} takes {length}"
            raise FormatFault(problem=f"`{name}` has {end - begin} bytes, but {what}")
        expected = end
    if expected != size:
        fault = "the file is cut short" if expected > size else "bytes are left over"
        raise FormatFault(
            problem=f"the tensors take {expected} bytes, the file has {size}: {fault}"
        )


def _place(row: _Row) -> tuple[int, int]:
    return row[3], row[4]


def _length(name: str, dtype: str, shape: tuple[int, ...]) -> int:
    bits = BITS.get(dtype)
    if bits is None:
        raise FormatFault(
            problem=f"`{name}` has dtype {dtype!r}, expected one of {', '.join(sorted(BITS))}"
        )
    for side in shape:
        bits *= side
        # As the format's own reader: the product may not overflow, even if a later side is 0.
        if bits > _LARGEST:
            raise FormatFault(problem=f"`{name}` has more elements than 64 bits can count")
    if bits % 8:
        raise FormatFault(problem=f"`{name}` takes {bits} bits, expected whole bytes")
    return bits // 8


def _check_metadata(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise FormatFault(problem=f"`{_METADATA}` is no object")
    for key, text in value.items():
        if not isinstance(text, str):
            raise FormatFault(
                problem=f"`{_METADATA}` has {key!r} of type {type(text).__name__}, expected text"
            )
        _check_text(key)
        _check_text(text)
    return value


def _row(name: str, entry: object) -> _Row:
    _check_text(name)
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise FormatFault(
            problem=f"`{name}` is no object with exactly dtype, shape and data_offsets"
        )
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str):
        raise FormatFault(problem=f"`{name}` has a dtype that is no text")
    if not _are_counts(shape):
        raise FormatFault(problem=f"`{name}` has a shape that is no list of whole numbers")
    if not _are_counts(offsets) or len(offsets) != len(("begin", "end")):
        raise FormatFault(problem=f"`{name}` has data_offsets that are not two whole numbers")
    return name, dtype, tuple(shape), offsets[0], offsets[1]


def _are_counts(value: object) -> TypeGuard[list[int]]:
    # bool is an int to Python, and true is no number to the format.
    return isinstance(value, list) and all(
        type(one) is int and 0 <= one <= _LARGEST for one in value
    )


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatFault(problem=f"{text!r} holds half a surrogate pair") from error


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # In one pass: counting each key would take hours for a long header.
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise FormatFault(problem=f"{key!r} is there twice")
            seen.add(key)
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > len(str(_LARGEST)):
        raise FormatFault(problem=f"the number {digits[:20]}… has {len(digits)} digits")
    return int(digits)


def _no_such_number(text: str) -> NoReturn:
    raise FormatFault(problem=f"expected a whole number, got {text[:20]}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_int=_whole_number,
    parse_float=_no_such_number,
    parse_constant=_no_such_number,
)
