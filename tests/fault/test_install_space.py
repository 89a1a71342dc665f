"""Installing where there is little room: refused before the first byte, and never for room it does not need."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.errors import NotEnoughSpaceError, StorageError
from modelshelf.sources import parse_source
from modelshelf.testing import tiny
from tests.fault.small_disk import small_file_system
from tests.hubs import civitai_site, hugging_face_hub
from tests.installers import PATIENCE, Place, open_place

pytestmark = pytest.mark.fault

MODEL = 12_000_000


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A library on a file system of twenty megabytes, and a hub with a model of twelve."""
    with (
        small_file_system(tmp_path / "small", megabytes=20) as small,
        hugging_face_hub() as hub,
        civitai_site() as site,
    ):
        hub.add("acme/dream", tiny.pipeline(tmp_path / "dream", base="sd-1", size=MODEL))
        with open_place(small, hub, site) as place:
            yield place


def test_what_is_fetched_needs_no_room_twice(place: Place) -> None:
    """Its files become the stored ones, so that they are there once at any time."""
    job = place.install("acme/dream")
    assert job.complete, job.error
    assert place.left_behind() == []


def test_a_repository_that_does_not_fit_is_refused_before_its_first_byte(place: Place) -> None:
    """All its files count together; with room again it is fetched."""
    filler = place.folder / "filler"
    filler.write_bytes(bytes(MODEL))
    job = place.install("acme/dream")
    assert isinstance(job.exception, NotEnoughSpaceError)
    assert job.exception.needed > MODEL
    assert place.hub.files.bytes_sent.total() == 0
    filler.unlink()
    place.installer.retry_job(job)
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error


def test_a_disk_that_fills_up_meanwhile_stops_the_job_and_no_other_program(place: Place) -> None:
    """Somebody else takes all the room while files come; with room again nothing is fetched twice."""
    reached, go_on = place.hub.files.hold_after(MODEL // 2)
    job = place.installer.heuristic_import("acme/dream")
    assert reached.wait(PATIENCE)
    fill(place.folder / "filler")
    go_on.set()
    place.installer.wait_for_job(job, timeout=PATIENCE)
    assert job.error_code == "not-enough-space", job.error
    assert "run the command again" in (job.hint or "")
    assert place.services.configs.all_models() == []
    (place.folder / "filler").unlink()
    source = parse_source("acme/dream")
    again = place.installer.take_up_same(source)
    assert again is job
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error
    assert place.hub.files.bytes_sent.total() < MODEL + 8 * (1 << 20)
    assert place.services.verifier.verify().clean
    assert place.left_behind() == []


def test_a_disk_without_a_byte_takes_no_job_and_loses_none(place: Place) -> None:
    """What was begun before is there when there is room again, and goes on in another program."""
    reached, go_on = place.hub.files.hold_after(MODEL // 2)
    job = place.installer.heuristic_import("acme/dream")
    assert reached.wait(PATIENCE)
    place.installer.pause_job(job)
    go_on.set()
    fill(place.folder / "filler")
    with pytest.raises(NotEnoughSpaceError):
        place.installer.heuristic_import("acme/other")
    place.installer.stop()
    with open_place(place.folder, place.hub, place.site) as later:
        with pytest.raises(StorageError):
            later.installer.take_up(job.id)
        (place.folder / "filler").unlink()
        resumed = later.installer.take_up(job.id)
        assert resumed is not None
        assert later.installer.wait_for_job(resumed, timeout=PATIENCE).complete, resumed.error
        assert later.services.verifier.verify().clean


@pytest.mark.parametrize("spare", [0, 4_096, 65_536, 1_000_000])
def test_a_disk_that_is_full_when_it_is_stored_keeps_what_was_fetched(
    place: Place, spare: int
) -> None:
    """The last bytes come, and then there is room for little or nothing; the next try fetches none again."""
    reached, go_on = place.hub.files.hold_after(MODEL - 300_000)
    job = place.installer.heuristic_import("acme/dream")
    assert reached.wait(PATIENCE)
    fill(place.folder / "filler", leave=300_000 + spare)
    go_on.set()
    place.installer.wait_for_job(job, timeout=PATIENCE)
    assert job.complete or job.error_code == "not-enough-space", job.error
    (place.folder / "filler").unlink()
    if not job.complete:
        assert place.services.configs.all_models() == []
        place.installer.retry_job(job)
        place.installer.wait_for_job(job, timeout=PATIENCE)
    assert job.complete, job.error
    assert place.hub.files.bytes_sent.total() < MODEL + 8 * (1 << 20)
    assert place.services.verifier.verify().clean


def fill(path: Path, leave: int = 0) -> None:
    """Take all room that there is, but some bytes."""
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(1 << 16))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - it is how one knows that it is full
        stream.truncate(max(stream.tell() - leave, 0))


def test_what_came_before_is_not_asked_room_for_again(place: Place) -> None:
    """Half of it is there, so the other half has to fit."""
    reached, go_on = place.hub.files.hold_after(MODEL // 2)
    job = place.installer.heuristic_import("acme/dream")
    assert reached.wait(PATIENCE)
    place.installer.pause_job(job)
    go_on.set()
    place.installer.stop()
    (place.folder / "filler").write_bytes(bytes(3_000_000))
    with open_place(place.folder, place.hub, place.site) as later:
        resumed = later.installer.take_up(job.id)
        assert resumed is not None
        assert later.installer.wait_for_job(resumed, timeout=PATIENCE).complete, resumed.error
