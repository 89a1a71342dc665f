from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import NotEnoughSpaceError, StaleConfigError, StoreWriteError
from modelshelf.protocols import Disk
from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.testing.faults import FailingDisk, KillingDisk, ShortWritingDisk, system_error

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

LORA = {"name": "New", "type": "lora", "format": "lycoris", "base": "sd-1", "path": "new"}
_ADDER = """
import sys
from modelshelf.records.file_service import ModelRecordServiceFile

path, name, number = sys.argv[1:]
store = ModelRecordServiceFile(path)
sys.stdin.readline()
for each in range(int(number)):
    store.add_model(f"{name}-{each}", dict(
        name=name, type="lora", format="lycoris", base="sd-1", path="a"))
"""
_COUNTER = """
import sys
from modelshelf.errors import StaleConfigError
from modelshelf.records.file_service import ModelRecordServiceFile

path, name, number = sys.argv[1:]
store = ModelRecordServiceFile(path)
sys.stdin.readline()
done = 0
while done < int(number):
    config = store.get_model("shared")
    config.size = config.size + 1
    try:
        store.update_model("shared", config)
    except StaleConfigError:
        continue
    done += 1
"""


def _together(script: str, path: Path, number: int) -> None:
    """Run the script in four processes at once, and see all of them end well."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path), name, str(number)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in "abcd"
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, trouble = process.communicate(timeout=240)
        assert (process.returncode, trouble) == (0, "")


def _killed_at(path: Path, at: int, *, after: bool) -> bool:
    """Add a record and die at the k-th operation of the disk; False if there were fewer."""
    child = os.fork()
    if child == 0:
        disk = KillingDisk(LocalDisk(), at, after=after)
        ModelRecordServiceFile(path, disk=disk).add_model("new", LORA)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL
    return os.WIFSIGNALED(status)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_point_leaves_the_old_file_or_the_new(tmp_path: Path, *, after: bool) -> None:
    """Whole either way, and the next writer is hindered by nothing that is left behind."""
    template = tmp_path / "template.yaml"
    ModelRecordServiceFile(template).add_model("old", LORA)
    states: set[tuple[str, ...]] = set()
    for at in count(1):
        folder = tmp_path / str(at)
        folder.mkdir()
        path = folder / "models.yaml"
        shutil.copy(template, path)
        was_killed = _killed_at(path, at, after=after)
        store = ModelRecordServiceFile(path)
        states.add(tuple(config.key for config in store.all_models()))
        store.add_model("later", LORA)
        assert [each.name for each in folder.glob(".models.yaml.new")] == []
        if not was_killed:
            break
    assert at > 4
    assert states == {("old",), ("new", "old")}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_changes_nothing(tmp_path: Path, number: int) -> None:
    """Whichever operation fails: a typed error, the records as they were or as they shall be, no leftover."""
    expected = NotEnoughSpaceError if number == errno.ENOSPC else StoreWriteError
    path = tmp_path / "models.yaml"
    ModelRecordServiceFile(path).add_model("old", LORA)
    for at in count(1):
        disk = FailingDisk(LocalDisk(), at, system_error(number))
        store = ModelRecordServiceFile(path, disk=disk)
        before = path.read_bytes()
        try:
            store.add_model(f"new-{at}", LORA)
        except expected:
            # Only the last step, making the rename durable, fails after the change.
            assert store.exists(f"new-{at}") == (path.read_bytes() != before)
        if not disk.has_failed:
            break
        assert [each.name for each in tmp_path.glob("*.new")] == []
        assert ModelRecordServiceFile(path).get_model("old").name == "New"
    assert at > 4


def test_short_writes_write_everything(tmp_path: Path) -> None:
    """The system may take one byte at a time."""
    path = tmp_path / "models.yaml"
    disk: Disk = ShortWritingDisk(LocalDisk())
    ModelRecordServiceFile(path, disk=disk).add_model("a", LORA)
    assert ModelRecordServiceFile(path).get_model("a").name == "New"


def test_four_processes_adding_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each adds its records on what the others wrote."""
    path = tmp_path / "models.yaml"
    _together(_ADDER, path, 25)
    expected = {f"{name}-{number}" for name in "abcd" for number in range(25)}
    assert {config.key for config in ModelRecordServiceFile(path).all_models()} == expected


def test_four_processes_changing_one_record_lose_no_change(tmp_path: Path) -> None:
    """Who was too late is told so and tries again; in the end every change is counted."""
    path = tmp_path / "models.yaml"
    store = ModelRecordServiceFile(path)
    store.add_model("shared", LORA | {"size": 0})
    _together(_COUNTER, path, 10)
    assert (store.get_model("shared").size, store.get_model("shared").revision) == (40, 41)


def test_eight_threads_share_a_store(tmp_path: Path) -> None:
    """Adding, changing and reading at once: no lost change, no deadlock."""
    store = ModelRecordServiceFile(tmp_path / "models.yaml")
    store.add_model("shared", LORA | {"size": 0})
    troubles: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(5):
                store.add_model(f"{name}-{number}", LORA)
                while True:
                    config = store.get_model("shared")
                    config.size = (config.size or 0) + 1
                    try:
                        store.update_model("shared", config)
                    except StaleConfigError:
                        continue
                    break
                store.all_models()
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            troubles.append(error)

    threads = [Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert (store.get_model("shared").size, store.count()) == (40, 41)


def test_a_person_s_editor_is_not_overwritten(tmp_path: Path) -> None:
    """Who saves between a look and the write, without asking for the lock, keeps what was saved."""
    path = tmp_path / "models.yaml"
    ModelRecordServiceFile(path).add_model("old", LORA)

    class Saving(LocalDisk):
        """An editor that saves while the next state is being written."""

        def sync_file(self, descriptor: int) -> None:
            super().sync_file(descriptor)
            if "by hand" not in path.read_text():
                path.write_text(path.read_text().replace("name: New", "name: by hand"))

    ModelRecordServiceFile(path, disk=Saving()).add_model("new", LORA)
    store = ModelRecordServiceFile(path)
    assert [store.get_model(key).name for key in ("old", "new")] == ["by hand", "New"]
