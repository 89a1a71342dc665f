from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from modelshelf.errors import StoreTooNewError, StoreUnusableError
from modelshelf.records.config_tables import config_metadata
from modelshelf.records.database import HEAD, Database
from modelshelf.records.tables import metadata
from modelshelf.records.text_index import TEXT_INDEX


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a library at *tmp_path* has its database."""
    return tmp_path / "databases" / "models.db"


@pytest.fixture
def fresh(path: Path) -> Iterator[Connection]:
    """A connection to a database that was just made."""
    Database(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def differences(connection: Connection) -> list[object]:
    """Compare a database with the tables that the code works with, its full-text index aside."""
    context = MigrationContext.configure(
        connection,
        opts={"include_name": lambda name, *_: not str(name).startswith(TEXT_INDEX)},
    )
    both = [metadata, config_metadata]
    # It takes several, as `target_metadata` does.
    return list(compare_metadata(context, both))  # type: ignore[arg-type]


def test_revisions_give_exactly_the_tables(fresh: Connection) -> None:
    """All revisions together make the schema that the code works with, and nothing else."""
    assert differences(fresh) == []


def test_the_newest_revision_is_the_one_the_code_knows() -> None:
    """`HEAD` is the newest revision below `migrations/versions`, and there is one only."""
    config = Config()
    config.set_main_option("script_location", "modelshelf:records/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_fresh_database_is_durable(path: Path) -> None:
    """The database is in WAL mode and stays so for every program that opens it."""
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def test_opening_makes_nothing_but_the_database(tmp_path: Path, path: Path) -> None:
    """A new database is one file and the lock beside it; opening it again adds nothing."""
    for _ in range(2):
        Database(path).close()
        assert {file.name for file in path.parent.iterdir()} == {"models.db", "models.lock"}
    assert [folder.name for folder in tmp_path.iterdir()] == ["databases"]


def test_a_newer_schema_is_left_alone(path: Path) -> None:
    """A database of a newer program is refused, and not a byte of it is changed."""
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(StoreTooNewError) as caught:
        Database(path)
    assert (caught.value.found, caught.value.known) == ("9999", HEAD)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database at all, and long enough to tell" * 50, b"SQL"]
)
def test_something_else_in_its_place_is_left_alone(path: Path, content: bytes) -> None:
    """A file that is no database is refused with its path, and not a byte of it is changed."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreUnusableError) as caught:
        Database(path)
    assert str(path) in caught.value.reason
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    """A folder where the database should be is no library."""
    path.mkdir(parents=True)
    with pytest.raises(StoreUnusableError):
        Database(path)


def test_a_file_in_place_of_its_folder_is_refused(path: Path) -> None:
    """A root that cannot hold a database is refused with the system's words."""
    path.parent.write_bytes(b"mine")
    with pytest.raises(StoreUnusableError) as caught:
        Database(path)
    assert caught.value.root == str(path.parent.parent)


@pytest.mark.parametrize("name", ["what?x=1", "50% off #1", "new\nline", "ä b", "a:b", "file:x"])
def test_any_name_of_a_root_will_do(tmp_path: Path, name: str) -> None:
    """The database lies where it was asked for, whatever characters its folders' names have."""
    path = tmp_path / name / "databases" / "models.db"
    Database(path).close()
    assert path.stat().st_size > 0
    Database(path).close()
    assert {file.name for file in path.parent.iterdir()} == {"models.db", "models.lock"}


def test_an_unfinished_database_is_finished(path: Path) -> None:
    """A file that a killed process made and did not fill becomes a library."""
    path.parent.mkdir()
    path.write_bytes(b"")
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM model_path").fetchone() == (0,)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005", "0006", "0007"])
def test_every_released_schema_comes_up_to_date(path: Path, revision: str) -> None:
    """What it held is there afterwards, in exactly today's tables, and as it was in a copy beside it."""
    path.parent.mkdir()
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "modelshelf:records/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.exec_driver_sql("INSERT INTO model_id VALUES (1, 0)")
        connection.exec_driver_sql(
            "INSERT INTO model_path VALUES"
            " (1, 'lora', 0, 'blob/x', zeroblob(32), 3, 'lycoris', '[]', '{}', NULL)"
        )
        connection.exec_driver_sql("INSERT INTO model_base VALUES (1, 'sd-1', 0)")
        connection.exec_driver_sql(
            "INSERT INTO part_file (part_id, member, size, blake3, sha256, quick)"
            " VALUES (1, 'model.safetensors', 3, x'01', x'02', x'03')"
        )
        connection.exec_driver_sql(
            "INSERT INTO model_name VALUES ('k', 1, 'ink', '', '', '', '', 0, NULL)"
        )
    engine.dispose()
    Database(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert differences(connection) == []
        row = connection.exec_driver_sql(
            "SELECT name, refcount, quick, imohash FROM model_name JOIN model_path USING (id)"
            " JOIN part_file ON part_id = id"
        ).one()
        assert tuple(row) == ("ink", 1, b"\3", None)
        index = (
            "INSERT INTO model_config_text (model_config_text, rank) VALUES ('integrity-check', 1)"
        )
        connection.exec_driver_sql(index)
        # Short words are looked up in the groups that they begin.
        groups = connection.exec_driver_sql("SELECT term FROM model_config_text_terms").scalars()
        assert {"ink", "nk\n", "k\n\n"} <= set(groups)
    engine.dispose()
    (copy,) = path.parent.glob(f"models.before-{HEAD}-was-{revision}.db")
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert found == [(revision,)]
