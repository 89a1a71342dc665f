"""How the program begins and ends, whatever became of its streams and threads."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import suppress
from select import select
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["OutputLost", "leave_threads", "open_closed_streams", "watch_streams"]

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


class OutputLost(Exception):  # noqa: N818 - it is told as `OutputLostError`
    """Standard output took no more; no item's failure, so that nothing which goes on after one goes on."""


class _Watched(io.FileIO):
    """A stream of the program's own, of which a failure is told apart from every other file's."""

    def __init__(self, number: int, *, is_needed: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._is_needed = is_needed

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            while (written := super().write(data)) is None:
                # Who shares the terminal may have set it so that writing does not wait.
                select((), (self,), ())
        except BrokenPipeError:
            raise
        except OSError as error:
            if not self._is_needed:
                return memoryview(data).nbytes
            raise OutputLost(error.strerror or str(error)) from error
        return written


def watch_streams() -> None:
    """Let `OutputLost` tell that standard output takes no more; where stderr takes none, nobody is told.

    A character that the terminal or pipe has no code for is written as its escape: Latin-1 has none for
    most names.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        raw = _Watched(stream.fileno(), is_needed=name == "stdout")
        watched = io.TextIOWrapper(
            io.BufferedWriter(raw),
            stream.encoding,
            "backslashreplace" if stream.errors == "strict" else stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, watched)


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
        # Whoever read them may be gone, and the disk full.
        with suppress(OSError, ValueError, OutputLost):
            stream.flush()
    os._exit(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)
