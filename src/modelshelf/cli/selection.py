"""Selectors on the command line: read from the shell's words, and turned into models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from modelshelf.schema.selector import Order, Selector

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ModelInfo

__all__ = [
    "SelectorCommand",
    "everything",
    "has_selector_form",
    "ranks",
    "read_selector",
    "selected",
]

_NEGATED = re.compile(r"^-(?=[A-Za-z_]+[:<>=~^]|\()")
"""The minus of `-tag:draft`, which is no option: those have two, or stand alone."""
_CONDITION = re.compile(r"(?:^|[\s(-])([A-Za-z_]+)(?::(?!//)|[<>=~^])")


class SelectorCommand(click.Command):
    """A verb among whose words may be conditions that begin with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options; `-tag:draft` is the condition `not tag:draft`."""
        return super().parse_args(ctx, [_NEGATED.sub("not ", each) for each in args])


def has_selector_form(text: str) -> bool:
    """Say whether somewhere in *text* is a condition on an attribute, perhaps one with a slip in its name.

    Digests, URLs and other words with a colon have not.

    Example:
        >>> [has_selector_form(each) for each in ("type:lora", "ink size>2GB", "tpye:lora")]
        [True, True, True]
        >>> [has_selector_form(each) for each in ("ink", "sha256:6ce0161689", "https://type.org", "a: b")]
        [False, False, False, False]
    """
    from modelshelf.schema.selector_words import ATTRIBUTES  # noqa: PLC0415 - a wordlist

    return any(
        bool(get_close_matches(found[1].lower(), ATTRIBUTES, n=1, cutoff=0.75))
        for found in _CONDITION.finditer(text)
    )


def read_selector(words: Sequence[str]) -> Selector:
    """Return the conditions that the shell's words are together, ages counted from now.

    Raises:
        InvalidSelectorError: They cannot be read.
    """
    from modelshelf.schema.selector_language import parse_selector  # noqa: PLC0415

    return parse_selector(" ".join(words), now=datetime.now(UTC))


def selected(manager: NormalizedModelManager, selector: Selector) -> list[ModelInfo]:
    """Return the models that *selector* selects, sorted by name."""
    keys = set(manager.store.find_keys(selector))
    kept = {model.key: model for model in everything(manager) if model.key in keys}
    return sorted(kept.values(), key=lambda model: (model.name, model.id, model.key))


def everything(manager: NormalizedModelManager) -> list[ModelInfo]:
    """Return the models that the library holds, and those that it has a record of."""
    return [*manager.list_pipelines(), *manager.list_models(), *manager.elsewhere()]


def ranks(manager: NormalizedModelManager, *, latest_first: bool = True) -> dict[str, int]:
    """Return the place of each key when models are sorted by their last use; the never used come last."""
    keys = manager.store.find_keys(order=Order.USED, descending=latest_first)
    return {key: place for place, key in enumerate(keys)}
