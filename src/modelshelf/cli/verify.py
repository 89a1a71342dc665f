"""`shelf verify`: is every stored byte what it was?"""

from __future__ import annotations

import click

from modelshelf.cli.options import verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table
from modelshelf.cli.progress import progress_bar
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size
from modelshelf.errors.base import counted
from modelshelf.schema.report import VerifyReport

__all__ = ["command"]

_DAMAGED = 7


@click.command("verify")
@click.option("--quick", is_flag=True, help="Names, sizes and counts only; reads no content.")
@verb_options
@click.pass_obj
def command(session: Session, *, quick: bool) -> int:
    """Check every stored byte. Say which models are hurt; change nothing.

    Exit 7 when something is damaged; debris that harms no model is listed, and exit 0.
    With `-q`: the names of hurt models.
    """
    with session.open() as manager, progress_bar(session) as progress:
        report = manager.verify(quick=quick, progress=progress)
    damaged = any(finding.is_damage for finding in report.findings)
    if session.json:
        print_document({"clean": report.clean, "damaged": damaged, "report": report})
    elif session.quiet:
        print_lines(report.damaged_models)
    else:
        _print(session, report)
    return _DAMAGED if damaged else 0


def _print(session: Session, report: VerifyReport) -> None:
    if report.findings:
        rows = [
            (finding.kind, finding.path, finding.detail, ", ".join(finding.models))
            for finding in report.findings
        ]
        print_table(session, ("FAULT", "WHERE", "DETAIL", "MODELS"), rows)
    verdict = "all is well" if report.clean else counted(len(report.findings), "finding")
    parts, files = counted(report.parts, "part"), counted(report.files, "file")
    size = human_size(report.bytes_read)
    note(session, f"{verdict}: {parts}, {files}, {size} read")
    if report.damaged_models:
        note(session, "hint: `shelf add` the same models again to repair them")
