"""Models as rows and documents, alike for every verb that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelshelf.cli.output import print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable

if TYPE_CHECKING:
    from modelshelf.schema.model import ModelInfo

__all__ = ["print_models"]

_ELSEWHERE = "elsewhere"
"""Instead of the size of a model that takes none here."""


def print_models(session: Session, models: Sequence[ModelInfo]) -> None:
    """Print models: a table, keys with `-q`, an array with `--json`."""
    if session.json:
        print_document(models)
        return
    if session.quiet:
        print_lines(printable(model.key) for model in models)
        return
    rows = [
        (
            model.name,
            model.type,
            ",".join(model.bases) or "unknown",
            model.format,
            human_size(model.size) if model.is_stored else _ELSEWHERE,
            model.key,
        )
        for model in models
    ]
    headers = ("NAME", "TYPE", "BASE", "FORMAT", "SIZE", "KEY")
    print_table(session, headers, rows, right=frozenset({4}))
