"""Running installations in the foreground, with bars, for the verbs that begin or resume them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.output import note, print_lines, warn
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.cli.transfer_bars import Moved, TransferBars, transfer_bars
from modelshelf.errors import (
    InstallationFailedError,
    InstallationStoppedError,
    ModelshelfError,
)
from modelshelf.schema.taxonomy import ModelType

if TYPE_CHECKING:
    from modelshelf.events import Subscription
    from modelshelf.manager import ModelInstallService, NormalizedModelManager
    from modelshelf.schema.install_job import ModelInstallJob

__all__ = ["installing", "job_said", "jobs_said", "run_jobs", "told_early"]

_WANTS_TOKEN = frozenset({"repository-gated", "login-required", "token-refused"})
_HIDES = frozenset({"repository-not-found"})
"""Codes that may mean the same: a hub does not tell everybody what is private."""
_TICK = 0.2
"""Seconds after which to look whether all jobs have ended, when nothing is told."""


@contextmanager
def installing(
    session: Session, manager: NormalizedModelManager
) -> Iterator[tuple[ModelInstallService, Subscription]]:
    """Give an installer and what it tells; what is not done when the block is left can be resumed."""
    from modelshelf.events import EventBus  # noqa: PLC0415 - only who installs pays for it
    from modelshelf.manager.download_queue import download_queue  # noqa: PLC0415

    bus = EventBus()
    with (
        bus.subscribe() as events,
        download_queue(session.settings()) as queue,
        manager.installer(queue, event_bus=bus) as installer,
    ):
        yield installer, events


@contextmanager
def told_early(
    session: Session, tell: Callable[[], None], *done: Sequence[object]
) -> Iterator[None]:
    """Tell programs what was done and what can be resumed also where the block inside is left early.

    Args:
        session: Says whether a program listens.
        tell: Prints the document.
        done: What was done so far; an error before anything was done is told on stderr alone.
    """
    try:
        yield
    except BaseException as error:
        if session.json and (any(done) or isinstance(error, KeyboardInterrupt)):
            tell()
        raise


def run_jobs(
    session: Session, batch: Batch, events: Subscription, jobs: Sequence[ModelInstallJob]
) -> None:
    """Wait for jobs, show how far they are, and tell what came of each; interrupted, say how to go on."""
    try:
        with transfer_bars(session) as bars:
            while not all(job.in_terminal_state or job.paused for job in jobs):
                events.get(timeout=_TICK)
                _show(bars, jobs)
    except KeyboardInterrupt:
        unfinished = [str(job.id) for job in jobs if not job.in_terminal_state]
        if unfinished:
            going_on = f"`shelf job resume {' '.join(unfinished)}`"
            note(session, f"{going_on}, or the same command, goes on where this stopped")
        raise
    for job in jobs:
        _tell(session, batch, job)


def _show(bars: TransferBars, jobs: Sequence[ModelInstallJob]) -> None:
    from modelshelf.install.told import source_in_words  # noqa: PLC0415 - slow

    moved = [
        Moved(
            f"{source_in_words(job.source)}: {part.local_path}",
            part.bytes,
            part.total_bytes,
            is_over=0 < part.total_bytes <= part.bytes,
        )
        for job in jobs
        for part in job.parts
    ]
    if moved:
        bars.report(moved)


def _tell(session: Session, batch: Batch, job: ModelInstallJob) -> None:
    from modelshelf.install.told import source_in_words  # noqa: PLC0415 - slow

    words = source_in_words(job.source)
    if job.errored:
        batch.take(words, _error(job, words))
        if job.exception is not None and not job.error_code and not session.json:
            # Nobody foresaw it, so its traceback is what helps; the other jobs have theirs to say too.
            click.echo("\n".join(map(printable, (job.error or "").splitlines())), err=True)
        if job.error_code in _WANTS_TOKEN or (job.error_code in _HIDES and job.total_bytes):
            note(
                session,
                f"`shelf job retry {job.id}` goes on with a token: SHELF_ADD_TOKEN, or `--token`",
            )
        return
    config = job.config_out
    if config is None:
        # Whoever waits for the model must not take this for success.
        stopped = InstallationStoppedError(source=words, how=job.status.value)
        batch.take(words, stopped, tell=False)
        note(session, f"{job.status}  {words}")
        return
    batch.take(words, None)
    if session.quiet:
        print_lines([config.key])
    elif not session.json:
        bases = ",".join(config.bases)
        click.echo(f"added  {printable(config.name)}  {config.type}  {bases}  {config.key}")
        spared = f", {human_size(job.spared_bytes)} of it was here already"
        size = human_size(job.total_bytes)
        note(session, f"{size} from {words}{spared if job.spared_bytes else ''}")
    for said in job.notes:
        warn(session, f"{config.name}: {said}")
    if config.type is ModelType.UNKNOWN:
        # As is said of a path that is added: this may be a page about the model, and not the model.
        unknown = "nobody knows what this model is; it is kept as `unknown`"
        warn(session, f"{config.name}: {unknown}, and `shelf rm {config.key}` removes it")


def _error(job: ModelInstallJob, words: str) -> ModelshelfError:
    found = job.exception
    if isinstance(found, ModelshelfError):
        return found
    last = (job.error or job.error_type or "").strip().rpartition("\n")[2]
    return InstallationFailedError(source=words, reason=last)


def jobs_said(jobs: Sequence[ModelInstallJob], *, is_interrupted: bool) -> dict[str, object]:
    """Return jobs as programs get them, and of an interrupted run which can be resumed."""
    said: dict[str, object] = {"installed": [job_said(job) for job in jobs]}
    if is_interrupted:
        left = [job.id for job in jobs if not (job.complete or job.cancelled)]
        said |= {"interrupted": True, "resumable": left}
    return said


def job_said(job: ModelInstallJob) -> dict[str, Any]:
    """Return a job as programs get it; of an error that nobody foresaw the traceback too."""
    from modelshelf.install.told import source_in_words  # noqa: PLC0415 - slow

    long = {"error"} if job.error_code or not job.errored else set()
    told = job.model_dump(mode="json", exclude={*long, "config_in", "config_out"})
    key = None if job.config_out is None else job.config_out.key
    return told | {"source": source_in_words(job.source), "key": key}
