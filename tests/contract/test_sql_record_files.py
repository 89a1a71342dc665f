from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, RLock

import pytest

from modelshelf.errors import (
    DuplicateKeyError,
    InvalidChoiceError,
    InvalidModelConfigException,
    NotARecordStoreError,
    StoreBusyError,
    StoreTooNewError,
    StoreUnusableError,
    UnknownModelException,
    UsageError,
)
from modelshelf.records.configs import (
    delete_configs,
    enter_file_hashes,
    hide_configs,
    insert_configs,
    read_config,
    update_config,
)
from modelshelf.records.connecting import RecordFile
from modelshelf.records.database import Database
from modelshelf.records.services import (
    ModelRecordServiceBase,
    ModelRecordServiceFile,
    ModelRecordServiceSQL,
)
from modelshelf.records.text_index import TEXT_INDEX, TEXT_TERMS
from modelshelf.schema.config import parse_config
from modelshelf.schema.selector import And, Attribute, Not, Operator, Or, Term
from modelshelf.testing.record_service_case import lora


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the records of a test lie."""
    return tmp_path / "records.db"


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


# -- opening files


def test_the_end_of_the_name_decides(tmp_path: Path) -> None:
    """`.db` is SQL, `.yaml` a file for people, and any other end is refused."""
    with ModelRecordServiceBase.from_db_file(tmp_path / "a" / "records.DB") as service:
        assert isinstance(service, ModelRecordServiceSQL)
    with ModelRecordServiceBase.from_db_file(str(tmp_path / "records.yaml")) as service:
        assert isinstance(service, ModelRecordServiceFile)
    with pytest.raises(InvalidChoiceError) as caught:
        ModelRecordServiceBase.from_db_file(tmp_path / "records.txt")
    assert "*.db" in caught.value.allowed


def test_what_was_written_is_there_again(path: Path) -> None:
    """Closing and opening keeps all records, and adds no file that stays."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        added = service.add_model("a", lora())
    for _ in range(2):
        with ModelRecordServiceSQL.from_db_file(path) as service:
            assert service.all_models() == [added]
    assert {file.name for file in path.parent.iterdir()} == {"records.db", "records.db.lock"}


@pytest.mark.parametrize(
    "content",
    [b"__metadata__:\n  version: '3.2'\n", b"\0" * 5000, b"SQLite format 3\0" + b"x" * 5000, b"x"],
)
def test_a_file_that_is_something_else_is_refused(path: Path, content: bytes) -> None:
    """A YAML file, garbage and a damaged database raise an AssertionError and stay as they are."""
    path.write_bytes(content)
    with pytest.raises(AssertionError, match=r"records\.db.* holds no model records") as caught:
        ModelRecordServiceBase.from_db_file(path)
    assert isinstance(caught.value, NotARecordStoreError)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("statements", "word"),
    [
        (["CREATE TABLE picture (id)"], "picture"),
        (["CREATE VIEW gallery AS SELECT 1"], "gallery"),
        (["CREATE TABLE model_config (id TEXT, config TEXT)"], "does not say"),
        (["CREATE TABLE model_manager_metadata (x)"], "does not say"),
        (
            [
                "CREATE TABLE model_manager_metadata (metadata_key TEXT, metadata_value TEXT)",
                "INSERT INTO model_manager_metadata VALUES ('version', '3.1')",
            ],
            "3.1",
        ),
        (
            [
                "CREATE TABLE model_config (id TEXT, config TEXT)",
                "CREATE TABLE model_manager_metadata (metadata_key TEXT, metadata_value TEXT)",
                "INSERT INTO model_manager_metadata VALUES ('version', '3.2')",
            ],
            "lacks",
        ),
    ],
)
def test_a_database_that_is_something_else_is_refused(
    path: Path, statements: list[str], word: str
) -> None:
    """Another program's tables, an older version and a schema that only says 3.2 stay as they are."""
    run_sql(path, *statements)
    before = path.read_bytes()
    with pytest.raises(AssertionError, match=word):
        ModelRecordServiceSQL.from_db_file(path)
    assert path.read_bytes() == before


def test_a_newer_version_is_refused(path: Path) -> None:
    """Records of a newer program are left alone."""
    ModelRecordServiceSQL.from_db_file(path).close()
    run_sql(path, "UPDATE model_manager_metadata SET metadata_value = '3.10'")
    before = path.read_bytes()
    with pytest.raises(StoreTooNewError) as caught:
        ModelRecordServiceSQL.from_db_file(path)
    assert (caught.value.found, caught.value.known) == ("3.10", "3.2")
    assert path.read_bytes() == before


