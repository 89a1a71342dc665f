"""What a pickle says, as inert values: names are names, calls are notes of a call, nothing runs.

Plain values stay what they are: None, bool, int, float, str, list and tuple. All else becomes one of
the records below. None of them is ever hashed or compared by what it holds, so keys chosen to
collide cost nothing.
"""

from __future__ import annotations

from modelshelf.formats.fault import FormatFault

__all__ = ["Call", "CheckpointFault", "Elided", "Named", "Stored", "Table"]


class CheckpointFault(FormatFault):
    """A checkpoint cannot be read; whoever knows the file's name turns it into an error."""

    def __init__(self, *, problem: str, is_refused: bool = False) -> None:
        super().__init__(problem=problem)
        self.is_refused = is_refused
        """True where the file may be sound, but could only be read by running what it names."""


class Named:
    """Something that the pickle names and that was not imported."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name
        """Module and qualified name with a dot between, such as `collections.OrderedDict`."""


class Call:
    """An object that a real unpickler would have made by calling something. It was not called."""

    __slots__ = ("arguments", "elements", "function", "pairs", "state")

    def __init__(self, function: object, arguments: object) -> None:
        self.function = function
        """What would be called: a `Named`, or any value that a broken or hostile file puts there."""
        self.arguments = arguments
        """Its arguments, a tuple in every sound file."""
        self.state: object = None
        """What the object would be filled from afterwards; None where nothing was given."""
        self.pairs: list[object] | None = None
        """Keys and values set on it, in turn: key, value, key, value; None where there are none."""
        self.elements: list[object] | None = None
        """Values appended to it; None where there are none."""


class Table:
    """A dict, as the keys and values that were set, in order; a key may be there twice."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[object]) -> None:
        self.pairs = pairs
        """Keys and values in turn: key, value, key, value."""


class Stored:
    """A persistent id: what lies outside the pickle, for torch the numbers of a tensor."""

    __slots__ = ("id",)

    def __init__(self, id_: object) -> None:
        self.id = id_
        """For torch `("storage", class, key, location, count)`."""


class Elided:
    """Text or bytes too long to keep, stepped over unread."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length = length
        """Bytes in the pickle."""
