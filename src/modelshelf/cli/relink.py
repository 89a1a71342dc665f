"""`shelf relink`: find adopted models again after somebody moved them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.installing import installing, told_early
from modelshelf.cli.options import GivenPath, never_asks, verb_options
from modelshelf.cli.output import note, print_document, print_lines
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable

__all__ = ["command"]


@click.command("relink")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=GivenPath())
@never_asks
@verb_options
@click.pass_obj
def command(session: Session, folders: tuple[Path, ...]) -> int:
    """Find adopted models again that somebody moved.

    Looks below folders for those that are missing, and corrects where their records say they are. A
    model is known by its hash, whatever it is called now; its name, tags and key stay.
    """
    batch = Batch(session)
    found: list[dict[str, object]] = []
    early = partial(_summarize, found, batch, interrupted=True)
    with (
        told_early(session, early, found),
        session.open() as manager,
        installing(session, manager) as (installer, _),
    ):
        for folder in folders:
            with batch.search(str(folder)):
                for each in installer.placed.relink([folder]):
                    config = each.config
                    batch.take(config.path, None)
                    found.append(
                        {"key": config.key, "path": config.path, "before": str(each.before)}
                    )
                    if session.quiet:
                        print_lines([config.key])
                    elif not session.json:
                        click.echo(f"found  {printable(config.name)}  {printable(config.path)}")
        left = len(installer.placed.missing())
    if session.json:
        _summarize(found, batch, missing=left)
    else:
        note(session, f"found {len(found)}, {left} still missing")
    return batch.status


def _summarize(found: Sequence[object], batch: Batch, **more: object) -> None:
    print_document({"relinked": found, **more, "failed": batch.failed})
