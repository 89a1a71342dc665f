"""A process that adds models and prints by how many bytes its memory grew at most meanwhile.

`python -m benchmarks.growth LIBRARY MODEL...`
"""

from __future__ import annotations

import sys
from pathlib import Path

from modelshelf import Settings, normalized_model_manager

__all__ = ["main"]


def main(library: Path, models: list[Path]) -> None:
    """Add and print; whatever is imported on the way counts."""
    with normalized_model_manager(Settings(root=library)) as manager:
        # `proc(5)`: 5 forgets the highest resident size seen so far.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = _kibibytes("VmRSS")
        for model in models:
            manager.add(model)
        print((_kibibytes("VmHWM") - before) * 1024)


def _kibibytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
