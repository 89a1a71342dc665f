from __future__ import annotations

import subprocess
import sys

import pytest

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
