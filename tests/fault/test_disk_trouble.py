from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import (
    DestinationUnusableError,
    ModelshelfError,
    NotEnoughSpaceError,
    StorageError,
    StoreUnusableError,
)
from modelshelf.manager import NormalizedModelManager
from modelshelf.protocols import Disk
from modelshelf.testing.faults import (
    SPACELESS,
    CountingDisk,
    FailingDisk,
    LinklessDisk,
    system_error,
)
from tests.fault.small_disk import small_file_system
from tests.shelves import contents, open_shelf, part_path, plain_pipeline, stored_bytes

pytestmark = pytest.mark.fault

USE_CASES = (
    "add",
    "add-again-damaged",
    "move",
    "export",
    "export-copy",
    "export-force",
    "delete",
    "undo",
    "collect",
    "collect-shared",
)
TROUBLES = {
    "full": (errno.ENOSPC, True),
    "refused-once": (errno.EACCES, False),
    "broken": (errno.EIO, True),
}
"""What the system says, and whether it says so from then on."""


class World:
    """One library, a user's files beside it, and one thing to do with them."""

    def __init__(self, folder: Path, use_case: str) -> None:
        self.root = folder / "shelf"
        self.out = folder / "out"
        self.resident = folder / "resident"
        self.model = folder / "model"
        self.use_case = use_case

    @classmethod
    def made(cls, folder: Path, use_case: str) -> World:
        """Make one from nothing."""
        world = cls(folder, use_case)
        plain_pipeline(world.resident, {"README": b"r", "vae/extra": b"e"})
        plain_pipeline(world.model, {"docs/a": b"a", "vae/twin": b"the same vae " * 30})
        (world.model / "empty").mkdir()
        world.out.mkdir()
        (world.out / "mine.txt").write_bytes(b"mine")
        with world.open() as shelf:
            shelf.add(world.resident)
            world.prepare(shelf)
        return world

    def copied(self, folder: Path) -> World:
        """Copy it, with what is one inode as one inode: quicker than making it again."""
        subprocess.run(["cp", "-a", str(self.root.parent), str(folder)], check=True)
        return World(folder, self.use_case)

    @property
    def theirs(self) -> dict[str, dict[str, bytes | None]]:
        """What the user owns now."""
        return {path.name: contents(path) for path in (self.resident, self.model, self.out)}

    def open(self, disk: Disk | None = None) -> NormalizedModelManager:
        return open_shelf(self.root, disk=disk)

    def prepare(self, shelf: NormalizedModelManager) -> None:
        """Bring the library to where the use case begins."""
        if self.use_case not in {"add", "move"}:
            shelf.add(self.model)
        if self.use_case == "add-again-damaged":
            stored = Path(shelf.files("model")[-1].location)
            stored.unlink()
            shelf.verify()
        if self.use_case == "export-force":
            plain_pipeline(self.out / "model", {"old": b"old"})
        if self.use_case in {"undo", "collect"}:
            shelf.delete("model")
        if self.use_case == "collect-shared":
            (stored,) = part_path(shelf.get_model("resident"), "vae").glob("config.json")
            twin = stored.with_name("twin.partial")
            twin.write_bytes(stored.read_bytes())
            twin.chmod(0o444)
            twin.replace(stored)

    def act(self, shelf: NormalizedModelManager) -> None:
        """Do it."""
        steps: dict[str, Callable[[], object]] = {
            "add": lambda: shelf.add(self.model),
            "add-again-damaged": lambda: shelf.add(self.model),
            "move": lambda: shelf.add(self.model, move=True),
            "export": lambda: shelf.export(selector="model", destination=self.out),
            "export-copy": lambda: shelf.export(
                selector="model", destination=self.out, method="copy"
            ),
            "export-force": lambda: shelf.export(
                selector="model", destination=self.out, method="copy", force=True
            ),
            "delete": lambda: shelf.delete("model"),
            "undo": lambda: shelf.undo(shelf.trash()[0].trash_id),
            "collect": lambda: shelf.collect_garbage(expire_trash=timedelta(0)),
            "collect-shared": shelf.collect_garbage,
        }
        steps[self.use_case]()

    def try_to_act(self, disk: Disk) -> ModelshelfError | None:
        """Do it on that disk; return the error, None when it succeeded."""
        with self.open(disk) as shelf:
            try:
                self.act(shelf)
            except ModelshelfError as error:
                return error
        return None

    def operations(self) -> int:
        """Return how many operations it takes, the two of opening among them."""
        disk = CountingDisk(LocalDisk())
        with self.open(disk) as shelf:
            self.act(shelf)
        return len(disk.operations)

    def check_user(self, before: World, *, is_done: bool) -> None:
        """What the user owns is as it was, but for what the use case is for."""
        then, now = before.theirs, self.theirs
        assert now["resident"] == then["resident"]
        if self.use_case != "move":
            assert now["model"] == then["model"]
        assert now["out"].pop("mine.txt") == b"mine"
        made = {name: one for name, one in now["out"].items() if name.startswith("model/")}
        wanted = {f"model/{name}": content for name, content in then["model"].items()}
        old = {name: one for name, one in then["out"].items() if name.startswith("model/")}
        if is_done and self.use_case.startswith("export"):
            assert made == wanted
        else:
            assert made in (old, wanted)

    def check_library(self, before: World) -> None:
        """With a sound disk again: whole models, nothing hurt, and nothing left lying about."""
        expected = before.theirs
        with self.open() as shelf:
            infos = {info.name: info for info in shelf.list_pipelines()}
            assert contents(infos["resident"].path) == expected["resident"]
            if self.use_case == "move" and "model" not in infos:
                assert contents(self.model) == expected["model"]
            if self.use_case == "add-again-damaged":
                shelf.add(self.model)
            shelf.collect_garbage()
            assert shelf.verify().findings == ()
            for info in shelf.list_pipelines():
                assert contents(info.path) == expected[info.name]
            usage = shelf.usage()
            assert usage.garbage == 0
            assert stored_bytes(self.root) == usage.stored + usage.trash
        cache = self.root / "models" / ".cache"
        assert not any((cache / "discarded").glob("*"))
        assert [path.name for path in (cache / "leases").iterdir()] == ["leases.lock"]


