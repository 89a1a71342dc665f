"""`spec`-independent promise of the library: a crash leaves the old state or the new one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.crash_loop import CHECKPOINT_USE_CASES, USE_CASES

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("use_case", sorted(set(USE_CASES) - set(CHECKPOINT_USE_CASES)))
def test_a_kill_at_any_operation_leaves_the_old_library_or_the_new_one(
    use_case: str, tmp_path: Path
) -> None:
    """After SIGKILL before the k-th disk or database operation, for every k, nothing is half done.

    The reopened library verifies clean, every model in it is whole, what was reported done is there,
    the user's files are untouched, and `gc` returns the disk to exactly what is referenced.
    """
    kill_at_every_operation(use_case, tmp_path)


def kill_at_every_operation(use_case: str, folder: Path) -> None:
    """Run the loop of one use case; what it finds wrong is in its output."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fault.crash_loop", use_case, str(folder / "loop")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 20, "the use case must have had steps to be killed at"
