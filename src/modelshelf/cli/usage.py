"""`shelf du`: what the library costs, and what sharing saves."""

from __future__ import annotations

import click

from modelshelf.cli.options import verb_options
from modelshelf.cli.output import print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size
from modelshelf.schema.report import Usage

__all__ = ["command"]


@click.command("du")
@verb_options
@click.pass_obj
def command(session: Session) -> None:
    """Show what models take and what sharing saves.

    LOGICAL is what a copy of the model would take, UNIQUE what deleting it would free, SHARED what
    other models hold too.
    """
    with session.open() as manager:
        usage = manager.usage()
    if session.json:
        print_document(
            {
                "models": usage.models,
                "logical": usage.logical,
                "stored": usage.stored,
                "saved": usage.saved,
                "trash": usage.trash,
                "garbage": usage.garbage,
            }
        )
    elif session.quiet:
        print_lines(model.key for model in usage.models)
    else:
        _print(session, usage)


def _print(session: Session, usage: Usage) -> None:
    rows = [
        (
            model.name,
            model.type,
            human_size(model.logical),
            human_size(model.unique),
            human_size(model.shared),
        )
        for model in usage.models
    ]
    headers = ("NAME", "TYPE", "LOGICAL", "UNIQUE", "SHARED")
    print_table(session, headers, rows, right=frozenset({2, 3, 4}))
    totals = (
        ("logical", usage.logical),
        ("stored", usage.stored),
        ("saved", usage.saved),
        ("trash", usage.trash),
        ("garbage", usage.garbage),
    )
    print_lines(["", *(f"{title:<8}{human_size(size):>10}" for title, size in totals)])