def broken_at(number: int, at: int, *, lasting: bool) -> FailingDisk:
    """A disk that fails once, or from then on; a full one still lets files be removed."""
    spared = SPACELESS if number == errno.ENOSPC else ()
    return FailingDisk(LocalDisk(), at, system_error(number), lasting=lasting, spared=spared)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("use_case", USE_CASES)
def test_every_operation_may_fail(tmp_path: Path, use_case: str, trouble: str) -> None:
    """At each operation in turn: a typed error or success, never half a model, nothing lost."""
    number, lasting = TROUBLES[trouble]
    before = World.made(tmp_path / "before", use_case)
    total = before.copied(tmp_path / "counted").operations()
    for at in range(3, total + 1):
        world = before.copied(tmp_path / str(at))
        disk = broken_at(number, at, lasting=lasting)
        error = world.try_to_act(disk)
        assert isinstance(error, StorageError | None)
        assert error is None or disk.has_failed
        world.check_user(before, is_done=error is None)
        world.check_library(before)


@pytest.mark.parametrize("at", [1, 2])
def test_a_root_that_cannot_be_made(tmp_path: Path, at: int) -> None:
    """A library whose folders cannot be made is refused with the folder and the reason."""
    with pytest.raises(StoreUnusableError, match="models"):
        open_shelf(tmp_path / "shelf", disk=broken_at(errno.EROFS, at, lasting=True))


def test_a_full_disk_is_called_full(tmp_path: Path) -> None:
    """When a write finds no space, the error says so, with what is free."""
    source = tmp_path / "weights.bin"
    source.write_bytes(b"1" * 5000)
    disk = CountingDisk(LocalDisk())
    with open_shelf(tmp_path / "shelf", disk=disk) as shelf:
        shelf.add(source)
    at = next(n for n, one in enumerate(disk.operations, start=1) if one == "write")
    source.write_bytes(b"2" * 5000)
    broken = FailingDisk(LocalDisk(), at, lasting=True, spared=SPACELESS)
    with open_shelf(tmp_path / "shelf", disk=broken) as shelf:
        with pytest.raises(NotEnoughSpaceError) as caught:
            shelf.add(source)
        assert caught.value.needed == 5000
        assert caught.value.free > 0
        assert shelf.verify().clean


def test_more_than_fits_is_refused_before_the_first_byte(tmp_path: Path) -> None:
    """A model larger than the free space is refused at once, and nothing is written."""
    source = tmp_path / "huge.bin"
    with source.open("wb") as opened:
        status = os.statvfs(tmp_path)
        opened.truncate(status.f_bavail * status.f_frsize + 2**40)
    disk = CountingDisk(LocalDisk())
    with open_shelf(tmp_path / "shelf", disk=disk) as shelf:
        with pytest.raises(NotEnoughSpaceError):
            shelf.add(source)
        assert not any(one.startswith(("create", "write")) for one in disk.operations)
        assert shelf.verify().clean


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    with small_file_system(tmp_path / "small", megabytes=4) as folder:
        yield folder


