"""The closed machine that a pickle is read with: stack, memo, a window on the bytes, and bounds on all.

It has no list of what is allowed, because nothing is: what a pickle names becomes a `Named`, what it
calls a `Call`. The standard library's unpickler is not used, because nine bytes can make it ask for
gigabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from modelshelf.formats.byte_span import Span
from modelshelf.formats.pickle_values import CheckpointFault, Elided, Named
from modelshelf.formats.reading_budget import ReadingBudget

__all__ = ["LARGE", "LONGEST_TEXT", "Handler", "Machine", "StoppedError"]

LARGE = 64
"""Bytes that a container takes in memory, at least; what handlers charge for one."""
LONGEST_TEXT = 1 << 16
"""Bytes of a string that is kept; longer ones are stepped over."""

_MOST_OPCODES = 1_500_000
"""Fifteen times what the largest published checkpoints need, and less than half a second."""
_MOST_MEMORY = 48 << 20
_MOST_MEMOS = 500_000
_MOST_NAMES = 10_000
_DEEPEST = 500
_LONGEST_PICKLE = 64 << 20
_LONGEST_NUMBER = 64
_LONGEST_LINE = 1_024
_WINDOW = 1 << 17
_LOOK_AHEAD = 16
"""More than any opcode has in bytes of fixed length."""
_BATCH = 1_024
"""Opcodes between two looks at the memory."""
_START_COST = 100
"""Steps of a pickle however short it is."""
_READ_COST = 10
"""Bytes of the file that are read in one step, as a power of two."""
_MEMORY_COST = 5
"""Bytes of memory that cost a step, as a power of two: text takes longer the more there is of it."""


class StoppedError(Exception):
    """The pickle says that it is over."""


class Machine:
    """One pickle being read.

    Handlers, one for each opcode, are given the machine and the place in `raw` behind their opcode;
    they return the place where the next one stands.
    """

    def __init__(
        self, span: Span, resolve: Callable[[object], object], budget: ReadingBudget
    ) -> None:
        self.stack: list[object] = []
        """Values above the topmost mark: what lies below it is out of reach, as it must be."""
        self.marked: list[list[object]] = []
        """The stacks below each mark."""
        self.memo: dict[int, object] = {}
        """Values by memo index."""
        self.names: dict[str, Named] = {}
        """Everything that the pickle names, in order."""
        self.raw = b""
        """The window: the bytes at hand."""
        self.left = _MOST_MEMORY
        """Bytes of memory that values may still take, by estimate."""
        self.resolve = resolve
        """Makes the value that a persistent id stands for."""
        self._span, self._budget = span, budget
        self._base = 0
        self._unspent = _MOST_MEMORY
        self._safe = -1

    def run(self, handlers: Sequence[Handler]) -> int:
        """Interpret until the pickle stops; return how many bytes it has.

        Raises:
            CheckpointFault: It is broken, or takes more than the bounds allow.
        """
        at = 0
        self._budget.spend(_START_COST)
        try:
            for _ in range(_MOST_OPCODES // _BATCH):
                for _ in range(_BATCH):
                    if at > self._safe:
                        at = self._refill(at)
                    at = handlers[self.raw[at]](self, at + 1)
                self.check_memory()
                self._settle()
                self._budget.spend(_BATCH)
        except StoppedError:
            return self._base + at + 1
        except IndexError as error:
            fault = "it ends too early, or takes more from the stack than is there"
            raise self.problem(at, fault) from error
        except struct.error as error:
            raise self.problem(at, "it ends within an opcode") from error
        except UnicodeError as error:
            raise self.problem(at, "text is no Unicode") from error
        finally:
            self._settle()
        raise self.problem(at, f"it has more than {_MOST_OPCODES} opcodes")

    def problem(self, at: int, fault: str) -> CheckpointFault:
        """Return the error that names *fault* near the place *at*."""
        return CheckpointFault(problem=f"the pickle is broken at byte {self._base + at}: {fault}")

    def check_memory(self) -> None:
        """Give up on a pickle whose values take too much.

        Raises:
            CheckpointFault: They do.
        """
        if self.left < 0:
            raise CheckpointFault(
                problem=f"the pickle's values take more than {_MOST_MEMORY >> 20} MiB"
            )

    def _settle(self) -> None:
        """Take off the budget what the values have cost that came since the last time."""
        self._budget.charge((self._unspent - self.left) >> _MEMORY_COST)
        self._unspent = self.left

    def mark(self) -> None:
        """Put everything on the stack out of reach until `unmark`."""
        if len(self.marked) >= _DEEPEST:
            raise CheckpointFault(problem=f"the pickle is nested deeper than {_DEEPEST} levels")
        self.marked.append(self.stack)
        self.stack = []

    def unmark(self) -> list[object]:
        """Take all values above the topmost mark off, and the mark."""
        values = self.stack
        self.stack = self.marked.pop()
        return values

    def named(self, name: str) -> Named:
        """Return the record of what the pickle calls *name*."""
        found = self.names.get(name)
        if found is None:
            if len(self.names) >= _MOST_NAMES:
                raise CheckpointFault(problem=f"the pickle names more than {_MOST_NAMES} things")
            found = self.names[name] = Named(name)
            self.left -= 3 * LARGE + 4 * len(name)
        return found

    def keep(self, index: int, at: int) -> None:
        """Remember the topmost value as *index*."""
        if not 0 <= index <= _MOST_MEMOS:
            raise self.problem(at, f"the memo index {index} is not below {_MOST_MEMOS}")
        self.memo[index] = self.stack[-1]
        self.left -= LARGE

    def recall(self, index: int, at: int) -> None:
        """Push what was remembered as *index*."""
        if index not in self.memo:
            raise self.problem(at, f"nothing was remembered as {index}")
        self.stack.append(self.memo[index])

    def take(self, at: int, length: int) -> tuple[bytes, int]:
        """Return *length* bytes from *at* on, fewer than a window has, and the place behind them."""
        end = at + length
        if end > len(self.raw):
            at = self._refill(at)
            end = at + length
            if end > len(self.raw):
                raise self.problem(at, f"{length} bytes are announced, and the pickle ends before")
        return self.raw[at:end], end

    def push_text(self, at: int, length: int) -> int:
        """Push *length* bytes of text; as `Elided` where they are too many to keep."""
        if length > LONGEST_TEXT:
            return self.push_elided(at, length)
        raw, at = self.take(at, length)
        self.stack.append(raw.decode("utf-8"))
        self.left -= LARGE + (length if raw.isascii() else 4 * length)
        self.check_memory()
        return at

    def push_elided(self, at: int, length: int) -> int:
        """Step over *length* bytes that nobody needs."""
        end = at + length
        beyond = end - len(self.raw)
        if self._base + end > _LONGEST_PICKLE:
            raise self.problem(at, f"{length} bytes lead beyond {_LONGEST_PICKLE >> 20} MiB")
        if beyond > 0:
            if self._span.skip(beyond) < beyond:
                raise self.problem(at, f"{length} bytes are announced, and the pickle ends before")
            self._base, end, self.raw, self._safe = self._base + end, 0, b"", -1
        self.stack.append(Elided(length))
        self.left -= LARGE
        return end

    def push_number(self, at: int, length: int) -> int:
        """Push a whole number of *length* bytes, little-endian and signed."""
        if not 0 <= length <= _LONGEST_NUMBER:
            raise self.problem(at, f"a whole number of {length} bytes is none that anybody saves")
        raw, at = self.take(at, length)
        self.stack.append(int.from_bytes(raw, "little", signed=True))
        self.left -= LARGE + length
        return at

    def line(self, at: int) -> tuple[str, int]:
        """Return the line of text that starts at *at*, and the place behind it."""
        raw, end = self.raw_line(at)
        return raw.decode("utf-8"), end

    def raw_line(self, at: int) -> tuple[bytes, int]:
        """Return the bytes from *at* to the end of the line, and the place behind it."""
        end = self.raw.find(b"\n", at, at + _LONGEST_LINE)
        if end < 0 and len(self.raw) - at < _LONGEST_LINE:
            at = self._refill(at)
            end = self.raw.find(b"\n", at, at + _LONGEST_LINE)
        if end < 0:
            raise self.problem(at, f"a line does not end within {_LONGEST_LINE} bytes")
        return self.raw[at:end], end + 1

    def _refill(self, at: int) -> int:
        """Move the window so that it starts at *at*; return the place of *at* in it."""
        piece = self._span.read(_WINDOW)
        self._budget.spend(len(piece) >> _READ_COST)
        self._base += at
        self.raw = self.raw[at:] + piece
        if self._base + len(self.raw) > _LONGEST_PICKLE + _WINDOW:
            raise self.problem(0, f"it is longer than {_LONGEST_PICKLE >> 20} MiB")
        # At its end a pickle is read to the last byte; before, opcodes must lie in the window whole.
        is_end = len(piece) < _WINDOW
        self._safe = len(self.raw) if is_end else len(self.raw) - _LOOK_AHEAD
        return 0


Handler = Callable[[Machine, int], int]
"""Does what one opcode says: (machine, place behind the opcode) → place of the next."""
