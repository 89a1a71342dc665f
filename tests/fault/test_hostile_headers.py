from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.errors import FormatError, SourceError
from modelshelf.identify import identify
from modelshelf.schema.taxonomy import ModelType
from tests.fault.hostile_headers import CASES, NO_BASE, UNKNOWN

pytestmark = pytest.mark.fault

MOST_MEMORY = 100 << 20
MOST_SECONDS = 1
PEAK = Path("/proc/self/clear_refs")

MEASURED = """
import json, resource, sys, time
from pathlib import Path
from modelshelf.errors import FormatError, SourceError
from modelshelf.identify import identify

paths, sound, seen, watching = json.load(sys.stdin), sys.argv[1], [], []

def watch(event, arguments):
    if watching and event.partition(".")[0] not in {"open", "os", "object", "sys"}:
        seen.append((event, [str(one) for one in arguments]))

def most_memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

def probe(path):
    watching.append(path)
    try:
        identify(path)
    except (FormatError, SourceError):
        pass
    finally:
        watching.clear()

probe(sound)
sys.addaudithook(watch)
told = {}
for path in paths:
    # `proc(5)`: 5 forgets the highest resident size seen so far.
    Path("/proc/self/clear_refs").write_text("5")
    before, began = most_memory(), time.process_time()
    probe(path)
    told[path] = {"seconds": time.process_time() - began, "memory": most_memory() - before}
json.dump({"told": told, "seen": seen, "modules": sorted(sys.modules)}, sys.stdout)
"""
"""Probes each path under an audit hook, and tells what it took of the processor and of memory."""


def test_there_are_enough_of_them() -> None:
    """The issue asks for eighty kinds, and checkpoints have theirs besides."""
    assert len(CASES) > 100


@pytest.mark.parametrize("name", CASES)
def test_each_ends_in_a_typed_error_or_an_honest_word(tmp_path: Path, name: str) -> None:
    """What is broken is called broken; what only says nothing is unknown, and nobody guesses."""
    make, expected = CASES[name]
    path = make(tmp_path)
    if expected in {UNKNOWN, NO_BASE}:
        identity = identify(path)
        assert identity.bases == ()
        assert (identity.type is ModelType.UNKNOWN) == (expected == UNKNOWN)
        return
    with pytest.raises((FormatError, SourceError)) as caught:
        identify(path)
    assert caught.value.code == expected
    assert "model" in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.skipif(not PEAK.exists(), reason="the system does not tell a peak of memory")
def test_each_is_cheap_and_nothing_is_imported_or_run(tmp_path: Path) -> None:
    """A second of processor time and 100 MB at most: bounds a hundred times above the usual."""
    paths = {}
    for number, (name, (make, _)) in enumerate(CASES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths[str(make(folder))] = name
    sound = CASES["GGUF unknown kind"][0](tmp_path)
    process = subprocess.run(
        [sys.executable, "-c", MEASURED, str(sound)],
        input=json.dumps(list(paths)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert found["seen"] == []
    assert not {"pickle", "torch", "numpy", "onnx", "gguf"} & set(found["modules"])
    costly = {
        paths[path]: told
        for path, told in found["told"].items()
        if told["seconds"] > MOST_SECONDS or told["memory"] > MOST_MEMORY
    }
    assert costly == {}
