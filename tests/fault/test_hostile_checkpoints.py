from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.errors import (
    FormatError,
    InvalidCheckpointError,
    RefusedCheckpointError,
    UnsupportedEntryError,
)
from modelshelf.formats import read_checkpoint, read_tensors, read_tree
from modelshelf.testing import tiny
from modelshelf.testing.tiny import TorchTensor
from tests.fault import hostile_archives, hostile_pickles
from tests.fault.hostile_pickles import INVALID, REFUSED
from tests.unit.formats.old_torch import write_tar

pytestmark = pytest.mark.fault

CASES = {**hostile_pickles.CASES, **hostile_archives.CASES}
PAYLOAD = {"w": TorchTensor("F32", (2, 3)), "v": TorchTensor("F16", (4,))}
MOST_MEMORY = 100 << 20

MOST_SECONDS = 1

AUDITED = """
import json, sys, time
from pathlib import Path
from modelshelf.errors import FormatError
from modelshelf.formats import read_checkpoint

files, sound, seen, watching = json.load(sys.stdin), sys.argv[1], [], []

def watch(event, arguments):
    if watching:
        seen.append((event, [str(one) for one in arguments]))

def most_memory():
    # What `getrusage` tells begins with the memory of the process that started this one.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

def read(path):
    watching.append(path)
    try:
        read_checkpoint(Path(path))
    except FormatError:
        pass
    finally:
        watching.clear()

read(sound)
sys.addaudithook(watch)
forget, found, costs = Path("/proc/self/clear_refs"), {}, {}
for path in files:
    if forget.exists():
        # `proc(5)`: 5 forgets the highest resident size seen so far.
        forget.write_text("5")
    before, began = most_memory(), time.process_time()
    read(path)
    costs[path] = {"seconds": time.process_time() - began, "memory": most_memory() - before}
    found[path] = [event for event in seen if event[0] != "open" or event[1][0] != path]
    opened = len(seen) - len(found[path])
    assert opened == 1, (path, seen)
    seen.clear()
json.dump({"events": {path: events for path, events in found.items() if events},
           "costs": costs, "modules": sorted(sys.modules)}, sys.stdout)
"""
"""Reads files under an audit hook; tells every event but that of opening the file, and what each took."""


def test_there_are_enough_of_them() -> None:
    """The issue asks for eighty kinds; gadgets that differ by their name alone count as one."""
    gadgets = [name for name in CASES if name.startswith("reduce ")]
    assert len(CASES) - len(gadgets) > 200


@pytest.mark.parametrize("name", CASES)
def test_each_ends_in_an_error_or_an_honest_word(tmp_path: Path, name: str) -> None:
    """A broken file is called broken, a tensor that needs code is refused, a gadget is told by name."""
    make, expected = CASES[name]
    path = make(tmp_path)
    kinds: dict[str, type[FormatError]] = {
        INVALID: InvalidCheckpointError,
        REFUSED: RefusedCheckpointError,
    }
    if (kind := kinds.get(expected)) is not None:
        with pytest.raises(kind) as caught:
            read_checkpoint(path)
        assert str(path) in str(caught.value)
        assert len(caught.value.problem) < 500
        return
    findings = read_checkpoint(path).findings
    assert expected in "\n".join(findings)
    assert bool(findings) == bool(expected)


def test_a_gadget_does_not_hide_the_model_beside_it(tmp_path: Path) -> None:
    """The tensors are read, and the finding says what was not run."""
    make, _ = CASES["reduce 'posix.system'"]
    index = read_checkpoint(make(tmp_path))
    assert index.shape("w") == (2, 3)
    assert index.findings == ("it names `posix.system`, which was not imported and not run",)


def test_nothing_is_imported_opened_or_run(tmp_path: Path) -> None:
    """An audit hook sees the opening of each file and no other event; a second and 100 MB are enough."""
    files = {}
    for number, (name, (make, _)) in enumerate(CASES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        files[str(make(folder))] = name
    sound = tiny.write_torch(tmp_path / "sound.ckpt", PAYLOAD)
    process = subprocess.run(
        [sys.executable, "-c", AUDITED, str(sound)],
        input=json.dumps(list(files)),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert process.returncode == 0, process.stderr
    told = json.loads(process.stdout)
    assert told["events"] == {}
    costly = {
        files[path]: cost
        for path, cost in told["costs"].items()
        if cost["seconds"] > MOST_SECONDS or cost["memory"] > MOST_MEMORY
    }
    assert costly == {}
    assert not {"pickle", "_pickle", "torch", "numpy", "subprocess"} & set(told["modules"])
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("layout", ["zip", "legacy", "tar"])
def test_a_file_cut_short_anywhere_is_found(tmp_path: Path, layout: str) -> None:
    """No length of a sound file but its own passes for whole."""
    if layout == "tar":
        path = write_tar(tmp_path / "m.pt", {"w": (2, 3), "v": (4,)})
        # Empty blocks stand at the end of a tar, and nobody needs them.
        raw = path.read_bytes().rstrip(b"\0")
    else:
        path = tiny.write_torch(tmp_path / "m.pt", PAYLOAD, legacy=layout == "legacy")
        raw = path.read_bytes()
    for length in range(0, len(raw), 1 if len(raw) < 3000 else 7):
        path.write_bytes(raw[:length])
        with pytest.raises(FormatError):
            read_checkpoint(path)


def test_a_pipe_under_a_checkpoints_name_is_not_waited_for(tmp_path: Path) -> None:
    """Opening a pipe nobody writes to would never return."""
    os.mkfifo(tmp_path / "model.ckpt")
    with pytest.raises(UnsupportedEntryError):
        read_tree(tmp_path / "model.ckpt")


def test_a_link_is_read_as_what_it_points_to(tmp_path: Path) -> None:
    """A checkpoint may lie elsewhere; its name and its content are looked at apart."""
    tiny.write_torch(tmp_path / "elsewhere", PAYLOAD)
    (tmp_path / "model.ckpt").symlink_to(tmp_path / "elsewhere")
    index = read_tensors(read_tree(tmp_path / "model.ckpt").files[0])
    assert list(index.tensors) == ["w", "v"]
