"""`shelf config`: which settings hold, and who said so."""

from __future__ import annotations

import click

from modelshelf.cli.options import verb_options
from modelshelf.cli.output import print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable

__all__ = ["command"]


@click.group("config")
@verb_options
def command() -> None:
    """Show the settings.

    Flags count more than `MODELSHELF_*` variables, and these more than `ROOT/modelshelf.yaml`.
    """


@command.command("show")
@click.option("--origin", is_flag=True, help="Where each value comes from, too.")
@verb_options
@click.pass_obj
def show(session: Session, *, origin: bool) -> None:
    """List every setting with its value."""
    settings = session.settings()
    rows = [
        (name, str(settings.value(name)), came_from)
        for name, came_from in settings.origins().items()
    ]
    if session.json:
        print_document(
            [{"name": name, "value": value, "origin": source} for name, value, source in rows]
        )
    elif session.quiet:
        print_lines(name for name, _, _ in rows)
    elif origin:
        print_table(session, ("SETTING", "VALUE", "ORIGIN"), rows)
    else:
        print_table(session, ("SETTING", "VALUE"), [row[:2] for row in rows])


@command.command("path")
@verb_options
@click.pass_obj
def path(session: Session) -> None:
    """Print where the settings file is, or would be."""
    file = session.settings().file_path
    if session.json:
        print_document({"path": file, "exists": file.exists()})
    else:
        print_lines([printable(str(file))])
