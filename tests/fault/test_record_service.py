"""Several threads and processes on the same records at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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
from modelshelf.schema.config import AnyModelConfig
from modelshelf.testing.record_service_case import lora
from tests.contract.postgres import private_server

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