def test_a_library_is_not_opened_past_its_manager(tmp_path: Path) -> None:
    """Its own records belong together with its other tables."""
    path = tmp_path / "databases" / "models.db"
    Database(path).close()
    with pytest.raises(NotARecordStoreError, match="library"):
        ModelRecordServiceSQL.from_db_file(path)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(NotARecordStoreError, match="library"),
    ):
        ModelRecordServiceSQL.from_connection(connection, Lock())


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    """What cannot be opened is told with the system's words."""
    path.mkdir()
    with pytest.raises(StoreUnusableError):
        ModelRecordServiceSQL.from_db_file(path)
    (path / "file").write_bytes(b"mine")
    with pytest.raises(StoreUnusableError):
        ModelRecordServiceSQL.from_db_file(path / "file" / "records.db")


def test_what_nobody_may_look_at_is_not_called_something_else(path: Path) -> None:
    """Where the system lets no program look, nothing is said of what is there, and it stays."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_model("a", lora("a"))
    before = path.read_bytes()
    # In the place of the file that changes are written to first.
    blocking = path.with_name("records.db-wal")
    blocking.mkdir()
    with pytest.raises(StoreUnusableError) as caught:
        ModelRecordServiceSQL.from_db_file(path)
    assert not isinstance(caught.value, AssertionError)
    assert "unable to open" in caught.value.reason
    assert path.read_bytes() == before
    blocking.rmdir()
    with ModelRecordServiceSQL.from_db_file(path) as service:
        assert service.get_model("a").name == "a"


def test_a_link_that_leads_nowhere_is_told(path: Path) -> None:
    """What SQLite says while a file is made is told in the words of a store, too."""
    path.symlink_to(path)
    with pytest.raises(StoreUnusableError, match="unable to open"):
        ModelRecordServiceSQL.from_db_file(path)


def test_names_that_are_no_text_are_damage(path: Path) -> None:
    """A database whose own description is damaged is refused with a word, not with Python's."""
    ModelRecordServiceSQL.from_db_file(path).close()
    run_sql(
        path,
        "PRAGMA writable_schema = 1",
        "UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT) WHERE name = 'model_config_tag'",
    )
    with pytest.raises(StoreUnusableError):
        ModelRecordServiceSQL.from_db_file(path)


def test_a_text_that_is_none_is_damage(path: Path) -> None:
    """A record whose text was damaged on the disk is no failure to write."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models({key: lora(key) for key in "ab"})
        run_sql(path, "UPDATE model_config SET config = CAST(x'7bff' AS TEXT) WHERE key = 'b'")
        with pytest.raises(StoreUnusableError, match=r"records\.db"):
            service.get_model("b")
        assert service.get_model("a").name == "a"


def test_an_unfinished_file_is_finished(path: Path) -> None:
    """A file that a killed process made and did not fill becomes a store."""
    path.write_bytes(b"")
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_model("a", lora())


@pytest.mark.parametrize("name", ["what?x=1.db", "50% off #1.db", "ä b.db", "file:x.db"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    """The file lies where it was asked for, whatever characters its name has."""
    with ModelRecordServiceSQL.from_db_file(tmp_path / name) as service:
        service.add_model("a", lora())
    assert (tmp_path / name).stat().st_size > 0


# -- the documented way of opening


@dataclass
class AppConfig:
    """What a host's configuration offers."""

    model_config_db: str | Path | None
    db_path: Path
    conf_path: Path


def test_open_follows_the_settings(tmp_path: Path) -> None:
    """`auto` is the host's connection or its own, a path that file, None the file of earlier versions."""
    config = AppConfig("auto", tmp_path / "app.db", tmp_path / "models.yaml")
    host = sqlite3.connect(":memory:", check_same_thread=False)
    with ModelRecordServiceBase.open(config, host, Lock()) as service:
        service.add_model("a", lora())
        assert host.execute("SELECT key FROM model_config").fetchall() == [("a",)]
    assert not config.db_path.exists()
    for connection, lock in ((host, None), (None, Lock())):
        with ModelRecordServiceBase.open(config, connection, lock) as service:
            assert service.count() == 0
    assert config.db_path.exists()
    host.close()
    config.model_config_db = tmp_path / "mine.db"
    ModelRecordServiceBase.open(config).close()
    assert (tmp_path / "mine.db").exists()
    config.model_config_db = None
    with ModelRecordServiceBase.open(config) as service:
        assert isinstance(service, ModelRecordServiceFile)
    assert config.conf_path.exists()


