"""`shelf config`: which settings hold, who said so, and what the settings file says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from modelshelf.cli.options import never_asks, verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table, warn
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable
from modelshelf.errors import UnwritableSettingsError, UsageError

if TYPE_CHECKING:
    from modelshelf.settings.written_file import SettingsFile

__all__ = ["command"]


@click.group("config")
@verb_options
def command() -> None:
    """Show the settings, and change the settings file.

    Flags count more than `MODELSHELF_*` variables, and these more than `ROOT/modelshelf.yaml`.
    """


@command.command("show")
@click.option("--origin", is_flag=True, help="Where each value comes from, too.")
@verb_options
@click.pass_obj
def show(session: Session, *, origin: bool) -> None:
    """List every setting with its value."""
    settings = session.settings()
    if _file(session).is_exposed:
        path = settings.file_path
        warn(session, f"`{path}` holds a token and others can read it: `chmod 600 {path}`")
    rows = [
        (name, str(settings.value(name)), came_from)
        for name, came_from in settings.origins().items()
    ]
    if session.json:
        print_document(
            [{"name": name, "value": value, "origin": source} for name, value, source in rows]
        )
    elif session.quiet:
        print_lines(name for name, _, _ in rows)
    elif origin:
        print_table(session, ("SETTING", "VALUE", "ORIGIN"), rows)
    else:
        print_table(session, ("SETTING", "VALUE"), [row[:2] for row in rows])


@command.command("path")
@verb_options
@click.pass_obj
def path(session: Session) -> None:
    """Print where the settings file is, or would be."""
    file = session.settings().file_path
    if session.json:
        print_document({"path": file, "exists": file.exists()})
    else:
        print_lines([printable(str(file))])


@command.command("set")
@click.argument("name")
@click.argument("value", required=False)
@never_asks
@verb_options
@click.pass_obj
def set_value(session: Session, name: str, value: str | None) -> None:
    """Write a setting into the settings file; the comments in it stay.

    A token is asked for, unseen, where VALUE is left out or `-`; a pipe may give it. Only you can read the
    file from then on.

    \b
    shelf config set trash.days 7
    shelf config set hugging_face.token
    """
    from modelshelf.settings.written_file import is_secret  # noqa: PLC0415 - slow

    if value is None or (value == "-" and is_secret(name)):
        if not is_secret(name):
            raise UsageError(
                problem=f"`{name}` has no value", remedy=f"`shelf config set {name} VALUE`"
            )
        value = _asked(name)
    if not value:
        raise UsageError(problem="an empty value", remedy=f"`shelf config unset {name}`")
    file = _file(session)
    try:
        file.set(name, value)
    except OSError as error:
        raise _unwritable(file, error) from error
    holds = session.settings()
    if session.json:
        print_document({"name": name, "value": str(holds.value(name)), "path": file.path})
    elif not session.quiet:
        print_lines([f"{name}  {printable(str(holds.value(name)))}"])
    origin = holds.origins()[name]
    if not origin.startswith("file"):
        warn(session, f"`{name}` still comes from {origin}, which counts more")


@command.command("unset")
@click.argument("name")
@never_asks
@verb_options
@click.pass_obj
def unset_value(session: Session, name: str) -> None:
    """Take a setting out of the settings file, so that its default holds."""
    file = _file(session)
    try:
        was_there = file.unset(name)
    except OSError as error:
        raise _unwritable(file, error) from error
    value = str(session.settings().value(name))
    if session.json:
        print_document({"name": name, "value": value, "path": file.path, "was_set": was_there})
    elif not session.quiet:
        print_lines([f"{name}  {printable(value)}"])
    if not was_there:
        note(session, f"`{name}` was not in {file.path}")


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(click.prompt(name, hide_input=True, err=True)).strip()


def _file(session: Session) -> SettingsFile:
    from modelshelf.settings.location import library_root  # noqa: PLC0415 - slow
    from modelshelf.settings.sources import FILE_NAME  # noqa: PLC0415
    from modelshelf.settings.written_file import SettingsFile  # noqa: PLC0415

    # Not by the settings: a file with a wrong value is to be corrected.
    return SettingsFile(library_root(session.root) / FILE_NAME)


def _unwritable(file: SettingsFile, error: OSError) -> UnwritableSettingsError:
    reason = error.strerror or type(error).__name__
    return UnwritableSettingsError(path=str(file.path), reason=reason)
