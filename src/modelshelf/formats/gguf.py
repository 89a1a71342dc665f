"""The header of a GGUF file: keys, names and places, the weights and the vocabulary left alone.

Format: "GGUF", version, counts, key-value pairs, one record a tensor, then the data at a multiple of
`general.alignment`. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

modelshelf reads it itself: the `gguf` package builds every string of a vocabulary of 256,000 and needs
numpy. It is what this reader was compared with.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

from modelshelf.errors import InvalidGgufError
from modelshelf.errors.base import counted
from modelshelf.formats.fault import FormatFault
from modelshelf.formats.gguf_cursor import Cursor, Record
from modelshelf.formats.gguf_fields import Fields, read_fields
from modelshelf.formats.gguf_kinds import KINDS
from modelshelf.formats.opening import reading
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.stranger import guess_stranger
from modelshelf.schema.tensor import Container, TensorEntry, TensorIndex

__all__ = ["read_gguf"]

_MAGIC = b"GGUF"
_VERSIONS = (1, 2, 3)
_MOST_TENSORS = 65_536
_HIGHEST_KIND = 1023
_TENSOR_COST = 8
_LARGEST = 2**63 - 1
# A record is at least a length, one character, the number of dimensions, the kind and the offset.
_SHORTEST_RECORD = 4 + 1 + 4 + 4 + 8


class _Form(NamedTuple):
    """What all tensors of one kind and one shape have in common."""

    label: str
    shape: tuple[int, ...]
    length: int | None
    """Bytes; None where the kind is not known."""


def read_gguf(path: Path, *, budget: ReadingBudget | None = None) -> TensorIndex:
    """Read names, kinds, shapes and places of all tensors in the GGUF file *path*.

    Reads the header and less than 64 KiB beyond it. Arrays, such as a vocabulary, are stepped over.
    Versions 1 to 3 are read, version 3 in both byte orders. What comes back obeys the format: names
    are there once, tensors begin where the alignment allows, overlap nowhere and end within the file.

    Args:
        path: A regular file.
        budget: What may be read of this file and of others beside it; None where there are none.

    Returns:
        The tensors in the file's order, with shapes in torch order; where the writer kept the shape
        from before a fold (`comfy.gguf.orig_shape.…`), that one. `metadata` has all single values as
        text, arrays not. A tensor of a kind that is not known here has its label `kind 137`, for
        example, and no place, as nobody can say where it ends; a finding tells.

    Raises:
        InvalidGgufError: A rule is broken; the problem names the key or offset.
        SourceNotFoundError: It is gone.
        SourceUnreadableError: The operating system refuses to read it.

    Example:
        >>> from modelshelf.testing import tiny
        >>> path = tiny.write_gguf("m.gguf", {"w": ("Q8_0", (2, 32))}, fields={"general.name": "m"})
        >>> index = read_gguf(path)
        >>> index.tensors["w"].dtype, index.shape("w"), index.metadata["general.name"]
        ('Q8_0', (2, 32), 'm')
    """
    try:
        with reading(path) as stream:
            return _read(stream, os.fstat(stream.fileno()).st_size, budget or ReadingBudget())
    except FormatFault as fault:
        raise InvalidGgufError(path=str(path), problem=fault.problem) from fault


def _read(stream: BinaryIO, size: int, budget: ReadingBudget) -> TensorIndex:
    cursor = Cursor(stream, size, budget)
    _read_magic(cursor)
    tensor_count = _bounded(cursor, "tensors", _MOST_TENSORS, _SHORTEST_RECORD)
    fields = read_fields(cursor)
    budget.spend(_TENSOR_COST * tensor_count)
    records = cursor.records(tensor_count)
    start = -(-cursor.offset // fields.alignment) * fields.alignment
    tensors = _place(records, start, size, fields)
    _check_overlaps(tensors)
    return TensorIndex(
        tensors=tensors,
        metadata=fields.texts,
        container=Container.GGUF,
        findings=tuple(sorted({*fields.findings, *_findings(records, tensors, fields)})),
    )


def _read_magic(cursor: Cursor) -> None:
    start = cursor.take(min(8, cursor.left))
    if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + 4:
        problem = f"expected `GGUF` and a version at offset 0, got {start!r}"
        raise FormatFault(problem=problem + guess_stranger(start))
    # A file in the other byte order shows its version in the upper half.
    order = "<" if start[4:6] != b"\0\0" else ">"
    version = int.from_bytes(start[4:8], "little" if order == "<" else "big")
    if version not in _VERSIONS or (order == ">" and version != max(_VERSIONS)):
        raise FormatFault(problem=f"expected version 1, 2 or 3 at offset 4, got {version}")
    cursor.set_form(order=order, wide=version > 1)


def _bounded(cursor: Cursor, what: str, most: int, shortest: int) -> int:
    begin, found = cursor.offset, cursor.count()
    if found > most or found * shortest > cursor.left:
        room = min(most, cursor.left // shortest)
        raise FormatFault(problem=f"expected at most {room} {what} at offset {begin}, got {found}")
    return found


def _place(records: list[Record], start: int, size: int, fields: Fields) -> dict[str, TensorEntry]:
    """Return the tensors with their places in the file, each of them checked."""
    tensors: dict[str, TensorEntry] = {}
    forms: dict[tuple[tuple[int, ...], int], _Form] = {}
    # As `TensorEntry._make` without its count of the fields, in two thirds of the time.
    new: Callable[[tuple[object, ...]], TensorEntry] = partial(tuple.__new__, TensorEntry)
    for name, sides, kind, offset in records:
        form = forms.get((sides, kind))
        if form is None:
            form = forms[sides, kind] = _form(name, sides, kind)
        if offset % fields.alignment:
            raise FormatFault(
                problem=f"`{name}` begins at {offset}, expected a multiple of {fields.alignment}"
            )
        begin = start + offset
        end = begin + (form.length or 0)
        if end > size:
            raise FormatFault(
                problem=f"`{name}` ends at {end}, but the file at {size}: the file is cut short"
            )
        if form.length is None:
            begin = end = 0
        tensors[name] = new((form.label, form.shape, begin, end))
    if len(tensors) != len(records):
        names = sorted(name for name, *_ in records)
        twice = next(one for one, after in pairwise(names) if one == after)
        raise FormatFault(problem=f"the tensor `{twice}` is there twice")
    for name, shape in fields.shapes.items():
        entry = tensors.get(name)
        if entry is not None and prod(entry.shape) == prod(shape):
            tensors[name] = entry._replace(shape=shape)
    return tensors


def _form(name: str, sides: tuple[int, ...], kind: int) -> _Form:
    """Check kind and shape, which many tensors share, once."""
    elements = prod(sides)
    if elements > _LARGEST:
        raise FormatFault(
            problem=f"`{name}` has more elements than 63 bits can count: {list(sides)}"
        )
    if kind > _HIGHEST_KIND:
        raise FormatFault(
            problem=f"`{name}` is of kind {kind}, expected one below {_HIGHEST_KIND + 1}"
        )
    known = KINDS.get(kind)
    if known is None:
        return _Form(f"kind {kind}", sides[::-1], None)
    row = sides[0] if sides else 1
    if row % known.elements:
        problem = f"{known.label} needs multiples of {known.elements}"
        raise FormatFault(problem=f"`{name}` has rows of {row}, but {problem}")
    return _Form(known.label, sides[::-1], elements // known.elements * known.size)


def _check_overlaps(tensors: dict[str, TensorEntry]) -> None:
    free = 0
    for entry in tensors.values():
        if entry.begin < free:
            break
        free = entry.end
    else:
        # They lie as they are listed, as all writers put them.
        return
    before, free = "", 0
    for begin, end, name in sorted((one.begin, one.end, name) for name, one in tensors.items()):
        if begin < free:
            raise FormatFault(
                problem=f"`{name}` begins at {begin}, but `{before}` ends at {free}: an overlap"
            )
        if end > begin:
            before, free = name, end


def _findings(
    records: list[Record], tensors: dict[str, TensorEntry], fields: Fields
) -> Iterator[str]:
    # Counted once for all: a file may have a thousand kinds that are no kinds.
    counts = Counter(kind for _, _, kind, _ in records)
    for kind in counts.keys() - KINDS.keys():
        count = counts[kind]
        whose = "its length is not" if count == 1 else "their length is not"
        is_of = "is of" if count == 1 else "are of"
        yield f"{counted(count, 'tensor')} {is_of} kind {kind}, which is not known here: {whose}"
    for name, shape in fields.shapes.items():
        if name in tensors and tensors[name].shape != shape:
            yield f"the original shape {list(shape)} of `{name}` has another number of elements"
