"""The shapes of one file's tensors as rules see them: those of the file, or unpacked."""

from __future__ import annotations

from collections.abc import Iterable

from modelshelf.identify.packing import Shape, packed_size, true_shape
from modelshelf.identify.width_vote import WidthVote
from modelshelf.schema.tensor import TensorIndex

__all__ = ["Shapes"]


class Shapes:
    """What shape a tensor has where nobody packs it; asked for one, or for many at once."""

    __slots__ = ("_index", "kinds", "may_hide", "vote")

    def __init__(self, index: TensorIndex, *, may_hide: bool) -> None:
        self._index = index
        self.kinds = index.kinds
        """Name → dtype, shape and length in the file."""
        self.may_hide = may_hide
        """True where packing may hide the shapes of some tensors."""
        self.vote = WidthVote(index.tensors)
        """Which of two widths packed weights have that may have both."""

    def of(self, name: str) -> Shape:
        """Return the shape of the tensor *name* as it is unpacked, None where nothing tells it."""
        return self.of_each((name,))[0]

    def of_each(self, names: Iterable[str]) -> list[Shape]:
        """Return the shape of each of *names*, as `of` does."""
        if self.may_hide:
            return [true_shape(name, self._index.tensors, self.vote) for name in names]
        return [kind.shape for kind in map(self.kinds.__getitem__, names)]

    def among(self, names: Iterable[str]) -> frozenset[tuple[int, ...]]:
        """Return every shape that occurs among *names*; empty where packing hides them all."""
        if self.may_hide:
            return frozenset(shape for shape in self.of_each(names) if shape is not None)
        # Hundreds of tensors are of one kind or two, and a kind is told from another in no time.
        return frozenset([kind.shape for kind in set(map(self.kinds.__getitem__, names))])

    def sizes_among(self, names: Iterable[str]) -> frozenset[int]:
        """Return how many numbers those of *names* have of which packing hides the shape and leaves that."""
        if not self.may_hide:
            return frozenset()
        tensors = self._index.tensors
        hidden = (name for name in names if true_shape(name, tensors, self.vote) is None)
        return frozenset(size for name in hidden if (size := packed_size(name, tensors)))
