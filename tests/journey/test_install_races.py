"""Installations that are stopped, resumed and found again at the worst moments."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import NotEnoughSpaceError
from modelshelf.install.job_folder import JobFolders, Wish
from modelshelf.schema.install_job import InstallStatus
from tests.hubs import Answer, HuggingFaceHub, Request
from tests.installers import PATIENCE, Place, installing_place, open_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with installing_place(tmp_path) as place:
        yield place


def hold_listing(hub: HuggingFaceHub, monkeypatch: pytest.MonkeyPatch) -> tuple[Event, Event]:
    """Let the hub's API wait; return what says that it was asked, and what lets it answer."""
    asked, go_on, answer = Event(), Event(), hub.answer

    def wait(request: Request) -> Answer:
        if request.path.startswith("/api/models"):
            asked.set()
            go_on.wait(PATIENCE)
        return answer(request)

    monkeypatch.setattr(hub, "answer", wait)
    return asked, go_on


def written(place: Place, number: int = 1) -> Path:
    return place.settings.cache_path / "installs" / str(number) / "job.json"


def rewrite(path: Path, **facts: Any) -> None:  # noqa: ANN401 - JSON
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def left_paused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a paused job behind, of a program that has ended."""
    asked, go_on = hold_listing(place.hub, monkeypatch)
    job = place.installer.heuristic_import("acme/ink")
    assert asked.wait(PATIENCE)
    place.installer.pause_job(job)
    go_on.set()
    place.installer.stop()


def test_a_job_resumed_while_its_hub_is_asked_is_fetched_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that fetch the same files into the same folder would be in each other's way."""
    asked, go_on = hold_listing(place.hub, monkeypatch)
    job = place.installer.heuristic_import("acme/ink")
    assert asked.wait(PATIENCE)
    for _ in range(3):
        place.installer.pause_job(job)
        place.installer.resume_job(job)
    go_on.set()
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error
    assert len(place.queue.list_jobs()) == 1
    assert place.left_behind() == []


def test_stopping_does_not_wait_for_a_silent_hub(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does what the hub says later change a job that is another program's by then."""
    asked, go_on = hold_listing(place.hub, monkeypatch)
    place.installer.heuristic_import("acme/ink")
    assert asked.wait(PATIENCE)
    resolvers = [thread for thread in enumerate_threads() if "resolve" in thread.name]
    place.installer.stop()
    assert any(thread.is_alive() for thread in resolvers)
    with open_place(place.folder, place.hub, place.site) as later:
        later.installer.start()
        go_on.set()
        for thread in resolvers:
            thread.join(PATIENCE)
        (job,) = later.installer.wait_for_installs(timeout=PATIENCE)
        assert job.complete, job.error
        assert later.left_behind() == []


def test_a_job_that_was_left_paused_hears_what_others_want(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing else is under way."""
    left_paused(place, monkeypatch)
    with open_place(place.folder, place.hub, place.site) as later:
        later.installer.start()
        (job,) = later.installer.list_jobs()
        assert job.paused
        folders = JobFolders(later.settings.cache_path / "installs", later.services.disk)
        found = folders.find(job.id)
        assert found is not None
        assert folders.is_alive(found[1])
        with later.bus.subscribe() as events:
            found[0].ask(Wish.RESUME)
            assert events.get(timeout=PATIENCE) is not None
        assert later.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error


@pytest.mark.parametrize(
    "damage", [{"config": {"nonsense": 1}}, {"listing": {"files": [{"x": 1}]}}, {"listing": {}}]
)
def test_a_damaged_job_keeps_no_other_from_going_on(
    place: Place, monkeypatch: pytest.MonkeyPatch, damage: dict[str, Any]
) -> None:
    """It fails by itself, and can be pruned."""
    left_paused(place, monkeypatch)
    rewrite(written(place), status="waiting", **damage)
    with open_place(place.folder, place.hub, place.site) as later:
        later.installer.start()
        job = later.installer.wait_for_job(later.installer.get_job_by_id(1), timeout=PATIENCE)
        assert job.errored
        assert later.install("acme/ink").complete
        later.installer.prune_jobs()
        assert later.left_behind() == []


def test_files_that_somebody_removed_are_fetched_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the job is not believed more than what lies there."""
    left_paused(place, monkeypatch)
    gone = {"member": "ink.safetensors", "size": 1, "modified_ns": 1, "inode": 1}
    digests = {"blake3": "0" * 64, "sha256": "0" * 64}
    rewrite(written(place), status="waiting", is_fetched=True, fetched=[gone | digests])
    with open_place(place.folder, place.hub, place.site) as later:
        later.installer.start()
        job = later.installer.wait_for_job(later.installer.get_job_by_id(1), timeout=PATIENCE)
        assert job.status is InstallStatus.COMPLETED, job.error
        assert later.left_behind() == []


@pytest.mark.parametrize("content", [b"half of it", None])
def test_a_file_that_nobody_noted_is_no_obstacle(
    place: Place, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """A program may end between giving a file its name and writing that down, or while it copies one."""
    left_paused(place, monkeypatch)
    files = written(place).parent / "files"
    files.mkdir(exist_ok=True)
    (files / "ink.safetensors").write_bytes(content or place.lora.read_bytes())
    with open_place(place.folder, place.hub, place.site) as later:
        job = later.installer.take_up(1)
        assert job is not None
        assert later.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error
        sent = place.hub.files.bytes_sent.total()
        assert (sent == 0) is (content is None)


def test_the_file_of_an_address_that_nobody_noted_is_fetched_again(place: Place) -> None:
    """Nobody has said what it has to be, so what lies there may be anything."""
    url = place.hub.files.public_url(
        place.hub.files.publish(place.lora, etag="plain", is_public=True)
    )
    reached, go_on = place.hub.files.hold_after(1000)
    job = place.installer.heuristic_import(url)
    assert reached.wait(PATIENCE)
    place.installer.stop()
    go_on.set()
    files = written(place).parent / "files"
    for path in files.iterdir():
        path.unlink()
    (files / place.lora.name).write_bytes(b"anything")
    with open_place(place.folder, place.hub, place.site) as later:
        again = later.installer.take_up(job.id)
        assert again is not None
        assert later.installer.wait_for_job(again, timeout=PATIENCE).complete, again.error


class FullAtTheEnd(LocalDisk):
    """Has no room for a word once everything is fetched."""

    def __init__(self) -> None:
        self.is_full = False

    def create(self, path: Path, mode: int = 0o600) -> int:
        if self.is_full and path.name == "job.new":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return super().create(path, mode)


def test_a_job_that_cannot_be_written_down_ends_all_the_same(tmp_path: Path) -> None:
    """It fails with what the disk said, and can be tried again."""
    disk = FullAtTheEnd()
    with installing_place(tmp_path, disk=disk) as place:
        reached, go_on = place.hub.files.hold_after(1000)
        job = place.installer.heuristic_import("acme/ink")
        assert reached.wait(PATIENCE)
        disk.is_full = True
        go_on.set()
        assert place.installer.wait_for_job(job, timeout=PATIENCE).errored
        assert isinstance(job.exception, NotEnoughSpaceError)
        disk.is_full = False
        place.installer.retry_job(job)
        assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error
