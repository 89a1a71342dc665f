"""How much is read of one folder: it may hold as many files, or links to one, as anybody likes."""

from __future__ import annotations

from modelshelf.formats import WeightFormat
from modelshelf.formats.model_folder import LONGEST_CONFIG
from modelshelf.schema.identity import NearMiss
from modelshelf.schema.tensor import TensorIndex

__all__ = ["TOO_MUCH", "Allowance"]

TOO_MUCH = NearMiss("folder", "fewer weights: no model has so many, and not all of them were read")
"""What is said of a folder that takes more than it is allowed."""

_ALLOWED = 100_000
"""Tensors; the largest pipelines have a tenth of it, in all of their forms together."""
_FILE = 200
"""What a file costs however little it holds, counted in tensors: five hundred are read at most."""
_CHECKPOINT = 1_000
"""The same for a pickle, which may take long and say nothing."""
_LETTERS = 100
"""Letters of metadata that cost as much as a tensor."""


class Allowance:
    """What may still be read of one model: its own folder, or those of all its components.

    Example:
        >>> allowance = Allowance()
        >>> sum(allowance.begin(WeightFormat.SAFETENSORS) for _ in range(1_000))
        500
    """

    def __init__(self) -> None:
        self.config = LONGEST_CONFIG
        """Bytes of configurations that may still be read."""
        self._left = _ALLOWED

    def begin(self, weights: WeightFormat) -> bool:
        """Return whether one more file may be read."""
        self._left -= _CHECKPOINT if weights is WeightFormat.PICKLE else _FILE
        return self._left >= 0

    def spend(self, header: TensorIndex) -> None:
        """Take off what was read."""
        letters = sum(map(len, header.metadata.values()))
        self._left -= len(header.tensors) + letters // _LETTERS
