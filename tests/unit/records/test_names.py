from __future__ import annotations

from pathlib import Path

from modelshelf.records.names import read_names
from tests.shelves import open_shelf, plain_pipeline


def test_reads_names_that_start_so(tmp_path: Path) -> None:
    """Names of models and pipelines come sorted, once each, and deleted ones do not."""
    (tmp_path / "ink.bin").write_bytes(b"1")
    with open_shelf(tmp_path / "shelf") as shelf:
        shelf.add(plain_pipeline(tmp_path / "inlet"))
        for name in ("ink", "pen", "%", "In"):
            shelf.add(tmp_path / "ink.bin", name=name)
        shelf.add(plain_pipeline(tmp_path / "other"), name="ink")
        database = tmp_path / "shelf" / "databases" / "models.db"
        assert read_names(database) == ["%", "In", "ink", "inlet", "pen"]
        assert read_names(database, "in") == ["ink", "inlet"]
        assert read_names(database, "%") == ["%"]
        assert read_names(database, limit=2) == ["%", "In"]
        shelf.delete("pen")
        assert read_names(database, "p") == []


def test_finds_nothing_where_there_is_no_library(tmp_path: Path) -> None:
    """No database, or something else in its place, has no names, and nothing is made."""
    assert read_names(tmp_path / "models.db") == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "models.db").write_bytes(b"not a database")
    assert read_names(tmp_path / "models.db") == []
