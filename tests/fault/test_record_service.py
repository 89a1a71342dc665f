"""Several threads and processes on the same records at once, and disks without room for them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Event, Lock

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from modelshelf import Settings
from modelshelf.errors import DuplicateKeyError, NotEnoughSpaceError, StaleConfigError
from modelshelf.records.database import HEAD, Database
from modelshelf.records.services import (
    LibraryRecordService,
    ModelRecordServiceBase,
    ModelRecordServiceSQL,
)
from modelshelf.schema.config import AnyModelConfig
from modelshelf.testing.record_service_case import lora
from tests.contract.postgres import private_server
from tests.fault.small_disk import small_file_system

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_THREADS = 8
_PROCESSES = 4
_THREADS_OF_A_PROCESS = 2
_ROUNDS = 3
_KEYS = ("a", "b", "c")
_WORKER = """
import sys
from tests.fault.test_record_service import count_together, open_records

sys.stdin.readline()
with open_records(sys.argv[1]) as service:
    count_together(service, sys.argv[2], int(sys.argv[3]))
"""


def open_records(place: str) -> ModelRecordServiceBase:
    """Open the records at a URL, in a file, or of the library in a folder."""
    if "://" in place:
        return ModelRecordServiceSQL.from_url(place)
    if Path(place).is_dir():
        return ModelRecordServiceBase.open(Settings(root=place))
    return ModelRecordServiceBase.from_db_file(place)


def count_together(service: ModelRecordServiceBase, who: str, threads: int) -> None:
    """Count up in several threads of this process, while one more looks on."""
    done = Event()
    with ThreadPoolExecutor(threads + 1) as pool:
        looking = pool.submit(look_on, service, done)
        counting = [pool.submit(count_up, service, f"{who}.{each}") for each in range(threads)]
        try:
            for each in counting:
                each.result()
        finally:
            done.set()
        looking.result()


def look_on(service: ModelRecordServiceBase, done: Event) -> None:
    """Read in all ways until the others are done: what is seen is whole, and never goes back."""
    before: dict[str, int] = {}
    while not done.is_set():
        now = {one.key: one.revision for one in service.all_models() if one.key in _KEYS}
        assert len(now) == len(_KEYS)
        assert all(now[key] >= revision for key, revision in before.items())
        before = now
        counts = [one for one in service.search_by_tag(["counted"]) if one.key in _KEYS]
        assert len(counts) == len(_KEYS)
        for one in counts:
            # Both were written together, each time.
            assert one.description == str(one.revision - 1)
        assert len(service.find(limit=2)) == 2
        assert service.count() >= len(_KEYS)
        assert service.exists(_KEYS[0])


def count_up(service: ModelRecordServiceBase, who: str) -> None:
    """Add one to a number that every record holds, many times, by either way of changing a record.

    Adds a record of its own each round and deletes it the next, and looks at all there is in between.
    """
    for turn in range(_ROUNDS):
        for key in _KEYS:
            while not counted_up(service, key, by_fields=bool(turn % 2)):
                pass
        if isinstance(service, LibraryRecordService):
            # Which changes no revision, and refuses nobody.
            service.mark_used(_KEYS[turn % len(_KEYS)])
        service.add_model(f"{who}-{turn}", lora(f"{who} {turn}", tags=[who]))
        if turn:
            service.del_model(f"{who}-{turn - 1}")
        mine = [one.key for one in service.search_by_tag([who])]
        assert mine == [f"{who}-{turn}"], mine


def counted_up(service: ModelRecordServiceBase, key: str, *, by_fields: bool) -> bool:
    """Add one to the number of one record; say whether it was accepted, rather than refused as stale."""
    config = service.get_model(key)
    number = str(int(config.description or "0") + 1)
    change: AnyModelConfig | dict[str, object] = config
    if by_fields:
        change = {"description": number, "revision": config.revision}
    else:
        config.description = number
    try:
        service.update_model(key, change)
    except StaleConfigError:
        return False
    return True


def counted(service: ModelRecordServiceBase) -> dict[str, tuple[str | None, int]]:
    """Return what the shared records count, and their revisions."""
    return {
        key: (config.description, config.revision)
        for key in _KEYS
        for config in [service.get_model(key)]
    }


@pytest.mark.parametrize("name", ["records.db", "records.yaml", ""], ids=["SQL", "YAML", "library"])
def test_no_change_of_many_threads_and_processes_is_lost(tmp_path: Path, name: str) -> None:
    """Every change arrives once, a stale one is refused, and nobody meets a locked database."""
    many_count(str(tmp_path / name))


def test_no_change_on_a_server_is_lost() -> None:
    """Nor is one on PostgreSQL."""
    with private_server() as server:
        many_count(server.new_database())


def many_count(place: str) -> None:
    """Let eight threads here, and four processes of three threads, read and write the same records at once."""
    with open_records(place) as service:
        service.add_models({key: lora(key, description="0", tags=["counted"]) for key in _KEYS})
    with ExitStack() as running, open_records(place) as service:
        processes = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _WORKER, place, f"process {number}", str(each)],
                    cwd=Path(__file__).parents[2],
                    stdin=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for number, each in enumerate([_THREADS_OF_A_PROCESS] * _PROCESSES)
        ]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        count_together(service, "here", _THREADS)
        for process in processes:
            _, problems = process.communicate()
            assert (process.returncode, problems) == (0, "")
        writers = _THREADS + _PROCESSES * _THREADS_OF_A_PROCESS
        total = writers * _ROUNDS
        assert counted(service) == dict.fromkeys(_KEYS, (str(total), total + 1))
        assert service.count() == len(_KEYS) + writers


def test_threads_take_turns_on_a_lent_connection() -> None:
    """One connection serves many threads, one at a time, and no change is lost."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    service = ModelRecordServiceSQL.from_connection(connection, Lock())
    service.add_models({key: lora(key, description="0") for key in _KEYS})
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(count_up, [service] * _THREADS, map(str, range(_THREADS))))
    total = _THREADS * _ROUNDS
    assert counted(service) == dict.fromkeys(_KEYS, (str(total), total + 1))
    service.close()
    connection.close()


