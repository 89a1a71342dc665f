"""Sending what was written on to the disk while more arrives, so that little is left to wait for at the end."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from threading import Lock

from modelshelf.download.spans import Spans

__all__ = ["StartWriting", "WriteBehind", "system_start"]

_AT_ONCE = 8 * 1024 * 1024
"""Bytes: fewer would be many calls, more would make whoever makes the call wait longer."""
_SYNC_FILE_RANGE_WRITE = 2
"""`sync_file_range(2)`: start writing the dirty pages of a range, and wait for none of them."""

StartWriting = Callable[[int, int, int], object]
"""Given a descriptor, an offset and a length; returns once the disk has been asked to write them."""


class WriteBehind:
    """Asks the disk to write the new bytes of a file, some MiB at a time.

    It promises nothing: only a flush does. But a flush of gigabytes at the end takes as long as the disk needs
    for them, in which nothing arrives; begun early, that is done while the network is waited for.
    """

    def __init__(self, descriptor: int, start: StartWriting | None = None) -> None:
        """Choose the file.

        Args:
            descriptor: The open file.
            start: How to ask; None asks as this system is asked, and not at all where it knows no such thing.
        """
        self._descriptor = descriptor
        self._start = start or system_start()
        self._lock = Lock()
        self._new = Spans()
        self._count = 0

    def wrote(self, start: int, end: int) -> None:
        """Note that these bytes were written; may be called from any thread."""
        with self._lock:
            self._new = self._new.add(start, end)
            self._count += end - start
            if self._count < _AT_ONCE:
                return
            new, self._new, self._count = self._new, Spans(), 0
        for span in new:
            self._start(self._descriptor, span.start, span.end - span.start)


def system_start(library: object = None) -> StartWriting:
    """Return how this system is asked to begin writing.

    Args:
        library: Its C library; None finds it.

    Returns:
        A function that does nothing where the library knows no such thing.
    """
    call = getattr(library or ctypes.CDLL(None), "sync_file_range", None)
    if call is None:
        return lambda *_: None
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return lambda descriptor, offset, length: call(
        descriptor, offset, length, _SYNC_FILE_RANGE_WRITE
    )
