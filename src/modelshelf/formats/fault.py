"""What a parser raises before anybody told it which file it is reading."""

from __future__ import annotations

__all__ = ["FormatFault"]


_LONGEST = 600
"""Characters; names come from the file, and a name of a megabyte would fill a screen for an hour."""


class FormatFault(Exception):  # noqa: N818 - it says what is wrong with a file, not with the program
    """A rule of the format is broken; whoever knows the file's name turns it into an error."""

    def __init__(self, *, problem: str) -> None:
        if len(problem) > _LONGEST:
            problem = f"{problem[: _LONGEST // 2]} … {problem[-_LONGEST // 2 :]}"
        super().__init__(problem)
        self.problem = problem
        """Expected and got, with the key or offset; the middle is cut out where that is very long."""
