"""Ends, pauses and cancellations that come while a model is stored, which is one step for everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.install.job_folder import JobFolders, Wish
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.testing import tiny
from tests.installers import PATIENCE, Place, installing_place, open_place

pytestmark = pytest.mark.fault


class SlowDisk(LocalDisk):
    """Plays a disk that does not answer for a while: what is stored there waits until it is let go on."""

    def __init__(self) -> None:
        self.reached = Event()
        """Set when somebody waits."""
        self.go_on = Event()
        """Set it to let the disk answer."""

    def _wait(self, path: Path) -> None:
        if "blob" in path.parts and not self.go_on.is_set():
            self.reached.set()
            self.go_on.wait(PATIENCE)

    def create(self, path: Path, mode: int = 0o600) -> int:
        self._wait(path)
        return super().create(path, mode)

    def link(self, source: Path, target: Path) -> None:
        self._wait(target)
        super().link(source, target)


@pytest.fixture
def disk() -> SlowDisk:
    return SlowDisk()


@pytest.fixture
def place(tmp_path: Path, disk: SlowDisk) -> Iterator[Place]:
    with installing_place(tmp_path, disk=disk) as place:
        yield place
        disk.go_on.set()


def is_whole(place: Place, name: str = "dream") -> None:
    """Check that the library has the model once, and nothing that it should not."""
    assert [model.name for model in place.services.configs.all_models()] == [name]
    assert place.services.verifier.verify().clean
    assert place.left_behind() == []


@pytest.mark.parametrize("act", ["pause", "cancel", "wish"])
def test_what_is_being_stored_stays_as_it_is(place: Place, disk: SlowDisk, act: str) -> None:
    """A moment later it is in the library, so neither a pause nor a cancellation comes in time."""
    job = place.installer.heuristic_import("acme/dream")
    assert disk.reached.wait(PATIENCE)
    match act:
        case "pause":
            place.installer.pause_job(job)
        case "cancel":
            place.installer.cancel_job(job)
        case _:
            folders = JobFolders(place.settings.cache_path / "installs", LocalDisk())
            found = folders.find(job.id)
            assert found is not None
            found[0].ask(Wish.CANCEL)
    assert job.running
    disk.go_on.set()
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error
    is_whole(place)


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_a_job_that_waits_for_being_stored_can_be_stopped(
    place: Place, disk: SlowDisk, act: str
) -> None:
    """All of it is fetched, but another is stored before it; what was fetched is kept or gone."""
    first = place.installer.heuristic_import("acme/dream")
    assert disk.reached.wait(PATIENCE)
    second = place.installer.heuristic_import("acme/ink")
    folders = JobFolders(place.settings.cache_path / "installs", LocalDisk())
    while (found := folders.find(second.id)) is None or not found[1].is_fetched:
        place.installer.wait_for_job(second, timeout=0.05)
    getattr(place.installer, f"{act}_job")(second)
    disk.go_on.set()
    assert place.installer.wait_for_job(first, timeout=PATIENCE).complete, first.error
    if act == "cancel":
        assert second.cancelled
        is_whole(place)
        return
    assert second.paused
    sent = place.hub.files.bytes_sent.total()
    place.installer.resume_job(second)
    assert place.installer.wait_for_job(second, timeout=PATIENCE).complete, second.error
    assert place.hub.files.bytes_sent.total() == sent


def test_stopping_does_not_wait_for_ever_for_a_disk_that_does_not_answer(
    place: Place, disk: SlowDisk
) -> None:
    """The job is nobody else's until the disk has answered; then whoever comes goes on with it."""
    job = place.installer.heuristic_import("acme/dream")
    assert disk.reached.wait(PATIENCE)
    place.installer.stop()
    with open_place(place.folder, place.hub, place.site) as later:
        assert later.installer.take_up(job.id) is None
        assert later.services.configs.all_models() == []
        disk.go_on.set()
        assert place.installer.wait_for_job(job, timeout=PATIENCE).paused, job.error
        sent = place.hub.files.bytes_sent.total()
        taken = None
        while taken is None:
            # The lock goes a moment after the job.
            taken = later.installer.take_up(job.id)
        assert later.installer.wait_for_job(taken, timeout=PATIENCE).complete, taken.error
        assert place.hub.files.bytes_sent.total() == sent
        is_whole(later)


def test_an_installer_that_was_stopped_while_it_stored_can_be_used_again(
    place: Place, disk: SlowDisk
) -> None:
    """What is begun after that has threads of its own, and keeps its lock."""
    job = place.installer.heuristic_import("acme/dream")
    assert disk.reached.wait(PATIENCE)
    place.installer.stop()
    disk.go_on.set()
    second = place.installer.heuristic_import("acme/ink")
    assert place.installer.wait_for_job(second, timeout=PATIENCE).complete, second.error
    assert place.installer.wait_for_job(job, timeout=PATIENCE).paused, job.error
    place.installer.resume_job(job)
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error


def test_stopping_gives_up_what_is_being_stored_at_its_next_step(
    place: Place, disk: SlowDisk
) -> None:
    """A model of many gigabytes is hashed and copied for minutes, and nobody waits for that at an end."""
    large = tiny.pipeline(place.folder / "large", base="sd-1", size=12_000_000)
    job = place.installer.import_model(LocalModelSource(path=large))
    assert disk.reached.wait(PATIENCE)
    waiting = place.installer.heuristic_import("acme/ink")
    stopping = Thread(target=place.installer.stop)
    stopping.start()
    while not waiting.paused:
        stopping.join(0.01)
    disk.go_on.set()
    stopping.join(PATIENCE)
    assert job.paused, job.error
    assert place.services.configs.all_models() == []
    with open_place(place.folder, place.hub, place.site) as later:
        later.installer.start()
        again = later.installer.get_job_by_id(job.id)
        assert later.installer.wait_for_job(again, timeout=PATIENCE).complete, again.error
        assert later.services.verifier.verify().clean
