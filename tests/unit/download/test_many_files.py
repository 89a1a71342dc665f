from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modelshelf.download.queue import DownloadQueueService
from modelshelf.errors import DestinationUnusableError, InvalidDownloadError, RemoteFileGoneError
from modelshelf.schema.download_job import DownloadJobRemoteSource, MultiFileDownloadJob
from modelshelf.schema.transfer import ExpectedContent, Verification
from tests.unit.download.queue_world import PATIENCE, Diary, Taps, url_of

SIZE = 1024 * 1024
GONE = RemoteFileGoneError(url="https://files.example/a", status=404, reason="gone")


class World:
    """A remote host, and a folder for what comes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "model"
        self.state = folder / "state"
        self.taps = Taps()
        self.diary = Diary()
        self.stack = ExitStack()

    def queue(self, files_per_job: int = 8) -> DownloadQueueService:
        """Make a queue."""
        queue = DownloadQueueService(
            [self.diary],
            fetcher=self.taps,
            files_per_job=files_per_job,
            state_folder=self.state,
            token_for=lambda _: "known",
        )
        self.stack.callback(queue.stop)
        return queue

    def job(self, *names: str, listed: bool = True, **fields: object) -> MultiFileDownloadJob:
        """A job for the files of that name."""
        parts = [
            DownloadJobRemoteSource(
                source=url_of(name.rpartition("/")[2]),
                destination=Path(name),
                expected=ExpectedContent(size=SIZE if listed else None),
            )
            for name in names
        ]
        return MultiFileDownloadJob.model_validate(
            {"source": "acme/model", "destination": self.folder, "download_parts": parts} | fields
        )

    def files(self) -> list[str]:
        """What is in the folder."""
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world."""
    made = World(tmp_path)
    with made.stack:
        yield made


def test_all_files_come_with_one_progress_and_one_total(world: World) -> None:
    """Each in its place; one `enqueued` and one `completed` for all of them."""
    for name in "abc":
        world.taps[name].finish()
    job = world.job("a", "unet/b", "unet/deep/c")
    queue = world.queue()
    queue.submit_download_job(job)
    assert job.total_bytes == 3 * SIZE
    queue.wait_for_job(job, PATIENCE)
    assert (job.status, job.error) == ("completed", None)
    assert world.files() == ["a", "unet/b", "unet/deep/c"]
    assert (job.bytes, job.total_bytes, job.downloaded_path) == (3 * SIZE, 3 * SIZE, world.folder)
    assert job.verification is Verification.SIZE
    assert {part.status.value for part in job.download_parts} == {"completed"}
    assert [part.downloaded_path for part in job.download_parts] == [
        world.folder / "a",
        world.folder / "unet/b",
        world.folder / "unet/deep/c",
    ]
    events = world.diary.of(job)
    assert (events[0], events[-1], set(events[1:-1])) == ("enqueued", "completed", {"running"})
    numbers = world.diary.bytes[job.id]
    assert numbers == sorted(numbers)
    assert {total for _, total in numbers} == {3 * SIZE}


def test_files_are_fetched_side_by_side(world: World) -> None:
    """As many as may be, in one job of the queue."""
    names = [f"{number}" for number in range(10)]
    job = world.job(*names)
    queue = world.queue(files_per_job=4)
    queue.submit_download_job(job)
    for name in names[:4]:
        world.taps[name].await_runs()
    assert world.taps.running == 4
    for name in names:
        world.taps[name].finish()
    queue.wait_for_job(job, PATIENCE)
    assert (world.taps.most, len(world.files())) == (4, 10)


def test_an_unlisted_total_is_told_when_it_is_known(world: World) -> None:
    """Not before: a sum of which something is missing would be a lie."""
    job = world.job("a", "b", listed=False)
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.diary.await_event(job, "running", 2)
    assert job.total_bytes == 0
    world.taps["b"].finish()
    queue.wait_for_job(job, PATIENCE)
    assert job.total_bytes == 2 * SIZE


def test_what_is_there_is_not_fetched_again_after_a_pause(world: World) -> None:
    """Whole files stay, unfinished ones go on."""
    job = world.job("a", "b")
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.taps["b"].let(1000)
    world.taps["b"].await_bytes(1000)
    world.diary.await_event(job, "running", 2)
    queue.pause_job(job)
    assert [part.status.value for part in job.download_parts] == ["completed", "paused"]
    assert job.bytes == SIZE + 1000
    world.taps["b"].finish()
    queue.start_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert job.complete
    assert (world.taps["a"].runs, world.taps["b"].runs) == (1, 2)


