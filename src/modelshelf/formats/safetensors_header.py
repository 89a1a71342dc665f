"""The JSON inside a safetensors header, turned into checked entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from math import prod
from typing import NoReturn, TypeGuard

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.json_values import (
    MOST_TEXT,
    MOST_VALUES,
    UNCOUNTED,
    has_too_many_values,
    parsed_size,
)
from modelshelf.schema.tensor import TensorColumns, TensorEntry, TensorKind

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

_METADATA_START = b'{"__metadata__":'
_ENTRY_START = b'":{"dtype"'
# What stands around dtype, shape and places of an entry, as every known writer puts it.
_DTYPE, _SHAPE = '"dtype":"', '","shape":['
_MOST_SIDES = 64
"""As many as numpy and torch have: the fast way reads no more."""
_MOST_DIMENSIONS = 1_000
"""The format has no bound, and the product of half a million sides takes hours."""
_CHUNK = 1 << 16
"""Bytes that are cut into pieces at once: their pieces fit into the cache, and take no new memory from
the system, which would cost as long as cutting."""
_CONTROLS = bytes(range(0x20))

_Row = tuple[str, str, tuple[int, ...], int, int]
"""Name, dtype, shape, and the tensor's place counted from the end of the header."""
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
    if len(raw) > UNCOUNTED:
        _check_amount(_text_of(raw))
    # Not inside of an `except`: the error would keep all that the first parser had built.
    with suppress(_UnusualError, FormatFault, ValueError, RecursionError):
        return _parse_usual(raw, start, size)
    return _parse_any(_text_of(raw), start, size)


def _check_amount(text: str) -> None:
    """Prove that reading *text* takes no more memory than any sound header does."""
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


def _parse_usual(raw: bytes, start: int, size: int) -> _Parsed:
    """Read a sound header in the one spelling that writers use, as fast as a C parser builds JSON.

    Whole columns at a time: next to nothing here runs once per tensor in Python. Every character is
    accounted for: what differs between entries is compared with what a sound file must say there, the
    rest with the spelling. Raises for every other spelling and for every fault, so `_parse_any` has
    the last word on both; a property test holds the two together.
    """
    metadata, at = _leading_metadata(raw)
    kinds = _Kinds()
    names: list[str] = []
    rows: list[TensorKind] = []
    end = 0
    for text in _chunks(raw, at):
        # `},"name":{"dtype":"F16","shape":[2,3` and `,"data_offsets":[0,12`, and at last nothing.
        pieces = text.split("]")
        # Each boundary keeps a mark that no piece has, so that pieces cannot be right only together.
        halves = "{]".join(pieces[:-1:2]).split("{")
        if len(halves) + 1 != len(pieces) or pieces.pop():
            raise _UnusualError
        alike = list(map(kinds.__getitem__, halves[1::2]))
        end = _check_usual_places(alike, "]".join(pieces[1::2]), end)
        names += _cut_names("".join(halves[::2]), len(alike))
        rows += alike
    found = dict(zip(names, rows, strict=True))
    if end != size - start or len(found) != len(rows) or _METADATA in found:
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
    value, at = _DECODER.raw_decode(text, len(_METADATA_START))
    if not text.startswith(",", at):
        raise _UnusualError
    # A name is shorter than metadata, and quicker counted.
    return _check_metadata(value), before - len(text[at + 1 :].encode())


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
            and (0 not in shape or max(shape) <= _LARGEST)
        )
        if not is_usual:
            raise _UnusualError
        kind = self[text] = TensorKind(dtype, shape, _length("", dtype, shape))
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
    total = bits * prod(shape)
    for side in shape if not 0 < total <= _LARGEST else ():
        bits *= side
        # As the format's own reader: the product may not overflow, even if a later side is 0.
        if bits > _LARGEST:
            raise FormatFault(problem=f"`{name}` has more elements than 64 bits can count")
    if total % 8:
        raise FormatFault(problem=f"`{name}` takes {total} bits, expected whole bytes")
    return total // 8


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
    if len(shape) > _MOST_DIMENSIONS:
        problem = f"`{name}` has {len(shape)} sides, expected at most {_MOST_DIMENSIONS}"
        raise FormatFault(problem=problem)
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
