from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from modelshelf.blobs.folder_store import FolderBlobStore
from modelshelf.blobs.views import ViewKeeper
from modelshelf.manager import NormalizedModelManager
from modelshelf.manager.assembly import assemble
from modelshelf.schema.progress import Progress
from modelshelf.schema.report import FindingKind, GarbageReport
from modelshelf.schema.stored import StoredFile
from modelshelf.settings import Settings
from modelshelf.upkeep import GarbageCollector
from tests.shelves import StandingClock, contents, open_shelf, plain_pipeline, stored_bytes

NOTHING = GarbageReport(0, 0, 0, 0, 0, 0)


@pytest.fixture
def clock() -> StandingClock:
    """A clock for the library."""
    return StandingClock()


@pytest.fixture
def shelf(tmp_path: Path, clock: StandingClock) -> NormalizedModelManager:
    """A library of two pipelines that share a VAE, the second of them deleted."""
    shelf = open_shelf(tmp_path / "shelf", clock=clock)
    for name in ("one", "two"):
        shelf.add(plain_pipeline(tmp_path / name))
    shelf.delete("two")
    return shelf


def test_a_settled_library_has_nothing_to_collect(shelf: NormalizedModelManager) -> None:
    """What can still be brought back is no garbage."""
    assert shelf.collect_garbage() == NOTHING
    assert len(shelf.trash()) == 1


