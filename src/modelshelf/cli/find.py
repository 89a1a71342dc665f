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

    A digest is BLAKE3, SHA-256, AutoV3 or imohash of a file or model, six digits of it at least; so
    the ten digits of an AutoV2, as web sites and pictures name models, are one.

    \b
    shelf find inpaint
    shelf find 6CE0161689
    shelf find ~/Downloads/unnamed.safetensors
    """
    with session.open() as manager:
        models = manager.find(text)
    if not models:
        raise UnknownModelException(wanted=text)
    print_models(session, models)
