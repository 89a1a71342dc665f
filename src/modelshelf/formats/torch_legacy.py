"""Checkpoints as torch wrote them before 1.6: five pickles in a row, then the storages.

    a magic number, a version (1001), facts about the system, the object, the keys of the storages;
    then for each key eight bytes with the number of elements, and the elements.

https://docs.pytorch.org/docs/stable/notes/serialization.html and `torch.save` with
`_use_new_zipfile_serialization=False`.
"""

from __future__ import annotations

import os

from modelshelf.formats.byte_span import FileSpan
from modelshelf.formats.pickle_reader import Pickle, read_pickle
from modelshelf.formats.pickle_values import CheckpointFault, Stored
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.torch_index import build_index
from modelshelf.formats.torch_tensor import Place, storage_kind
from modelshelf.schema.tensor import TensorIndex

__all__ = ["read_torch_legacy"]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_COUNT = 8
_KEY = 2
"""Where the key stands among the facts of a storage."""
_MOST_STORAGES = 100_000
_LONGEST_FACT = 4_096
"""Bytes of a pickle that says nothing but a number, or what the system was."""
_KEY_OPCODES = 16
"""Bytes that a key takes in a list beside its letters."""


def read_torch_legacy(descriptor: int, size: int, budget: ReadingBudget) -> TensorIndex:
    """Read the checkpoint in the stream of *size* bytes behind *descriptor*.

    A pickle alone, without torch's magic number, is read as well: it cannot hold numbers, and if it
    holds a tensor, that one is inside a second pickle and refused.

    Raises:
        CheckpointFault: The stream is broken, or a tensor could only be read by running
            something.
    """
    stream = _Stream(descriptor, size, budget)
    first = stream.pickle()
    if first.value != _MAGIC or first.length > _LONGEST_FACT:
        stranger = "it is a pickle, and no checkpoint of torch"
        return build_index(first, lambda _key: None, budget, [stranger])
    version = stream.pickle(at_most=_LONGEST_FACT).value
    if version != _VERSION:
        raise CheckpointFault(problem=f"expected version {_VERSION}, got another")
    stream.pickle(at_most=_LONGEST_FACT)
    checkpoint = stream.pickle()
    places = stream.places()
    return build_index(checkpoint, places.get, budget)


class _Stream:
    """A stream being read: where it stands, and which storages its pickles named."""

    def __init__(self, descriptor: int, size: int, budget: ReadingBudget) -> None:
        self._descriptor, self._size = descriptor, size
        self._budget = budget
        self._at = 0
        self._widths: dict[str, int] = {}
        self._strange: set[str] = set()

    def pickle(self, *, at_most: int | None = None) -> Pickle:
        """Read the next pickle, which has *at_most* so many bytes."""
        # Each has bounds of its own, and five that go to them would take five times as long.
        end = self._size if at_most is None else min(self._at + at_most, self._size)
        span = FileSpan(self._descriptor, self._at, end)
        pickle = read_pickle(span, self._budget, resolve=self._note)
        self._at += pickle.length
        return pickle

    def places(self) -> dict[str, Place]:
        """Read the storages' keys; return where those lie, one after the other from there on."""
        named = {*self._widths, *self._strange}
        letters = sum(4 * len(key) + _KEY_OPCODES for key in named)
        keys = self.pickle(at_most=_LONGEST_FACT + letters).value
        if not isinstance(keys, list) or len(keys) > _MOST_STORAGES:
            raise CheckpointFault(problem="expected a list of the storages' keys")
        places: dict[str, Place] = {}
        for key in keys:
            width = self._widths.get(key) if isinstance(key, str) else None
            if width is None and isinstance(key, str) and key in self._strange:
                raise CheckpointFault(
                    problem=f"storage {key!r:.100} has numbers of a type that is not read",
                    is_refused=True,
                )
            if width is None or key in places:
                raise CheckpointFault(
                    problem=f"expected storages that tensors lie in, each once, got {key!r:.100}"
                )
            raw = os.pread(self._descriptor, _COUNT, self._at)
            begin, length = self._at + _COUNT, int.from_bytes(raw, "little", signed=True) * width
            if length < 0 or begin + length > self._size:
                raise CheckpointFault(
                    problem=f"storage {key!r:.100} of {length} bytes at {begin} does not fit into "
                    f"the file, which ends at {self._size}"
                )
            places[key] = Place(begin, length)
            self._at = begin + length
        return places

    def _note(self, facts: object) -> Stored:
        """Remember how wide the elements of a storage are: the stream itself does not say."""
        storage = storage_kind(facts)
        if storage is not None:
            self._widths.setdefault(*storage)
        elif isinstance(facts, tuple) and len(facts) > _KEY and isinstance(facts[_KEY], str):
            self._strange.add(facts[_KEY])
        return Stored(facts)
