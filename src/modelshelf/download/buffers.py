"""The memory in which bytes arrive."""

from __future__ import annotations

import mmap
from collections import deque

__all__ = ["Buffers"]


class Buffers:
    """Memory that goes from a connection to the follower and back, instead of being copied.

    As much is kept as was ever in use at once: a buffer for each connection and those that wait to be hashed.
    Of a buffer only the pages count that somebody ever wrote to.
    """

    def __init__(self, length: int = 1024 * 1024) -> None:
        self.length = length
        """Bytes of each buffer."""
        self._free: deque[memoryview] = deque()

    def take(self) -> memoryview:
        """Return a buffer that nobody else uses; what is in it means nothing."""
        try:
            return self._free.pop()
        except IndexError:
            # Private, so that a child of this process never sees what is read into it later.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            return memoryview(mmap.mmap(-1, self.length, flags=flags))

    def give(self, buffer: memoryview) -> None:
        """Take back what `take` returned, whole."""
        self._free.append(buffer)
