"""Working out digests while the bytes arrive: a thread that follows the part of the file without gaps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Condition, Thread
from typing import NamedTuple, Protocol

from modelshelf.download.digest_work import DigestWork, FollowedDigests
from modelshelf.download.spans import Spans
from modelshelf.errors import DestinationUnusableError

__all__ = ["Follower", "Readable"]

_READ_BACK = 1024 * 1024
"""Bytes that are read back from the file at once."""
_BACKLOG = 8 * _READ_BACK
"""Bytes in the file whose turn it is; a connection that ends its segment leaves many for a moment."""
_MOST_MEMORY = 2 * 1024 * 1024
"""Bytes that wait in memory, where one chunk is not more already."""
_LONGEST_JOIN = 5.0
"""Seconds to wait for a thread that hangs in a disk."""


class Readable(Protocol):
    """What can be read back: a `PartialFile`."""

    @property
    def final(self) -> Path:
        """What it is going to be."""

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from *offset*; return how many bytes came, fewer only at the end."""


class _Chunk(NamedTuple):
    """Bytes in memory whose turn is coming."""

    content: memoryview
    done: Callable[[], object]


class Follower:
    """Hashes a file from its first byte on, as far as it has come without a gap.

    What arrives in order is hashed from the memory that it arrived in; what arrives before its turn is read
    back from the file when that has come. Hashing has a thread of its own, so it takes no time from the network
    until it is the slower of the two; then who brings the next bytes waits.

    Example:
        >>> import tempfile
        >>> from modelshelf.disk import LocalDisk
        >>> from modelshelf.download.partial_file import PartialFile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     partial = PartialFile.open(Path(folder) / "a", "0123456789abcdef", LocalDisk())
        ...     follower = Follower({"sha256"}, partial)
        ...     follower.offer(0, memoryview(b"abc"))
        ...     print(follower.digests().sha256.short)
        ...     follower.close()
        ...     partial.close()
        ba7816bf8f01
    """

    def __init__(
        self,
        algorithms: Collection[str],
        partial: Readable,
        *,
        git_size: int | None = None,
        held: Spans | None = None,
        most_waiting: int = 4,
    ) -> None:
        """Choose what is worked out.

        Args:
            algorithms: Of `sha256` and `blake3`; with none of them, and no *git_size*, nothing is ever read.
            partial: Where bytes are read back from.
            git_size: Size of the file, if its git SHA-1 is wanted, which begins with that.
            held: Which bytes are there already; they are read back.
            most_waiting: How many offered chunks may wait to be hashed, if they are small.
        """
        self._work = DigestWork(algorithms, git_size=git_size)
        self._partial = partial
        self._most_waiting = most_waiting
        self._changed = Condition()
        self._thread: Thread | None = None
        self._is_stopped = False
        self._is_hashing_here = False
        self._is_awaited = False
        self._failure: Exception | None = None
        self._waiting: deque[_Chunk] = deque()
        self._memory: memoryview | None = None
        # Everything before this offset is hashed, waiting or being read back.
        self._taken = 0
        self._told = held or Spans()
        if self._next_in_file:
            self._start()

    @property
    def hashed(self) -> int:
        """Bytes that went into the digests by now."""
        return self._work.done

    @property
    def is_behind(self) -> bool:
        """Whether bytes come faster than they are hashed: many wait, in memory or in the file."""
        if not self._has_room or 2 * len(self._waiting) >= self._most_waiting:
            return True
        return self._told.run_end(self._taken) - self._taken >= _BACKLOG

    def offer(
        self, offset: int, chunk: memoryview, done: Callable[[], object] | None = None
    ) -> None:
        """Tell that *chunk* has been written at *offset*.

        Waits while it is next and as many chunks as may are waiting.

        Args:
            offset: Where it begins.
            chunk: The same bytes.
            done: Called exactly once, from this or another thread, when the memory of *chunk* is not needed any
                more; until then it must not change. None: it never changes.
        """
        done = done or _nothing
        with self._changed:
            self._changed.wait_for(lambda: offset != self._taken or self._has_room or self._is_over)
            is_taken = bool(offset == self._taken and chunk and not self._is_over)
            if is_taken:
                self._waiting.append(_Chunk(chunk, done))
                self._taken += len(chunk)
            else:
                self._told = self._told.add(offset, offset + len(chunk))
            if self._is_awaited or self._next_in_file or not self._is_single:
                self._start()
            self._changed.notify_all()
        if not is_taken:
            done()

    def digests(self, size: int | None = None) -> FollowedDigests | None:
        """Wait until everything that has come without a gap is hashed.

        Args:
            size: Bytes that the file has, if other threads are still offering some.

        Returns:
            What was asked for; None after `stop`.

        Raises:
            ModelshelfError: Bytes could not be read back.
        """
        self._hash_here()
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._is_at_end(size))
            if self._failure:
                raise self._failure
            return None if self._is_stopped else self._work.results()

    def stop(self) -> None:
        """Hash no more; whoever waits goes on. May be called from any thread, and again."""
        with self._changed:
            dropped = self._drop()
            self._is_stopped = True
            self._changed.notify_all()
        _let_go(dropped)

    def close(self) -> None:
        """Stop, and wait for the thread to end."""
        self.stop()
        if self._thread:
            self._thread.join(_LONGEST_JOIN)

    @property
    def _is_over(self) -> bool:
        return self._is_stopped or self._failure is not None or not self._work

    @property
    def _has_room(self) -> bool:
        in_memory = sum(len(chunk.content) for chunk in tuple(self._waiting))
        return len(self._waiting) < self._most_waiting and in_memory < _MOST_MEMORY

    @property
    def _is_single(self) -> bool:
        """Whether what is waiting may be the whole file, which is not worth a thread."""
        return len(self._waiting) == 1 < self._most_waiting

    @property
    def _next_in_file(self) -> int:
        """How many of the next bytes can be read back from the file at once."""
        return min(self._told.run_end(self._taken) - self._taken, _READ_BACK)

    def _is_at_end(self, size: int | None) -> bool:
        if size is not None:
            return self.hashed >= size
        return self.hashed == self._taken and not self._next_in_file

    def _drop(self) -> Sequence[_Chunk]:
        dropped = tuple(self._waiting)
        self._waiting.clear()
        return dropped

    def _start(self) -> None:
        if self._thread is None and not self._is_over and not self._is_hashing_here:
            self._thread = Thread(target=self._follow, name="download-follower", daemon=True)
            self._thread.start()

    def _follow(self) -> None:
        # Further digests are worked out beside the first, each on a thread of its own.
        with ThreadPoolExecutor(max(1, len(self._work) - 1)) as beside:
            while self._wait_for_work():
                self._step(beside)

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._has_work())
            return not self._is_stopped

    def _has_work(self) -> bool:
        return not self._is_over and bool(self._waiting or self._next_in_file)

    def _hash_here(self) -> None:
        """Hash in the thread of the caller what was not worth a thread."""
        with self._changed:
            # Whoever waits does not look again: what comes afterwards is for a thread.
            self._is_awaited = True
            if self._thread:
                return
            self._is_hashing_here = True
        while self._step(None):
            pass

    def _step(self, beside: ThreadPoolExecutor | None) -> bool:
        """Hash the next bytes; say whether there were any."""
        with self._changed:
            if not self._has_work():
                self._is_hashing_here = False
                return False
            start = self.hashed
            chunk = self._waiting.popleft() if self._waiting else None
            if chunk is None:
                # All before is hashed, since only one thread at a time is here: the file goes on at `start`.
                self._taken += self._next_in_file
                self._told = self._told.remove(0, self._taken)
            end = start + len(chunk.content) if chunk else self._taken
        failure: Exception | None = None
        try:
            content = chunk.content if chunk else self._read_back(start, end)
            self._work.update(content, beside)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the digests
            failure = error
        with self._changed:
            dropped: Sequence[_Chunk] = ()
            if failure:
                self._failure = failure
                dropped = self._drop()
            self._changed.notify_all()
        _let_go((chunk, *dropped) if chunk else dropped)
        return True

    def _read_back(self, start: int, end: int) -> memoryview:
        if self._memory is None:
            self._memory = memoryview(bytearray(_READ_BACK))
        content = self._memory[: end - start]
        if self._partial.read_into(content, start) < len(content):
            path = str(self._partial.final)
            raise DestinationUnusableError(path=path, reason="somebody cut it short")
        return content


def _let_go(chunks: Sequence[_Chunk]) -> None:
    for chunk in chunks:
        chunk.done()


def _nothing() -> None:
    pass
