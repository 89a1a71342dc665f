from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.desks import SHELF

_LEAVING = """
import atexit, sys, threading
from modelshelf.cli.streams import leave_threads
atexit.register(print, "an ordinary end")
if sys.argv[2:]:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("said before", end="")
end = SystemExit(eval(sys.argv[1]))
leave_threads(end)
print(", ", end="")
raise end
"""


@pytest.mark.parametrize(("given", "status"), [("0", 0), ("130", 130), ("None", 0), ("'x'", 1)])
@pytest.mark.parametrize("has_thread", [True, False])
def test_a_program_ends_with_its_status_whatever_its_threads_do(
    given: str, status: int, *, has_thread: bool
) -> None:
    """What was said is said; only a thread that waits makes the end a short one."""
    words = [sys.executable, "-c", _LEAVING, given, *["thread"] * has_thread]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == status
    expected = "said before" if has_thread else "said before, an ordinary end\n"
    assert done.stdout == expected


_THROWING_AWAY = """
import sys, threading
from modelshelf.cli.streams import leave_threads
threading.Thread(target=threading.Event().wait, daemon=True).start()
threading.Thread(target=lambda: print("gone" + sys.stdin.read())).start()
leave_threads(SystemExit(7))
"""


def test_what_throws_something_away_is_not_cut_off() -> None:
    """A cancelled download is removed by a thread that no other waits for."""
    words = [sys.executable, "-c", _THROWING_AWAY]
    done = subprocess.run(words, input=", all", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "gone, all\n")


FULL = Path("/dev/full")
_SAYING_MORE = """
import sys, threading
from modelshelf.cli.streams import leave_threads, watch_streams
watch_streams()
sys.stdout.write("more")
threading.Thread(target=threading.Event().wait, daemon=True).start()
leave_threads(SystemExit(7))
"""


@pytest.mark.skipif(not FULL.exists(), reason="no disk here is full for sure")
def test_a_program_that_leaves_threads_ends_as_it_was_to_where_its_last_words_are_lost() -> None:
    """There is nobody left to tell it to."""
    with FULL.open("w") as full:
        words = [sys.executable, "-c", _SAYING_MORE]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (7, b"")


def run(folder: Path, *words: str | Path, **streams: object) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"MODELSHELF_ROOT": str(folder / "shelf"), "NO_COLOR": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run([SHELF, *words], env=environ, text=True, check=False, **streams)  # type: ignore[call-overload, no-any-return] # which streams there are


@pytest.mark.skipif(not FULL.exists(), reason="no disk here is full for sure")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("ls",), ("--help",), ("config", "show")])
def test_output_that_nothing_takes_is_a_failure_in_three_lines(
    words: tuple[str, ...], unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk Python's own traceback said where, and not what to do."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with FULL.open("w") as full:
        done = run(tmp_path, *words, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: cannot write the output: No space left on device",
        "       What the command did before is done; of what it had to say a part is lost.",
        "hint: write the output elsewhere, or free space where it goes",
    ]


@pytest.mark.skipif(not FULL.exists(), reason="no disk here is full for sure")
def test_lost_output_is_no_failure_of_the_model_that_it_was_about(tmp_path: Path) -> None:
    """The first model is added; that nobody can be told of it ends the command once, not model by model."""
    models = [tiny.lora(tmp_path / f"{number}.safetensors", seed=number) for number in (1, 2)]
    with FULL.open("w") as full:
        done = run(tmp_path, "add", *models, stdout=full)
    assert (done.returncode, done.stderr.count("error:")) == (1, 1)
    assert run(tmp_path, "ls", "-q").stdout.count("\n") == 1


@pytest.mark.skipif(not FULL.exists(), reason="no disk here is full for sure")
def test_what_cannot_be_said_on_stderr_stops_nothing(tmp_path: Path) -> None:
    """The status is what it is by the table, and all models are added."""
    models = [tiny.lora(tmp_path / f"{number}.safetensors", seed=number) for number in (1, 2)]
    with FULL.open("w") as full:
        assert run(tmp_path, "add", *models, stderr=full).returncode == 0
        assert run(tmp_path, "add", "nothing", stderr=full).returncode == 4
    assert run(tmp_path, "ls", "-q").stdout.count("\n") == 2


def test_output_waits_for_a_pipe_that_another_program_has_set_not_to_wait(tmp_path: Path) -> None:
    """Terminals and pipes are shared, and so is whether writing to them waits."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    pieces: list[bytes] = []

    def read_all() -> None:
        while piece := os.read(reading, 1000):
            pieces.append(piece)

    reader = threading.Thread(target=read_all)
    words = "import sys; from modelshelf.cli.streams import watch_streams as w; w(); print('x' * 400_000)"
    with subprocess.Popen([sys.executable, "-c", words], stdout=writing, cwd=tmp_path) as program:
        os.close(writing)
        reader.start()
    reader.join()
    os.close(reading)
    assert (program.returncode, len(b"".join(pieces))) == (0, 400_001)


def test_a_name_that_the_terminal_has_no_letters_for_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe of Windows and a terminal of another age end nothing."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    tiny.lora(tmp_path / "墨 é.safetensors")
    done = run(tmp_path, "probe", tmp_path / "墨 é.safetensors", encoding="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{tmp_path}/\\u58a8 é.safetensors"
