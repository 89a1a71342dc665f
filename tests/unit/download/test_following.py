from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from blake3 import blake3

from modelshelf.download.buffers import Buffers
from modelshelf.download.digest_work import FollowedDigests
from modelshelf.download.following import Follower
from modelshelf.download.spans import Spans
from modelshelf.errors import DestinationUnusableError
from modelshelf.schema.digest import Digest

CHUNK = 64 * 1024
CONTENT = os.urandom(50 * CHUNK + 7)
SIZE = len(CONTENT)
OFFSETS = range(0, SIZE, CHUNK)
ALL = FollowedDigests(
    SIZE,
    Digest.sha256(hashlib.sha256(CONTENT).digest()),
    Digest.blake3(blake3(CONTENT).digest()),
    hashlib.sha1(b"blob %d\0" % SIZE + CONTENT, usedforsecurity=False).hexdigest(),
)


class Written:
    """A file that holds everything, and counts what is read back."""

    final = Path("models/vae.safetensors")

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.read = 0

    def read_into(self, buffer: memoryview, offset: int) -> int:
        content = self.content[offset : offset + len(buffer)]
        buffer[: len(content)] = content
        self.read += len(content)
        return len(content)


class Held(Written):
    """A file that is read only when it may be."""

    def __init__(self) -> None:
        super().__init__()
        self.begins = Event()
        self.goes_on = Event()

    def read_into(self, buffer: memoryview, offset: int) -> int:
        self.begins.set()
        self.goes_on.wait(60)
        return super().read_into(buffer, offset)


def offer(
    follower: Follower, offset: int, end: int | None = None, done: Callable[[], None] | None = None
) -> None:
    end = min(offset + CHUNK, SIZE) if end is None else end
    follower.offer(offset, memoryview(CONTENT)[offset:end], done)


def put_digests(follower: Follower, found: list[FollowedDigests | None]) -> None:
    found.append(follower.digests(CHUNK))


def follow_all(file: Written) -> Follower:
    return Follower({"sha256", "blake3"}, file, git_size=SIZE)


def test_what_comes_in_order_is_never_read_back() -> None:
    """It is hashed from memory, with every algorithm."""
    file = Written()
    follower = follow_all(file)
    for offset in OFFSETS:
        offer(follower, offset)
    assert (follower.digests(SIZE), follower.hashed, file.read) == (ALL, SIZE, 0)
    follower.close()


def test_what_comes_too_early_is_read_back() -> None:
    """In whatever order it comes, more or less of it."""
    for seed in range(20):
        file = Written()
        offsets = list(OFFSETS)
        random.Random(seed).shuffle(offsets)  # noqa: S311 - an order, no secret
        follower = follow_all(file)
        for offset in offsets:
            offer(follower, offset)
        assert follower.digests(SIZE) == ALL
        assert file.read < SIZE or seed
        follower.close()


def test_what_was_there_before_is_read_back() -> None:
    """And goes on from memory."""
    file = Written()
    follower = Follower({"sha256"}, file, held=Spans([(0, 3 * CHUNK), (40 * CHUNK, SIZE)]))
    assert follower.digests(3 * CHUNK) is not None
    for offset in OFFSETS[3:40]:
        offer(follower, offset)
    found = follower.digests(SIZE)
    assert found is not None
    assert found == FollowedDigests(SIZE, sha256=ALL.sha256)
    assert file.read == 3 * CHUNK + SIZE - 40 * CHUNK
    follower.close()


def test_four_threads_share_a_follower() -> None:
    """Each with a quarter of the file, and buffers that are used again."""
    file = Written()
    follower = follow_all(file)
    buffers = Buffers(CHUNK)

    def work(first: int) -> None:
        for offset in OFFSETS[first::4]:
            buffer = buffers.take()
            content = CONTENT[offset : offset + CHUNK]
            buffer[: len(content)] = content
            follower.offer(offset, buffer[: len(content)], partial(buffers.give, buffer))

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert follower.digests(SIZE) == ALL
    for thread in threads:
        thread.join()
    follower.close()


def test_memory_is_given_back_once() -> None:
    """Whether it was hashed, passed over or dropped."""
    given: list[int] = []
    follower = Follower({"sha256"}, Written())
    for offset in (0, 5 * CHUNK, 0, CHUNK, 2 * CHUNK):
        offer(follower, offset, done=partial(given.append, offset))
    follower.digests()
    follower.close()
    assert sorted(given) == [0, 0, CHUNK, 2 * CHUNK, 5 * CHUNK]


def test_a_buffer_is_used_again() -> None:
    """Only one that was given back."""
    buffers = Buffers(10)
    first, second = buffers.take(), buffers.take()
    assert first is not second
    buffers.give(first)
    assert buffers.take() is first
    assert len(second) == buffers.length == 10


