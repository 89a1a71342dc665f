"""What the user does not let others do with new files."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

__all__ = ["current_umask"]

_STATUS = Path("/proc/self/status")
_UMASK = re.compile(r"^Umask:\s*([0-7]+)$", re.MULTILINE)


def current_umask(status: Path = _STATUS) -> int:
    """Return the process's umask.

    Linux tells it, see `proc_pid_status(5)`. Elsewhere it can only be asked for by setting it; a file that
    another thread makes in that instant is the owner's alone.

    Args:
        status: Where Linux tells it.

    Returns:
        The bits of a mode that new files do not get.
    """
    with suppress(OSError):
        if found := _UMASK.search(status.read_text()):
            return int(found[1], 8)
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
