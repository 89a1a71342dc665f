"""`shelf missing`: which adopted models are not where they were."""

from __future__ import annotations

import click

from modelshelf.cli.installing import installing
from modelshelf.cli.options import verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table
from modelshelf.cli.session import Session

__all__ = ["command"]


@click.command("missing")
@verb_options
@click.pass_obj
def command(session: Session) -> None:
    """List adopted models that are not where they were.

    Somebody moved or removed them, or put a file of another length in their place. Looks at names
    and lengths alone, so it takes a moment only. `shelf relink DIR` finds them again.
    """
    with session.open() as manager, installing(session, manager) as (installer, _):
        gone = installer.placed.missing()
    if session.json:
        print_document([{"key": each.key, "name": each.name, "path": each.path} for each in gone])
    elif session.quiet:
        print_lines(each.key for each in gone)
    elif gone:
        rows = [(each.name, each.type, each.path) for each in gone]
        print_table(session, ("NAME", "TYPE", "WAS AT"), rows, keep_end=frozenset({2}))
    else:
        note(session, "every adopted model is where it was")