# -- a connection that is lent


def test_the_hosts_transaction_stays_the_hosts(path: Path) -> None:
    """Inside a transaction of the host's our changes are a part of it, and a failed one is undone alone."""
    with closing(sqlite3.connect(path)) as host:
        host.execute("CREATE TABLE picture (name)")
        service = ModelRecordServiceSQL.from_connection(host, RLock())
        host.execute("INSERT INTO picture VALUES ('one')")
        service.add_model("a", lora())
        with pytest.raises(DuplicateKeyError):
            service.add_models([("b", lora()), ("a", lora())])
        assert host.in_transaction
        assert service.count() == 1
        host.rollback()
        assert service.count() == 0
        assert host.execute("SELECT count(*) FROM picture").fetchone() == (0,)
        host.execute("INSERT INTO picture VALUES ('two')")
        service.add_model("b", lora())
        host.commit()
        service.add_model("c", lora())
        service.close()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM picture").fetchall() == [("two",)]
        assert other.execute("SELECT key FROM model_config").fetchall() == [("b",), ("c",)]


def test_nothing_of_the_hosts_is_changed(path: Path) -> None:
    """Settings, functions and row factory are as they were, and the lock is free."""
    lock = Lock()
    with closing(sqlite3.connect(path)) as host:
        host.row_factory = lambda _, row: {"row": row}
        host.create_function("regexp", 2, lambda *_: 7)
        before = host.execute("PRAGMA foreign_keys").fetchone(), host.isolation_level
        service = ModelRecordServiceSQL.from_connection(host, lock)
        service.add_model("a", lora())
        with pytest.raises(UnknownModelException):
            service.get_model("b")
        assert not lock.locked()
        assert (host.execute("PRAGMA foreign_keys").fetchone(), host.isolation_level) == before
        assert host.execute("SELECT regexp('a', 'b')").fetchone() == {"row": (7,)}
        service.close()


