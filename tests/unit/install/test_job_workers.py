"""Threads that take jobs through their halves: how they end while jobs are in their hands."""

from __future__ import annotations

import threading
from pathlib import Path
from threading import Event
from typing import Any

from modelshelf.disk import LocalDisk
from modelshelf.install.installation import Installation
from modelshelf.install.job_board import JobBoard
from modelshelf.install.job_document import JobDocument
from modelshelf.install.job_folder import JobFolders
from modelshelf.install.job_storing import JobStorer
from modelshelf.install.job_workers import JobWorkers
from modelshelf.install.wish import ModelWish
from modelshelf.schema.install_job import ModelInstallJob
from modelshelf.schema.model_source import HFModelSource

SOURCE = HFModelSource(repo_id="acme/dream", variant=None)
PATIENCE = 60
"""Seconds that nothing here takes."""


def nobody(*_: object) -> Any:  # noqa: ANN401 - in place of what is never called
    raise AssertionError


def threads() -> list[str]:
    """Return the names of an installer's threads."""
    return [each.name for each in threading.enumerate() if each.name.startswith("modelshelf-")]


class Fetching:
    """Holds a job in its hand until it may go on."""

    def __init__(self) -> None:
        self.begins, self.goes_on, self.begins_again = Event(), Event(), Event()
        self._is_first = True

    def __call__(self, _: Installation) -> None:
        if not self._is_first:
            self.begins_again.set()
            return
        self._is_first = False
        self.begins.set()
        self.goes_on.wait(PATIENCE)


def begun(tmp_path: Path, fetching: Fetching) -> tuple[JobWorkers, Installation]:
    """Begin a job that is wanted once more while a thread has it in hand."""
    with JobFolders(tmp_path, LocalDisk()) as folders:
        folder, document = folders.create(
            lambda number, owner: JobDocument(id=number, owner=owner, source=SOURCE)
        )
    job = ModelInstallJob(id=document.id, source=SOURCE)
    installation = Installation(job, folder, document, ModelWish.parse({}))
    board = JobBoard(None)
    board.add(installation)
    storer = JobStorer(board, nobody, nobody)  # type: ignore[arg-type] # nothing is stored
    workers = JobWorkers(board, storer, fetch=fetching, watch=lambda _: None)
    workers.begin(installation)
    assert fetching.begins.wait(PATIENCE)
    workers.begin(installation)
    while not installation.is_wanted:
        Event().wait(0.01)
    return workers, installation


def test_no_thread_is_begun_by_a_job_that_ends_while_all_are_stopped(tmp_path: Path) -> None:
    """It was wanted once more; whoever starts again begins it."""
    fetching = Fetching()
    workers, installation = begun(tmp_path, fetching)

    def put_aside() -> None:
        fetching.goes_on.set()
        while installation.is_worked_on:
            Event().wait(0.01)

    workers.stop(put_aside, lambda: None)
    for each in threading.enumerate():
        if each.name.startswith("modelshelf-"):
            each.join(PATIENCE)
    assert not fetching.begins_again.is_set()
    workers.begin(installation)
    assert fetching.begins_again.wait(PATIENCE)
    workers.stop(lambda: None, lambda: None)
    assert threads() == []


def test_a_job_goes_on_that_an_earlier_thread_had_in_hand_for_longer(tmp_path: Path) -> None:
    """All were stopped and begun again while it waited for a host."""
    fetching = Fetching()
    workers, installation = begun(tmp_path, fetching)
    workers.stop(lambda: None, lambda: None)
    installation.is_wanted = False
    workers.begin(installation)
    while not installation.is_wanted:
        Event().wait(0.01)
    fetching.goes_on.set()
    assert fetching.begins_again.wait(PATIENCE)
    workers.stop(lambda: None, lambda: None)
