"""What a verb prints: a table or lines for people, one document or keys for programs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path

import click

from modelshelf.cli.session import Session
from modelshelf.cli.text import columns, printable

__all__ = ["document", "note", "print_document", "print_lines", "print_table", "warn"]


def print_table(
    session: Session,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    keep_end: frozenset[int] = frozenset(),
    spare: Sequence[int] = (),
) -> None:
    """Print columns; on a terminal they fit its width, in a pipe nothing is shortened or left out."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    head, *body = columns(headers, rows, right=right, keep_end=keep_end, spare=spare, width=width)
    click.echo(click.style(head, bold=True), color=session.colors)
    if body:
        click.echo("\n".join(body), color=session.colors)


def print_lines(lines: Iterable[str]) -> None:
    """Print keys or ids, one per line."""
    text = "\n".join(lines)
    if text:
        click.echo(text)


def print_document(value: object) -> None:
    """Print *value* as the one JSON document of this run."""
    click.echo(json.dumps(document(value), indent=2))


def document(value: object) -> object:
    """Turn a noun into what JSON can say: enums by value, paths as text, times in ISO 8601, bytes as digits.

    Example:
        >>> from modelshelf import ModelType
        >>> document({"type": ModelType.VAE, "path": Path("/x")})
        {'type': 'vae', 'path': '/x'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _field(field.name, getattr(value, field.name)) for field in fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): document(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [document(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    # str() drops the enum around a text; json would keep it, but callers compare with `==`.
    return str(value) if isinstance(value, str | Path) else value


def _field(name: str, value: object) -> object:
    if name == "detail" and isinstance(value, str) and value.startswith("{"):
        # Kept as text in the database; one document has one syntax.
        return json.loads(value)
    if name == "details" and isinstance(value, tuple):
        # Pairs, so that the noun stays frozen; names are unique.
        return {str(key): document(each) for key, each in value}
    return document(value)


def note(session: Session, text: str) -> None:
    """Say something beside the data; silent with `-q` and `--json`."""
    if not session.quiet and not session.json:
        click.echo(printable(text), err=True)


def warn(session: Session, text: str) -> None:
    """Say something that a person should look at; silent with `-q`."""
    if not session.quiet:
        label = click.style("warning:", fg="yellow")
        click.echo(f"{label} {printable(text)}", err=True, color=session.colors)
