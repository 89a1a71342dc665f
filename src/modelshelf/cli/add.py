"""`shelf add`: take models into the library, from this machine or from a hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING, Any, TypedDict

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.installing import installing, job_said, run_jobs
from modelshelf.cli.options import dry_run, verb_options, yes
from modelshelf.cli.output import note, print_document, print_lines, print_table, warn
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.question import agreed
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.errors import UsageError

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.install_job import ModelInstallJob
    from modelshelf.schema.manifest import ImportPlan
    from modelshelf.schema.model import AddOutcome
    from modelshelf.schema.model_source import ModelSource

__all__ = ["command"]


_HASHES = (8, 10, 12, 64)
"""Digits of the hashes that Civitai knows files by."""


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
    stored again. A model that cannot be added does not stop the others.

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
    with session.open() as manager:
        paths, remote = _sort(session, batch, sources, token)
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
        _check_remote(remote, [option for option, is_given in local.items() if is_given])
        if dry_run or scan:
            plans = _plan(manager, batch, models, wish)
            _print_plans(session, plans, manager.foresee_each(plans), batch, is_dry=dry_run)
            action = f"adding {len(plans)} model{'s' * (len(plans) != 1)}"
            if dry_run or not plans or not agreed(session, action, yes=yes):
                return batch.status
        outcomes = list(_add(session, manager, batch, models, wish, tags, move=move))
        jobs = _install(session, manager, batch, remote, wish, tags) if remote else []
        _summarize(session, outcomes, jobs, batch)
    return batch.status


def _sort(
    session: Session, batch: Batch, sources: Sequence[str], token: str | None
) -> tuple[list[Path], list[ModelSource]]:
    """Tell paths of this machine from what is to be fetched."""
    from modelshelf.manager.hub_access import civitai_access, hub_access  # noqa: PLC0415 - slow
    from modelshelf.schema.model_source import LocalModelSource  # noqa: PLC0415
    from modelshelf.sources.reading import parse_source  # noqa: PLC0415

    settings = session.settings()
    hub, civitai = hub_access(settings), civitai_access(settings)
    paths: list[Path] = []
    remote: list[ModelSource] = []
    for text in sources:
        if _is_one_word(text):
            # What no hub could mean is a path; that nothing is there is said when it is looked for.
            paths.append(Path(text))
            continue
        with batch.search(text):
            found = parse_source(text, access_token=token, hub=hub, civitai=civitai)
            if isinstance(found, LocalModelSource):
                paths.append(found.path)
            else:
                remote.append(found)
    return paths, remote


def _is_one_word(text: str) -> bool:
    is_hash = len(text) in _HASHES and all(letter in hexdigits for letter in text)
    return not is_hash and text.strip() != "" and not set(text) & set("/:?")


def _check_remote(remote: Sequence[ModelSource], local: Sequence[str]) -> None:
    """Refuse options that mean nothing for what is fetched, so that nobody relies on them."""
    if remote and local:
        raise UsageError(
            problem=f"`{remote[0]}` is not on this machine, and `{local[0]}` is for what is",
            remedy=f"leave out {', '.join(f'`{option}`' for option in local)}",
        )


def _install(
    session: Session,
    manager: NormalizedModelManager,
    batch: Batch,
    remote: Sequence[ModelSource],
    wish: _Wish,
    tags: Sequence[str],
) -> list[ModelInstallJob]:
    config: dict[str, Any] = {
        "name": wish["name"],
        "description": wish["description"],
        "tags": list(tags),
    }
    given = {name: value for name, value in config.items() if value}
    with installing(session, manager) as (installer, events):
        jobs = [installer.import_model(source, given) for source in remote]
        run_jobs(session, batch, events, jobs)
    return jobs


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
) -> None:
    stored = sum(outcome.bytes_stored for outcome in outcomes)
    shared = sum(outcome.bytes_shared for outcome in outcomes)
    if session.json:
        print_document(
            {
                "added": outcomes,
                "installed": [job_said(job) for job in jobs],
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
