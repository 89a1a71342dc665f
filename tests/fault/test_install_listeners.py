"""Listeners that never read, and buses that fail: installing goes on, and needs no more memory for them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf import ModelInstallService
from modelshelf.events import EventBus, EventServiceBase
from modelshelf.schema.event import ModelEvent, ModelInstallDownloading, ModelInstallRunning
from tests.installers import PATIENCE, Place, installing_place

pytestmark = pytest.mark.fault


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with installing_place(tmp_path) as place:
        yield place


class BrokenBus(EventServiceBase):
    """Plays a host's bus whose own listeners fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def dispatch(self, event: ModelEvent) -> None:
        self.asked.append(event.name)
        message = "no such channel"
        raise RuntimeError(message)


def test_a_listener_that_never_reads_keeps_nobody_waiting(place: Place) -> None:
    """The last events are there when it reads at last, and it is told how many gave way."""
    with place.bus.subscribe(capacity=2) as deaf, place.bus.subscribe() as listening:
        for source in ("acme/dream", "acme/ink", "acme/nothing", "civitai:1"):
            job = place.install(source)
            assert job.in_terminal_state
    kept = list(deaf)
    assert [event.name for event in kept] == ["model_install_running", "model_install_completed"]
    assert deaf.dropped > 0
    assert len([event for event in listening if event.name == "model_install_completed"]) == 3


def test_what_waits_for_a_listener_that_never_reads_is_bounded() -> None:
    """However long it does not, and whatever is told."""
    bus = EventBus()
    with bus.subscribe(capacity=10) as deaf:
        for number in range(20_000):
            bus.dispatch(ModelInstallRunning(id=number, source="acme/dream"))
            bus.dispatch(
                ModelInstallDownloading(
                    id=number,
                    source="acme/dream",
                    local_path="/x",
                    bytes=1,
                    total_bytes=2,
                    parts=(),
                )
            )
    assert len(list(deaf)) == 10
    assert deaf.dropped == 40_000 - 10


def test_a_bus_that_fails_keeps_no_model_out(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """It was asked of each event, and the log has why it did not take it."""
    bus = BrokenBus()
    with (
        ModelInstallService(
            place.settings,
            place.services.configs,
            place.queue,
            event_bus=bus,
            services=place.services,
        ) as installer,
        caplog.at_level(logging.ERROR, "modelshelf.install"),
    ):
        job = installer.wait_for_job(installer.heuristic_import("acme/dream"), timeout=PATIENCE)
        assert job.complete, job.error
        failed = installer.wait_for_job(installer.heuristic_import("acme/no"), timeout=PATIENCE)
        assert failed.error_code == "repository-not-found"
        cancelled = installer.heuristic_import("acme/ink")
        installer.pause_job(cancelled)
        installer.cancel_job(cancelled)
    assert {"model_install_completed", "model_install_error"} <= set(bus.asked)
    assert "no such channel" in caplog.text
