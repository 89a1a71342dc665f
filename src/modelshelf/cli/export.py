"""`shelf export`: give a model back, byte for byte, in its own layout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from modelshelf.cli.options import complete_name, dry_run, never_asks, verb_options
from modelshelf.cli.output import note, print_document, print_lines
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.errors import DestinationExistsError, DestinationUnusableError, UsageError
from modelshelf.errors.base import counted
from modelshelf.schema.taxonomy import ExportLayout, ExportMethod

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ExportOutcome

__all__ = ["command"]


@click.command("export")
@click.argument("model", shell_complete=complete_name)
@click.argument("destination", required=False, type=click.Path(path_type=Path), metavar="[FOLDER]")
@click.option(
    "--as",
    "method",
    type=click.Choice([method.value for method in ExportMethod]),
    default=ExportMethod.LINK.value,
    show_default=True,
    help="Links take no space and must not be written to; copies are yours.",
)
@click.option(
    "--layout",
    type=click.Choice([layout.value for layout in ExportLayout]),
    default=ExportLayout.ORIGINAL.value,
    show_default=True,
    help="As it came, or the diffusers folder that a checkpoint became.",
)
@click.option(
    "--to-tar",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write a tar archive instead; `-` is stdout.",
)
@click.option("--force", is_flag=True, help="Replace what is at the destination.")
@dry_run
@never_asks
@verb_options
@click.pass_obj
def command(
    session: Session,
    model: str,
    destination: Path | None,
    *,
    method: str,
    layout: str,
    to_tar: Path | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Give a model back, byte for byte, in its own layout.

    It is made in FOLDER, under its own name, as the files that were added.

    A checkpoint that was split is put together again; `--layout diffusers` gives its parts instead.

    \b
    shelf export stable-diffusion-1-5 ~/ComfyUI/models/diffusers
    shelf export LoWRA --to-tar - | ssh elsewhere tar -x
    """
    if (destination is None) == (to_tar is None):
        raise UsageError(
            problem="an export goes either into a folder or, with `--to-tar`, into an archive",
            remedy="name one of them: `shelf export MODEL FOLDER`",
        )
    with session.open() as manager:
        if dry_run:
            _plan(session, manager, model, layout)
        elif to_tar is not None:
            _write_tar(session, manager, model, to_tar, layout=layout, force=force)
        elif destination is not None:
            with progress_bar(session) as progress:
                outcome = manager.export(
                    selector=model,
                    destination=destination,
                    method=method,
                    layout=layout,
                    force=force,
                    progress=progress,
                )
            _tell(session, outcome)


def _tell(session: Session, outcome: ExportOutcome) -> None:
    if session.json:
        print_document(outcome)
        return
    print_lines([printable(str(outcome.path))])
    note(
        session,
        f"{counted(outcome.files, 'file')}, {human_size(outcome.size)}, by {outcome.method}",
    )


def _plan(session: Session, manager: NormalizedModelManager, model: str, layout: str) -> None:
    files = manager.files(model, layout=layout)
    size = sum(file.size for file in files)
    if session.json:
        print_document({"dry_run": True, "files": files, "size": size})
    else:
        print_lines(printable(file.member) for file in files)
        note(session, f"would export {counted(len(files), 'file')}, {human_size(size)}")


def _write_tar(
    session: Session,
    manager: NormalizedModelManager,
    model: str,
    target: Path,
    *,
    layout: str,
    force: bool,
) -> None:
    if str(target) == "-":
        if sys.stdout.isatty():
            raise UsageError(
                problem="an archive is not for a terminal",
                remedy="send stdout to a file or a program, or name a file instead of `-`",
            )
        with progress_bar(session) as progress:
            manager.export_tar(
                selector=model, stream=sys.stdout.buffer, layout=layout, progress=progress
            )
        return
    if target.exists() and not force:
        raise DestinationExistsError(path=str(target))
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as stream:
            size = _stream(session, manager, model, stream, layout)
        partial.replace(target)
    except OSError as error:
        raise DestinationUnusableError(path=str(target), reason=str(error.strerror)) from error
    finally:
        partial.unlink(missing_ok=True)
    print_lines([printable(str(target))])
    note(session, f"wrote {human_size(size)}")


def _stream(
    session: Session, manager: NormalizedModelManager, model: str, stream: BinaryIO, layout: str
) -> int:
    with progress_bar(session) as progress:
        return manager.export_tar(selector=model, stream=stream, layout=layout, progress=progress)
