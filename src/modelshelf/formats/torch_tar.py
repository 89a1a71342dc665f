"""Checkpoints of torch 0.1: a tar archive of `sys_info`, `pickle`, `storages` and `tensors`.

    storages   a pickle with their number; for each a pickle (key, location, class), eight bytes with
               the number of elements, and the elements
    tensors    a pickle with their number; for each a pickle (key, storage, class), four bytes with the
               number of dimensions, four without meaning, then sides, strides and the offset
    pickle     the object; a tensor is the key of one of those

Source: `torch.load`, which still reads it, and POSIX 1003.1 for tar.
"""

from __future__ import annotations

import os
from struct import Struct, unpack

from modelshelf.formats.byte_span import FileSpan
from modelshelf.formats.pickle_reader import Pickle, read_pickle
from modelshelf.formats.pickle_values import Call, CheckpointFault, Named, Stored
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.torch_index import build_index
from modelshelf.formats.torch_tensor import Place, storage_kind
from modelshelf.schema.tensor import TensorIndex

__all__ = ["is_tar", "read_torch_tar"]

_BLOCK = 512
_MAGIC, _MAGIC_AT = b"ustar", 257
_NAME, _SIZE, _KIND = slice(0, 100), slice(124, 136), slice(156, 157)
_FILES = {b"0", b"\0"}
_MOST_MEMBERS = 100
_MOST = 20_000
"""Storages, or tensors: ten times what models of that time have."""
_MOST_DIMENSIONS = 64
_LONGEST_PICKLE = 4_096
_LONGEST_PICKLES = 4 << 20
"""Bytes of one member's pickles together: a million opcodes, where each has a hundred bytes to say."""
_COUNT = Struct("<q")
_RANK = Struct("<i4x")
_REBUILD = Named("torch._utils._rebuild_tensor_v2")


def is_tar(start: bytes) -> bool:
    """Return whether a file that begins with *start* is a tar archive."""
    return start[_MAGIC_AT:].startswith(_MAGIC)


def read_torch_tar(descriptor: int, size: int, budget: ReadingBudget) -> TensorIndex:
    """Read the checkpoint in the tar archive of *size* bytes behind *descriptor*.

    Raises:
        CheckpointFault: The archive is broken or another one, or a tensor could only be read
            by running something.
    """
    members = _members(descriptor, size)
    missing = {"pickle", "storages", "tensors"} - members.keys()
    if missing:
        raise CheckpointFault(
            problem=f"the tar archive lacks {', '.join(sorted(missing))}: it is no checkpoint of torch"
        )
    storages, places = _storages(_Member(descriptor, budget, *members["storages"]))
    tensors = _tensors(_Member(descriptor, budget, *members["tensors"]), storages)

    def resolve(key: object) -> object:
        found = tensors.get(key) if isinstance(key, str) else None
        return Stored(key) if found is None else found

    checkpoint = read_pickle(FileSpan(descriptor, *members["pickle"]), budget, resolve=resolve)
    return build_index(checkpoint, places.get, budget)


class _Member:
    """One member of the archive, read from front to back."""

    def __init__(self, descriptor: int, budget: ReadingBudget, begin: int, end: int) -> None:
        self._budget = budget
        self._descriptor, self.at, self.end = descriptor, begin, end
        self._left = _LONGEST_PICKLES

    def pickle(self) -> Pickle:
        """Read the next pickle, a short one."""
        end = min(self.at + min(_LONGEST_PICKLE, self._left), self.end)
        pickle = read_pickle(FileSpan(self._descriptor, self.at, end), self._budget)
        self.at += pickle.length
        self._left -= pickle.length
        return pickle

    def count(self) -> int:
        """Read a pickle that says how many follow."""
        value = self.pickle().value
        if type(value) is not int or not 0 <= value <= _MOST:
            raise CheckpointFault(problem=f"expected a number up to {_MOST} at {self.at}")
        return value

    def facts(self) -> tuple[object, ...]:
        """Read a pickle of three facts."""
        value = self.pickle().value
        if not isinstance(value, tuple) or len(value) != len(("key", "storage", "class")):
            raise CheckpointFault(problem=f"expected three facts before byte {self.at}")
        return value

    def take(self, length: int) -> bytes:
        """Read *length* bytes."""
        raw = os.pread(self._descriptor, min(length, self.end - self.at), self.at)
        if len(raw) < length:
            raise CheckpointFault(problem=f"the archive is cut short at {self.at}")
        self.at += length
        return raw


def _members(descriptor: int, size: int) -> dict[str, tuple[int, int]]:
    """Return where the archive's files lie; names are compared, and never followed."""
    members: dict[str, tuple[int, int]] = {}
    at = 0
    for _ in range(_MOST_MEMBERS):
        header = os.pread(descriptor, _BLOCK, at)
        if len(header) < _BLOCK or not is_tar(header):
            break
        try:
            length = int(header[_SIZE].strip(b" \0") or b"0", 8)
        except ValueError as error:
            raise CheckpointFault(problem=f"the tar header at {at} has no size") from error
        begin = at + _BLOCK
        if length < 0 or begin + length > size:
            raise CheckpointFault(
                problem=f"the tar header at {at} announces {length} bytes, the file ends at {size}"
            )
        name = header[_NAME].rstrip(b"\0").decode("utf-8", "replace").removeprefix("./")
        if header[_KIND] in _FILES:
            if name in members:
                raise CheckpointFault(problem=f"the tar archive holds {name!r} twice")
            members[name] = begin, begin + length
        at = begin + -(-length // _BLOCK) * _BLOCK
    return members


def _storages(member: _Member) -> tuple[dict[str, Stored], dict[str, Place]]:
    """Return the storages, and where they lie."""
    storages: dict[str, Stored] = {}
    places: dict[str, Place] = {}
    for _ in range(member.count()):
        key, _, kind = member.facts()
        name = str(key) if type(key) is int else ""
        width = storage_kind(("storage", kind, name, "", 0))
        if not name or width is None:
            raise CheckpointFault(problem=f"expected a storage before byte {member.at}")
        count = _COUNT.unpack(member.take(_COUNT.size))[0]
        length = count * width[1]
        if length < 0 or member.at + length > member.end:
            raise CheckpointFault(
                problem=f"storage {name} of {length} bytes at {member.at} does not fit into the archive"
            )
        places[name] = Place(member.at, length)
        storages[name] = Stored(("storage", kind, name, "cpu", count))
        member.at += length
    return storages, places


def _tensors(member: _Member, storages: dict[str, Stored]) -> dict[str, Call]:
    """Return the tensors by key, each as a later torch would have written it."""
    tensors: dict[str, Call] = {}
    for _ in range(member.count()):
        key, storage, _ = member.facts()
        rank = _RANK.unpack(member.take(_RANK.size))[0]
        if type(key) is not int or type(storage) is not int or not 0 <= rank <= _MOST_DIMENSIONS:
            raise CheckpointFault(problem=f"expected a tensor before byte {member.at}")
        numbers = unpack(f"<{2 * rank + 1}q", member.take(8 * (2 * rank + 1)))
        shape, strides, offset = numbers[:rank], numbers[rank:-1], numbers[-1]
        arguments = (storages.get(str(storage)), offset, shape, strides)
        tensors[str(key)] = Call(_REBUILD, arguments)
    return tensors
