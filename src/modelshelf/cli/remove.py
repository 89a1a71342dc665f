"""`shelf rm`: delete models, so that they can be brought back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.installing import installing
from modelshelf.cli.options import complete_name, dry_run, verb_options, yes
from modelshelf.cli.output import note, print_document, print_lines
from modelshelf.cli.question import agreed
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.errors import ModelshelfError
from modelshelf.errors.base import counted

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ModelInfo, TrashedModel

__all__ = ["command"]

_DECLINED = 1


@click.command("rm")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=complete_name)
@click.option(
    "--files", is_flag=True, help="Of models that lie elsewhere, delete the files too, for good."
)
@dry_run
@yes
@verb_options
@click.pass_obj
def command(
    session: Session, models: tuple[str, ...], *, files: bool, dry_run: bool, yes: bool
) -> int:
    """Move models to the trash. `shelf undo` brings them back until they expire.

    Parts that other models use stay where they are. Space is freed by `shelf gc`. Of a model that lies
    elsewhere the record goes, for good, and no file but with `--files`, which names each and asks.

    \b
    shelf rm LoWRA --dry-run
    shelf ls -q --type vae | xargs shelf rm -y
    """
    batch = Batch(session)
    with session.open() as manager:
        away = _away(manager, models) if files else {}
        if yes and not dry_run:
            _name_files(away)
            gone = _delete(session, manager, batch, models, away)
            _print(session, gone, batch, "removed", away)
            return batch.status
        planned = _foresee(manager, batch, models)
        if dry_run:
            _print(session, planned, batch, "would_remove", away)
        elif planned:
            for wanted, model in planned.items():
                note(session, f"{model.name}: {_cost(model, away.get(wanted))}")
            _name_files(away)
            if not agreed(session, _action(planned, away), yes=False):
                return _DECLINED
            gone = _delete(session, manager, batch, planned, away)
            _print(session, gone, batch, "removed", away)
    return batch.status


def _away(manager: NormalizedModelManager, models: Iterable[str]) -> dict[str, ModelInfo]:
    """Return those that lie elsewhere; what is not found at all is told when it is deleted."""
    found: dict[str, ModelInfo] = {}
    for model in models:
        with suppress(ModelshelfError):
            info = manager.get_model(model)
            if not info.is_stored:
                found[model] = info
    return found


def _name_files(away: Mapping[str, ModelInfo]) -> None:
    for info in away.values():
        # Said whatever was asked to be silent: it is the last time that anybody reads this path.
        click.echo(f"for good: {printable(info.location)}", err=True)


def _action(planned: Mapping[str, TrashedModel], away: Mapping[str, ModelInfo]) -> str:
    lost = len(planned.keys() & away.keys())
    kept = len(planned) - lost
    acts = [f"moving {counted(kept, 'model')} to the trash"] if kept else []
    return " and ".join(
        [*acts, *([f"deleting the files of {counted(lost, 'model')}"] if lost else [])]
    )


def _foresee(
    manager: NormalizedModelManager, batch: Batch, models: Iterable[str]
) -> dict[str, TrashedModel]:
    planned: dict[str, TrashedModel] = {}
    for model in models:
        with batch.search(model):
            planned[model] = manager.delete(model, dry_run=True)
    return planned


def _delete(
    session: Session,
    manager: NormalizedModelManager,
    batch: Batch,
    models: Iterable[str],
    away: Mapping[str, ModelInfo],
) -> dict[str, TrashedModel]:
    gone: dict[str, TrashedModel] = {}
    for model in models:
        with batch.item(model):
            gone[model] = manager.delete(model, dry_run=model in away)
            if model in away:
                with installing(session, manager) as (installer, _):
                    installer.unconditionally_delete(away[model].key)
    return gone


def _cost(model: TrashedModel, away: ModelInfo | None = None) -> str:
    if away is not None:
        return "its record and its files go for good"
    if not model.is_stored:
        return "lies elsewhere: its record goes for good, its files stay"
    return f"frees {human_size(model.bytes_freed)}, {human_size(model.bytes_kept)} stays shared"


def _print(
    session: Session,
    gone: Mapping[str, TrashedModel],
    batch: Batch,
    title: str,
    away: Mapping[str, ModelInfo],
) -> None:
    if session.json:
        dry_run = title == "would_remove"
        files = [away[model].location for model in gone if model in away]
        told = {"dry_run": dry_run, title: list(gone.values()), "failed": batch.failed}
        print_document(told | ({"files": files} if files else {}))
    elif session.quiet:
        print_lines(model.trash_id for model in gone.values() if model.is_stored)
    else:
        for wanted, model in gone.items():
            cost = _cost(model, away.get(wanted))
            print_lines([f"{title.replace('_', ' ')}  {printable(model.name)}  {cost}"])
            if title == "removed" and model.is_stored:
                note(session, f"`shelf undo {model.trash_id}` brings it back")
