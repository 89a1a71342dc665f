"""`shelf identify`: say anew what stored models are, or know it better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.models import print_models
from modelshelf.cli.options import OneOfMany, complete_name, dry_run, never_asks, verb_options
from modelshelf.cli.output import note, print_lines
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable
from modelshelf.errors import UsageError
from modelshelf.schema.override import OVERRIDABLE, Override
from modelshelf.schema.progress import Progress, ProgressReporter
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ModelInfo

__all__ = ["command"]

_FIELDS = {{"bases": "base"}.get(field, field.replace("_", "-")): field for field in OVERRIDABLE}
"""What a user may say, as options call it → as `Override` does."""


@click.command("identify")
@click.argument("models", nargs=-1, metavar="[MODEL...]", shell_complete=complete_name)
@click.option(
    "--type", "kind", type=OneOfMany([each.value for each in ModelType]), help="What it is."
)
@click.option(
    "--base",
    "bases",
    multiple=True,
    type=OneOfMany([each.value for each in BaseModelType]),
    help="What it works with; give it again for several, its own first.",
)
@click.option(
    "--variant", type=OneOfMany([each.value for each in ModelVariantType]), help="What it takes."
)
@click.option(
    "--prediction-type",
    type=OneOfMany([each.value for each in SchedulerPredictionType]),
    help="What it predicts.",
)
@click.option("--architecture", help="A finer name, such as `illustrious`.")
@click.option(
    "--forget",
    "forgotten",
    multiple=True,
    type=OneOfMany(list(_FIELDS)),
    help="Take back what was said of one thing; may be repeated.",
)
@click.option("--as-detected", is_flag=True, help="Take back all that was said of it.")
@dry_run
@never_asks
@verb_options
@click.pass_obj
def command(  # noqa: PLR0913 - one for each option
    session: Session,
    models: tuple[str, ...],
    *,
    kind: str | None,
    bases: tuple[str, ...],
    variant: str | None,
    prediction_type: str | None,
    architecture: str | None,
    forgotten: tuple[str, ...],
    as_detected: bool,
    dry_run: bool,
) -> int:
    """Identify stored models again, or say what they are.

    Without a MODEL, look again at those that were left open by older rules. What you say wins over
    what is detected, field by field, until you take it back.

    \b
    shelf identify
    shelf identify odd-lora --base sdxl --dry-run
    shelf identify odd-lora --forget base
    shelf identify odd-lora --as-detected
    """
    wish = Override(
        type=ModelType(kind) if kind else None,
        bases=tuple(map(BaseModelType, bases)) or None,
        variant=ModelVariantType(variant) if variant else None,
        prediction_type=SchedulerPredictionType(prediction_type) if prediction_type else None,
        architecture=architecture,
    )
    taken_back = OVERRIDABLE if as_detected else tuple(_FIELDS[each] for each in forgotten)
    _check(models, wish, taken_back, as_detected=as_detected, forgets=bool(forgotten))
    batch = Batch(session)
    with session.open() as manager, progress_bar(session, counted="models") as progress:
        if models:
            found = _each(manager, batch, models, wish, taken_back, progress, dry_run=dry_run)
        else:
            found = manager.identify_again(dry_run=dry_run, progress=progress)
        told = _told(manager, found) if dry_run else []
        others = _other_names(manager, found)
    _print(session, found, told, batch, looked_at=len(models), dry_run=dry_run)
    known = "would be known" if dry_run else "known"
    for name in others:
        note(session, f"{name} is the same model under another name, and {known} so too")
    return batch.status


def _check(
    models: Sequence[str],
    wish: Override,
    taken_back: Sequence[str],
    *,
    as_detected: bool,
    forgets: bool,
) -> None:
    if as_detected and (wish.fields or forgets):
        raise UsageError(
            problem="`--as-detected` takes back what the other options say",
            remedy="give one or the other",
        )
    if both := [
        option for option, field in _FIELDS.items() if field in {*wish.fields} & {*taken_back}
    ]:
        raise UsageError(
            problem=f"`--{both[0]}` says what `--forget {both[0]}` takes back",
            remedy="give one or the other",
        )
    if not models and (wish.fields or taken_back):
        raise UsageError(problem="no model was named", remedy="`shelf identify MODEL --base BASE`")


def _each(
    manager: NormalizedModelManager,
    batch: Batch,
    models: Sequence[str],
    wish: Override,
    taken_back: Sequence[str],
    progress: ProgressReporter,
    *,
    dry_run: bool,
) -> list[ModelInfo]:
    """Take the word on each model, or look at it again; return those that are concerned."""
    found: list[ModelInfo] = []
    for number, model in enumerate(models, 1):
        with batch.item(model):
            if wish.fields or taken_back:
                found.append(manager.override(model, wish, taken_back=taken_back, dry_run=dry_run))
            else:
                found += manager.identify_again([model], dry_run=dry_run)
        progress(Progress("identifying", model, number, len(models)))
    return found


def _told(manager: NormalizedModelManager, found: Sequence[ModelInfo]) -> list[str]:
    """Say of each model what would be known of it, and what is."""
    lines: list[str] = []
    for after in found:
        before = _facts(manager.get_model(after.key))
        changes = [
            f"{title}: {before[title]} → {fact}"
            for title, fact in _facts(after).items()
            if fact != before[title]
        ]
        act = "would identify" if changes else "unchanged"
        lines.append("  ".join([act, printable(after.name), *map(printable, changes)]))
    return lines


def _facts(model: ModelInfo) -> dict[str, str]:
    facts = {"type": model.type, "base": ",".join(model.bases), "format": model.format}
    detail = json.loads(model.detail)
    finer = (field for option, field in _FIELDS.items() if option not in facts)
    return facts | {each.replace("_", " "): detail.get(each, "none") for each in finer}


def _other_names(manager: NormalizedModelManager, found: Sequence[ModelInfo]) -> list[str]:
    """Return the names that share what was said of a model without having been named."""
    keys = {model.key for model in found}
    shared = {
        model.id
        for model in found
        if model.is_stored and not model.is_pipeline and model.refcount > 1
    }
    if not shared:
        return []
    return [
        model.name
        for model in manager.list_models()
        if model.id in shared and model.key not in keys
    ]


def _print(
    session: Session,
    found: Sequence[ModelInfo],
    told: Sequence[str],
    batch: Batch,
    *,
    looked_at: int,
    dry_run: bool,
) -> None:
    if session.json or session.quiet or (found and not dry_run):
        print_models(session, found)
    elif found:
        print_lines(told)
        note(session, "nothing was changed: this was a dry run")
    elif not batch.failed:
        note(session, "nothing else is known than before")
    elif looked_at > len(batch.failed):
        note(session, "of the others nothing else is known than before")
