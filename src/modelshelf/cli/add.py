"""`shelf add`: take models into the library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.options import dry_run, never_asks, verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table, warn
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.errors import UsageError

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.manifest import ImportPlan
    from modelshelf.schema.model import AddOutcome

__all__ = ["command"]


class _Wish(TypedDict):
    name: str | None
    description: str
    source: str
    follow_links: bool
    convert: bool | None


@click.command("add")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option("--name", help="Its name; default the file's or folder's. For one model only.")
@click.option("--description", default="", help="Free text to keep with it.")
@click.option("--source", default="", help="Where it came from: a URL or repository id.")
@click.option("--move", is_flag=True, help="Remove the original once the library holds all of it.")
@click.option("--follow-links", is_flag=True, help="Take files that links point to elsewhere, too.")
@click.option(
    "--convert/--whole",
    default=None,
    help="Split checkpoints into pipelines that share their parts, or keep them one file each.",
)
@dry_run
@never_asks
@verb_options
@click.pass_obj
def command(  # noqa: PLR0913 - one parameter an option
    session: Session,
    paths: tuple[Path, ...],
    *,
    name: str | None,
    description: str,
    source: str,
    move: bool,
    follow_links: bool,
    convert: bool | None,
    dry_run: bool,
) -> int:
    """Add models: folders, files, or trees of both.

    A diffusers folder is one model, and so is a model file; in any other folder they are looked for.

    A checkpoint that holds a whole pipeline is split into its parts, and export gives it back.
    Originals stay where they are unless `--move` is given. What the library holds already is not
    stored again. A model that cannot be added does not stop the others.

    \b
    shelf add ~/models/stable-diffusion-1-5
    shelf add ~/models --dry-run
    """
    wish: _Wish = {
        "name": name,
        "description": description,
        "source": source,
        "follow_links": follow_links,
        "convert": convert,
    }
    batch = Batch(session)
    with session.open() as manager:
        models = _discover(manager, batch, paths)
        _check_name(name, models)
        if dry_run:
            plans = _plan(manager, batch, models, wish)
            _print_plans(session, plans, manager.foresee(plans), batch)
        else:
            outcomes = list(_add(session, manager, batch, models, wish, move=move))
            _summarize(session, outcomes, batch)
    return batch.status


def _discover(manager: NormalizedModelManager, batch: Batch, paths: Sequence[Path]) -> list[Path]:
    models: list[Path] = []
    for path in paths:
        with batch.search(str(path)):
            models += manager.discover(path)
    return models


def _check_name(name: str | None, models: Sequence[Path]) -> None:
    if name is not None and len(models) > 1:
        raise UsageError(
            problem=f"`--name` names one model, and there are {len(models)}",
            remedy="add them without `--name`, or one after the other",
        )


def _plan(
    manager: NormalizedModelManager, batch: Batch, models: Sequence[Path], wish: _Wish
) -> list[ImportPlan]:
    plans: list[ImportPlan] = []
    for model in models:
        with batch.item(str(model)):
            plans.append(manager.plan(model, **wish))
    return plans


def _add(
    session: Session,
    manager: NormalizedModelManager,
    batch: Batch,
    models: Sequence[Path],
    wish: _Wish,
    *,
    move: bool,
) -> Iterator[AddOutcome]:
    for model in models:
        with batch.item(str(model)):
            with progress_bar(session) as progress:
                outcome = manager.add(model, move=move, progress=progress, **wish)
            _tell(session, outcome)
            yield outcome


def _tell(session: Session, outcome: AddOutcome) -> None:
    info = outcome.info
    if session.quiet:
        print_lines([info.key])
    elif not session.json:
        verb = "added" if outcome.is_new else "known"
        click.echo(
            f"{verb}  {printable(info.name)}  {info.type}  {','.join(info.bases)}  {info.key}"
        )
    for warning in outcome.warnings:
        warn(session, f"{info.name}: {warning}")


def _summarize(session: Session, outcomes: Sequence[AddOutcome], batch: Batch) -> None:
    stored = sum(outcome.bytes_stored for outcome in outcomes)
    shared = sum(outcome.bytes_shared for outcome in outcomes)
    if session.json:
        print_document(
            {
                "added": outcomes,
                "bytes_stored": stored,
                "bytes_shared": shared,
                "failed": batch.failed,
            }
        )
    elif outcomes:
        was_there = f"shared {human_size(shared)} with what was there"
        note(session, f"stored {human_size(stored)}, {was_there}")


def _print_plans(session: Session, plans: Sequence[ImportPlan], stored: int, batch: Batch) -> None:
    shared = sum(plan.size for plan in plans) - stored
    if session.json:
        planned = [
            {
                "name": plan.name,
                "type": plan.type,
                "bases": plan.bases,
                "format": plan.format,
                "size": plan.size,
                "parts": [
                    {"folder": part.folder, "type": part.type, "size": part.size}
                    for part in plan.all_parts
                ],
            }
            for plan in plans
        ]
        print_document(
            {
                "dry_run": True,
                "would_add": planned,
                "bytes_stored": stored,
                "bytes_shared": shared,
                "failed": batch.failed,
            }
        )
        return
    rows = [
        (
            plan.name,
            plan.type,
            ",".join(plan.bases),
            plan.format,
            str(len(plan.parts)),
            human_size(plan.size),
        )
        for plan in plans
    ]
    headers = ("NAME", "TYPE", "BASE", "FORMAT", "PARTS", "SIZE")
    print_table(session, headers, rows, right=frozenset({4, 5}))
    note(
        session,
        f"would store {human_size(stored)}, share {human_size(shared)}; "
        "nothing was added: this was a dry run",
    )
