"""`shelf dupes`: what several models hold and the library stores once."""

from __future__ import annotations

import click

from modelshelf.cli.options import verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size

__all__ = ["command"]


@click.command("dupes")
@verb_options
@click.pass_obj
def command(session: Session) -> None:
    """List what several models share.

    Each file is stored once; what saves most comes first. With `-q`: their digests.
    """
    with session.open() as manager:
        shared = sorted(manager.duplicates(), key=lambda each: (-each.saved, each.hash, each.name))
    if session.json:
        print_document(shared)
        return
    if session.quiet:
        print_lines(each.hash for each in shared)
        return
    rows = [
        (
            each.name,
            each.type,
            human_size(each.size),
            str(each.uses),
            human_size(each.saved),
            ", ".join(each.models),
        )
        for each in shared
    ]
    headers = ("FILE", "TYPE", "SIZE", "USES", "SAVED", "MODELS")
    print_table(session, headers, rows, right=frozenset({2, 3, 4}))
    saved = human_size(sum(each.saved for each in shared))
    note(session, f"{len(shared)} shared, {saved} saved")
