"""`shelf job`: look at installations, and put them aside, resume, retry, cancel or forget them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.installing import installing, job_said, run_jobs
from modelshelf.cli.options import verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size
from modelshelf.errors import UnknownJobIDException

if TYPE_CHECKING:
    from modelshelf.install.job_folder import JobDocument, JobFolder, JobFolders, Wish
    from modelshelf.schema.install_job import ModelInstallJob

__all__ = ["command"]

_numbers = click.argument("numbers", nargs=-1, required=True, type=int, metavar="JOB...")


@click.group("job")
@verb_options
def command() -> None:
    """Look at installations, and pause, resume or end them.

    What was fetched stays until a job is done, cancelled or pruned. Jobs of another running program are
    controlled through it.
    """


@command.command("ls")
@verb_options
@click.pass_obj
def list_jobs(session: Session) -> None:
    """List jobs: under way, put aside, interrupted or failed."""
    with _folders(session) as folders:
        jobs = [_seen(folders, folder, document) for folder, document in folders.jobs()]
    if session.json:
        print_document([job_said(job) for job, _ in jobs])
    elif session.quiet:
        print_lines(str(job.id) for job, _ in jobs)
    else:
        rows = [
            (str(job.id), state, _amount(job), str(job.source), job.hint or "")
            for job, state in jobs
        ]
        headers = ("JOB", "STATE", "FETCHED", "SOURCE", "HINT")
        print_table(session, headers, rows, right=frozenset({0, 2}))


@command.command("pause")
@_numbers
@verb_options
@click.pass_obj
def pause(session: Session, numbers: tuple[int, ...]) -> int:
    """Put jobs of a running program aside; what came is kept."""
    from modelshelf.install.job_folder import Wish  # noqa: PLC0415 - slow

    return _ask(session, numbers, Wish.PAUSE, lambda _folder: None)


@command.command("cancel")
@_numbers
@verb_options
@click.pass_obj
def cancel(session: Session, numbers: tuple[int, ...]) -> int:
    """End jobs and remove what they fetched."""
    from modelshelf.install.job_folder import Wish  # noqa: PLC0415 - slow

    return _ask(session, numbers, Wish.CANCEL, lambda folder: folder.remove())


@command.command("resume")
@_numbers
@verb_options
@click.pass_obj
def resume(session: Session, numbers: tuple[int, ...]) -> int:
    """Go on with jobs that were put aside or interrupted."""
    return _go_on(session, numbers)


@command.command("retry")
@_numbers
@verb_options
@click.pass_obj
def retry(session: Session, numbers: tuple[int, ...]) -> int:
    """Try failed jobs again; what was fetched is not fetched again."""
    return _go_on(session, numbers)


@command.command("prune")
@verb_options
@click.pass_obj
def prune(session: Session) -> None:
    """Forget failed jobs, and what they fetched."""
    forgotten = []
    with _folders(session) as folders:
        for _, document in list(folders.jobs()):
            if not document.status.is_terminal:
                continue
            taken = folders.take_over(document.id)
            if taken is not None:
                taken[0].remove()
                forgotten.append(document.id)
    if session.json:
        print_document({"pruned": forgotten})
    elif session.quiet:
        print_lines(map(str, forgotten))
    else:
        note(session, f"forgot {len(forgotten)} job{'s' * (len(forgotten) != 1)}")


def _folders(session: Session) -> JobFolders:
    from modelshelf.disk import LocalDisk  # noqa: PLC0415 - slow
    from modelshelf.install.job_folder import JobFolders  # noqa: PLC0415

    return JobFolders(session.settings().cache_path / "installs", LocalDisk())


def _seen(
    folders: JobFolders, folder: JobFolder, document: JobDocument
) -> tuple[ModelInstallJob, str]:
    from modelshelf.download.held_on_disk import bytes_held  # noqa: PLC0415
    from modelshelf.install.installation import job_of  # noqa: PLC0415 - slow

    job = job_of(document, folder)
    if not job.complete:
        # Its program writes down how far it is from time to time; the files are there at once.
        here = bytes_held(folder.files)
        job.bytes = min(here, job.total_bytes) if job.total_bytes else here
    is_open = not document.status.is_terminal and not job.paused
    state = job.status.value
    if is_open:
        state = "running" if folders.is_alive(document) else "interrupted"
    return job, state


def _amount(job: ModelInstallJob) -> str:
    if not job.total_bytes:
        return human_size(job.bytes) if job.bytes else ""
    return f"{human_size(job.bytes)} of {human_size(job.total_bytes)}"


def _ask(
    session: Session, numbers: Sequence[int], wish: Wish, act: Callable[[JobFolder], None]
) -> int:
    """Ask the program that runs a job, or do it here where none does."""
    batch = Batch(session)
    with _folders(session) as folders:
        for number in numbers:
            with batch.item(str(number)):
                found = folders.find(number)
                if found is None:
                    raise UnknownJobIDException(job=str(number))
                folder, document = found
                if folders.is_alive(document):
                    folder.ask(wish)
                    note(session, f"asked the program that runs job {number}: {wish.value}")
                elif taken := folders.take_over(number):
                    act(taken[0])
                    note(session, f"{wish.value}: job {number}")
    if session.json:
        print_document({"jobs": list(numbers), "asked": wish.value, "failed": batch.failed})
    return batch.status


def _go_on(session: Session, numbers: Sequence[int]) -> int:
    from modelshelf.install.job_folder import Wish  # noqa: PLC0415 - slow

    batch = Batch(session)
    mine: list[int] = []
    with _folders(session) as folders:
        for number in numbers:
            with batch.search(str(number)):
                found = folders.find(number)
                if found is None:
                    raise UnknownJobIDException(job=str(number))
                folder, document = found
                if folders.is_alive(document):
                    folder.ask(Wish.RESUME)
                    batch.take(str(number), None)
                    note(session, f"asked the program that runs job {number}: resume")
                else:
                    mine.append(number)
    jobs: list[ModelInstallJob] = []
    if mine:
        with session.open() as manager, installing(session, manager) as (installer, events):
            jobs = [job for number in mine if (job := installer.take_up(number)) is not None]
            run_jobs(session, batch, events, jobs)
    if session.json:
        print_document({"installed": [job_said(job) for job in jobs], "failed": batch.failed})
    return batch.status
