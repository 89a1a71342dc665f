from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from modelshelf.errors import StoreWriteError
from modelshelf.records.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A fresh database."""
    return Database(tmp_path / "databases" / "models.db")


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM model_id")).scalar_one())


def insert(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO model_id (is_pipeline) VALUES (0)"))


def insert_and_fail(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO model_id (is_pipeline) VALUES (0)"))
        raise ZeroDivisionError


def test_a_block_is_written_whole_or_not_at_all(database: Database) -> None:
    """What was written in a block that failed is not there."""
    insert(database)
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(database)
    assert count(database) == 1


def test_writers_take_their_turn(database: Database) -> None:
    """Many threads that write at once lose nothing, and none is told that it is busy."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: insert(database), range(100)))
    assert count(database) == 100


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What others write while a block reads is not seen in it, and waits for nobody."""
    with database.read() as connection:
        query = text("SELECT count(*) FROM model_id")
        assert connection.execute(query).scalar_one() == 0
        insert(database)
        assert connection.execute(query).scalar_one() == 0
    assert count(database) == 1


def test_a_database_that_is_taken_away_is_told(database: Database) -> None:
    """Statements that the database refuses are errors of the store, with its own words."""
    with database.write() as connection:
        connection.execute(text("DROP TABLE lease_item"))
    with pytest.raises(StoreWriteError, match="lease_item"), database.read() as connection:
        connection.execute(text("SELECT * FROM lease_item"))


def test_every_connection_is_durable(database: Database) -> None:
    """Foreign keys are enforced and commits are flushed, on every connection."""
    for _ in range(3):
        with database.read() as connection:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
            assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
            assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
