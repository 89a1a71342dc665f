"""How much is read of files that belong together: a folder holds as many as anybody likes."""

from __future__ import annotations

from math import inf

from modelshelf.formats.fault import FormatFault

__all__ = ["ReadingBudget"]


class ReadingBudget:
    """What may still be read, in steps, which readers count and no clock: the same files give the same answer.

    A step is about what one opcode of a pickle costs, a third of a microsecond. Each reader has bounds of
    its own besides, which let no single file take longer than a second.

    Args:
        steps: How many; without, as many as the readers' own bounds allow.

    Example:
        >>> budget = ReadingBudget(1_000)
        >>> budget.spend(400)
        >>> budget.left, budget.is_spent
        (600, False)
    """

    __slots__ = ("left",)

    def __init__(self, steps: float = inf) -> None:
        self.left = steps
        """Steps that are left; below 0 where the last file took more than there were."""

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is to be read."""
        return self.left < 0

    def charge(self, steps: int) -> None:
        """Take off what something has cost."""
        self.left -= steps

    def spend(self, steps: int) -> None:
        """Take off what something is about to cost.

        Raises:
            FormatFault: So many are not left.
        """
        self.left -= steps
        if self.left < 0:
            raise FormatFault(
                problem="the files beside it have taken all that is read of one model"
            )
