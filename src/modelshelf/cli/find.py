"""`shelf find`: which model is that?"""

from __future__ import annotations

import click

from modelshelf.cli.models import print_models
from modelshelf.cli.options import complete_name, verb_options
from modelshelf.cli.session import Session
from modelshelf.errors import UnknownModelException

__all__ = ["command"]


@click.command("find")
@click.argument("text", shell_complete=complete_name)
@verb_options
@click.pass_obj
def command(session: Session, text: str) -> None:
    """Find models by name, source, digest, or a file on disk.

    TEXT is a part of a name or source, the start of a digest, or a path. What lies at a path is
    looked up by its content, whatever it is called. Finding nothing is exit 4.

    \b
    shelf find inpaint
    shelf find ~/Downloads/unnamed.safetensors
    """
    with session.open() as manager:
        models = manager.find(text)
    if not models:
        raise UnknownModelException(wanted=text)
    print_models(session, models)
