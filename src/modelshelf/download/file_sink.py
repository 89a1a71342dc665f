"""Where a transfer's bytes go: into the partial file, and past whoever works out digests."""

from __future__ import annotations

from modelshelf.download.buffers import Buffers
from modelshelf.download.following import Follower
from modelshelf.download.partial_file import PartialFile

__all__ = ["FileSink"]


class FileSink:
    """Writes what arrives, and hands the memory on to be hashed instead of copying it.

    Args:
        partial: Where the bytes are written.
        follower: Works out digests; None where nobody asked for any.
        buffers: Memory, shared by the connections of one file.
    """

    def __init__(self, partial: PartialFile, follower: Follower | None, buffers: Buffers) -> None:
        self._partial = partial
        self._follower = follower
        self._buffers = buffers

    @property
    def is_behind(self) -> bool:
        """See `transfer_seams.Sink`: it is while digests take longer than the network."""
        return self._follower is not None and self._follower.is_behind

    def take_buffer(self) -> memoryview:
        """See `transfer_seams.Sink`."""
        return self._buffers.take()

    def give_buffer(self, buffer: memoryview) -> None:
        """See `transfer_seams.Sink`."""
        self._buffers.give(buffer)

    def keep(self, offset: int, buffer: memoryview, count: int) -> None:
        """See `transfer_seams.Sink`."""
        chunk = buffer[:count]
        if count:
            self._partial.write(offset, chunk)
        if self._follower is None or not count:
            self._buffers.give(buffer)
        else:
            self._follower.offer(offset, chunk, lambda: self._buffers.give(buffer))
