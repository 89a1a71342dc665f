"""Installations that are stopped, resumed and found again at the worst moments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

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