def test_a_busy_database_is_told(path: Path) -> None:
    """Who waits as long as the host's connection does, and in vain, is told in our words."""
    with (
        closing(sqlite3.connect(path, timeout=0, check_same_thread=False)) as host,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        host.execute("PRAGMA journal_mode=WAL")
        service = ModelRecordServiceSQL.from_connection(host, Lock())
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            service.add_model("a", lora())
        assert not host.in_transaction
        assert service.count() == 0
        other.execute("ROLLBACK")
        service.add_model("a", lora())
        service.close()


# -- inside a transaction of somebody else's


def test_rows_are_written_in_the_callers_transaction(path: Path) -> None:
    """Records that are entered, changed, hidden and deleted on a connection follow its transaction."""
    database = RecordFile(path)
    service = ModelRecordServiceSQL(database)
    config = parse_config(lora(key="a", revision=1, tags=["x"], blake3="ab" * 32))

    def insert_and_fail() -> None:
        with database.write() as connection:
            insert_configs(connection, [config])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        insert_and_fail()
    assert service.count() == 0
    with database.write() as connection:
        insert_configs(connection, [config])
        enter_file_hashes(connection, {"a": ["cd" * 32, "cd" * 32]})
    assert [one.key for one in service.search_by_hash("cdcd")] == ["a"]
    with database.write() as connection:
        changed = parse_config(lora("other", key="a", revision=2))
        update_config(connection, changed)
    assert service.all_models() == [changed]
    assert service.search_by_hash("abab") == service.search_by_tag(["x"]) == []
    assert [one.key for one in service.search_by_hash("cdcd")] == ["a"]
    with database.write() as connection:
        hide_configs(connection, ["a"], hidden=True)
        assert read_config(connection, "a") is None
        assert read_config(connection, "a", hidden=True) == changed
    assert service.count() == 0
    assert not service.exists("a")
    assert service.find_text("other") == []
    with pytest.raises(DuplicateKeyError):
        service.add_model("a", lora())
    with database.write() as connection:
        hide_configs(connection, ["a"], hidden=False)
    assert service.all_models() == [changed]
    with database.write() as connection:
        assert delete_configs(connection, ["a", "b", "\ud800"]) == 1
    assert service.count() == 0
    service.close()


# -- the full-text index


def drop_index(path: Path) -> None:
    run_sql(
        path,
        *(f"DROP TRIGGER {TEXT_INDEX}_{what}" for what in ("added", "removed", "changed")),
        f"DROP TABLE {TEXT_TERMS}",
        f"DROP TABLE {TEXT_INDEX}",
        f"DROP VIEW {TEXT_INDEX}_source",
    )


def test_finds_the_same_without_its_index(path: Path) -> None:
    """A SQLite without full-text search reads the texts one by one, and finds the same."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models(
            {str(n): lora(f"Name {n}", description="Straße 水墨画" * (n % 2)) for n in range(20)}
        )
        words = ("STRASSE", "水墨", "name 1", "e 1", "x", "画", "8", "q9", "z")
        found = [service.find_text(word) for word in words]
        assert [len(one) for one in found] == [10, 10, 11, 11, 0, 10, 2, 0, 0]
        assert [service.find_text(word, limit=50) for word in words] == found
    drop_index(path)
    with ModelRecordServiceSQL.from_db_file(path) as service:
        assert [service.find_text(word) for word in words] == found
        service.update_model("1", {"description": "changed"})
        assert [one.key for one in service.find_text("changed")] == ["1"]


def test_short_words_are_found_at_the_end_of_a_text(path: Path) -> None:
    """The last letters of a text begin no group of their own, and a text may be shorter than a group."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models({"a": lora("fox"), "b": lora("ox"), "c": lora("x"), "d": lora("a\nx\n")})
        for word, expected in {"x": "bcad", "ox": "ba", "fox": "a", "o": "ba", "fo": "a"}.items():
            assert sorted(one.key for one in service.find_text(word)) == sorted(expected)
        for text, expected in {
            "\n": "d",
            "x\n": "d",
            "x\n\n": "",
            "\nx\n": "d",
            "\n\n": "",
        }.items():
            found = service.find(Term(Attribute.TEXT, Operator.HAS, text))
            assert [one.key for one in found] == list(expected), text


def test_letters_that_the_index_takes_for_one_another_are_not(path: Path) -> None:
    """SQLite's index has one group for three letters that no text should have, and some have."""
    letters = "\ufffd\ufffe\uffff"
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models((f"{place}", lora(f"in{each}k")) for place, each in enumerate(letters))
        for place, each in enumerate(letters):
            for word in (each, f"n{each}", f"{each}k", f"n{each}k", f"in{each}k"):
                assert [one.key for one in service.find_text(word)] == [f"{place}"], ascii(word)
            assert [one.key for one in service.find_text(f"in n{each}k")] == [f"{place}"]


def test_common_words_are_found_page_by_page(path: Path) -> None:
    """A word that most records have is found in the list's order, with the index or past it."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models(
            (f"{n:04}", lora(f"ink {n % 7}", description="fox")) for n in range(2_100)
        )
        for word in ("ink", "fo", "k", "3"):
            term = Term(Attribute.TEXT, Operator.HAS, word)
            whole = service.find_text(word)
            assert len(whole) == service.count(term) == (300 if word == "3" else 2_100)
            pages = (service.find_text(word, offset=at, limit=100) for at in range(0, 2_100, 100))
            assert [one for page in pages for one in page] == whole


def test_pages_are_the_list_cut_whatever_is_asked(path: Path) -> None:
    """Common tags, rare ones, tags that are common and seldom together, numbers of few and of many."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models(
            (
                f"{n:04}",
                lora(
                    f"ink {n % 7}",
                    tags=["All", "even" if n % 2 == 0 else "odd", *(["odd"] * (n % 700 == 0))],
                    size=n,
                ),
            )
            for n in range(2_100)
        )
        tag = {word: Term(Attribute.TAG, Operator.IS, word) for word in ("all", "EVEN", "odd")}
        more = {n: Term(Attribute.SIZE, Operator.MORE, n) for n in (10, 2_090)}
        for selector, count in (
            (tag["all"], 2_100),
            (And((tag["all"], tag["odd"])), 1_053),
            (And((tag["EVEN"], tag["odd"])), 3),
            (And((tag["EVEN"], more[2_090])), 4),
            (Not(tag["all"]), 0),
            (Not(And((tag["all"], tag["odd"]))), 1_047),
            (more[10], 2_089),
            (more[2_090], 9),
            (Not(more[2_090]), 2_091),
            (Or((more[2_090], And((tag["EVEN"], tag["odd"])))), 12),
        ):
            whole = service.find(selector)
            assert len(whole) == service.count(selector) == count
            for offset in (0, 2, 1_000):
                page = service.find(selector, offset=offset, limit=5)
                assert page == whole[offset : offset + 5]
        assert service.search_by_tag(["odd", "even"]) == service.find(
            And((tag["EVEN"], tag["odd"]))
        )


