"""A process that identifies a model and prints what it took of memory and of the disk, as JSON.

`python -m benchmarks.probe_cost MODEL SMALL...`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from modelshelf.identify import identify

__all__ = ["main"]


def main(model: str, small: list[str]) -> None:
    """Identify *model* once; the *small* ones before it bring in the code and make the rules ready."""
    for one in small:
        identify(one)
    # `proc(5)`: 5 forgets the highest resident size seen so far.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    memory, start, asking = _kibibytes("VmRSS"), _bytes_read(), _bytes_read()
    identity = identify(model)
    # What reading the counter itself reads is in both differences.
    read = (_bytes_read() - asking) - (asking - start)
    grown = (_kibibytes("VmHWM") - memory) * 1024
    told = {"read": read, "grown": grown, "type": identity.type, "torch": "torch" in sys.modules}
    print(json.dumps(told))


def _bytes_read() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def _kibibytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
