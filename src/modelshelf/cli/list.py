"""`shelf ls`: what the library holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from modelshelf.cli.models import print_models
from modelshelf.cli.options import verb_options
from modelshelf.cli.session import Session
from modelshelf.schema.taxonomy import BaseModelType, ModelType

if TYPE_CHECKING:
    from modelshelf.schema.model import ModelInfo

__all__ = ["command"]

_ORDERS: Mapping[str, Callable[[ModelInfo], tuple[str | float, ...]]] = {
    "name": lambda model: (model.name.casefold(), model.name, model.id),
    "size": lambda model: (-model.size, model.name, model.id),
    "added": lambda model: (-model.added_at.timestamp() if model.added_at else 0.0, model.id),
}


@click.command("ls")
@click.option(
    "--type",
    "kind",
    type=click.Choice([kind.value for kind in ModelType]),
    metavar="TYPE",
    help="Only this type, such as `main`, `lora` or `vae`.",
)
@click.option(
    "--base",
    type=click.Choice([base.value for base in BaseModelType]),
    metavar="BASE",
    help="Only models that work with this base, such as `sd-1` or `sdxl`.",
)
@click.option(
    "--sort",
    type=click.Choice(list(_ORDERS)),
    default="name",
    show_default=True,
    help="By name, or the largest or newest first.",
)
@verb_options
@click.pass_obj
def command(session: Session, *, kind: str | None, base: str | None, sort: str) -> None:
    """List the models.

    \b
    shelf ls --type lora --base sdxl
    shelf ls -q --type vae | xargs shelf rm -y
    """
    with session.open() as manager:
        every = {model.key: model for model in [*manager.list_pipelines(), *manager.list_models()]}
    kept = [
        model
        for model in every.values()
        if kind in {None, model.type} and (base is None or base in model.bases)
    ]
    print_models(session, sorted(kept, key=_ORDERS[sort]))