def test_what_is_foreseen_is_what_happens(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A dry run changes nothing and says exactly what the collection then does."""
    before = contents(tmp_path / "shelf" / "models" / "blob")
    foreseen = shelf.collect_garbage(expire_trash=timedelta(0), dry_run=True)
    assert contents(tmp_path / "shelf" / "models" / "blob") == before
    assert len(shelf.trash()) == 1
    done = shelf.collect_garbage(expire_trash=timedelta(0))
    assert (foreseen.trash, foreseen.bytes_freed) == (done.trash, done.bytes_freed) == (1, 120)
    assert stored_bytes(tmp_path / "shelf") == shelf.usage().stored
    assert shelf.verify().clean


@pytest.mark.parametrize(("days", "gone"), [(0, 0), (29, 0), (30, 1), (31, 1)])
def test_trash_expires_on_its_day(
    shelf: NormalizedModelManager, clock: StandingClock, days: int, gone: int
) -> None:
    """Trash is kept for the days that were set when it was deleted, and goes with the next collection."""
    clock.pass_days(days)
    assert shelf.collect_garbage().trash == gone
    assert len(shelf.trash()) == 1 - gone


@pytest.mark.parametrize(("age", "gone"), [(3, 0), (2, 1), (0, 1)])
def test_trash_of_an_age_is_forgotten_when_asked(
    shelf: NormalizedModelManager, clock: StandingClock, age: int, gone: int
) -> None:
    """Asked for an age, the collection forgets what was deleted at least so long ago."""
    clock.pass_days(2)
    assert shelf.collect_garbage(expire_trash=timedelta(days=age)).trash == gone


def test_deleting_says_what_it_frees(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """The bytes that only the model holds will go, those that are shared stay, and it can be asked first."""
    foreseen = shelf.delete("one", dry_run=True)
    assert foreseen.trash_id == ""
    assert shelf.get_model("one").name == "one"
    entry = shelf.delete("one")
    assert (entry.bytes_freed, entry.bytes_kept) == (foreseen.bytes_freed, foreseen.bytes_kept)
    assert entry.bytes_freed == 120
    assert entry.bytes_freed + entry.bytes_kept == entry.size
    assert entry.expires_at - entry.deleted_at == timedelta(days=30)
    assert {one.name for one in shelf.trash()} == {"one", "two"}
    assert not (tmp_path / "shelf" / "models" / "unknown").exists()


def test_a_database_put_back_costs_no_model(tmp_path: Path) -> None:
    """A copy made in the middle of an import protects folders that are whole models by now."""
    database, copy = tmp_path / "shelf" / "databases" / "models.db", tmp_path / "copy.db"

    def back_up(_: Progress) -> None:
        if not copy.exists():
            with sqlite3.connect(database) as now, sqlite3.connect(copy) as then:
                now.backup(then)

    with open_shelf(tmp_path / "shelf") as shelf:
        shelf.import_model(plain_pipeline(tmp_path / "one"), progress=back_up)
    stored = contents(tmp_path / "shelf" / "models" / "blob")
    for path in database.parent.iterdir():
        path.unlink()
    copy.rename(database)
    with open_shelf(tmp_path / "shelf") as shelf:
        found = shelf.verify().findings
        kinds = {finding.kind for finding in found}
        # What a person sees in `models/` is foreign to that database too, and left alone.
        assert {FindingKind.UNREFERENCED} <= kinds <= {FindingKind.UNREFERENCED, FindingKind.STRAY}
        assert shelf.collect_garbage().parts == 0
    assert contents(tmp_path / "shelf" / "models" / "blob") == stored


class Changing:
    """A store out of which another process takes parts, right after they were compared."""

    def __init__(self, blobs: FolderBlobStore, change: Callable[[], object]) -> None:
        self._blobs = blobs
        self._change = change

    def __getattr__(self, name: str) -> object:
        return getattr(self._blobs, name)

    def is_shared(self, one: StoredFile, other: StoredFile) -> bool:
        """Say what was so."""
        is_shared = self._blobs.is_shared(one, other)
        self._change()
        return is_shared


def test_two_collect_at_once(tmp_path: Path) -> None:
    """Equal files are made one by the one while the other takes the first of them away."""
    services = assemble(Settings(root=tmp_path / "shelf"), clock=StandingClock())
    with NormalizedModelManager(services) as shelf:
        for name in ("one", "two"):
            shelf.add(
                plain_pipeline(tmp_path / name, {"unet/weights.bin": b"same " * 9, name: b"1"})
            )
        shelf.add(plain_pipeline(tmp_path / "three", {"vae/weights.bin": b"same " * 9}))
        twins = [*(tmp_path / "shelf" / "models" / "blob").glob("*/weights.bin")]
        equal = [path for path in twins if path.read_bytes() == b"same " * 9]
        for path in equal:
            # Two imports stored them at the same moment.
            path.rename(tmp_path / "was")
            path.write_bytes(b"same " * 9)
            path.chmod(0o444)
        for name in ("one", "two"):
            shelf.delete(name)
        another = open_shelf(tmp_path / "shelf")
        GarbageCollector(
            records=services.records,
            blobs=Changing(  # type: ignore[arg-type] # the rest is the store's
                services.blobs, lambda: another.collect_garbage(expire_trash=timedelta(0))
            ),
            disk=services.disk,
            leases=services._leases,  # noqa: SLF001 - those of this process
            views=services.views,
            clock=services.clock,
        ).collect(expire_trash=None)
        another.close()
        assert shelf.verify().clean
        assert contents(shelf.get_model("three").path) == contents(tmp_path / "three")


class Overtaken:
    """Views of a library out of which somebody deletes a model right after they were settled."""

    def __init__(self, views: ViewKeeper, delete: Callable[[], object]) -> None:
        self._views = views
        self._delete = [delete]

    def __getattr__(self, name: str) -> object:
        return getattr(self._views, name)

    def settle(self) -> int:
        """Settle them, and let the other begin."""
        settled = self._views.settle()
        if self._delete:
            self._delete.pop()()
        return settled


def test_what_is_deleted_meanwhile_is_forgotten_when_its_links_are_gone(tmp_path: Path) -> None:
    """Nobody else could tell that they were the library's."""
    clock = StandingClock()
    services = assemble(Settings(root=tmp_path / "shelf"), clock=clock)
    with NormalizedModelManager(services) as shelf:
        key = shelf.add(plain_pipeline(tmp_path / "one")).info.key
        views = Overtaken(
            services.views, lambda: services.records.move_to_trash(key, clock() + timedelta(1))
        )
        collector = GarbageCollector(
            records=services.records,
            blobs=services.blobs,
            disk=services.disk,
            leases=services._leases,  # noqa: SLF001 - those of this process
            views=views,  # type: ignore[arg-type] # the rest is the library's
            clock=clock,
        )
        collector.collect(expire_trash=timedelta(0))
        assert shelf.collect_garbage(expire_trash=timedelta(0)).trash == 1
        assert shelf.verify().clean
        assert stored_bytes(tmp_path / "shelf") == 0