def test_a_single_chunk_is_hashed_for_whoever_waits_already() -> None:
    """Although it would not be worth a thread."""
    for offered in (1, 2):
        follower = Follower({"sha256"}, Written(), most_waiting=offered)
        found: list[FollowedDigests | None] = []
        waiting = Thread(target=partial(put_digests, follower, found))
        waiting.start()
        offer(follower, 0)
        waiting.join()
        assert [each.size for each in found if each] == [CHUNK]
        follower.close()


def test_a_file_of_one_chunk_has_every_digest() -> None:
    """Without a thread."""
    content = CONTENT[:CHUNK]
    follower = Follower({"sha256", "blake3"}, Written(), git_size=CHUNK)
    follower.offer(0, memoryview(content))
    assert follower.digests() == FollowedDigests(
        CHUNK,
        Digest.sha256(hashlib.sha256(content).digest()),
        Digest.blake3(blake3(content).digest()),
        hashlib.sha1(b"blob %d\0" % CHUNK + content, usedforsecurity=False).hexdigest(),
    )
    follower.close()


def test_one_chunk_may_wait_at_a_time() -> None:
    """The least that makes sense."""
    follower = Follower({"sha256"}, Written(), most_waiting=1)
    for offset in OFFSETS:
        offer(follower, offset)
    assert follower.digests(SIZE) == FollowedDigests(SIZE, sha256=ALL.sha256)
    follower.close()


def test_who_brings_the_next_bytes_waits_while_too_many_are_waiting() -> None:
    """Nobody else does, and memory stays what it is."""
    file = Held()
    follower = Follower({"sha256"}, file, held=Spans([(0, CHUNK)]), most_waiting=2)
    file.begins.wait(60)
    offer(follower, CHUNK)
    offer(follower, 2 * CHUNK)
    offer(follower, 30 * CHUNK)
    waiting = Thread(target=offer, args=(follower, 3 * CHUNK))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    file.goes_on.set()
    waiting.join()
    digests = follower.digests(4 * CHUNK)
    assert digests is not None
    assert digests.sha256 == Digest.sha256(hashlib.sha256(CONTENT[: 4 * CHUNK]).digest())
    follower.close()


def test_whoever_waits_for_digests_goes_on_when_it_is_stopped() -> None:
    """Without any."""
    found: list[FollowedDigests | None] = []
    file = Held()
    follower = Follower({"sha256"}, file, held=Spans([(0, CHUNK)]))
    waiting = Thread(target=lambda: found.append(follower.digests(SIZE)))
    waiting.start()
    file.begins.wait(60)
    follower.stop()
    waiting.join()
    assert found == [None]
    offer(follower, CHUNK)
    file.goes_on.set()
    follower.close()


def test_a_file_that_cannot_be_read_back_is_told() -> None:
    """To whoever wants the digests."""
    file = Written(CONTENT[:100])
    follower = Follower({"sha256"}, file, held=Spans([(0, CHUNK)]))
    with pytest.raises(DestinationUnusableError, match="short"):
        follower.digests()
    offer(follower, CHUNK)
    follower.close()


def test_what_nobody_asked_for_is_not_worked_out() -> None:
    """Nothing is read, and no memory kept."""
    file, given = Written(), list[int]()
    follower = Follower((), file, held=Spans([(0, CHUNK)]))
    offer(follower, CHUNK, done=lambda: given.append(1))
    assert (follower.digests(), file.read, given) == (FollowedDigests(0), 0, [1])
    follower.close()


def test_an_empty_file_has_digests() -> None:
    """Those of nothing."""
    follower = Follower({"sha256"}, Written(b""))
    assert follower.digests(0) == FollowedDigests(0, Digest.sha256(hashlib.sha256().digest()))
    follower.close()


def test_it_is_behind_while_many_chunks_wait_in_memory() -> None:
    """And not any more once they are hashed."""
    file = Held()
    follower = Follower({"sha256"}, file, held=Spans([(0, CHUNK)]), most_waiting=4)
    file.begins.wait(60)
    offer(follower, CHUNK)
    seen = [follower.is_behind]
    offer(follower, 2 * CHUNK)
    seen.append(follower.is_behind)
    file.goes_on.set()
    follower.digests(3 * CHUNK)
    assert [*seen, follower.is_behind] == [False, True, False]
    follower.close()


def test_it_is_behind_while_much_waits_in_the_file() -> None:
    file = Held()
    backlog = 9 * 2**20
    follower = Follower({"sha256"}, file, held=Spans([(0, backlog)]))
    file.begins.wait(60)
    assert follower.is_behind
    follower.stop()
    file.goes_on.set()
    follower.close()
