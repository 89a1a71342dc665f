from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.queue import DownloadQueueService
from modelshelf.errors import (
    DestinationExistsError,
    DestinationUnusableError,
    InvalidDownloadError,
    SourceChangedError,
    SourceNotFoundError,
    UnsupportedEntryError,
)
from modelshelf.protocols import Disk
from modelshelf.schema.download_job import DownloadJobBase, DownloadJobPath
from modelshelf.testing.faults import WrappedDisk
from tests.unit.download.queue_world import PATIENCE, Diary, Taps

MIB = 1024 * 1024


class TwoDisks(WrappedDisk):
    """Sources are on another file system than destinations."""

    def __init__(self, disk: Disk, source: Path) -> None:
        super().__init__(disk)
        self._source = source

    def link(self, source: Path, target: Path) -> None:
        """Refuse across."""
        self._refuse(source, target)
        super().link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Refuse across."""
        self._refuse(source, target)
        super().rename(source, target)

    def exchange(self, first: Path, second: Path) -> None:
        """Refuse across."""
        self._refuse(first, second)
        super().exchange(first, second)

    def _refuse(self, *paths: Path) -> None:
        if len({path.is_relative_to(self._source) for path in paths}) > 1:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


class World:
    """A folder with sources, a folder for destinations, and a queue between them."""

    def __init__(self, folder: Path, *, across: bool) -> None:
        self.source = folder / "source"
        self.target = folder / "target"
        self.source.mkdir()
        self.target.mkdir()
        self.diary = Diary()
        self.disk: Disk = TwoDisks(LocalDisk(), self.source) if across else LocalDisk()
        self.stack = ExitStack()

    def queue(self, disk: Disk | None = None) -> DownloadQueueService:
        """Make a queue."""
        made = DownloadQueueService([self.diary], fetcher=Taps(), disk=disk or self.disk)
        self.stack.callback(made.stop)
        return made

    def move(self, source: Path, destination: Path, **fields: object) -> DownloadJobPath:
        """Submit a job, and wait until it has ended."""
        job = DownloadJobPath.model_validate(
            {"source": source, "destination": destination} | fields
        )
        queue = self.queue()
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        return job

    def file(self, size: int = 3 * MIB + 7, name: str = "a.bin") -> Path:
        """Make a file among the sources."""
        path = self.source / name
        path.write_bytes(os.urandom(size))
        return path

    def folder(self) -> Path:
        """Make a folder among the sources."""
        root = self.source / "model"
        (root / "vae" / "empty").mkdir(parents=True)
        (root / "config.json").write_text("{}")
        (root / "vae" / "weights.bin").write_bytes(os.urandom(2 * MIB))
        (root / "link").symlink_to("config.json")
        (root / "nowhere").symlink_to("/no/such/thing")
        return root


@pytest.fixture(params=[False, True], ids=["same disk", "other disk"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """On one file system, and on two."""
    made = World(tmp_path, across=request.param)
    with made.stack:
        yield made


@pytest.fixture
def across(tmp_path: Path) -> Iterator[World]:
    """On two file systems."""
    made = World(tmp_path, across=True)
    with made.stack:
        yield made


def tree(root: Path) -> dict[str, object]:
    """What is below a folder."""
    return {
        str(path.relative_to(root)): path.readlink()
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in root.rglob("*")
    }


def test_a_file_is_moved(world: World) -> None:
    """Byte for byte, to a name or into a folder, and the source is gone."""
    for destination, final in [(world.target / "b", "b"), (world.target, "a.bin")]:
        source = world.file()
        content = source.read_bytes()
        job = world.move(source, destination)
        assert (job.status, job.error) == ("completed", None)
        assert job.downloaded_path == world.target / final
        assert (world.target / final).read_bytes() == content
        assert (job.bytes, job.total_bytes) == (len(content), len(content))
        assert list(world.source.iterdir()) == []


def test_a_folder_is_moved(world: World) -> None:
    """With all that is in it; links stay links and are not followed."""
    source = world.folder()
    before = tree(source)
    job = world.move(source, world.target)
    assert (job.status, job.error) == ("completed", None)
    assert tree(world.target / "model") == before
    assert list(world.source.iterdir()) == []


def test_the_source_can_be_kept(world: World) -> None:
    """A copy of its own, not a second name."""
    source = world.folder()
    before = tree(source)
    world.move(source, world.target / "copy", keep_source=True)
    (world.target / "copy" / "config.json").write_text("changed")
    assert tree(source) == before


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_there_is_kept(world: World, kind: str) -> None:
    """An error, and neither source nor destination is touched."""
    target = world.target / "taken"
    if kind == "file":
        target.write_text("mine")
    elif kind == "folder":
        (target / "a.bin").mkdir(parents=True)
    else:
        target.symlink_to("/no/such/thing")
    source = world.file()
    before = tree(world.target)
    job = world.move(source, target)
    assert isinstance(job.error, DestinationExistsError)
    assert tree(world.target) == before
    assert source.stat().st_size == 3 * MIB + 7


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_there_can_be_replaced(world: World, kind: str) -> None:
    """In one step, when the job says so."""
    if kind == "file":
        source, target = world.file(), world.target / "a.bin"
        target.write_text("old")
        content: object = source.read_bytes()
        job = world.move(source, world.target, overwrite=True)
        assert (job.error, target.read_bytes()) == (None, content)
    else:
        source, target = world.folder(), world.target / "model"
        target.mkdir()
        (target / "old").touch()
        content = tree(source)
        job = world.move(source, world.target, overwrite=True)
        assert (job.error, tree(target)) == (None, content)
    assert list(world.source.iterdir()) == []
    assert len(list(world.target.iterdir())) == 1


@pytest.mark.parametrize(
    ("where", "error"),
    [
        (lambda world: (world.source / "none", world.target), SourceNotFoundError),
        (lambda world: (world.folder(), world.source / "model" / "in"), InvalidDownloadError),
        (lambda world: (world.file(), world.source), InvalidDownloadError),
        (lambda world: (world.file(), world.file(9, "b") / "in"), DestinationUnusableError),
    ],
    ids=["no source", "into itself", "onto itself", "below a file"],
)
def test_what_cannot_be_is_an_error(
    world: World, where: Callable[[World], tuple[Path, Path]], error: type[Exception]
) -> None:
    """Typed, and the source is whole."""
    source, destination = where(world)
    before = tree(world.source)
    job = world.move(source, destination)
    assert isinstance(job.error, error)
    assert tree(world.source) == before


def test_a_small_file_gives_three_events(world: World) -> None:
    """As a download does."""
    job = world.move(world.file(1000), world.target)
    assert world.diary.of(job) == ["enqueued", "running", "completed"]


def test_progress_rises_while_it_is_copied(across: World) -> None:
    """About once for each hundredth, with the total known."""
    job = across.move(across.file(20 * MIB), across.target)
    numbers = across.diary.bytes[job.id]
    assert numbers == sorted(numbers)
    assert across.diary.of(job) == ["enqueued", *["running"] * 20, "completed"]
    assert numbers[-1] == (20 * MIB, 20 * MIB)


@pytest.mark.parametrize("what", ["pause", "cancel"])
def test_a_stop_leaves_the_source_whole(across: World, what: str) -> None:
    """And nothing at the destination; a paused one can go on."""
    source = across.folder()
    before = tree(source)
    queue = across.queue()

    def control(job: DownloadJobBase) -> None:
        if job.running and isinstance(job, DownloadJobPath) and job.bytes and not stopped:
            stopped.append(True)
            (queue.pause_job if what == "pause" else queue.cancel_job)(job)

    stopped: list[bool] = []
    job = DownloadJobPath(source=source, destination=across.target, event_handlers=[control])
    queue.submit_download_job(job)
    queue.join()
    assert job.status == ("paused" if what == "pause" else "cancelled")
    assert (tree(source), tree(across.target)) == (before, {})
    if what == "pause":
        queue.start_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert tree(across.target / "model") == before


def test_a_move_that_a_kill_broke_off_is_finished(world: World) -> None:
    """The file has both names then, and loses the old one."""
    source = world.file()
    content = source.read_bytes()
    (world.target / "a.bin").hardlink_to(source)
    job = world.move(source, world.target)
    assert (job.status, job.error) == ("completed", None)
    assert (world.target / "a.bin").read_bytes() == content
    assert list(world.source.iterdir()) == []


def test_a_named_pipe_is_not_copied(across: World) -> None:
    """It would hang; the source stays."""
    source = across.folder()
    os.mkfifo(source / "pipe")
    job = across.move(source, across.target)
    assert isinstance(job.error, UnsupportedEntryError)
    assert list(across.target.iterdir()) == []
    assert (source / "vae" / "weights.bin").exists()


class Meddling(TwoDisks):
    """Somebody writes to the source while it is copied, or the disk lies."""

    def __init__(self, disk: Disk, source: Path, path: Path, *, lies: bool) -> None:
        super().__init__(disk, source)
        self._path = path
        self._lies = lies

    def sync_file(self, descriptor: int) -> None:
        """Do it when the copy is written."""
        super().sync_file(descriptor)
        if self._lies:
            os.pwrite(descriptor, b"\0\1\2\3" * 4, 1000)
        else:
            with self._path.open("ab") as file:
                file.write(b"more")


@pytest.mark.parametrize(
    ("lies", "error"), [(False, SourceChangedError), (True, DestinationUnusableError)]
)
def test_a_copy_that_is_not_the_same_is_not_published(
    across: World, error: type[Exception], *, lies: bool
) -> None:
    """Neither when the source changes nor when the disk gives back other bytes."""
    source = across.file()
    queue = across.queue(Meddling(LocalDisk(), across.source, source, lies=lies))
    job = DownloadJobPath(source=source, destination=across.target)
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert isinstance(job.error, error)
    assert list(across.target.iterdir()) == []
    assert source.exists()


@pytest.mark.parametrize("operation", ["create", "write", "sync_file", "rename", "link"])
def test_a_disk_that_refuses_leaves_the_source_whole(across: World, operation: str) -> None:
    """Whatever it refuses; nothing is left at the destination."""

    class Refusing(TwoDisks):
        def around(self, name: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401
            if name.partition(" ")[0] == operation and str(across.source) not in name:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().around(name, act)

    source = across.folder() if operation == "rename" else across.file()
    before = tree(across.source)
    queue = across.queue(Refusing(LocalDisk(), across.source))
    job = DownloadJobPath(source=source, destination=across.target)
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert isinstance(job.error, DestinationUnusableError)
    assert (tree(across.source), tree(across.target)) == (before, {})