def test_a_key_that_many_want_is_given_once(tmp_path: Path) -> None:
    """Of many who add the same key one succeeds, and the others are told."""
    with (
        ModelRecordServiceSQL.from_db_file(tmp_path / "records.db") as service,
        ThreadPoolExecutor(_THREADS) as pool,
    ):

        def add(number: int) -> bool:
            try:
                service.add_model("a", lora(f"name {number}"))
            except DuplicateKeyError:
                return False
            return True

        assert sum(pool.map(add, range(_THREADS))) == 1
        assert service.count() == 1


def test_many_make_the_same_file(tmp_path: Path) -> None:
    """Processes and threads that open a file that is not there make it together."""
    path = tmp_path / "records.db"

    def open_and_add(number: int) -> None:
        with ModelRecordServiceSQL.from_db_file(path) as service:
            service.add_model(str(number), lora())

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(open_and_add, range(_THREADS)))
    with ModelRecordServiceSQL.from_db_file(path) as service:
        assert service.count() == _THREADS


# -- a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    with small_file_system(tmp_path / "small", megabytes=2) as folder:
        yield folder


def leave(folder: Path, free: int) -> Path:
    """Fill a disk but for so many bytes, with a file that is returned."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(folder).free - free))
    return ballast


@pytest.mark.parametrize("name", ["records.db", "records.yaml"])
@pytest.mark.parametrize("free", [0, 4096, 8192, 16384, 65536])
def test_no_room_for_a_new_store_is_told(small_disk: Path, name: str, free: int) -> None:
    """At whichever step it shows; and where room is made, the store is made."""
    ballast = leave(small_disk, free)
    with suppress(NotEnoughSpaceError):
        open_records(str(small_disk / name)).close()
    ballast.unlink()
    with open_records(str(small_disk / name)) as service:
        assert service.add_model("a", lora()).revision == 1


@pytest.mark.parametrize("name", ["records.db", "records.yaml"])
def test_no_room_for_a_change_changes_nothing(small_disk: Path, name: str) -> None:
    """What was there can be read, and is all there is when room is made."""
    large = "x" * 90_000
    with open_records(str(small_disk / name)) as service:
        service.add_models({f"k{n}": lora(str(n)) for n in range(50)})
        before = service.all_models()
        ballast = leave(small_disk, 0)
        for change in (
            lambda: service.add_model("new", lora(description=large)),
            lambda: service.add_models({f"n{n}": lora(description=large) for n in range(9)}),
            lambda: service.update_model("k1", {"description": large}),
        ):
            with pytest.raises(NotEnoughSpaceError):
                change()
        assert service.all_models() == before
        ballast.unlink()
        assert service.update_model("k1", {"description": large}).description == large


@pytest.mark.parametrize("free", [0, 4096, 65536, 200_000])
def test_no_room_to_migrate_leaves_what_was_there(small_disk: Path, free: int) -> None:
    """Neither for the backup nor for the change: the library is as old as before, without half a copy."""
    path = small_disk / "databases" / "models.db"
    path.parent.mkdir()
    older_library(path)
    ballast = leave(small_disk, free)
    with pytest.raises(NotEnoughSpaceError):
        Database(path).close()
    ballast.unlink()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("0003",)
        ]
    for copy in path.parent.glob("models.before-*"):
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT * FROM model_id").fetchall() == [(1, 0)]
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def older_library(path: Path) -> None:
    """Make the database of a library as an earlier modelshelf did."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "modelshelf:records/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql("INSERT INTO model_id VALUES (1, 0)")
    engine.dispose()
