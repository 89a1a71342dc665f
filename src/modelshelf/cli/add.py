"""`shelf add`: take models into the library, from this machine or from a hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.given_sources import check_remote, sort_sources
from modelshelf.cli.installing import installing, jobs_said, run_jobs, told_early
from modelshelf.cli.options import dry_run, verb_options, yes
from modelshelf.cli.output import note, print_document, print_lines, print_table, warn
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.question import agreed
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.errors import UsageError

if TYPE_CHECKING:
    from modelshelf.manager import ModelInstallService, NormalizedModelManager
    from modelshelf.schema.install_job import ModelInstallJob
    from modelshelf.schema.manifest import ImportPlan
    from modelshelf.schema.model import AddOutcome
    from modelshelf.schema.model_source import ModelSource

__all__ = ["command"]


class _Wish(TypedDict):
    name: str | None
    description: str
    source: str
    follow_links: bool
    convert: bool | None


@click.command("add")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--name", help="Its name; default the file's or folder's. For one model only.")
@click.option("--description", default="", help="Free text to keep with it.")
@click.option("--tag", "tags", multiple=True, help="A tag to give it; may be repeated.")
@click.option("--source", default="", help="Where it came from: a URL or repository id.")
@click.option("--move", is_flag=True, help="Remove the original once the library holds all of it.")
@click.option("--follow-links", is_flag=True, help="Take files that links point to elsewhere, too.")
@click.option(
    "--convert/--whole",
    default=None,
    help="Split checkpoints into pipelines that share their parts, or keep them one file each.",
)
@click.option("--token", envvar="SHELF_ADD_TOKEN", help="Access token for the sources that ask.")
@click.option("--scan", is_flag=True, help="Look first, say what is there, and ask before adding.")
@dry_run
@yes
@verb_options
@click.pass_obj
def command(  # noqa: PLR0913 - one parameter an option
    session: Session,
    sources: tuple[str, ...],
    *,
    name: str | None,
    description: str,
    tags: tuple[str, ...],
    source: str,
    move: bool,
    follow_links: bool,
    convert: bool | None,
    token: str | None,
    scan: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Add models from paths, addresses, Hugging Face or Civitai.

    A diffusers folder is one model, and so is a model file; in any other folder they are looked for.
    From a repository only what the model needs is fetched, and nothing that is on this machine already.

    A checkpoint that holds a whole pipeline is split into its parts, and export gives it back.
    Originals stay where they are unless `--move` is given. What the library holds already is not
    stored again. A model that cannot be added does not stop the others. What was interrupted or failed
    while it was fetched goes on when the same command is given again.

    \b
    shelf add ~/models/stable-diffusion-1-5
    shelf add stabilityai/sdxl-turbo:fp16 stabilityai/sdxl-turbo::vae
    shelf add https://civitai.com/models/58390
    shelf add ~/models --scan
    """
    wish: _Wish = {
        "name": name,
        "description": description,
        "source": source,
        "follow_links": follow_links,
        "convert": convert,
    }
    batch = Batch(session)
    outcomes: list[AddOutcome] = []
    jobs: list[ModelInstallJob] = []
    early = partial(_summarize, session, outcomes, jobs, batch, is_interrupted=True)
    with told_early(session, early, outcomes, jobs), session.open() as manager:
        paths, remote = sort_sources(session, batch, sources, token)
        models = _discover(manager, batch, paths)
        _check_name(name, [*models, *remote])
        local = {
            "--move": move,
            "--scan": scan,
            "--dry-run": dry_run,
            "--follow-links": follow_links,
            "--convert" if convert else "--whole": convert is not None,
            "--source": bool(source),
        }
        check_remote(remote, [option for option, is_given in local.items() if is_given])
        if dry_run or scan:
            plans = _plan(manager, batch, models, wish)
            _print_plans(session, plans, manager.foresee_each(plans), batch, is_dry=dry_run)
            action = f"adding {len(plans)} model{'s' * (len(plans) != 1)}"
            if dry_run or not plans or not agreed(session, action, yes=yes):
                return batch.status
        for outcome in _add(session, manager, batch, models, wish, tags, move=move):
            outcomes += [outcome]
        if remote:
            _install(session, manager, batch, remote, wish, tags, jobs)
    _summarize(session, outcomes, jobs, batch)
    return batch.status


