"""One dimension that a rule asks for, held against what is there, and said in words."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

__all__ = ["Side", "are_sides", "is_side", "shape_words", "side_words"]

Side = int | tuple[int, ...] | None
"""One dimension: the number it must be, the numbers it may be, or None for any."""


def is_side(have: int, want: Side) -> bool:
    """Say whether *have* is a dimension that *want* allows.

    Example:
        >>> is_side(768, (768, 1024)), is_side(768, None), is_side(768, 1024)
        (True, True, False)
    """
    if want is None:
        return True
    return have in want if isinstance(want, tuple) else have == want


def are_sides(have: AbstractSet[int], want: Side) -> bool:
    """Say whether *want* allows all of *have*: where none is told, only if none is asked for.

    Example:
        >>> are_sides({320, 640}, (320, 640)), are_sides(set(), 320), are_sides(set(), None)
        (True, False, True)
    """
    return want is None or (bool(have) and all(is_side(one, want) for one in have))


def side_words(side: Side) -> str:
    """Return *side* in words, for people who wonder why a rule did not agree.

    Example:
        >>> side_words((768, 1024)), side_words(None)
        ('768/1024', 'any')
    """
    if side is None:
        return "any"
    return "/".join(map(str, side)) if isinstance(side, tuple) else str(side)


def shape_words(shape: tuple[Side, ...]) -> str:
    """Return a shape whose dimensions are *shape* in words.

    Example:
        >>> shape_words((320, None))
        '[320, any]'
    """
    return "[" + ", ".join(map(side_words, shape)) + "]"
