"""Flags that several verbs share, so that they are called and explained alike everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from modelshelf.cli.session import Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "GivenPath",
    "OneOfMany",
    "complete_name",
    "dry_run",
    "global_options",
    "never_asks",
    "verb_options",
    "yes",
]

Decorated = TypeVar("Decorated", bound=Callable[..., object])


class GivenPath(click.Path):
    """A path to look at. An empty one is refused: a variable that held nothing, not the current folder."""

    def __init__(self) -> None:
        # Whoever reads it says why that failed, and goes on with the others.
        super().__init__(path_type=Path, readable=False)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Return *value* as a `Path`."""
        if not os.fspath(value):
            self.fail("an empty path names nothing", param, ctx)
        return super().convert(value, param, ctx)


class OneOfMany(click.Choice[str]):
    """One of more words than anybody wants to read: a slip names the nearest instead of all."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Return what is wrong with *value*."""
        nearest = get_close_matches(str(value).casefold(), self.choices, n=3)
        if not nearest:
            return super().get_invalid_choice_message(value, ctx)
        return f"{value!r} is not one of its words; did you mean {' or '.join(nearest)}?"


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    session = ctx.ensure_object(Session)
    if value is not None and param.name is not None:
        setattr(session, param.name, value)


def _options(function: Decorated, *, hidden: bool) -> Decorated:
    remembered = partial(click.option, default=None, expose_value=False, callback=_remember)
    rare = partial(remembered, hidden=hidden)
    for decorate in (
        rare("--no-progress", "progress", flag_value=False, help="No progress bars."),
        rare("--color/--no-color", help="Colours, or none; `NO_COLOR` counts."),
        rare("--root", metavar="FOLDER", help="The library; default `$MODELSHELF_ROOT`."),
        remembered("-q", "--quiet", flag_value=True, help="Keys only, one per line."),
        remembered("--json", flag_value=True, help="One JSON document; sizes are bytes."),
    ):
        function = decorate(function)
    return function


def global_options(function: Decorated) -> Decorated:
    """Add the flags that stand before the verb."""
    return _options(function, hidden=False)


def verb_options(function: Decorated) -> Decorated:
    """Accept the global flags after the verb too; only the two that matter there are listed."""
    return _options(function, hidden=True)


def dry_run(function: Decorated) -> Decorated:
    """Add `--dry-run`."""
    return click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")(
        function
    )


def yes(function: Decorated) -> Decorated:
    """Add `-y` to a verb that asks."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)


def never_asks(function: Decorated) -> Decorated:
    """Accept `-y` on a changing verb that has nothing to ask, so that scripts need not care."""
    return click.option("-y", "--yes", is_flag=True, expose_value=False, hidden=True)(function)


def complete_name(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click's signature
    incomplete: str,
) -> list[CompletionItem]:
    """Complete a model's name from the database, without settings, YAML or SQLAlchemy."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell asks

    from modelshelf.records.names import read_names  # noqa: PLC0415
    from modelshelf.settings.location import database_path  # noqa: PLC0415

    session = ctx.ensure_object(Session)
    return [CompletionItem(name) for name in read_names(database_path(session.root), incomplete)]