def test_nor_in_another_life(world: World) -> None:
    """The state remembers which files are whole, and which came from here."""
    job = world.job("a", "b")
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.taps["b"].let(1000)
    world.taps["b"].await_bytes(1000)
    world.diary.await_event(job, "running", 2)
    queue.stop()
    second = world.queue()
    (again,) = second.list_jobs()
    assert isinstance(again, MultiFileDownloadJob)
    assert (again.bytes, again.total_bytes) == (SIZE + 1000, 2 * SIZE)
    second.start_job(again)
    world.taps["b"].await_runs(2)
    assert world.taps["a"].runs == 1
    second.cancel_job(again)
    assert not world.folder.exists()


def test_a_file_that_vanished_meanwhile_is_fetched_again(world: World) -> None:
    """A record of it is not the file."""
    job = world.job("a", "b")
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.diary.await_event(job, "running", 2)
    queue.pause_job(job)
    (world.folder / "a").unlink()
    world.taps["b"].finish()
    queue.start_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert world.files() == ["a", "b"]


def test_one_that_fails_stops_the_others(world: World) -> None:
    """One fate: nothing that this job fetched stays, and no folder that it made."""
    job = world.job("a", "deep/b", "c")
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.diary.await_event(job, "running", 2)
    world.taps["c"].await_runs()
    world.taps["b"].fail(GONE)
    queue.wait_for_job(job, PATIENCE)
    assert (job.status, job.error) == ("error", GONE)
    assert job.download_parts[1].error == GONE
    assert not world.folder.exists()
    assert world.taps.running == 0


def test_what_came_can_be_preserved(world: World) -> None:
    """Whole files and unfinished ones."""
    job = world.job("a", "b", preserve_partial_downloads=True)
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.diary.await_event(job, "running", 2)
    world.taps["b"].let(1000)
    world.taps["b"].await_bytes(1000)
    world.taps["b"].fail(GONE)
    queue.wait_for_job(job, PATIENCE)
    assert world.files() == [".b.part", "a"]


@pytest.mark.parametrize("when", ["running", "paused"])
def test_after_a_cancellation_no_file_is_left(world: World, when: str) -> None:
    """Neither whole nor unfinished; what was there before stays."""
    world.folder.mkdir()
    (world.folder / "mine.txt").write_text("mine")
    job = world.job("a", "deep/b")
    queue = world.queue()
    queue.submit_download_job(job)
    world.taps["a"].finish()
    world.taps["b"].let(1000)
    world.taps["b"].await_bytes(1000)
    world.diary.await_event(job, "running", 2)
    if when == "paused":
        queue.pause_job(job)
    queue.cancel_job(job)
    assert job.cancelled
    assert world.files() == ["mine.txt"]
    assert [path.name for path in world.folder.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "names",
    [
        ["../a"],
        ["/etc/a"],
        ["b/../../a"],
        ["."],
        ["a\\..\\..\\b"],
        ["C:a"],
        ["CON"],
        ["a\0b"],
        ["a", "A"],
        ["e\u0301", "\u00e9"],
        ["a", "a/b"],
        ["a/b", "A"],
    ],
    ids=ascii,
)
def test_names_stay_inside_and_apart(world: World, names: list[str]) -> None:
    """What a listing says of names is a stranger's word (fault 47)."""
    job = world.job(*names)
    queue = world.queue()
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert isinstance(job.error, InvalidDownloadError)
    assert not list(world.folder.parent.glob("a*"))


def test_a_link_in_the_folder_is_not_followed(world: World, tmp_path: Path) -> None:
    """It may lead out of it (fault 48)."""
    world.folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (world.folder / "deep").symlink_to(tmp_path / "elsewhere")
    world.taps["a"].finish()
    job = world.job("deep/a")
    queue = world.queue()
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert isinstance(job.error, DestinationUnusableError)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_each_part_has_its_token(world: World) -> None:
    """Its own, the job's, or the one that is known for its address."""
    for name in "abc":
        world.taps[name].finish()
    job = world.job("a", "b", access_token="of the job")  # noqa: S106 - no password
    job.download_parts[0].access_token = "own"  # noqa: S105 - no password
    other = world.job("c")
    other.destination = world.folder / "other"
    queue = world.queue()
    for one in (job, other):
        queue.submit_download_job(one)
        queue.wait_for_job(one, PATIENCE)
    tokens = [world.taps[name].tokens for name in "abc"]
    assert tokens == [["own"], ["of the job"], ["known"]]


def test_a_job_without_files_is_complete(world: World) -> None:
    """At once."""
    job = world.job()
    queue = world.queue()
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert (job.status, job.bytes) == ("completed", 0)
