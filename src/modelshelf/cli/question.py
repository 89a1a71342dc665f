"""The yes that a changing verb needs."""

from __future__ import annotations

import click

from modelshelf.cli.session import Session
from modelshelf.errors import NeedsConfirmationError

__all__ = ["agreed"]


def agreed(session: Session, action: str, *, yes: bool) -> bool:
    """Ask whether to do *action*, unless `-y` was given.

    Args:
        session: Whose terminal is asked.
        action: A sentence without its question mark, such as `moving 2 models to the trash`.
        yes: `-y` was given.

    Returns:
        Whether to go on.

    Raises:
        NeedsConfirmationError: There is nobody to ask.
    """
    if yes:
        return True
    if not session.can_ask:
        raise NeedsConfirmationError(action=action)
    try:
        answer = click.confirm(f"{action}: go on?", err=True)
    except click.Abort:
        click.echo(err=True)  # what comes next begins on a line of its own
        raise
    if answer:
        return True
    click.echo("nothing was changed", err=True)
    return False
