"""`shelf rm`: delete models, so that they can be brought back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.options import complete_name, dry_run, verb_options, yes
from modelshelf.cli.output import note, print_document, print_lines
from modelshelf.cli.question import agreed
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import TrashedModel

__all__ = ["command"]

_DECLINED = 1


@click.command("rm")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=complete_name)
@dry_run
@yes
@verb_options
@click.pass_obj
def command(session: Session, models: tuple[str, ...], *, dry_run: bool, yes: bool) -> int:
    """Move models to the trash. `shelf undo` brings them back until they expire.

    Parts that other models use stay where they are. Space is freed by `shelf gc`. Of a model that lies
    elsewhere the record goes, for good, and no file.

    \b
    shelf rm LoWRA --dry-run
    shelf ls -q --type vae | xargs shelf rm -y
    """
    batch = Batch(session)
    with session.open() as manager:
        if yes and not dry_run:
            gone = _delete(manager, batch, models, dry_run=False)
            _print(session, gone.values(), batch, "removed")
            return batch.status
        planned = _delete(manager, batch, models, dry_run=True)
        if dry_run:
            _print(session, planned.values(), batch, "would_remove")
        elif planned:
            for model in planned.values():
                note(session, f"{model.name}: {_cost(model)}")
            if not agreed(session, f"moving {_count(len(planned))} to the trash", yes=False):
                return _DECLINED
            gone = _delete(manager, batch, planned, dry_run=False)
            _print(session, gone.values(), batch, "removed")
    return batch.status


def _count(number: int) -> str:
    return "1 model" if number == 1 else f"{number} models"


def _delete(
    manager: NormalizedModelManager, batch: Batch, models: Iterable[str], *, dry_run: bool
) -> dict[str, TrashedModel]:
    gone: dict[str, TrashedModel] = {}
    for model in models:
        with batch.item(model):
            gone[model] = manager.delete(model, dry_run=dry_run)
    return gone


def _cost(model: TrashedModel) -> str:
    if not model.is_stored:
        return "lies elsewhere: its record goes for good, its files stay"
    return f"frees {human_size(model.bytes_freed)}, {human_size(model.bytes_kept)} stays shared"


def _print(session: Session, gone: Iterable[TrashedModel], batch: Batch, title: str) -> None:
    if session.json:
        dry_run = title == "would_remove"
        print_document({"dry_run": dry_run, title: list(gone), "failed": batch.failed})
    elif session.quiet:
        print_lines(model.trash_id for model in gone if model.is_stored)
    else:
        for model in gone:
            print_lines([f"{title.replace('_', ' ')}  {printable(model.name)}  {_cost(model)}"])
            if title == "removed" and model.is_stored:
                note(session, f"`shelf undo {model.trash_id}` brings it back")
