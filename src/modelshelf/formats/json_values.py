"""How much a JSON text would take once it is parsed, counted before anybody parses it."""

from __future__ import annotations

import re
from sys import getsizeof

__all__ = ["MOST_TEXT", "MOST_VALUES", "UNCOUNTED", "has_too_many_values", "parsed_size"]

MOST_TEXT = 20 << 20
"""Bytes of a JSON text in memory: more than any sound file of ours takes."""

MOST_VALUES = 600_000
"""Commas, colons and opening brackets outside of strings: a header of 50,000 tensors."""

UNCOUNTED = 1 << 20
"""Characters of a text that cannot hurt: 350,000 empty lists take 22 MB."""
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""One that nobody ends goes on to the end: looked for from each quote inside of it, that took hours."""

_WIDEST = 4


def parsed_size(text: str) -> int:
    """Return how many bytes of memory the strings in *text* take at most once it is parsed.

    One emoji makes four bytes of each character of its string, also where an escape stands for it.

    Example:
        >>> parsed_size("[]" * 1_000_000) < 2_100_000 < parsed_size("[]" * 1_000_000 + "😀")
        True
    """
    size, most = getsizeof(text), _WIDEST * len(text)
    if size >= most or "\\u" not in text:
        return size
    # Behind two backslashes it is no escape.
    return most if "\\u" in text.replace("\\\\", "") else size


def has_too_many_values(text: str) -> bool:
    """Say whether parsing *text* would make more values than any sound file of ours has.

    `[],` takes three bytes in a file and 64 in memory, so a bound on the file's size alone would have to
    be far below what honest metadata takes. Strings do not count, however long: `parsed_size` says what
    they take.

    Example:
        >>> has_too_many_values('{"a": "' + "," * 2_000_000 + '"}')
        False
        >>> has_too_many_values("[" + "[]," * 700_000)
        True
    """
    if len(text) <= UNCOUNTED:
        return False
    # Every string is a key or a value. Quotes behind a backslash stand inside of strings.
    if text.count('"') - text.count('\\"') > 2 * MOST_VALUES:
        return True
    structure = _STRING.sub("", text)
    return sum(map(structure.count, ",:[{")) > MOST_VALUES
