"""`shelf job`: look at installations, and put them aside, resume, retry, cancel or forget them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.installing import installing, job_said, jobs_said, run_jobs, told_early
from modelshelf.cli.options import verb_options
from modelshelf.cli.output import note, print_document, print_lines, print_table, warn
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size
from modelshelf.errors import DamagedJobError, ForeignJobError, UnknownJobIDException

if TYPE_CHECKING:
    from modelshelf.install.job_folder import JobDocument, JobFolder, JobFolders, Wish
    from modelshelf.schema.install_job import ModelInstallJob

__all__ = ["command"]

_numbers = click.argument("numbers", nargs=-1, required=True, type=int, metavar="JOB...")
_token = click.option(
    "--token", envvar="SHELF_ADD_TOKEN", help="Access token for the sources that ask."
)
_STATES = {DamagedJobError: "damaged", ForeignJobError: "foreign"}
"""States of jobs that cannot be read."""


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
    """List jobs: under way, put aside, interrupted, failed or damaged."""
    with _folders(session) as folders:
        jobs = [_seen(folders, folder, document) for folder, document in folders.jobs()]
        damaged = [_seen_damaged(folder, damage) for _, folder, damage in folders.damaged()]
    shown = [(job_said(job), (state, _amount(job), str(job.source))) for job, state in jobs]
    shown += [(said, (said["status"], human_size(said["bytes"]), "?")) for said in damaged]
    shown.sort(key=lambda each: each[0]["id"])
    if session.json:
        print_document([said for said, _ in shown])
    elif session.quiet:
        print_lines(str(said["id"]) for said, _ in shown)
    else:
        rows = [(str(said["id"]), *words, said["hint"] or "") for said, words in shown]
        headers = ("JOB", "STATE", "FETCHED", "SOURCE", "HINT")
        print_table(session, headers, rows, right=frozenset({0, 2}))
        for each in damaged:
            warn(session, each["problem"])


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
@_token
@verb_options
@click.pass_obj
def resume(session: Session, numbers: tuple[int, ...], *, token: str | None) -> int:
    """Go on with jobs that were put aside or interrupted.

    A token is never kept with a job. Where the settings have none, give it again.
    """
    return _go_on(session, numbers, token)


@command.command("retry")
@_numbers
@_token
@verb_options
@click.pass_obj
def retry(session: Session, numbers: tuple[int, ...], *, token: str | None) -> int:
    """Try failed jobs again; what was fetched is not fetched again.

    A token is never kept with a job. Where the settings have none, give it again.
    """
    return _go_on(session, numbers, token)


@command.command("prune")
@verb_options
@click.pass_obj
def prune(session: Session) -> int:
    """Forget failed and damaged jobs, and what they fetched."""
    forgotten: list[int] = []
    batch = Batch(session)
    with _folders(session) as folders:
        for _, document in list(folders.jobs()):
            if not document.status.is_terminal:
                continue
            with batch.item(str(document.id)):
                taken = folders.take_over(document.id)
                if taken is not None:
                    taken[0].remove()
                    forgotten.append(document.id)
        for number, _, damage in list(folders.damaged()):
            if isinstance(damage, ForeignJobError):
                # What is to be forgotten is one's own.
                continue
            with batch.item(str(number)):
                if folders.remove_damaged(number):
                    forgotten.append(number)
    forgotten.sort()
    if session.json:
        print_document({"pruned": forgotten, "failed": batch.failed})
    elif session.quiet:
        print_lines(map(str, forgotten))
    else:
        note(session, f"forgot {len(forgotten)} job{'s' * (len(forgotten) != 1)}")
    return batch.status


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


def _seen_damaged(folder: JobFolder, damage: DamagedJobError) -> dict[str, Any]:
    """Return what is said of a job that cannot be read, under the names that a job has."""
    from modelshelf.download.held_on_disk import bytes_held  # noqa: PLC0415 - slow
    from modelshelf.schema.install_job import ModelInstallJob  # noqa: PLC0415
    from modelshelf.schema.model_source import LocalModelSource  # noqa: PLC0415

    nameless = ModelInstallJob(id=int(damage.job), source=LocalModelSource(path=folder.path))
    return job_said(nameless) | {
        "source": None,
        "status": _STATES[type(damage)],
        "local_path": str(folder.files),
        "bytes": bytes_held(folder.files),
        "error_type": type(damage).__name__,
        "error_code": damage.code,
        "hint": damage.advice,
        "problem": str(damage),
    }


def _amount(job: ModelInstallJob) -> str:
    if not job.total_bytes:
        return human_size(job.bytes) if job.bytes else ""
    return f"{human_size(job.bytes)} of {human_size(job.total_bytes)}"


def _known(folders: JobFolders, number: int) -> tuple[JobFolder, JobDocument]:
    """Return a job that there is and that can be read."""
    found = folders.find(number)
    if found is None:
        damaged = folders.find_damaged(number)
        raise UnknownJobIDException(job=str(number)) if damaged is None else damaged[1]
    return found


def _ask(
    session: Session, numbers: Sequence[int], wish: Wish, act: Callable[[JobFolder], None]
) -> int:
    """Ask the program that runs a job, or do it here where none does."""
    from modelshelf.install.job_folder import Wish  # noqa: PLC0415 - slow

    batch = Batch(session)
    with _folders(session) as folders:
        for number in numbers:
            with batch.item(str(number)):
                damaged = folders.find_damaged(number) if wish is Wish.CANCEL else None
                if damaged is not None and folders.remove_damaged(number):
                    note(session, f"{wish.value}: job {number}")
                    continue
                if damaged is None:
                    folder, document = _known(folders, number)
                if damaged is not None or folders.is_alive(document):
                    (folder if damaged is None else damaged[0]).ask(wish)
                    note(session, f"asked the program that runs job {number}: {wish.value}")
                elif taken := folders.take_over(number):
                    act(taken[0])
                    note(session, f"{wish.value}: job {number}")
    if session.json:
        print_document({"jobs": list(numbers), "asked": wish.value, "failed": batch.failed})
    return batch.status


def _go_on(session: Session, numbers: Sequence[int], token: str | None) -> int:
    from modelshelf.install.job_folder import Wish  # noqa: PLC0415 - slow

    batch = Batch(session)
    mine: list[int] = []
    with _folders(session) as folders:
        for number in numbers:
            with batch.search(str(number)):
                folder, document = _known(folders, number)
                if folders.is_alive(document):
                    folder.ask(Wish.RESUME)
                    batch.take(str(number), None)
                    note(session, f"asked the program that runs job {number}: resume")
                    if token:
                        # What is asked lies in a file, and no file of ours has a token in it.
                        warn(session, f"job {number} goes on with its own program's token")
                else:
                    mine.append(number)
    jobs: list[ModelInstallJob] = []
    early = partial(_summarize, batch, jobs, is_interrupted=True)
    with told_early(session, early, jobs):
        if mine:
            with session.open() as manager, installing(session, manager) as (installer, events):
                for number in mine:
                    with batch.search(str(number)):
                        job = installer.take_up(number, token)
                        jobs += [] if job is None else [job]
                run_jobs(session, batch, events, jobs)
    if session.json:
        _summarize(batch, jobs)
    return batch.status


def _summarize(
    batch: Batch, jobs: Sequence[ModelInstallJob], *, is_interrupted: bool = False
) -> None:
    print_document(jobs_said(jobs, is_interrupted=is_interrupted) | {"failed": batch.failed})
