"""`shelf adopt`: know models where they lie, without copying or touching them."""

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
from modelshelf.errors.base import counted
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["command"]


@click.command("adopt")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=GivenPath())
@never_asks
@verb_options
@click.pass_obj
def command(session: Session, folders: tuple[Path, ...]) -> int:
    """Know models where they lie: nothing is copied or changed.

    Every model below the folders gets its record, and no byte there is ever written or deleted.
    Another program may go on using them. `shelf missing` says which were moved away since.

    \b
    shelf adopt ~/ComfyUI/models
    """
    batch = Batch(session)
    adopted: list[dict[str, object]] = []
    left_open = 0
    early = partial(_summarize, adopted, batch, interrupted=True)
    with (
        told_early(session, early, adopted),
        session.open() as manager,
        installing(session, manager) as (installer, _),
    ):
        for folder in folders:
            with batch.search(str(folder)):
                found = installer.placed.adopt(
                    folder, lambda path, error: batch.take(str(path), error)
                )
                for config, is_new in found:
                    batch.take(config.path, None)
                    left_open += BaseModelType.UNKNOWN in config.bases
                    adopted.append({"key": config.key, "path": config.path, "is_new": is_new})
                    if session.quiet:
                        print_lines([config.key])
                    elif not session.json:
                        verb = "adopted" if is_new else "known"
                        bases = ",".join(config.bases)
                        name = printable(config.name)
                        click.echo(f"{verb}  {name}  {config.type}  {bases}  {config.key}")
    if session.json:
        _summarize(adopted, batch)
    else:
        note(session, f"{sum(bool(one['is_new']) for one in adopted)} new, nothing was copied")
        if left_open:
            note(
                session,
                f"of {counted(left_open, 'model')} the base is unknown: `shelf ls base:unknown` lists them,"
                " `shelf show` says what they may be",
            )
    return batch.status


def _summarize(adopted: Sequence[object], batch: Batch, **more: object) -> None:
    print_document({"adopted": adopted, **more, "failed": batch.failed})
