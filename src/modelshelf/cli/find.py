"""`shelf find`: which model is that?"""

from __future__ import annotations

from pathlib import Path

import click

from modelshelf.cli.models import print_models
from modelshelf.cli.options import complete_name, verb_options
from modelshelf.cli.selection import SelectorCommand, has_selector_form, read_selector, selected
from modelshelf.cli.session import Session
from modelshelf.errors import NothingFoundError, UsageError

__all__ = ["command"]


@click.command("find", cls=SelectorCommand)
@click.argument(
    "words", nargs=-1, required=True, metavar="TEXT | SELECTOR...", shell_complete=complete_name
)
@verb_options
@click.pass_obj
def command(session: Session, words: tuple[str, ...]) -> None:
    """Find models by name, source, digest, file or selector.

    TEXT is a part of a name or source, the start of a digest, or a path. What lies at a path is
    looked up by its content, whatever it is called. Finding nothing is exit 4.

    A digest is BLAKE3, SHA-256, AutoV3 or imohash of a file or model, six digits of it at least; so
    the ten digits of an AutoV2, as web sites and pictures name models, are one.

    With a condition such as `type:lora` among them, the words are a SELECTOR as `shelf ls` takes it.

    \b
    shelf find inpaint
    shelf find 6CE0161689
    shelf find ~/Downloads/unnamed.safetensors
    shelf find type:lora watercolor
    """
    text = " ".join(words)
    if not text.strip():
        # Every name has nothing in it: a script with an empty variable would go on with all models.
        raise UsageError(
            problem="there is nothing to look for", remedy="`shelf ls` lists all models"
        )
    wanted = read_selector(words) if has_selector_form(text) and not _is_there(text) else None
    with session.open() as manager:
        models = manager.find(text) if wanted is None else selected(manager, wanted)
    if not models:
        raise NothingFoundError(wanted=text)
    print_models(session, models)


def _is_there(text: str) -> bool:
    """Say whether *text* is the path of something, whatever signs are in it."""
    path = Path(text)
    try:
        return ("/" in text or bool(path.suffix)) and path.expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
