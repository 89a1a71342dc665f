"""`shelf ls`: what the library holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from modelshelf.cli.models import print_models
from modelshelf.cli.options import OneOfMany, verb_options
from modelshelf.cli.output import note
from modelshelf.cli.selection import SelectorCommand, everything, ranks, read_selector, selected
from modelshelf.cli.session import Session
from modelshelf.schema.taxonomy import BaseModelType, ModelType

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ModelInfo

__all__ = ["command"]

_ORDERS: Mapping[str, Callable[[ModelInfo], tuple[str | float, ...]]] = {
    "name": lambda model: (model.name.casefold(), model.name, model.id, model.key),
    "size": lambda model: (-model.size, model.name, model.id, model.key),
    "added": lambda model: (
        -model.added_at.timestamp() if model.added_at else 0.0,
        model.id,
        model.key,
    ),
    "type": lambda model: (model.type, model.base, model.name.casefold(), model.id, model.key),
    "base": lambda model: (model.base, model.type, model.name.casefold(), model.id, model.key),
}
_BY_USE = "used"


@click.command("ls", cls=SelectorCommand)
@click.argument("selector", nargs=-1, metavar="[SELECTOR...]")
@click.option(
    "--type",
    "kind",
    type=OneOfMany([kind.value for kind in ModelType]),
    metavar="TYPE",
    help="Only this type, such as `main`, `lora` or `vae`.",
)
@click.option(
    "--base",
    type=OneOfMany([base.value for base in BaseModelType]),
    metavar="BASE",
    help="Only models that work with this base, such as `sd-1` or `sdxl`.",
)
@click.option(
    "--sort",
    type=click.Choice([*_ORDERS, _BY_USE]),
    default="name",
    show_default=True,
    help="By name, type or base, or the largest, newest or latest used first.",
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option(
    "--offset", type=click.IntRange(min=0), default=0, help="Leave out the first so many."
)
@click.option("--limit", type=click.IntRange(min=0), help="List so many at most.")
@verb_options
@click.pass_obj
def command(
    session: Session,
    *,
    selector: tuple[str, ...],
    kind: str | None,
    base: str | None,
    sort: str,
    reverse: bool,
    offset: int,
    limit: int | None,
) -> None:
    """List the models, or those that a SELECTOR selects.

    A model that lies elsewhere, of which the library has only a record, has `elsewhere` for its size.

    A SELECTOR is conditions and words, such as `type:lora`, `tag:ink` or 'size>2GB'; the shell wants
    quotes around `<`, `>` and parentheses. All must hold, unless `or` stands between them.

    \b
    shelf ls type:lora base:sdxl tag:ink -tag:draft
    shelf ls 'size>2GB used>90d' --sort size --limit 10
    shelf ls -q --type vae | xargs shelf rm -y
    """
    wanted = read_selector(selector) if selector else None
    with session.open() as manager:
        models = everything(manager) if wanted is None else selected(manager, wanted)
        kept = [
            model
            for model in {model.key: model for model in models}.values()
            if kind in {None, model.type} and (base is None or base in model.bases)
        ]
        ordered = _sorted(manager, kept, sort, reverse=reverse)
    page = ordered[offset:] if limit is None else ordered[offset : offset + limit]
    print_models(session, page)
    if not ordered:
        # A table of nothing looks like an answer that was cut off.
        is_empty = wanted is None and not models
        note(session, "no models yet: `shelf add PATH` adds some" if is_empty else "no model fits")


def _sorted(
    manager: NormalizedModelManager, models: list[ModelInfo], sort: str, *, reverse: bool
) -> list[ModelInfo]:
    if sort != _BY_USE:
        return sorted(models, key=_ORDERS[sort], reverse=reverse)
    place = ranks(manager, latest_first=not reverse)
    return sorted(models, key=lambda model: (place.get(model.key, len(place)), model.id, model.key))
