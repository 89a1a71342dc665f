"""How the program begins and ends, whatever became of its streams and threads."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from time import monotonic

__all__ = ["leave_threads", "open_closed_streams"]

_LONGEST_WAIT = 2.0
"""Seconds for threads that an ordinary end would wait for, however long they take."""


def open_closed_streams() -> None:
    """Let what was closed, as by `>&-` or by a service manager, lead nowhere.

    Else the first file that is opened gets its number, and what is meant for a terminal ends up in a
    model or in the database.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, and those below are open by now.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for the run


def leave_threads(end: SystemExit) -> None:
    """End the program at once where a thread still waits for a host or a disk that does not answer.

    Python takes itself apart at an ordinary end, and such a thread that wakes up meanwhile in a C library
    finds nothing to return to. Everything that is to stay was written and closed before; a thread that throws
    away what is not gets a moment to do so.

    Args:
        end: With the status to end with.
    """
    if not any(each.daemon and each.is_alive() for each in threading.enumerate()):
        return
    until = monotonic() + _LONGEST_WAIT
    for each in threading.enumerate():
        if not each.daemon and each is not threading.current_thread():
            each.join(max(until - monotonic(), 0))
    for stream in (sys.stdout, sys.stderr):
        # Whoever read them may be gone.
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)
