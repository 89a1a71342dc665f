"""Reading content once: for its digest alone, or for both while it is passed on.

Passing on keeps all cores busy: one thread reads, and each chunk is hashed twice and written by three
more. Nothing is read again, and what is hashed is the very memory that is written.
"""

from __future__ import annotations

import hashlib
import mmap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Protocol

from blake3 import blake3

from modelshelf.schema.digest import Digest, FileDigests

__all__ = [
    "SMALL",
    "Advance",
    "Content",
    "Hasher",
    "Write",
    "feed",
    "hash_content",
    "hash_twice",
    "hash_while",
]

_CHUNK = 2 * 1024 * 1024
"""Small enough to stay in the processor's cache between being read and being hashed."""
_COPY_CHUNK = 4 * 1024 * 1024
"""Large enough that the disk is busy although only one write is under way."""
_CHUNKS_IN_FLIGHT = 4
"""16 MiB of buffers, whatever the size of the file; a checkpoint that is split is read twice at once."""
SMALL = 1024 * 1024
"""Up to here starting threads costs more than they gain."""

_LEAST = 64 * 1024
"""Bytes of the smallest buffer."""

Advance = Callable[[int], None]
"""Told the number of further bytes done."""
Write = Callable[[memoryview, int], None]
"""Given a chunk and its offset."""


class Content(Protocol):
    """Something that can be read from the start to the end."""

    @property
    def size(self) -> int:
        """Bytes expected; what is read decides."""

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from byte *offset*; return how much was there, 0 at the end."""


class Hasher(Protocol):
    """Something that takes chunks in order."""

    def update(self, chunk: memoryview, /) -> object:
        """Take the next chunk; its memory is good only until this returns."""


def hash_content(content: Content, *, advance: Advance | None = None) -> Digest:
    """Digest every byte with BLAKE3, on all cores.

    Reads into memory of its own instead of mapping the file: a mapped file that somebody truncates
    kills the process with SIGBUS, and the file may be the user's. Reading the next chunk while the
    last is hashed makes it as fast as mapping.

    Args:
        content: What to read; what it raises is passed on.
        advance: Told of progress.

    Returns:
        BLAKE3 of the bytes that were there.
    """
    told = advance or _ignore
    if content.size <= SMALL:
        return _hash_small(content, told)
    hasher = blake3(max_threads=blake3.AUTO)
    filling, hashing = _buffer(_CHUNK), _buffer(_CHUNK)
    offset = length = content.read_into(hashing, 0)
    with ThreadPoolExecutor(1) as reader:
        while length:
            following = reader.submit(content.read_into, filling, offset)
            hasher.update(hashing[:length])
            told(length)
            length = following.result()
            offset += length
            filling, hashing = hashing, filling
    return Digest.blake3(hasher.digest())


def _hash_small(content: Content, advance: Advance) -> Digest:
    hasher, offset, buffer = blake3(), 0, _buffer(_small_buffer(content))
    while length := content.read_into(buffer, offset):
        hasher.update(buffer[:length])
        offset += length
        advance(length)
    return Digest.blake3(hasher.digest())


def hash_twice(
    content: Content,
    *,
    write: Write | None = None,
    advance: Advance | None = None,
    more: Sequence[Hasher] = (),
) -> FileDigests:
    """Digest every byte with BLAKE3 and SHA-256 in one read, handing each chunk on meanwhile.

    Args:
        content: What to read; what it raises is passed on.
        write: Called with each chunk and its offset, in order, from one other thread; the memory is
            the very one that is hashed, begins on a page, and is good only until it returns.
        advance: Told of progress.
        more: Given every chunk too, each on a thread of its own.

    Returns:
        Size and both digests of the bytes that were there.
    """
    first, second = blake3(), hashlib.sha256()
    size = _pass(content, (first, second, *more), write or _forget, advance or _ignore)
    return FileDigests(size, Digest.blake3(first.digest()), Digest.sha256(second.digest()))


def hash_while(content: Content, write: Write, *, advance: Advance | None = None) -> Digest:
    """Digest every byte with BLAKE3, handing each chunk on as `hash_twice` does."""
    hasher = blake3()
    _pass(content, (hasher,), write, advance or _ignore)
    return Digest.blake3(hasher.digest())


def feed(
    content: Content,
    hashers: Sequence[Hasher],
    *,
    write: Write | None = None,
    advance: Advance | None = None,
) -> int:
    """Read *content* once and give every chunk, in order, to each of *hashers*.

    Args:
        content: What to read; what it raises is passed on.
        hashers: Of a large content each has a thread of its own.
        write: Called as by `hash_twice`.
        advance: Told of progress.

    Returns:
        The number of bytes that were there.
    """
    return _pass(content, hashers, write or _forget, advance or _ignore)


def _pass(content: Content, hashers: Sequence[Hasher], write: Write, advance: Advance) -> int:
    passing = _pass_small if content.size <= SMALL else _pass_large
    return passing(content, hashers, write, advance)


def _pass_small(content: Content, hashers: Sequence[Hasher], write: Write, advance: Advance) -> int:
    offset, buffer = 0, _buffer(_small_buffer(content))
    while length := content.read_into(buffer, offset):
        for hasher in hashers:
            hasher.update(buffer[:length])
        write(buffer[:length], offset)
        offset += length
        advance(length)
    return offset


def _pass_large(content: Content, hashers: Sequence[Hasher], write: Write, advance: Advance) -> int:
    offset = 0
    with ExitStack() as stack:
        # One thread each: chunks must come in order, to hashers and to the disk.
        hashing = [(stack.enter_context(ThreadPoolExecutor(1)), one.update) for one in hashers]
        writing = stack.enter_context(ThreadPoolExecutor(1))
        for chunk, in_use in _chunks(content):
            in_use.extend(pool.submit(update, chunk) for pool, update in hashing)
            in_use.append(writing.submit(write, chunk, offset))
            offset += len(chunk)
            advance(len(chunk))
    return offset


def _chunks(content: Content) -> Iterator[tuple[memoryview, list[Future[object]]]]:
    """Yield filled buffers, each with a list for the futures that still use it.

    A buffer is filled again only when those are done, so memory stays what it is and a slow disk
    slows the reading down. What failed in a future is raised here.
    """
    free = deque(_page_buffer(_COPY_CHUNK) for _ in range(_CHUNKS_IN_FLIGHT))
    busy: deque[tuple[memoryview, list[Future[object]]]] = deque()
    offset = 0
    while True:
        if not free:
            free.append(_wait(*busy.popleft()))
        buffer = free.popleft()
        length = content.read_into(buffer, offset)
        if not length:
            break
        offset += length
        busy.append((buffer, []))
        yield buffer[:length], busy[-1][1]
    for waiting in busy:
        _wait(*waiting)


def _wait(buffer: memoryview, in_use: list[Future[object]]) -> memoryview:
    for future in in_use:
        future.result()
    return buffer


def _buffer(size: int) -> memoryview:
    return memoryview(bytearray(size))


def _page_buffer(size: int) -> memoryview:
    return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def _small_buffer(content: Content) -> int:
    # One byte more than expected, so that a file that grew is read on and not taken for ended; and
    # not by single bytes, because an empty one may have grown by gigabytes.
    return max(content.size + 1, _LEAST)


def _ignore(_: int) -> None:
    pass


def _forget(_: memoryview, __: int) -> None:
    pass