def _install(
    session: Session,
    manager: NormalizedModelManager,
    batch: Batch,
    remote: Sequence[ModelSource],
    wish: _Wish,
    tags: Sequence[str],
    jobs: list[ModelInstallJob],
) -> None:
    """Install what is to be fetched; *jobs* has at any moment those that were begun."""
    from modelshelf.install.told import source_in_words  # noqa: PLC0415 - slow

    config: dict[str, Any] = {
        "name": wish["name"],
        "description": wish["description"],
        "tags": list(tags),
    }
    given = {name: value for name, value in config.items() if value}
    with installing(session, manager) as (installer, events):
        for source in remote:
            with batch.search(source_in_words(source)):
                jobs.append(_begin(session, installer, source, given))
        run_jobs(session, batch, events, jobs)


def _begin(
    session: Session,
    installer: ModelInstallService,
    source: ModelSource,
    config: dict[str, Any],
) -> ModelInstallJob:
    """Go on with what an earlier command left of the same, or begin."""
    from modelshelf.download.held_on_disk import bytes_held  # noqa: PLC0415 - slow
    from modelshelf.install.told import source_in_words  # noqa: PLC0415 - slow

    left = installer.take_up_same(source, config)
    if left is None:
        return installer.import_model(source, config)
    here = bytes_held(left.local_path) if left.local_path else 0
    amount = f": {human_size(here)} of it is here already" if here else ""
    note(session, f"goes on with job {left.id}, {source_in_words(source)}{amount}")
    return left


def _discover(manager: NormalizedModelManager, batch: Batch, paths: Sequence[Path]) -> list[Path]:
    models: list[Path] = []
    for path in paths:
        with batch.search(str(path)):
            models += manager.discover(path)
    return models


def _check_name(name: str | None, models: Sequence[object]) -> None:
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
    tags: Sequence[str],
    *,
    move: bool,
) -> Iterator[AddOutcome]:
    for model in models:
        with batch.item(str(model)):
            with progress_bar(session) as progress:
                outcome = manager.add(model, move=move, progress=progress, **wish)
            if tags:
                key = outcome.info.key
                known = manager.store.get_model(key).tags
                manager.store.update_model(key, {"tags": list(dict.fromkeys([*known, *tags]))})
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


def _summarize(
    session: Session,
    outcomes: Sequence[AddOutcome],
    jobs: Sequence[ModelInstallJob],
    batch: Batch,
    *,
    is_interrupted: bool = False,
) -> None:
    stored = sum(outcome.bytes_stored for outcome in outcomes)
    shared = sum(outcome.bytes_shared for outcome in outcomes)
    if session.json:
        print_document(
            {
                "added": outcomes,
                **jobs_said(jobs, is_interrupted=is_interrupted),
                "bytes_stored": stored,
                "bytes_shared": shared,
                "failed": batch.failed,
            }
        )
    elif outcomes:
        was_there = f"shared {human_size(shared)} with what was there"
        note(session, f"stored {human_size(stored)}, {was_there}")


def _print_plans(
    session: Session,
    plans: Sequence[ImportPlan],
    needs: Sequence[int],
    batch: Batch,
    *,
    is_dry: bool,
) -> None:
    stored = sum(needs)
    shared = sum(plan.size for plan in plans) - stored
    if session.json:
        if not is_dry:
            return
        planned = [
            {
                "name": plan.name,
                "type": plan.type,
                "bases": plan.bases,
                "format": plan.format,
                "size": plan.size,
                "bytes_stored": need,
                "parts": [
                    {"folder": part.folder, "type": part.type, "size": part.size}
                    for part in plan.all_parts
                ],
            }
            for plan, need in zip(plans, needs, strict=True)
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
            human_size(need) if need else "owned",
        )
        for plan, need in zip(plans, needs, strict=True)
    ]
    headers = ("NAME", "TYPE", "BASE", "FORMAT", "PARTS", "SIZE", "ADDS")
    print_table(session, headers, rows, right=frozenset({4, 5, 6}))
    note(
        session,
        f"would store {human_size(stored)}, share {human_size(shared)}"
        + ("; nothing was added: this was a dry run" if is_dry else ""),
    )
