"""Death at the level of the operating system: SQLite's own writes included."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from modelshelf.manager import normalized_model_manager
from modelshelf.settings import Settings
from modelshelf.testing import tiny

_STRACE = shutil.which("strace")
pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(_STRACE is None, reason="strace is not installed"),
]

_CHANGING = (
    "fdatasync",
    "fsync",
    "ftruncate",
    "link",
    "linkat",
    "mkdir",
    "pwrite64",
    "rename",
    "rmdir",
    "unlink",
)
_RUNS_PER_CALL = 9
_SCRIPT = """
import sys
from datetime import timedelta
from modelshelf.manager import normalized_model_manager
from modelshelf.settings import Settings

root, lora, destination = sys.argv[1:]
with normalized_model_manager(Settings(root=root)) as nmm:
    print("opened", flush=True)
    nmm.import_model(lora)
    print("added", flush=True)
    nmm.export("LoWRA", destination=destination, method="copy")
    print("exported", flush=True)
    trashed = nmm.delete("LoWRA")
    print("deleted", flush=True)
    nmm.undo(trashed.trash_id)
    print("restored", flush=True)
    nmm.delete("old")
    nmm.collect_garbage(expire_trash=timedelta(0))
    print("collected", flush=True)
"""


def _run(folder: Path, lora: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(str(_STRACE), "-f", "-qq", "-o", str(folder / "trace"), *options),
            *(sys.executable, "-c", _SCRIPT),
            *(str(folder / "root"), str(lora), str(folder / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def _prepare(template: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", str(template), str(folder)], check=True)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one model, in a folder that can be copied."""
    folder = tmp_path_factory.mktemp("template")
    old = tiny.lora(folder / "old.safetensors", base="sd-1", seed=7, size=300_000)
    with normalized_model_manager(Settings(root=folder / "root")) as nmm:
        nmm.import_model(old)
    return folder


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the user owns."""
    folder = tmp_path_factory.mktemp("user")
    return tiny.lora(folder / "LoWRA.safetensors", base="sd-1", size=300_000)


@pytest.mark.parametrize("call", _CHANGING)
def test_a_kill_at_a_system_call_loses_nothing(
    call: str, template: Path, lora: Path, tmp_path: Path
) -> None:
    """SIGKILL at the n-th call of each kind that changes a file system, n spread over the whole run."""
    folder, content = tmp_path / "world", lora.read_bytes()
    _prepare(template, folder)
    whole = _run(folder, lora, "-e", f"trace={call}")
    if "PTRACE" in whole.stderr or "ptrace" in whole.stderr:
        pytest.skip("this system does not let strace trace")
    assert whole.returncode == 0, whole.stderr
    calls = len(re.findall(rf"\b{call}\(", (folder / "trace").read_text()))
    step = max(1, calls // _RUNS_PER_CALL)
    for number in range(1, calls + 1, step):
        _prepare(template, folder)
        killed = _run(folder, lora, "-e", f"inject={call}:signal=KILL:when={number}")
        # A thread that never gets so far is not killed; the count is kept for each one.
        assert killed.returncode in {0, -signal.SIGKILL, 128 + signal.SIGKILL}, killed.stderr
        _check(folder, killed.stdout.split(), content)
    assert lora.read_bytes() == content


def _check(folder: Path, reported: list[str], content: bytes) -> None:
    with normalized_model_manager(Settings(root=folder / "root")) as nmm:
        report = nmm.verify()
        assert report.clean, (reported, report.findings)
        names = {info.name for info in nmm.list_models()}
        if reported and reported[-1] in {"added", "restored", "collected"}:
            # Up to the next step, which may have happened without being reported.
            assert "LoWRA" in names or reported[-1] == "added" or nmm.trash(), reported
        if "LoWRA" in names:
            assert nmm.get_model("LoWRA").path.read_bytes() == content
        nmm.collect_garbage(expire_trash=timedelta(0))
        assert nmm.verify().clean
    exported = folder / "out" / "LoWRA.safetensors"
    assert not exported.exists() or exported.read_bytes() == content
    if "exported" in reported:
        assert exported.exists()
    leftovers = [path.name for path in folder.joinpath("out").glob("*")]
    assert leftovers in ([], ["LoWRA.safetensors"])
