"""`shelf gc`: free what no model needs."""

from __future__ import annotations

from datetime import timedelta

import click

from modelshelf.cli.options import dry_run, verb_options, yes
from modelshelf.cli.output import print_document, print_lines
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.question import agreed
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size
from modelshelf.errors import UsageError
from modelshelf.schema.report import GarbageReport

__all__ = ["command"]

_DECLINED = 1
_MOST_DIGITS = 5
"""Of a number of days: before that there was no calendar that Python knows."""


@click.command("gc")
@click.option(
    "--garbage", is_flag=True, help="What no model needs, and what the trash has kept for its time."
)
@click.option(
    "--trash",
    metavar="DAYS|all",
    help="Also what was deleted at least so many days ago. It cannot be brought back.",
)
@click.option(
    "--unknown",
    is_flag=True,
    help="Also whole parts that the database does not know, as after an older one was put back.",
)
@dry_run
@yes
@verb_options
@click.pass_obj
def command(
    session: Session,
    *,
    garbage: bool,
    trash: str | None,
    unknown: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Free what no model needs. Says what it would free, then asks.

    \b
    shelf gc --garbage --dry-run
    shelf gc --trash 30 -y
    shelf gc --trash all
    """
    if not garbage and trash is None and not unknown:
        raise UsageError(
            problem="`shelf gc` wants to be told what to free",
            remedy="give `--garbage`, `--trash DAYS` or `--trash all`; `--dry-run` shows what goes",
        )
    expire = _age(trash)
    with session.open() as manager:
        if dry_run or (not yes and session.can_ask):
            foreseen = manager.collect_garbage(expire_trash=expire, unknown=unknown, dry_run=True)
            _print(session, foreseen, "would free")
            if dry_run:
                return 0
        if not agreed(session, "freeing this for good", yes=yes):
            return _DECLINED
        with progress_bar(session) as progress:
            report = manager.collect_garbage(
                expire_trash=expire, unknown=unknown, progress=progress
            )
    _print(session, report, "freed")
    return 0


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text == "all":
        return timedelta(0)
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise UsageError(
            problem=f"`--trash` takes a number of days up to 99999 or `all`, not `{text}`",
            remedy="for example `shelf gc --trash 30`",
        )
    return timedelta(days=int(text))


def _print(session: Session, report: GarbageReport, verb: str) -> None:
    if session.json:
        print_document({"dry_run": verb != "freed", "report": report})
        return
    if session.quiet:
        return
    total = human_size(report.bytes_freed + report.relinked_bytes)
    counts = (
        (report.trash, "deleted models"),
        (report.parts, "parts"),
        (report.folders, "left-over folders"),
        (report.views_repaired, "views made anew"),
    )
    what = ", ".join(f"{count} {noun}" for count, noun in counts if count)
    print_lines([f"{verb} {total}" + (f": {what}" if what else "")])
