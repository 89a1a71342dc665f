"""Words for a terminal: sizes, names that cannot harm it, columns that fit it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["columns", "human_size", "printable"]

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
_TEN = 10
_NARROWEST = 12
"""Columns below which no text is shortened."""
_LEGIBLE = 16
"""Columns of a text that say enough of it, mostly."""
_LEGIBLE_PATH = 32
"""Columns of a path that tell it from its neighbours, mostly: a suffix takes twelve of them."""
_GAP = "  "


def human_size(size: int) -> str:
    """Write *size* bytes in units of a thousand, with two digits where they say something.

    Example:
        >>> human_size(999), human_size(4_096), human_size(4_120_000), human_size(6_938_040_682)
        ('999 B', '4.1 kB', '4.1 MB', '6.9 GB')
        >>> human_size(999_950)
        '1.0 MB'
    """
    value = float(size)
    for unit in _UNITS:
        digits = 1 if unit != "B" and value < _TEN * _TEN else 0
        if round(value, digits) < _THOUSAND or unit == _UNITS[-1]:
            return f"{value:.{digits}f} {unit}"
        value /= _THOUSAND
    raise AssertionError(size)


def printable(text: str) -> str:
    r"""Make *text* one harmless line: what could move the cursor or hide text is written as escapes.

    Example:
        >>> print(printable("two\nlines and \x1b[31mred"))
        two\nlines and \x1b[31mred
    """
    if text.isprintable():
        return text
    # A backslash stays itself: paths and patterns have them, and nothing is parsed back.
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def columns(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    keep_end: frozenset[int] = frozenset(),
    spare: Sequence[int] = (),
    width: int | None = None,
) -> Iterator[str]:
    """Lay out a table, two spaces between columns.

    Args:
        headers: Titles; shown although there may be no rows.
        rows: Cells as text; made printable here.
        right: Columns that hold numbers.
        keep_end: Columns that are shortened at their beginning, such as paths. They are what a line is
            about, and give way half as much as others.
        spare: Columns to leave out before a path becomes illegible, the first one first.
        width: Columns of the terminal: the widest columns are shortened to fit. None keeps every cell
            whole, as for a file or a pipe.
    """
    cells = [list(headers), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    shown = list(range(len(widths)))
    if width is not None:
        shown = _afforded(widths, width, keep_end, spare)
        _fit(widths, shown, width, right, keep_end)
    for row in cells:
        line = [
            _cell(row[at], widths[at], right=at in right, keep_end=at in keep_end) for at in shown
        ]
        yield _GAP.join(line).rstrip()


def _afforded(
    widths: Sequence[int], width: int, keep_end: frozenset[int], spare: Sequence[int]
) -> list[int]:
    """Return the columns that leave enough for a path to be legible."""
    shown = list(range(len(widths)))
    needed = [
        min(each, _LEGIBLE_PATH if at in keep_end else _LEGIBLE) for at, each in enumerate(widths)
    ]
    for at in spare:
        if sum(needed[one] + len(_GAP) for one in shown) - len(_GAP) <= width:
            break
        shown.remove(at)
    return shown


def _fit(
    widths: list[int],
    shown: Sequence[int],
    width: int,
    right: frozenset[int],
    keep_end: frozenset[int],
) -> None:
    """Take from the widest column until all that are shown fit, or none has anything to give."""
    texts = [at for at in shown if at not in right and widths[at] > _NARROWEST]
    excess = sum(widths[at] + len(_GAP) for at in shown) - len(_GAP) - width
    while excess > 0 and texts:
        at = max(texts, key=lambda at: widths[at] / (2 if at in keep_end else 1))
        widths[at] -= 1
        excess -= 1
        if widths[at] == _NARROWEST:
            texts.remove(at)


def _cell(text: str, width: int, *, right: bool, keep_end: bool) -> str:
    if _width(text) > width:
        while _width(text) > width - 1:
            text = text[1:] if keep_end else text[:-1]
        text = "…" + text if keep_end else text + "…"
    padding = " " * (width - _width(text))
    return padding + text if right else text + padding


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
