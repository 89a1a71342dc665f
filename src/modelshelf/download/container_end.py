"""Whether a file whose host did not say how long it is holds all that it says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable

__all__ = ["is_cut_short"]

_LENGTH = 8
"""Bytes of the number that a safetensors file begins with."""
_LARGEST_HEADER = 16 * 2**20
"""Bytes of a safetensors header that are read for this; larger ones are left to those who read the file."""
_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_LONGEST_ZIP_END = 22 + 2**16 - 1
"""Bytes of the last record of a ZIP archive, its comment included (APPNOTE 4.3.16)."""


def is_cut_short(read: Callable[[int, int], bytes], size: int) -> bool:
    """Say whether a file certainly ends too early, by its own account.

    A safetensors file tells where its last tensor ends, and a ZIP archive, such as a checkpoint of PyTorch's,
    has its directory at the end. Of all other files nothing is known.

    Args:
        read: Returns so many bytes (second) from an offset (first) on.
        size: Bytes that came.

    Example:
        >>> header = b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
        >>> file = len(header).to_bytes(8, "little") + header + b"1234"
        >>> [is_cut_short(lambda at, count: file[at : at + count], size) for size in (65, 64)]
        [False, True]
    """
    start = read(0, 9)
    if start.startswith(_ZIP):
        longest = min(size, _LONGEST_ZIP_END)
        return _ZIP_END not in read(size - longest, longest)
    if len(start) <= _LENGTH or start[_LENGTH:] != b"{":
        return False
    length = int.from_bytes(start[:_LENGTH], "little")
    if length > _LARGEST_HEADER:
        return False
    begin = _LENGTH + length
    return size < begin or size < begin + _data_end(read(_LENGTH, length))


def _data_end(header: bytes) -> int:
    """Return where the last tensor ends, counted from the header's end; 0 where the header does not say."""
    try:
        entries = json.loads(header)
    except (ValueError, RecursionError):
        return 0
    if not isinstance(entries, dict):
        return 0
    offsets = [entry.get("data_offsets") for entry in entries.values() if isinstance(entry, dict)]
    ends = [pair[1] for pair in offsets if isinstance(pair, list) and len(pair) == 2]  # noqa: PLR2004
    return max((end for end in ends if isinstance(end, int)), default=0)
