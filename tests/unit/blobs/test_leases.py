from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelshelf.blobs.leases import LeaseKeeper, item_path, new_lease_id, path_item
from modelshelf.errors import StoreWriteError
from modelshelf.records.database import Database
from modelshelf.records.store import SqlRecordStore


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    """An empty record store."""
    store = SqlRecordStore(
        Database(tmp_path / "db" / "models.db"), tmp_path, lambda: datetime.now(UTC)
    )
    yield store
    store.close()


@pytest.fixture
def keeper(tmp_path: Path, records: SqlRecordStore) -> LeaseKeeper:
    """A keeper whose lock files lie in `leases`, and that has nothing to clean up."""
    return LeaseKeeper(tmp_path / "leases", records, lambda _: None)


def test_a_living_lease_is_not_ended(keeper: LeaseKeeper, records: SqlRecordStore) -> None:
    """Whoever looks for dead leases leaves those whose owner lives."""
    lease_id = new_lease_id()
    with keeper.hold(lease_id, "testing", [("folder", "here")]):
        assert keeper.end_dead() == 0
        assert records.leases() == [lease_id]
    assert records.leases() == []


def test_what_cannot_be_cleaned_up_stays_leased(records: SqlRecordStore, tmp_path: Path) -> None:
    """A lease whose leftovers are still there is ended by whoever can remove them."""

    def fail(_: str) -> None:
        raise StoreWriteError(path="there", reason="the disk is gone")

    lease_id = new_lease_id()
    with LeaseKeeper(tmp_path / "leases", records, fail).hold(lease_id, "testing", []):
        pass
    assert records.leases() == [lease_id]
    assert LeaseKeeper(tmp_path / "leases", records, lambda _: None).end_dead() == 1
    assert records.leases() == []


def test_a_lease_ends_with_its_block(
    keeper: LeaseKeeper, records: SqlRecordStore, tmp_path: Path
) -> None:
    """However the block ends, no row and no lock file is left."""
    with pytest.raises(KeyboardInterrupt), keeper.hold(new_lease_id(), "testing", []):
        raise KeyboardInterrupt
    assert records.leases() == []
    assert [path.name for path in (tmp_path / "leases").iterdir()] == ["leases.lock"]


def test_dead_leases_are_cleaned_up_after_and_ended(
    records: SqlRecordStore, tmp_path: Path
) -> None:
    """A lock file that nobody holds, with or without a row, is what a dead process leaves."""
    seen: dict[str, set[str]] = {}
    keeper = LeaseKeeper(
        tmp_path / "leases", records, lambda one: seen.update({one: records.leased(one, "folder")})
    )
    with keeper.hold(new_lease_id(), "testing", []):
        records.begin_lease("both", "died", [("folder", "there")])
        (tmp_path / "leases" / "both.lock").touch()
        (tmp_path / "leases" / "file.lock").touch()
        assert keeper.end_dead() == 2
        assert seen == {"both": {"there"}, "file": set()}
        assert len(records.leases()) == 1
    assert keeper.end_dead() == 0


def test_a_row_out_of_an_old_database_removes_nothing(
    records: SqlRecordStore, tmp_path: Path
) -> None:
    """What it names was finished long ago, and may be a model that a later database knew."""
    cleaned: list[str] = []
    keeper = LeaseKeeper(tmp_path / "leases", records, cleaned.append)
    records.begin_lease("row", "was going on when the copy was made", [("folder", "there")])
    assert keeper.end_dead() == 1
    assert records.leases() == []
    assert cleaned == []


def test_nothing_is_made_by_looking(keeper: LeaseKeeper, tmp_path: Path) -> None:
    """A library that never had a lease has no folder for them."""
    assert keeper.end_dead() == 0
    assert not (tmp_path / "leases").exists()


@pytest.mark.parametrize("name", ["plain", "new\nline", "ü", "a%20b", "odd-\udcff"])
def test_any_path_can_be_leased(keeper: LeaseKeeper, records: SqlRecordStore, name: str) -> None:
    """Paths come back from the database as they were, whatever bytes they are made of."""
    path = Path("/exports") / name
    lease_id = new_lease_id()
    with keeper.hold(lease_id, "exporting", [path_item(path)]):
        assert [item_path(value) for value in records.leased(lease_id, "path")] == [path]
