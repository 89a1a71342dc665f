"""How a failure is told: four parts for people, one JSON line for programs, always on stderr."""

from __future__ import annotations

import json

import click

from modelshelf.cli.session import Session
from modelshelf.cli.text import printable
from modelshelf.errors import ModelshelfError

__all__ = ["describe", "report", "report_usage"]


def describe(error: ModelshelfError) -> dict[str, object]:
    """Return the failure as programs get it; the keys are part of the contract."""
    return {
        "type": "error",
        "code": error.code,
        "exit": error.exit_status,
        "message": str(error),
        "hint": error.advice,
    }


def report(session: Session, error: ModelshelfError) -> int:
    """Tell what failed on stderr.

    Returns:
        The status to exit with.
    """
    if session.json:
        click.echo(json.dumps(describe(error)), err=True)
    else:
        _tell(session, str(error), error.kept, error.advice)
    return error.exit_status


def report_usage(session: Session, error: click.ClickException) -> int:
    """Tell what is wrong with the command line itself.

    Returns:
        The status to exit with.
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help(), err=True)
        return error.exit_code
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    hint = f"`{context.command_path if context else 'shelf'} --help` shows what is possible"
    if session.json:
        line = {"type": "error", "code": "usage", "exit": 2, "message": message, "hint": hint}
        click.echo(json.dumps(line), err=True)
    else:
        _tell(session, message, "Nothing was done.", hint)
    return 2


def _tell(session: Session, message: str, kept: str, hint: str) -> None:
    label = click.style("error:", fg="red", bold=True)
    click.echo(f"{label} {printable(message)}", err=True, color=session.colors)
    if kept:
        click.echo(f"       {kept}", err=True)
    if hint:
        label = click.style("hint:", fg="cyan")
        click.echo(f"{label} {printable(hint)}", err=True, color=session.colors)
