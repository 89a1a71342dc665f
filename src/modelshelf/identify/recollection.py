"""What one run has identified already: the same tensors are not evaluated twice.

Trainers write the same names and shapes into thousands of adapters, so a library of LoRAs is a few
dozen layouts. Nothing is guessed from a digest: names, their order, shapes and dtypes are compared
whole, and so is all that the rules have asked of the file's own metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from modelshelf.identify.claims import BasesSaid
from modelshelf.identify.family import Families
from modelshelf.identify.lone_tensors import identify_tensors
from modelshelf.schema.identity import Identity
from modelshelf.schema.tensor import TensorColumns, TensorIndex, TensorKind

__all__ = ["Recollection"]

_MOST = 64
"""Layouts that are kept; the one longest unused goes first."""
_LARGEST = 8192
"""Tensors of a layout that is kept: larger files are rare, and 64 of them would take much memory."""

_Key = tuple[int, int, str, BasesSaid]


class Recollection:
    """Identities by the tensors that they were decided by; for one run, and for one thread of it.

    Example:
        >>> from modelshelf.identify import BUILT_IN
        >>> from modelshelf.schema.tensor import TensorKind
        >>> columns = TensorColumns({"<token>": TensorKind("F32", (2, 768), 6144)}, start=100)
        >>> known = Recollection()
        >>> first = known.identify(TensorIndex(columns), BUILT_IN)
        >>> known.identify(TensorIndex(columns, {"format": "pt"}), BUILT_IN) is first
        True
    """

    def __init__(self) -> None:
        self._known: dict[_Key, _Known] = {}

    def identify(
        self, index: TensorIndex, families: Families, said: BasesSaid = frozenset()
    ) -> Identity:
        """Return exactly what `identify_tensors` returns, which a property test proves.

        Args:
            index: What a file holds. Only plain headers are remembered: what a reader found odd, and
                what lacks shards, is evaluated every time.
            families: Whom to ask.
            said: As for `identify_tensors`.
        """
        tensors = index.tensors
        if (
            not isinstance(tensors, TensorColumns)
            or not 0 < len(tensors) <= _LARGEST
            or index != TensorIndex(tensors, index.metadata)
        ):
            return identify_tensors(index, families, said)
        # Nearly always enough to tell layouts apart; where it is not, the later one is kept.
        key = len(tensors), index.length, next(iter(tensors)), said
        known = self._known.pop(key, None)
        if known is None or not known.is_of(tensors, index.metadata, families):
            asked = _Asked(index.metadata)
            identity = identify_tensors(replace(index, metadata=asked), families, said)
            if asked.is_whole:
                return identity
            known = _Known(tensors, families, asked.answers, identity)
        self._known[key] = known
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return known.identity


@dataclass(frozen=True, slots=True)
class _Known:
    """One layout, and what it is."""

    tensors: TensorColumns
    families: Families
    """Who was asked."""
    answers: Mapping[str, str | None]
    """What they asked the metadata for, and what it said."""
    identity: Identity
    """What they said."""

    def is_of(
        self, tensors: TensorColumns, metadata: Mapping[str, str], families: Families
    ) -> bool:
        return (
            families is self.families
            and all(metadata.get(name) == said for name, said in self.answers.items())
            and _are_alike(tensors.kinds, self.tensors.kinds)
        )


def _are_alike(one: Mapping[str, TensorKind], other: Mapping[str, TensorKind]) -> bool:
    """Say whether both files have the same names in the same order, and the same of each."""
    if list(one) != list(other):
        return False
    # Each file has kinds of its own, and few: the pairs that occur are looked at once. How long a tensor is
    # follows from both.
    return all(
        (a.dtype, a.shape) == (b.dtype, b.shape)
        for a, b in set(zip(one.values(), other.values(), strict=True))
    )


class _Asked(Mapping[str, str]):
    """A file's metadata that notes what is asked of it: everything else cannot have mattered."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._metadata = metadata
        self.answers: dict[str, str | None] = {}
        """Fields that were asked for → what they say; None where there is no such field."""
        self.is_whole = False
        """True where somebody looked at all fields at once."""

    def __getitem__(self, name: str) -> str:
        self.answers[name] = self._metadata.get(name)
        return self._metadata[name]

    def __iter__(self) -> Iterator[str]:
        self.is_whole = True
        return iter(self._metadata)

    def __len__(self) -> int:
        self.is_whole = True
        return len(self._metadata)
