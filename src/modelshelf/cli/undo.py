"""`shelf undo`: bring back what `shelf rm` removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.models import print_models
from modelshelf.cli.options import dry_run, never_asks, verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size
from modelshelf.errors import UnknownTrashError

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ModelInfo, TrashedModel

__all__ = ["command"]


@click.command("undo")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@dry_run
@never_asks
@verb_options
@click.pass_obj
def command(session: Session, ids: tuple[str, ...], *, dry_run: bool) -> int:
    """Bring deleted models back.

    Without an ID, list what can be brought back.

    \b
    shelf undo
    shelf undo $(shelf rm -q -y LoWRA)
    """
    batch = Batch(session)
    with session.open() as manager:
        if not ids:
            _print_trash(session, manager.trash())
        elif dry_run:
            _print_trash(session, _look_up(batch, manager.trash(), ids))
        else:
            restored = _restore(manager, batch, ids)
            _print_restored(session, restored, batch)
    return batch.status


def _look_up(batch: Batch, trash: Sequence[TrashedModel], ids: Sequence[str]) -> list[TrashedModel]:
    by_id = {model.trash_id: model for model in trash}
    found: list[TrashedModel] = []
    for trash_id in ids:
        with batch.item(trash_id):
            if trash_id not in by_id:
                raise UnknownTrashError(wanted=trash_id)
            found.append(by_id[trash_id])
    return found


def _restore(manager: NormalizedModelManager, batch: Batch, ids: Sequence[str]) -> list[ModelInfo]:
    restored: list[ModelInfo] = []
    for trash_id in ids:
        with batch.item(trash_id):
            restored.append(manager.undo(trash_id))
    return restored


def _print_restored(session: Session, restored: Sequence[ModelInfo], batch: Batch) -> None:
    if session.json:
        print_document({"restored": restored, "failed": batch.failed})
    elif restored:
        print_models(session, restored)


def _print_trash(session: Session, trash: Sequence[TrashedModel]) -> None:
    if session.json:
        print_document(trash)
    elif session.quiet:
        print_lines(model.trash_id for model in trash)
    elif not trash:
        note(session, "the trash is empty")
    else:
        rows = [
            (
                model.trash_id,
                model.name,
                model.type,
                human_size(model.bytes_freed),
                human_size(model.bytes_kept),
                model.deleted_at.date().isoformat(),
                model.expires_at.date().isoformat(),
            )
            for model in trash
        ]
        headers = ("ID", "NAME", "TYPE", "FREES", "SHARED", "DELETED", "EXPIRES")
        print_table(session, headers, rows, right=frozenset({3, 4}))
