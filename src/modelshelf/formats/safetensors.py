"""The header of a safetensors file: checked to the letter, the weights behind it left alone.

Format: 8 bytes little-endian header length, then that many bytes of JSON (name → dtype, shape,
data_offsets; `__metadata__` → text), then the tensors without a gap.
https://huggingface.co/docs/safetensors/index#format and `safetensors/src/tensor.rs`.
"""

from __future__ import annotations

import os
from pathlib import Path

from modelshelf.errors import InvalidSafetensorsError
from modelshelf.formats.fault import FormatFault
from modelshelf.formats.opening import reading
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.safetensors_header import parse_header
from modelshelf.formats.stranger import guess_stranger
from modelshelf.schema.tensor import TensorIndex

__all__ = ["read_safetensors"]

_LONGEST_HEADER = 100_000_000
"""The format's bound."""
_LONGEST_READ = 12 << 20
"""Ours, so that no file takes 100 MB of memory, which is eight times this: 50,000 tensors have 7 MB."""
_PREFIX = 8


def read_safetensors(path: Path, *, budget: ReadingBudget | None = None) -> TensorIndex:
    """Read names, dtypes, shapes and places of all tensors in the file *path*.

    Reads the header and nothing of the weights, whatever the file's size. What comes back obeys every
    rule of the format: tensors fill the file to its last byte without hole or overlap, so a file that
    was cut short is found here.

    Args:
        path: A regular file.
        budget: What may be read of this file and of others beside it; None where there are none.

    Returns:
        The tensors in the header's order; places count from the start of the file.

    Raises:
        InvalidSafetensorsError: A rule is broken; the problem names the key or offset.
        SourceNotFoundError: It is gone.
        SourceUnreadableError: The operating system refuses to read it.
    """
    try:
        return _read(path, budget or ReadingBudget())
    except FormatFault as error:
        raise InvalidSafetensorsError(path=str(path), problem=error.problem) from error


def _read(path: Path, budget: ReadingBudget) -> TensorIndex:
    with reading(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        prefix = stream.read(_PREFIX)
        length = _header_length(prefix, size)
        # One read may return less than asked for, on network file systems at least.
        raw = b""
        while len(raw) < length and (chunk := stream.read(length - len(raw))):
            raw += chunk
    tensors, metadata = parse_header(raw, start=_PREFIX + length, size=size, budget=budget)
    return TensorIndex(tensors=tensors, metadata=metadata)


def _header_length(prefix: bytes, size: int) -> int:
    if len(prefix) < _PREFIX:
        raise FormatFault(problem=f"expected at least {_PREFIX} bytes, got {len(prefix)}")
    length = int.from_bytes(prefix, "little")
    if not length:
        raise FormatFault(
            problem=f"expected a header length at offset 0, got 0{guess_stranger(prefix)}"
        )
    if length > _LONGEST_HEADER:
        problem = f"expected a header length of at most {_LONGEST_HEADER} at offset 0, got {length}"
        raise FormatFault(problem=problem + guess_stranger(prefix))
    if _PREFIX + length > size:
        problem = f"expected a header of {length} bytes, but the file ends at {size}"
        raise FormatFault(problem=problem + guess_stranger(prefix))
    if length > _LONGEST_READ:
        raise FormatFault(
            problem=f"the header has {length} bytes; more than {_LONGEST_READ} are not read"
        )
    return length
