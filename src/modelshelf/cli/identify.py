"""`shelf identify`: say anew what stored models are, or know it better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.models import print_models
from modelshelf.cli.options import complete_name, verb_options
from modelshelf.cli.output import note
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.session import Session
from modelshelf.errors import UsageError
from modelshelf.schema.override import Override
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


@click.command("identify")
@click.argument("models", nargs=-1, metavar="[MODEL...]", shell_complete=complete_name)
@click.option(
    "--type", "kind", type=click.Choice([each.value for each in ModelType]), help="What it is."
)
@click.option(
    "--base",
    "bases",
    multiple=True,
    type=click.Choice([each.value for each in BaseModelType]),
    help="What it works with; give it again for several, its own first.",
)
@click.option(
    "--variant", type=click.Choice([each.value for each in ModelVariantType]), help="What it takes."
)
@click.option(
    "--prediction-type",
    type=click.Choice([each.value for each in SchedulerPredictionType]),
    help="What it predicts.",
)
@click.option("--architecture", help="A finer name, such as `illustrious`.")
@click.option("--as-detected", is_flag=True, help="Take back what was said of it before.")
@verb_options
@click.pass_obj
def command(
    session: Session,
    models: tuple[str, ...],
    *,
    kind: str | None,
    bases: tuple[str, ...],
    variant: str | None,
    prediction_type: str | None,
    architecture: str | None,
    as_detected: bool,
) -> int:
    """Identify stored models again, or say what they are.

    Without a MODEL, look again at those that were left open by older rules. What you say wins over
    what is detected, field by field, until you take it back.

    \b
    shelf identify
    shelf identify odd-lora --base sdxl
    shelf identify odd-lora --as-detected
    """
    wish = Override(
        type=ModelType(kind) if kind else None,
        bases=tuple(map(BaseModelType, bases)) or None,
        variant=ModelVariantType(variant) if variant else None,
        prediction_type=SchedulerPredictionType(prediction_type) if prediction_type else None,
        architecture=architecture,
    )
    _check(models, wish, as_detected=as_detected)
    batch = Batch(session)
    with session.open() as manager:
        if wish.fields or as_detected:
            changed = _say(manager, batch, models, None if as_detected else wish)
        else:
            with progress_bar(session) as progress:
                changed = manager.identify_again(models or None, progress=progress)
    _print(session, changed, batch)
    return batch.status


def _check(models: Sequence[str], wish: Override, *, as_detected: bool) -> None:
    if as_detected and wish.fields:
        raise UsageError(
            problem="`--as-detected` takes back what the other options say",
            remedy="give one or the other",
        )
    if not models and (wish.fields or as_detected):
        raise UsageError(problem="no model was named", remedy="`shelf identify MODEL --base BASE`")


def _say(
    manager: NormalizedModelManager, batch: Batch, models: Sequence[str], wish: Override | None
) -> list[ModelInfo]:
    said: list[ModelInfo] = []
    for model in models:
        with batch.item(model):
            said.append(
                manager.as_detected(model) if wish is None else manager.override(model, wish)
            )
    return said


def _print(session: Session, models: Sequence[ModelInfo], batch: Batch) -> None:
    if models or session.json:
        print_models(session, models)
    elif not batch.failed:
        note(session, "nothing else is known than before")
