"""Fuzzes the readers for a while: `python -m tests.fuzz [SECONDS] [TARGET ...]`.

Every round is told by its seed; `tests/fuzz/test_readers.py` runs a few of them in each test run. What
breaks a reader stays behind as a file, whose path is printed.
"""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from tests.fuzz.damage import rounds
from tests.fuzz.targets import TARGETS


def main(seconds: float, names: list[str]) -> None:
    """Fuzz each of the targets *names* for *seconds*."""
    for name in names or list(TARGETS):
        seed = secrets.randbits(32)
        folder = Path(mkdtemp(prefix=f"fuzz-{name}-"))
        end = time.monotonic() + seconds
        read, broken = 0, 0
        sys.stdout.write(f"{name}: seed {seed}, {folder / 'damaged'}\n")
        for is_readable in rounds(TARGETS[name], folder, seed=seed):
            read, broken = read + is_readable, broken + (not is_readable)
            if time.monotonic() > end:
                break
        sys.stdout.write(f"{name}: {read} read, {broken} broken, nothing else\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, sys.argv[2:])