def fill(act: Callable[[int], object]) -> NotEnoughSpaceError | None:
    """Do something until the disk is full; return how that was told."""
    for number in range(200):
        try:
            act(number)
        except NotEnoughSpaceError as error:
            return error
    return None


def test_a_disk_that_is_really_full(tmp_path: Path, small_disk: Path) -> None:
    """A model that does not fit is refused; what was there is whole, and room that is made is used."""
    small, large = tmp_path / "small.bin", tmp_path / "large.bin"
    small.write_bytes(os.urandom(500_000))
    large.write_bytes(os.urandom(5_000_000))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(500_000))
    out = small_disk / "out"

    def add_another(number: int) -> None:
        small.write_bytes(os.urandom(300_000))
        shelf.add(small, name=str(number))

    with open_shelf(small_disk / "shelf") as shelf:
        first = shelf.add(small).info
        assert fill(lambda _: shelf.add(large)) is not None
        assert shelf.verify().clean
        assert first.path.stat().st_size == 500_000
        assert fill(add_another) is not None
        assert len(shelf.list_models()) > 3
        # Deleting takes a row, and a row takes a page: somebody has to make room first.
        ballast.unlink()
        assert shelf.verify().clean
        copies = [
            partial(shelf.export, selector="small", destination=out / str(n)) for n in range(9)
        ]
        assert fill(lambda number: copies[number](method="copy")) is not None
        shutil.rmtree(out)
        shelf.collect_garbage()
        for info in shelf.list_models():
            shelf.delete(info.key)
        shelf.collect_garbage(expire_trash=timedelta(0))
        assert stored_bytes(small_disk / "shelf") == 0
        assert shelf.verify().clean


def test_a_database_on_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    """When not even a row can be written the error is typed, and the library works again after."""
    sources = [plain_pipeline(tmp_path / str(number)) for number in range(60)]
    filler = small_disk / "filler"
    with open_shelf(small_disk / "shelf") as shelf:
        shelf.add(sources[0])
        with suppress(OSError), filler.open("wb", buffering=0) as opened:
            while True:
                opened.write(b"x" * 4096)
        assert fill(lambda number: shelf.add(sources[number])) is not None
        filler.unlink()
        shelf.collect_garbage()
        assert shelf.verify().clean
        shelf.add(sources[-1])
        assert shelf.verify().clean


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """A file larger than the process may write is an error in the system's words (`setrlimit(2)`)."""
    (tmp_path / "weights.bin").write_bytes(os.urandom(3_000_000))
    script = """
import resource, sys
from pathlib import Path
from modelshelf.errors import StoreWriteError
from tests.shelves import open_shelf
here = Path(sys.argv[1])
shelf = open_shelf(here / "shelf")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    shelf.add(here / "weights.bin")
except StoreWriteError as error:
    print(error.reason)
print(shelf.verify().clean)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.splitlines() == [os.strerror(errno.EFBIG), "True"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert stored_bytes(tmp_path / "shelf") == 0


def test_a_file_system_without_links(tmp_path: Path) -> None:
    """Where no kind of link can be made, what a person sees is a copy, which goes and comes back too."""
    source = plain_pipeline(tmp_path / "model")
    with open_shelf(tmp_path / "shelf", disk=LinklessDisk(LocalDisk())) as shelf:
        view = shelf.add(source).info.path
        assert contents(view) == contents(source)
        made = shelf.export(selector="model", destination=tmp_path / "out")
        assert made.method == "copy"
        assert contents(made.path) == contents(source)

        trashed = shelf.delete("model")
        assert not view.exists()
        shelf.undo(trashed.trash_id)
        assert contents(view) == contents(source)
        assert shelf.verify().clean


def test_an_export_into_the_library_is_refused(tmp_path: Path) -> None:
    """Neither can an export litter the library, nor `force` replace the folder that holds it."""
    with open_shelf(tmp_path / "model" / "shelf") as shelf:
        shelf.add(plain_pipeline(tmp_path / "sources" / "model"))
        for destination in (tmp_path / "model" / "shelf" / "models" / "blob", tmp_path):
            with pytest.raises(DestinationUnusableError, match="library"):
                shelf.export(selector="model", destination=destination, force=True)
        assert shelf.verify().clean


def test_a_destination_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where a folder should be, and a name too long, are destinations nobody can use."""
    with open_shelf(tmp_path / "shelf") as shelf:
        shelf.add(plain_pipeline(tmp_path / "model"))
        (tmp_path / "file").write_bytes(b"mine")
        for destination in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
            with pytest.raises(DestinationUnusableError, match=r"folder|directory|long"):
                shelf.export(selector="model", destination=destination)
        assert (tmp_path / "file").read_bytes() == b"mine"
        assert shelf.verify().clean
