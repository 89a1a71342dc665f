"""One pickle, read from a run of bytes into inert values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelshelf.formats.byte_span import Span
from modelshelf.formats.pickle_machine import Machine
from modelshelf.formats.pickle_opcodes import HANDLERS
from modelshelf.formats.pickle_values import Stored
from modelshelf.formats.reading_budget import ReadingBudget

__all__ = ["Pickle", "read_pickle"]


@dataclass(frozen=True, slots=True)
class Pickle:
    """What one pickle says."""

    value: object
    """Its value: plain values, and the records of `pickle_values` for all else."""
    names: tuple[str, ...]
    """Everything that it names, in order; none of it was imported."""
    length: int
    """Bytes from its first opcode to its last."""


def read_pickle(
    span: Span, budget: ReadingBudget | None = None, *, resolve: Callable[[object], object] = Stored
) -> Pickle:
    """Read the pickle at the start of *span*, and execute nothing of it.

    Takes at most 64 MiB of the bytes, 1.5 million opcodes and, by estimate, 48 MiB of memory, whatever
    the pickle says; text and bytes beyond 64 KiB are stepped over.

    Args:
        span: Bytes that start with a pickle; more may follow it.
        budget: What may still be read; None where its own bounds are enough.
        resolve: Makes the value that a persistent id stands for.

    Raises:
        CheckpointFault: It is broken, or takes more than the bounds allow.
    """
    machine = Machine(span, resolve, budget or ReadingBudget())
    length = machine.run(HANDLERS)
    return Pickle(machine.stack[0], tuple(machine.names), length)
