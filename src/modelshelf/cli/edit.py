"""`shelf edit`: say what stored models are called, and what people should know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.options import complete_name, dry_run, never_asks, verb_options
from modelshelf.cli.output import print_document, print_lines
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable
from modelshelf.errors import DuplicateModelException, UsageError

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.config import AnyModelConfig
    from modelshelf.schema.model import ModelInfo

__all__ = ["command"]

_LONGEST = 60
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be said; None and empty lists leave a field as it is."""

    texts: Mapping[str, str | None]
    """Field → its new text; an empty one takes it away."""
    more: Mapping[str, tuple[str, ...]]
    """List of words → what it is to have."""
    fewer: Mapping[str, tuple[str, ...]]
    """List of words → what it is to lack."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be said."""
        is_silent = all(text is None for text in self.texts.values())
        return is_silent and not any((*self.more.values(), *self.fewer.values()))


@dataclass(frozen=True, slots=True)
class _Edited:
    """What one model's record said, and says now."""

    key: str
    """The model's."""
    name: str
    """The model's, as it is now."""
    changes: Mapping[str, Mapping[str, object]]
    """Field → `before` and `after`; none where it said so already."""


@click.command("edit")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=complete_name)
@click.option("--name", help="What to call it from now on.")
@click.option("--description", help="For people.")
@click.option("--tag", "tags", multiple=True, help="A tag to give it; may be repeated.")
@click.option("--untag", "untags", multiple=True, help="A tag to take from it; may be repeated.")
@click.option("--author", help="Who made it.")
@click.option("--license", "license_", help="Under which terms.")
@click.option(
    "--trigger",
    "triggers",
    multiple=True,
    metavar="PHRASE",
    help="What to put into a prompt; may be repeated.",
)
@click.option(
    "--untrigger", "untriggers", multiple=True, metavar="PHRASE", help="What not to, any more."
)
@dry_run
@never_asks
@verb_options
@click.pass_obj
def command(  # noqa: PLR0913 - one for each option
    session: Session,
    models: tuple[str, ...],
    *,
    name: str | None,
    description: str | None,
    tags: tuple[str, ...],
    untags: tuple[str, ...],
    author: str | None,
    license_: str | None,
    triggers: tuple[str, ...],
    untriggers: tuple[str, ...],
    dry_run: bool,
) -> int:
    """Edit names, tags and what else is said of models.

    An empty text takes a description, an author or a license away. What a model is, as its type and
    base, is for `shelf identify` to say.

    \b
    shelf edit LoWRA --tag night --tag "low light" --author "Jane Doe"
    shelf edit LoWRA --name low-light --dry-run
    shelf ls -q type:lora tag:draft | xargs shelf edit --untag draft
    """
    wish = _Wish(
        texts={"name": name, "description": description, "author": author, "license": license_},
        more={"tags": tags, "trigger_phrases": triggers},
        fewer={"tags": untags, "trigger_phrases": untriggers},
    )
    _check(models, wish)
    batch = Batch(session)
    edited: list[_Edited] = []
    with session.open() as manager:
        for model in models:
            with batch.item(model):
                edited.append(_edit(manager, model, wish, dry_run=dry_run))
    _print(session, edited, batch, dry_run=dry_run)
    return batch.status


def _check(models: tuple[str, ...], wish: _Wish) -> None:
    example = "`shelf edit MODEL --tag TAG`"
    if wish.is_empty:
        raise UsageError(problem="nothing is to be said of the model", remedy=example)
    if wish.texts["name"] is not None and len(models) > 1:
        raise UsageError(problem="`--name` is for one model", remedy="edit one after another")
    for field, words in wish.more.items():
        both = {each.casefold() for each in words} & {each.casefold() for each in wish.fewer[field]}
        if both:
            problem = f"`{min(both)}` is to be given and to be taken away"
            raise UsageError(problem=problem, remedy="give one or the other")


def _edit(manager: NormalizedModelManager, model: str, wish: _Wish, *, dry_run: bool) -> _Edited:
    from modelshelf.schema.config import merge_config  # noqa: PLC0415 - forty classes

    info = manager.get_model(model)
    config = manager.store.get_model(info.key)
    changes = _changes(config, wish)
    after = merge_config(config, changes)
    if changes and dry_run:
        _foresee(manager, info, after)
    elif changes:
        # Lists are changed from what was read, so only if nobody changed them since.
        after = manager.store.update_model(info.key, {**changes, "revision": config.revision})
    told = {
        field: {"before": getattr(config, field), "after": getattr(after, field)}
        for field in changes
    }
    return _Edited(info.key, after.name, told)


def _changes(config: AnyModelConfig, wish: _Wish) -> dict[str, object]:
    """Return the fields that *config* does not have as wished, with their new values."""
    wanted: dict[str, object] = {}
    for field, text in wish.texts.items():
        if text is not None:
            # Where a description or author can be none, an empty one is none.
            wanted[field] = text or (None if field in {"description", "author"} else "")
    for field in wish.more:
        words: list[str] = getattr(config, field)
        wanted[field] = _reworded(words, wish.more[field], wish.fewer[field])
    return {field: value for field, value in wanted.items() if value != getattr(config, field)}


def _reworded(words: Iterable[str], more: Iterable[str], fewer: Iterable[str]) -> list[str]:
    """Return *words* without *fewer* and with *more*; the case of letters makes no other word."""
    unwanted = {word.casefold() for word in fewer}
    kept = {word.casefold(): word for word in words if word.casefold() not in unwanted}
    for word in more:
        kept.setdefault(word.casefold(), word)
    return list(kept.values())


def _foresee(manager: NormalizedModelManager, info: ModelInfo, after: AnyModelConfig) -> None:
    """Refuse the name that the library would refuse: that of the same content, base and source."""
    for other in [*manager.list_pipelines(), *manager.list_models()]:
        is_same = (other.hash, other.is_pipeline, other.source) == (
            info.hash,
            info.is_pipeline,
            info.source,
        )
        if (
            is_same
            and other.key != info.key
            and (other.name, other.base) == (after.name, info.base)
        ):
            matches = f"{other.key[:12]} ({after.name})"
            raise DuplicateModelException(wanted=after.name, count=2, matches=matches)


def _print(session: Session, edited: list[_Edited], batch: Batch, *, dry_run: bool) -> None:
    title = "would_edit" if dry_run else "edited"
    if session.json:
        print_document({"dry_run": dry_run, title: edited, "failed": batch.failed})
    elif session.quiet:
        print_lines(each.key for each in edited)
    else:
        for each in edited:
            told = [f"{_title(field)}: {_value(of['after'])}" for field, of in each.changes.items()]
            act = title.replace("_", " ") if told else "unchanged"
            print_lines(["  ".join([act, printable(each.name), *told])])


def _title(field: str) -> str:
    return field.replace("_", " ")


def _value(value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return printable(shown) or "none"
