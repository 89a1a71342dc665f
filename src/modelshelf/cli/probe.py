"""`shelf probe`: what is that file or folder, and how can one tell?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.options import GivenPath, verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.session import Session
from modelshelf.errors.base import counted
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.progress import Progress

if TYPE_CHECKING:
    from modelshelf.cli.probing import Probed

__all__ = ["command"]

_LEFT = frozenset(IdentityStatus) - {IdentityStatus.IDENTIFIED}
"""States that leave somebody asking why."""


@click.command("probe")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=GivenPath())
@click.option("--explain", is_flag=True, help="What decided, and what is written about it.")
@click.option("--follow-links", is_flag=True, help="Take files that links point to elsewhere, too.")
@verb_options
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], *, explain: bool, follow_links: bool) -> int:
    """Say what files and folders are. Adds nothing, and needs no library.

    Reads headers and configs, and what stands beside a file, no weights. A folder that is no model
    is searched: one line a model, sorted, and the counts. What cannot be read is a line too, and exit 3.

    A `?` behind the base: one of these, and nothing tells which. With `-q`: the type alone.

    \b
    shelf probe ~/Downloads/unnamed.safetensors --explain
    shelf probe ~/ComfyUI/models
    """
    began = time.monotonic()
    batch = Batch(session)
    models = _discover(session, batch, paths)
    is_single = len(models) == 1
    whole = explain or session.json or is_single
    probed = list(_probe(session, batch, models, whole=whole, follow_links=follow_links))
    if session.json:
        _print_json(probed, batch)
    elif session.quiet:
        print_lines(one.identity.type for one in probed if one.identity is not None)
    else:
        _print(session, probed, explain=explain)
        if not is_single and probed:
            _print_summary(session, probed, time.monotonic() - began, explained=explain)
    return batch.status


def _discover(session: Session, batch: Batch, paths: Sequence[Path]) -> list[Path]:
    """Return the models at all paths, each once; the library's own copies are not searched for."""
    from modelshelf.install.discovery import discover_models  # noqa: PLC0415 - help needs no models
    from modelshelf.settings.location import library_root  # noqa: PLC0415

    root = library_root(session.root).resolve()
    models: dict[Path, None] = {}
    for path in paths:
        with batch.search(str(path)):
            inside = root != path.resolve() and root.is_relative_to(path.resolve())
            found = discover_models(path, apart=[root] if inside else [])
            models |= dict.fromkeys(sorted(found))
    return list(models)


def _probe(
    session: Session, batch: Batch, models: Sequence[Path], *, whole: bool, follow_links: bool
) -> Iterator[Probed]:
    from modelshelf.cli.probing import probe_all  # noqa: PLC0415 - help needs no readers

    # A table tells what could not be read on a line of its own; everybody else needs the whole error.
    tells = session.json or session.quiet or len(models) == 1
    with progress_bar(session, counted="models") as report:
        for done, one in enumerate(probe_all(models, whole=whole, follow_links=follow_links), 1):
            report(Progress("probing", str(one.path), done, len(models)))
            batch.take(str(one.path), one.error, tell=tells)
            yield one


def _print_json(probed: Sequence[Probed], batch: Batch) -> None:
    from modelshelf.cli.identity_text import summary  # noqa: PLC0415

    found = [
        {
            "path": one.path,
            "identity": one.identity,
            "findings": one.findings,
            "metadata": one.metadata.document(),
        }
        for one in probed
        if one.identity is not None
    ]
    print_document({"probed": found, "failed": batch.failed, "summary": summary(probed)})


def _print(session: Session, probed: Sequence[Probed], *, explain: bool) -> None:
    from modelshelf.cli.identity_text import (  # noqa: PLC0415
        HEADERS,
        PATH_COLUMN,
        SPARE_COLUMNS,
        block,
        row,
    )

    if explain or len(probed) == 1:
        for one in probed:
            if one.identity is not None or len(probed) > 1:
                print_lines(block(one, explain=explain))
            if one.identity is not None and one.identity.status in _LEFT and not explain:
                note(session, "`--explain` tells why no more is known")
    elif probed:
        end = frozenset({PATH_COLUMN})
        print_table(session, HEADERS, map(row, probed), keep_end=end, spare=SPARE_COLUMNS)


def _print_summary(
    session: Session, probed: Sequence[Probed], seconds: float, *, explained: bool
) -> None:
    from modelshelf.cli.identity_text import summary  # noqa: PLC0415

    counts = summary(probed)
    note(session, f"{counted(len(probed), 'model')} in {seconds:.1f} s")
    for title in ("types", "bases"):
        tally = counts[title]
        if isinstance(tally, dict) and tally:
            listed = ", ".join(f"{count} {name}" for name, count in tally.items())
            note(session, f"{title}: {listed}")
    words = ("undecided", "unknown", "broken", "unread", "damaged")
    if left := [f"{counts[word]} {word}" for word in words if counts[word]]:
        hint = "" if explained else "; `shelf probe --explain` tells why"
        note(session, f"left: {', '.join(left)}{hint}")
