"""How much is read of one folder: it may hold as many files, or links to one, as anybody likes."""

from __future__ import annotations

from modelshelf.formats import ReadingBudget
from modelshelf.formats.model_folder import LONGEST_CONFIG
from modelshelf.schema.identity import NearMiss
from modelshelf.schema.tensor import TensorIndex

__all__ = ["TOO_MUCH", "Allowance"]

TOO_MUCH = NearMiss("folder", "fewer weights: no model has so many, and not all of them were read")
"""What is said of a folder that takes more than it is allowed."""

_ALLOWED = 2_100_000
"""Steps, as readers count them: less than a second. The largest pipelines take a fifth of it, in all of
their forms together."""
_FILE = 2_400
"""What a file costs however little it holds: 875 are read at most."""
_TENSOR = 12
"""What a tensor costs that the rules are asked about."""
_MOST_ASKED = 65_536
"""Of more tensors in one file no rule is asked."""
_LETTERS = 8
"""Letters of metadata that cost a step."""


class Allowance:
    """What may still be read of one model: its own folder, or those of all its components.

    Example:
        >>> allowance = Allowance()
        >>> sum(allowance.begin() for _ in range(2_000))
        875
    """

    def __init__(self) -> None:
        self.config = LONGEST_CONFIG
        """Bytes of configurations that may still be read."""
        self.budget = ReadingBudget(_ALLOWED)
        """What the readers may still do."""

    def begin(self) -> bool:
        """Return whether one more file may be read."""
        self.budget.charge(_FILE)
        return not self.budget.is_spent

    def spend(self, header: TensorIndex) -> None:
        """Take off what asking the rules about *header* costs."""
        letters = sum(map(len, header.metadata.values()))
        asked = len(header.tensors) if len(header.tensors) <= _MOST_ASKED else 0
        self.budget.charge(_TENSOR * asked + letters // _LETTERS)