def test_a_short_word_that_stands_everywhere_is_read_for(path: Path) -> None:
    """One that stands at too many places to look them all up is found in the texts."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_model("a", lora("ink", description="qz " * 25_000))
        service.add_model("b", lora("ink"))
        assert [one.key for one in service.find_text("qz")] == ["a"]
        assert [one.key for one in service.find_text("q")] == ["a"]
        assert [one.key for one in service.find_text("ink qz")] == ["a"]


def test_an_older_index_is_made_anew(path: Path) -> None:
    """A file of an earlier modelshelf finds short words at once, and those that it held."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models({"a": lora("fox"), "b": lora("paper")})
    drop_index(path)
    run_sql(
        path,
        "CREATE VIRTUAL TABLE model_config_text USING"
        " fts5(text, content='model_config', content_rowid='id', tokenize='trigram case_sensitive 1')",
        "INSERT INTO model_config_text (rowid, text) SELECT id, text FROM model_config",
        "CREATE TRIGGER model_config_text_added AFTER INSERT ON model_config BEGIN"
        " INSERT INTO model_config_text (rowid, text) VALUES (NEW.id, NEW.text); END",
    )
    for _ in range(2):
        with ModelRecordServiceSQL.from_db_file(path) as service:
            assert [one.key for one in service.find_text("ox")] == ["a"]
            assert [one.key for one in service.find_text("pap")] == ["b"]
    run_sql(
        path,
        "INSERT INTO model_config_text (model_config_text, rank) VALUES ('integrity-check', 1)",
    )


def test_the_index_follows_whoever_writes(path: Path) -> None:
    """Rows that are written past the program keep the full-text index right."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models({key: lora(f"name {key}") for key in "abc"})
        run_sql(
            path,
            "UPDATE model_config SET text = 'quite other', id = 77 WHERE key = 'a'",
            "DELETE FROM model_config_base",
            "DELETE FROM model_config WHERE key = 'b'",
            "INSERT INTO model_config_text (model_config_text, rank) VALUES ('integrity-check', 1)",
        )
        assert [one.key for one in service.find_text("quite")] == ["a"]
        assert [one.key for one in service.find_text("name")] == ["c"]


# -- what somebody wrote past the program


def test_a_row_that_is_no_record_is_told(path: Path) -> None:
    """It hides no other from who asks by key, and whoever would read it is told which it is."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models({key: lora(key) for key in "abcd"})
        for key, statement in (
            ("b", "UPDATE model_config SET config = '{' WHERE key = 'b'"),
            ("c", "UPDATE model_config SET config = '[]' WHERE key = 'c'"),
            ("d", """UPDATE model_config SET config = '{"name": "d"}' WHERE key = 'd'"""),
        ):
            run_sql(path, statement)
            for ask in (lambda key=key: service.get_model(key), service.all_models):
                with pytest.raises(InvalidModelConfigException) as caught:
                    ask()
                assert f"`{key}`" in str(caught.value)
            assert service.get_model("a").name == "a"
            assert service.exists(key)
            service.del_model(key)
        assert [one.key for one in service.all_models()] == ["a"]


# -- bounds


def test_bounds_what_is_asked_at_once(path: Path) -> None:
    """As many conditions as the database can walk are asked, and more are refused in our words."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_model("a", lora())
        term = Not(Term(Attribute.TAG, Operator.IS, "x"))
        assert len(service.find(And((term,) * 500))) == 1
        with pytest.raises(UsageError):
            service.find(And((term,) * 501))
        with pytest.raises(UsageError):
            service.find_text(" ".join(f"word{n}" for n in range(501)))
        assert service.find_text("word " * 501) == []


def test_adds_and_deletes_more_than_a_statement_takes(path: Path) -> None:
    """Thousands of records go in and out in one transaction."""
    with ModelRecordServiceSQL.from_db_file(path) as service:
        service.add_models((f"k{n}", lora(str(n))) for n in range(1200))
        assert service.count() == 1200
        with pytest.raises(DuplicateKeyError) as caught:
            service.add_models((f"k{n}", lora(str(n))) for n in range(1199, 2500))
        assert caught.value.wanted == "k1199"
        assert service.count() == 1200
    database = RecordFile(path)
    with database.write() as connection:
        assert delete_configs(connection, (f"k{n}" for n in range(1200))) == 1200
    database.close()
