"""`shelf show`: everything about one model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from modelshelf.cli.options import complete_name, verb_options
from modelshelf.cli.output import document, note, print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.taxonomy import BaseModelType, ModelType

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import FileInfo, ModelInfo, PartInfo

__all__ = ["command"]

_RECORD = "record"
"""All of the record, under the names that the web API uses: for programs alone."""
_TOLD_ABOVE = frozenset({"type", "format", "rules"})
"""Keys of the detail that say again what is shown before, or that say nothing to people."""


@click.command("show")
@click.argument("model", shell_complete=complete_name)
@click.option("--files", "with_files", is_flag=True, help="Its files too, with their digests.")
@verb_options
@click.pass_obj
def command(session: Session, model: str, *, with_files: bool) -> None:
    """Show one model: where it lies and what it is made of.

    MODEL is a name, a key or the start of one, an id, or the start of a digest.

    \b
    shelf show stable-diffusion-1-5 --files
    """
    with session.open() as manager:
        info = manager.get_model(model)
        is_asked = info.is_stored and (with_files or session.json)
        files = manager.files(info.key) if is_asked else []
        one = [] if session.json or session.quiet else _one_file(manager, info)
        said = _said(manager, info)
        written = manager.store.metadata(info.key).document() if session.json and said else {}
    if session.json:
        print_document({**_fields(info), **said, "metadata": written, "files": files})
    elif session.quiet:
        print_lines([info.key])
    else:
        _print(session, info, said, one, files)


def _said(manager: NormalizedModelManager, info: ModelInfo) -> dict[str, object]:
    """Return what people say of the model, from its record; an unnamed component has none."""
    if not manager.store.exists(info.key):
        return {}
    config = manager.store.get_model(info.key)
    return {
        "tags": config.tags,
        "trigger_phrases": config.trigger_phrases,
        "author": config.author or "",
        "license": str(config.license),
        _RECORD: config.to_http(),
    }


def _one_file(manager: NormalizedModelManager, info: ModelInfo) -> list[FileInfo]:
    """Return the file that the model is, or was; nothing for a folder."""
    if not info.is_stored or (info.is_pipeline and info.original is None):
        return []
    files = manager.files(info.key, layout="original")
    return files if info.original is not None or info.path.is_file() else []


def _fields(info: ModelInfo) -> dict[str, object]:
    found = document(info)
    return found if isinstance(found, dict) else {}


def _print(
    session: Session,
    info: ModelInfo,
    said: Mapping[str, object],
    one: Sequence[FileInfo],
    files: Sequence[FileInfo],
) -> None:
    facts = [*_facts(info, said), *_hashes(one)]
    width = max(len(title) for title, _ in facts)
    for title, text in facts:
        click.echo(f"{click.style(title.ljust(width), bold=True)}  {text}", color=session.colors)
    if info.parts:
        click.echo()
        _print_parts(session, info.parts)
    _advise(session, info)
    if files:
        click.echo()
        rows = [(file.member, human_size(file.size), file.blake3, file.sha256) for file in files]
        print_table(session, ("FILE", "SIZE", "BLAKE3", "SHA-256"), rows, right=frozenset({1}))


def _facts(info: ModelInfo, said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield "name", printable(info.name)
    yield "type", info.type
    yield "base", ", ".join(info.bases) or "unknown"
    detail = json.loads(info.detail)
    if candidates := detail.get("candidates"):
        yield "candidates", " or ".join(candidates)
    yield "format", info.format
    yield "size", f"{human_size(info.size)} ({info.size} bytes)"
    yield from _place(info)
    if info.original is not None:
        yield "came as", f"one {info.original.suffix} file of {info.original.size} bytes"
    if info.source:
        yield "source", printable(info.source)
    if info.description:
        yield "description", printable(info.description)
    for title, value in said.items():
        if value and title != _RECORD:
            text = ", ".join(value) if isinstance(value, list) else str(value)
            yield title.replace("_", " "), printable(text)
    if info.added_at is not None:
        yield "added", info.added_at.isoformat(sep=" ", timespec="seconds")
    yield from _detected(detail)


def _detected(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was found out, and what the user says instead."""
    for title, value in detail.items():
        # How it was found out is for programs, unless it was not found out.
        is_for_people = isinstance(value, str) and title not in _TOLD_ABOVE
        if is_for_people and value != IdentityStatus.IDENTIFIED:
            yield title.replace("_", " "), printable(value)
    if override := detail.get("override"):
        yield "your word", _fields_said(override, override)
        yield "detected", _fields_said(override, detail.get("detected", {}))


def _fields_said(fields: Iterable[str], said: Mapping[str, object]) -> str:
    """Say what *said* has in each of *fields*."""
    told: list[str] = []
    for field in fields:
        value = said.get(field) or "unknown"
        words = ", ".join(value) if isinstance(value, list) else str(value)
        told.append(f"{'base' if field == 'bases' else field.replace('_', ' ')}: {words}")
    return printable("; ".join(told))


def _advise(session: Session, info: ModelInfo) -> None:
    """Say how to learn why nobody knows the type or base of a model, and how to settle it."""
    is_open = info.type is ModelType.UNKNOWN or BaseModelType.UNKNOWN in info.bases
    if is_open:
        # Of a model that lies elsewhere the key may be any text.
        key = info.key[:12] if info.is_stored else shlex.quote(info.key)
        kind = "--type TYPE " if info.type is ModelType.UNKNOWN else ""
        note(session, f"`shelf probe {shlex.quote(info.location)} --explain` tells why")
        note(session, f"`shelf identify {key} {kind}--base BASE` settles it by your word")


def _place(info: ModelInfo) -> Iterator[tuple[str, str]]:
    yield "path", printable(info.location)
    yield "key", printable(info.key)
    if info.is_stored:
        yield "id", str(info.id)
    else:
        yield "stored", "no: it lies elsewhere, and only its record is here"
    if info.hash:
        yield "hash", printable(info.hash)


def _hashes(files: Sequence[FileInfo]) -> Iterator[tuple[str, str]]:
    """Yield what other programs call a model that is one file."""
    for file in files:
        yield "sha256", file.sha256
        yield "autov2", file.autov2
        if file.autov3:
            yield "autov3", file.autov3
        if file.imohash:
            yield "imohash", file.imohash


def _print_parts(session: Session, parts: Sequence[PartInfo]) -> None:
    rows = [
        (
            part.folder,
            part.type,
            ",".join(part.bases),
            human_size(part.size),
            str(part.refcount),
            part.hash.partition(":")[2][:12],
        )
        for part in parts
    ]
    headers = ("PART", "TYPE", "BASE", "SIZE", "USED BY", "BLAKE3")
    print_table(session, headers, rows, right=frozenset({3, 4}))
