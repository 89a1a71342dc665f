from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelshelf.records.database import Database
from modelshelf.records.store import SqlRecordStore
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.report import FindingKind
from modelshelf.schema.taxonomy import ModelType
from modelshelf.testing.record_store_case import part_content
from modelshelf.testing.record_store_contract import RecordStoreContract


class TestSqlite(RecordStoreContract):
    """The embedded store, and what SQLite itself guarantees whoever writes to it."""

    @pytest.fixture(autouse=True)
    def _records(self, tmp_path: Path) -> Iterator[None]:
        self.path = tmp_path / "databases" / "models.db"
        now = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
        store = SqlRecordStore(Database(self.path), tmp_path / "models", lambda: now)
        self.records = store
        yield
        store.close()

    def run_sql(self, *statements: str, **values: int) -> None:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            connection.execute("PRAGMA foreign_keys=ON")
            for statement in statements:
                connection.execute(statement, values)
            connection.commit()

    def counts(self) -> dict[int, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT id, refcount FROM model_path"))

    def share_a_vae(self) -> int:
        """Make two pipelines and a name that share a VAE; return the id of its part."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        for name in ("one", "two"):
            self.add_pipeline(name, [vae])
        return self.add(part_content({"w": b"vae"}, type=ModelType.VAE), "vae").id

    def test_the_database_counts_inserts_and_deletes(self) -> None:
        """REFCOUNT follows rows that are written past the program."""
        vae = self.share_a_vae()
        assert self.counts()[vae] == 3
        self.run_sql("DELETE FROM model_name")
        assert self.counts()[vae] == 2
        self.run_sql(
            "DELETE FROM pipeline_parts WHERE pipeline_id = (SELECT min(id) FROM pipeline)"
        )
        assert self.counts()[vae] == 1
        self.run_sql(
            "INSERT INTO model_name (key, id, name, source, description, entry, suffix, added_at)"
            " VALUES ('k', :vae, 'by hand', '', '', '', '', 0)",
            "INSERT INTO pipeline_parts (pipeline_id, part_folder, part_id)"
            " SELECT min(id), 'vae', :vae FROM pipeline",
            vae=vae,
        )
        assert self.counts()[vae] == 3

    def test_the_database_counts_updates(self) -> None:
        """Trashing, restoring and renaming to another part by hand keep REFCOUNT right."""
        vae = self.share_a_vae()
        other = self.add(part_content({"w": b"2"}), "other").id
        self.run_sql("INSERT INTO trash VALUES ('t', 0, 0)", "UPDATE pipeline SET trash_id = 't'")
        assert self.counts()[vae] == 1
        self.run_sql("UPDATE model_name SET trash_id = 't'")
        assert self.counts()[vae] == 0
        self.run_sql("UPDATE pipeline SET trash_id = NULL", "UPDATE model_name SET trash_id = NULL")
        assert self.counts()[vae] == 3
        self.run_sql("UPDATE model_name SET id = :other WHERE id = :vae", other=other, vae=vae)
        assert (self.counts()[vae], self.counts()[other]) == (2, 2)
        assert self.records.audit() == []

    def test_the_database_refuses_what_it_could_not_count(self) -> None:
        """Moving a pipeline's row to another part, or naming a part that is not, is refused."""
        vae = self.share_a_vae()
        for statement in (
            "UPDATE pipeline_parts SET part_id = part_id",
            "INSERT INTO model_base VALUES (999, 'sd-1', 0)",
            "UPDATE model_name SET id = 999",
            "DELETE FROM model_path WHERE id = :vae",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                self.run_sql(statement, vae=vae)

    def test_audit_finds_a_wrong_count_and_a_sweep_corrects_it(self) -> None:
        """A REFCOUNT that was changed by hand is found, and a collection sets it right."""
        vae = self.share_a_vae()
        self.run_sql("UPDATE model_path SET refcount = 7 WHERE id = :vae", vae=vae)
        (finding,) = self.records.audit()
        assert finding.kind is FindingKind.WRONG_COUNT
        assert finding.path == f"model_path:{vae}"
        self.sweep()
        assert self.records.audit() == []
        assert self.counts()[vae] == 3

    def test_audit_finds_a_dangling_row(self) -> None:
        """A row that points nowhere is found, with the table that it is in."""
        self.share_a_vae()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("UPDATE model_name SET trash_id = 'nowhere'")
            connection.commit()
        found = [finding for finding in self.records.audit() if "trash" in finding.detail]
        assert [finding.kind for finding in found] == [FindingKind.DATABASE]

    def test_audit_finds_a_changed_pipeline(self) -> None:
        """A pipeline that lost a part is found and named."""
        self.share_a_vae()
        self.run_sql("DELETE FROM pipeline_parts WHERE part_folder = 'vae' AND pipeline_id = 3")
        damaged = {name for finding in self.records.audit() for name in finding.models}
        assert damaged == {"one"}

    def test_two_stores_see_each_other(self, tmp_path: Path) -> None:
        """What one process writes, another reads at once."""
        other = SqlRecordStore(Database(self.path), tmp_path / "models", lambda: datetime.now(UTC))
        self.add(part_content({"w": b"1"}), "ink")
        assert [info.name for info in other.find(ModelQuery())] == ["ink"]
        other.close()
