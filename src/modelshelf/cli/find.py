"""`shelf find`: which model is that?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.models import print_models
from modelshelf.cli.options import complete_name, verb_options
from modelshelf.cli.output import note, print_table
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.selection import SelectorCommand, has_selector_form, read_selector, selected
from modelshelf.cli.session import Session
from modelshelf.errors import EmptySourceError, NothingFoundError, UsageError
from modelshelf.errors.base import counted
from modelshelf.schema.progress import Progress

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.schema.model import ModelInfo

__all__ = ["command"]

_HEADERS = ("NAME", "TYPE", "BASE", "KEY", "PATH")
_SPARE = (3,)
"""What a narrow terminal leaves out: the name tells most models, too."""


@click.command("find", cls=SelectorCommand)
@click.argument(
    "words", nargs=-1, required=True, metavar="TEXT | SELECTOR...", shell_complete=complete_name
)
@verb_options
@click.pass_obj
def command(session: Session, words: tuple[str, ...]) -> int:
    """Find models by name, source, digest, file or selector.

    TEXT is a part of a name or source, the start of a digest, or a path. What lies at a path is
    looked up by its content, whatever it is called; a folder of several models as each of them.
    Finding nothing is exit 4, finding some of a folder exit 3.

    A digest is BLAKE3, SHA-256, AutoV3 or imohash of a file or model, six digits of it at least; so
    the ten digits of an AutoV2, as web sites and pictures name models, are one.

    With a condition such as `type:lora` among them, the words are a SELECTOR as `shelf ls` takes it.

    \b
    shelf find inpaint
    shelf find 6CE0161689
    shelf find ~/Downloads/unnamed.safetensors
    shelf find type:lora watercolor
    """
    text = " ".join(words)
    if not text.strip():
        # Every name has nothing in it: a script with an empty variable would go on with all models.
        raise UsageError(
            problem="there is nothing to look for", remedy="`shelf ls` lists all models"
        )
    path = _path(text)
    with session.open() as manager:
        if path is not None:
            several = _several(manager, path)
            if several:
                return _find_each(session, manager, path, several)
        wanted = read_selector(words) if has_selector_form(text) and path is None else None
        models = manager.find(text) if wanted is None else selected(manager, wanted)
    if path is None and _path(f"./{text}") is not None:
        note(session, f"looked for as text: `./{text}` is the file or folder of that name")
    if not models:
        raise NothingFoundError(wanted=text)
    print_models(session, models)
    return 0


def _several(manager: NormalizedModelManager, path: Path) -> list[Path]:
    """Return the models in a folder that is none itself; nothing where it is one, or has none."""
    try:
        found = sorted(manager.discover(path))
    except EmptySourceError:
        return []
    return [] if found == [path] else found


def _find_each(
    session: Session, manager: NormalizedModelManager, folder: Path, paths: Sequence[Path]
) -> int:
    """Look each of *paths* up, and print what was found; say what is not in the library."""
    batch = Batch(session)
    found: list[tuple[Path, list[ModelInfo]]] = []
    with progress_bar(session, counted="models") as report:
        for done, path in enumerate(paths, 1):
            with batch.search(str(path)):
                same = manager.find(str(path))
                missing = None if same else NothingFoundError(wanted=str(path))
                # People see it in the table.
                batch.take(str(path), missing, tell=session.json)
                found.append((path, same))
            report(Progress("looking", str(path), done, len(paths)))
    models = {info.key: info for _, same in found for info in same}
    if found and not models:
        raise NothingFoundError(wanted=str(folder))
    if session.json or session.quiet:
        print_models(session, list(models.values()))
        return batch.status
    rows = [row for path, same in found for row in _rows(path, same)]
    print_table(session, _HEADERS, rows, keep_end=frozenset({len(_HEADERS) - 1}), spare=_SPARE)
    here = sum(bool(same) for _, same in found)
    note(session, f"{here} of {counted(len(paths), 'model')} here")
    return batch.status


def _rows(path: Path, same: Sequence[ModelInfo]) -> Iterator[tuple[str, ...]]:
    for info in same:
        yield info.name, info.type, ",".join(info.bases), info.key, str(path)
    if not same:
        yield "-", "-", "-", "-", str(path)


def _path(text: str) -> Path | None:
    """Return the path of something that *text* is, whatever signs are in it."""
    path = Path(text)
    try:
        if "/" not in text and not path.suffix:
            return None
        path = path.expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None
