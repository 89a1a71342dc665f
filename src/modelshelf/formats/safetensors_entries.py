"""The entries of a safetensors header in any spelling, and the rules that each of them obeys.

Taken is what the format's own reader takes, fields that it does not know among it, and nothing else but for
what depends on who reads it: of a name that is there twice some readers see the first and some the last, and
only the reader in Rust takes an entry written as a list.
https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from math import isinf, prod
from typing import Any, NoReturn, TypeGuard

from modelshelf.formats.fault import FormatFault
from modelshelf.schema.tensor import TensorEntry

__all__ = [
    "DECODER",
    "LARGEST",
    "METADATA",
    "Parsed",
    "checked_metadata",
    "length_of",
    "parse_entries",
    "refuse_halves",
]

LARGEST = 2**64 - 1
"""The highest number that the format can say."""
METADATA = "__metadata__"
"""The name that no tensor has."""
Parsed = tuple[Mapping[str, TensorEntry], dict[str, str]]
"""The tensors, and the metadata."""

_BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits that one element of each dtype takes."""
_FIELDS = frozenset({"dtype", "shape", "data_offsets"})
_MOST_DIMENSIONS = 1_000
"""The format has no bound, and the product of half a million sides takes hours."""
_DEEPEST = 127
"""Levels of lists and objects, as many as the format's own reader goes; known fields have three."""
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_BRACKET = re.compile(r"[\[\]{}]")
_WHOLE = re.compile(
    r"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F])*+", re.DOTALL
)
"""Text up to the first escape that stands for half a character."""

_Row = tuple[str, str, tuple[int, ...], int, int]
"""Name, dtype, shape, and the tensor's place counted from the end of the header."""


def parse_entries(text: str, *, start: int, size: int) -> Parsed:
    """Read the header *text* in any legal spelling, and name the fault of any other.

    Args:
        text: The header, padding included.
        start: Offset in the file of the first tensor byte.
        size: Bytes of the whole file.

    Raises:
        FormatFault: A rule of the format is broken.
    """
    header = _decode(text)
    metadata = checked_metadata(header.pop(METADATA, None))
    rows = [_row(name, entry) for name, entry in header.items()]
    if sum(map(len, header.values())) > len(_FIELDS) * len(rows):
        # Some fields are unknown: whatever is in them.
        _check_depth(text)
    _check_places(rows, size - start)
    return {
        name: TensorEntry(dtype, shape, start + begin, start + end)
        for name, dtype, shape, begin, end in rows
    }, metadata


def checked_metadata(value: object) -> dict[str, str]:
    """Return *value*, which stands as metadata: texts by name, or null for none.

    Raises:
        FormatFault: It is anything else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FormatFault(problem=f"`{METADATA}` is no object")
    _refuse_repeated(value, value)
    for key, text in value.items():
        if not isinstance(text, str):
            raise FormatFault(
                problem=f"`{METADATA}` has {key!r} of type {type(text).__name__}, expected text"
            )
    return value


def length_of(name: str, dtype: str, shape: tuple[int, ...]) -> int:
    """Return the bytes that the tensor *name* of *dtype* and *shape* takes.

    Raises:
        FormatFault: There is no such type, the elements are more than can be counted, or their bits no
            whole bytes. That no file is so long is for the caller to see.
    """
    bits = _BITS.get(dtype)
    if bits is None:
        raise FormatFault(
            problem=f"`{name}` has dtype {dtype!r}, expected one of {', '.join(sorted(_BITS))}"
        )
    total = bits * prod(shape)
    elements = 1
    for side in shape if not 0 < total <= LARGEST else ():
        elements *= side
        # As the format's own reader: the product may not overflow, even if a later side is 0.
        if elements > LARGEST:
            raise FormatFault(problem=f"`{name}` has more elements than 64 bits can count")
    if total % 8:
        raise FormatFault(problem=f"`{name}` takes {total} bits, expected whole bytes")
    return total // 8


def _decode(text: str) -> dict[str, Any]:
    try:
        header: dict[str, Any] = DECODER.decode(text)
    except json.JSONDecodeError as error:
        offset = 8 + len(text[: error.pos].encode())
        raise FormatFault(problem=f"{error.msg} at offset {offset}") from error
    except RecursionError as error:
        raise FormatFault(problem="the header is nested deeper than any header is") from error
    refuse_halves(text)
    _refuse_repeated(header, header)
    return header


def refuse_halves(text: str) -> None:
    """Prove that no escape in *text*, which is JSON, stands for half a character: that is no text.

    Raises:
        FormatFault: One does.
    """
    if "\\ud" not in text and "\\uD" not in text:
        return
    whole = _WHOLE.match(text)
    at = whole.end() if whole is not None else 0
    if at != len(text):
        raise FormatFault(problem=f"{text[at : at + 6]!r} is half a surrogate pair")


def _check_depth(text: str) -> None:
    """Prove that *text*, which is JSON, is no deeper than the format's own reader goes."""
    brackets = _BRACKET.findall(_STRING.sub("", text))
    if max(accumulate(1 if one in "[{" else -1 for one in brackets)) > _DEEPEST:
        raise FormatFault(problem=f"the header is nested deeper than {_DEEPEST} levels")


def _check_places(rows: Iterable[_Row], size: int) -> None:
    """Prove that the tensors fill *size* bytes from 0 to the end, each as long as its shape says."""
    expected = 0
    lengths: dict[tuple[str, tuple[int, ...]], int] = {}
    for name, dtype, shape, begin, end in sorted(rows, key=_place):
        kind = dtype, shape
        length = lengths.get(kind)
        if length is None:
            length = lengths[kind] = length_of(name, dtype, shape)
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


def _row(name: str, entry: object) -> _Row:
    if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
        raise FormatFault(problem=f"`{name}` is no object with dtype, shape and data_offsets")
    if type(entry) is _Repeating:
        _refuse_repeated(entry, _FIELDS)
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
        type(one) is int and 0 <= one <= LARGEST for one in value
    )


class _Repeating(dict[str, object]):
    """An object in which names are there twice: no fault where nobody asks for them."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs)
        self.repeated = frozenset(name for name, count in times.items() if count > 1)
        """Those names."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


def _refuse_repeated(found: object, asked: Collection[str]) -> None:
    if isinstance(found, _Repeating) and not found.repeated.isdisjoint(asked):
        raise FormatFault(problem=f"{min(found.repeated.intersection(asked))!r} is there twice")


def _whole_number(digits: str) -> float:
    # `-0` is a fraction to the format's own reader, and so is what has more digits than 64 bits.
    return int(digits) if len(digits) <= len(str(LARGEST)) and digits != "-0" else _number(digits)


def _number(digits: str) -> float:
    found = float(digits)
    if isinf(found):
        raise FormatFault(
            problem=f"the number {digits[:20]} of {len(digits)} characters is too large"
        )
    return found


def _no_such_number(text: str) -> NoReturn:
    raise FormatFault(problem=f"expected a number, got {text}")


DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_whole_number,
    parse_float=_number,
    parse_constant=_no_such_number,
)
"""Reads the JSON of a header; what is true of all JSON, and nothing that a header obeys beyond it."""
