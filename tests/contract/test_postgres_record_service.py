from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import create_engine

from modelshelf.errors import (
    DuplicateKeyError,
    NotARecordStoreError,
    StaleConfigError,
    StoreTooNewError,
    StoreUnusableError,
    UnknownModelException,
    UsageError,
)
from modelshelf.protocols import ModelRecords
from modelshelf.records.sql_service import ModelRecordServiceSQL
from modelshelf.testing.record_service_case import lora
from modelshelf.testing.record_service_contract import RecordServiceContract
from tests.contract.postgres import Server, private_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of this module."""
    with private_server() as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    """An empty database."""
    return server.new_database()


class TestPostgres(RecordServiceContract):
    """The same code on a server that sorts by another alphabet unless told otherwise."""

    @pytest.fixture(autouse=True)
    def _service(self, url: str) -> Iterator[None]:
        self.url = url
        with ExitStack() as self.opened:
            self.service = self.another()
            yield

    def another(self) -> ModelRecords:
        service = ModelRecordServiceSQL.from_url(self.url, clock=self.clock)
        return self.opened.enter_context(service)

    def test_takes_the_longest_texts(self) -> None:
        """Names, paths, tags and hashes may be as long as a record allows: no index is too narrow."""
        wide = "".join(map(chr, range(0x10000, 0x10000 + 1024)))
        tags = [wide, wide[::-1]]
        path = (wide * 4)[:4096]
        self.add(wide[:255], wide, path=path, tags=tags, hash=path[::-1], author=path, source=path)
        assert [one.name for one in self.service.search_by_name(wide)] == [wide]
        assert [one.name for one in self.service.search_by_tag(tags)] == [wide]
        assert [one.name for one in self.service.search_by_hash(path[::-1][:9])] == [wide]
        assert self.service.search_by_path(path).name == wide


def test_a_database_of_an_earlier_modelshelf_gets_its_indexes(url: str) -> None:
    """What lets pages be read quickly is made when the records are opened, once."""
    with ModelRecordServiceSQL.from_url(url) as service:
        service.add_models({"b": lora("b"), "a": lora("a")})
    engine = create_engine(url)
    listed = "SELECT indexname FROM pg_indexes WHERE starts_with(indexname, 'ix_model_config_page')"
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_model_config_page, ix_model_config_page_name")
    for _ in range(2):
        with ModelRecordServiceSQL.from_url(url) as service:
            assert [one.key for one in service.all_models()] == ["a", "b"]
        with engine.begin() as connection:
            assert len(connection.exec_driver_sql(listed).all()) == 2
    engine.dispose()


def test_many_open_an_empty_database_at_once(url: str) -> None:
    """The tables are made once, and nobody fails."""

    def open_and_add(number: int) -> None:
        with ModelRecordServiceSQL.from_url(url) as service:
            service.add_model(f"k{number}", lora())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_add, range(8)))
    with ModelRecordServiceSQL.from_url(url) as service:
        assert service.count() == 8


def test_a_server_that_was_started_anew_fails_nobody(url: str) -> None:
    """Connections that the server has closed meanwhile are made again, and nobody is told."""
    engine = create_engine(url)
    others = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with ModelRecordServiceSQL.from_url(url) as service:
        service.add_model("a", lora("a"))
        for act in (service.count, lambda: service.update_model("a", {"author": "me"})):
            with engine.begin() as connection:
                assert connection.exec_driver_sql(others).scalar_one() >= 1
            act()
        assert service.get_model("a").author == "me"
    engine.dispose()


def test_many_write_at_once(url: str) -> None:
    """Of changes to one record none is lost, and keys that many add in any order are added once."""
    with ModelRecordServiceSQL.from_url(url) as service:
        service.add_model("a", lora(description="0"))

        def count_up(_: int) -> int:
            refused = 0
            for _ in range(10):
                while True:
                    config = service.get_model("a")
                    config.description = str(int(config.description or "0") + 1)
                    try:
                        service.update_model("a", config)
                    except StaleConfigError:
                        refused += 1
                    else:
                        break
            return refused

        def add_all(number: int) -> int:
            keys = [f"k{n}" for n in range(50)]
            try:
                service.add_models(
                    [(key, lora()) for key in (keys if number % 2 else reversed(keys))]
                )
            except DuplicateKeyError:
                return 0
            return 1

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(count_up, range(5)))
        with ThreadPoolExecutor(5) as pool:
            assert sum(pool.map(add_all, range(5))) == 1
        assert service.get_model("a").description == "50"
        assert service.get_model("a").revision == 51
        assert service.count() == 51


def test_changing_and_deleting_do_not_meet(url: str) -> None:
    """Who changes a record while another deletes it and adds it again is told that it is gone, or stale."""
    with ModelRecordServiceSQL.from_url(url) as service:

        def change(number: int) -> None:
            for turn in range(20):
                with suppress(UnknownModelException, StaleConfigError):
                    service.update_model("a", {"tags": [f"{number}", f"{turn}"]})

        def replace(_: int) -> None:
            for _ in range(20):
                with suppress(UnknownModelException):
                    service.del_model("a")
                with suppress(DuplicateKeyError):
                    service.add_model("a", lora(tags=["new"]))

        with ThreadPoolExecutor(6) as pool:
            for done in [pool.submit(act, n) for n in range(3) for act in (change, replace)]:
                done.result()
        assert service.count() == 1


def test_other_tables_are_left_alone(url: str) -> None:
    """Tables of these names that are somebody else's, or newer, are refused as they are."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE model_config (id integer)")
    with pytest.raises(NotARecordStoreError):
        ModelRecordServiceSQL.from_url(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE model_config")
    ModelRecordServiceSQL.from_url(url).close()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE model_manager_metadata SET metadata_value = '10.0'")
    with pytest.raises(StoreTooNewError) as caught:
        ModelRecordServiceSQL.from_url(url)
    assert caught.value.found == "10.0"
    engine.dispose()


def test_says_why_there_is_no_connection(server: Server) -> None:
    """A server that is not there, a database that is not, and no URL at all are told apart."""
    with pytest.raises(StoreUnusableError) as caught:
        ModelRecordServiceSQL.from_url(
            f"postgresql+psycopg://modelshelf:secret@/none?host={server.folder}"
        )
    assert "none" in caught.value.reason
    assert "secret" not in str(caught.value)
    with pytest.raises(StoreUnusableError):
        ModelRecordServiceSQL.from_url("postgresql://me@/db?host=/nowhere/at/all")
    for wrong in ("mysql://host/db", "no url", "sqlite:///records.db"):
        with pytest.raises(UsageError):
            ModelRecordServiceSQL.from_url(wrong)
