"""`shelf probe`: what is that file or folder, and how can one tell?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.options import verb_options
from modelshelf.cli.output import print_document, print_lines
from modelshelf.cli.session import Session
from modelshelf.cli.text import printable
from modelshelf.schema.identity import Identity

__all__ = ["command"]


@click.command("probe")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@click.option("--explain", is_flag=True, help="What decided, and which rules nearly agreed.")
@verb_options
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], *, explain: bool) -> int:
    """Say what a file or folder is. Adds nothing.

    Reads headers and configs, no weights.

    With `-q`: the type alone.

    \b
    shelf probe ~/Downloads/unnamed.safetensors --explain
    """
    batch = Batch(session)
    found: list[tuple[Path, Identity]] = []
    with session.open() as manager:
        for path in paths:
            with batch.item(str(path)):
                found.append((path, manager.probe(path)))
    if session.json:
        probed = [{"path": path, "identity": identity} for path, identity in found]
        print_document({"probed": probed, "failed": batch.failed})
        return batch.status
    for path, identity in found:
        if session.quiet:
            print_lines([identity.type])
        else:
            print_lines([printable(str(path)), *_lines(identity, explain=explain, indent="  ")])
    return batch.status


def _lines(identity: Identity, *, explain: bool, indent: str) -> Iterator[str]:
    yield indent + "  ".join(_words(identity))
    if explain:
        for evidence in identity.evidence:
            observed = f"{evidence.where}: {evidence.found}"
            yield f"{indent}because {printable(observed)}  [{evidence.rule}]"
        for miss in identity.near_misses:
            yield f"{indent}not {miss.rule}: {printable(miss.missing)}"
    for component in identity.components:
        yield f"{indent}{printable(component.folder)} ({printable(component.class_name)})"
        yield from _lines(component.identity, explain=explain, indent=indent + "  ")


def _words(identity: Identity) -> Iterator[str]:
    yield identity.type
    if identity.bases:
        yield ",".join(identity.bases)
    elif identity.candidates:
        yield " or ".join(identity.candidates)
    else:
        yield "unknown base"
    yield identity.format
    for detail in (identity.variant, identity.prediction_type, identity.repo_variant):
        if detail is not None:
            yield detail
    if identity.precision is not None:
        yield identity.precision
