"""Several threads and processes on the same records at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import pytest

from modelshelf import Settings
from modelshelf.errors import DuplicateKeyError, StaleConfigError
from modelshelf.records.services import (
    LibraryRecordService,
    ModelRecordServiceBase,
    ModelRecordServiceSQL,
)
from modelshelf.testing.record_service_case import lora
from tests.contract.postgres import private_server

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_THREADS = 8
_PROCESSES = 4
_ROUNDS = 6
_KEYS = ("a", "b", "c")
_WORKER = """
import sys
from tests.fault.test_record_service import count_up, open_records

sys.stdin.readline()
with open_records(sys.argv[1]) as service:
    print(count_up(service, sys.argv[2]))
"""


def open_records(place: str) -> ModelRecordServiceBase:
    """Open the records at a URL, in a file, or of the library in a folder."""
    if "://" in place:
        return ModelRecordServiceSQL.from_url(place)
    if Path(place).is_dir():
        return ModelRecordServiceBase.open(Settings(root=place))
    return ModelRecordServiceSQL.from_db_file(place)


def count_up(service: ModelRecordServiceBase, who: str) -> int:
    """Add one to a number that every record holds, many times; return how often one was refused.

    Adds a record of its own each round and deletes it the next, and looks at all there is in between.
    """
    refused = 0
    for turn in range(_ROUNDS):
        for key in _KEYS:
            while True:
                config = service.get_model(key)
                config.description = str(int(config.description or "0") + 1)
                try:
                    service.update_model(key, config)
                except StaleConfigError:
                    refused += 1
                else:
                    break
        if isinstance(service, LibraryRecordService):
            # Which changes no revision, and refuses nobody.
            service.mark_used(_KEYS[turn % len(_KEYS)])
        service.add_model(f"{who}-{turn}", lora(f"{who} {turn}", tags=[who]))
        if turn:
            service.del_model(f"{who}-{turn - 1}")
        mine = [one.key for one in service.search_by_tag([who])]
        assert mine == [f"{who}-{turn}"], mine
    return refused


def counted(service: ModelRecordServiceBase) -> dict[str, tuple[str | None, int]]:
    """Return what the shared records count, and their revisions."""
    return {
        key: (config.description, config.revision)
        for key in _KEYS
        for config in [service.get_model(key)]
    }


def test_no_change_of_many_threads_and_processes_is_lost(tmp_path: Path) -> None:
    """Every change arrives once, a stale one is refused, and nobody meets a locked database."""
    many_count(str(tmp_path / "records.db"))


def test_no_change_to_a_librarys_records_is_lost(tmp_path: Path) -> None:
    """Nor is one to the records of a library, while its models are used."""
    many_count(str(tmp_path))


def test_no_change_on_a_server_is_lost() -> None:
    """Nor is one on PostgreSQL."""
    with private_server() as server:
        many_count(server.new_database())


def many_count(place: str) -> None:
    """Let eight threads and four processes count up the same records, and one more thread look on."""
    with open_records(place) as service:
        service.add_models({key: lora(key, description="0") for key in _KEYS})
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, place, f"process {number}"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(_PROCESSES)
    ]
    done = Event()

    def read(service: ModelRecordServiceBase) -> None:
        before: dict[str, int] = {}
        while not done.is_set():
            # One moment: nobody goes back, and a list and its count are of the same kind.
            now = {one.key: one.revision for one in service.all_models() if one.key in _KEYS}
            assert all(now[key] >= revision for key, revision in before.items())
            assert len(now) == len(_KEYS)
            before = now

    with open_records(place) as service, ThreadPoolExecutor(_THREADS + 1) as pool:
        try:
            reading = pool.submit(read, service)
            writing = [
                pool.submit(count_up, service, f"thread {number}") for number in range(_THREADS)
            ]
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            for process in processes:
                said, problems = process.communicate()
                assert process.returncode == 0, problems
                assert int(said) >= 0
            for each in writing:
                each.result()
        finally:
            done.set()
        reading.result()
        total = (_THREADS + _PROCESSES) * _ROUNDS
        assert counted(service) == dict.fromkeys(_KEYS, (str(total), total + 1))
        assert service.count() == len(_KEYS) + _THREADS + _PROCESSES


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
