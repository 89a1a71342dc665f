"""What the benchmarks say: one line each, and the table of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Row", "table"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    task: str
    """What was done."""
    ours: str
    """What it took modelshelf, with the unit."""
    other: str = ""
    """What it took another program, with its name; empty where there is none."""
    ratio: str = ""
    """Ours in units of the other's, with the range over the rounds."""
    goal: str = ""
    """What was to be reached; empty for a figure given as information."""
    is_met: bool | None = None
    """Whether it was; None without a goal."""


def table(rows: Iterable[Row]) -> str:
    """Write rows as a Markdown table."""
    words = {None: "", True: "yes", False: "**no**"}
    lines = [
        "| task | modelshelf | other | ratio | goal | met |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row.task} | {row.ours} | {row.other} | {row.ratio} | {row.goal} | {words[row.is_met]} |"
            for row in rows
        ),
    ]
    return "\n".join(lines)
