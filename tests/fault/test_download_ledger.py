"""Downloads broken off at every operation of the disk: what the next process finds is true and can go on."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.journal import JournalHead
from modelshelf.download.partial_file import PartialFile, find_partials, publish_small
from modelshelf.errors import (
    DestinationExistsError,
    DestinationUnusableError,
    DownloadBusyError,
    NotEnoughSpaceError,
)
from modelshelf.protocols import Disk
from modelshelf.testing.faults import (
    SPACELESS,
    CountingDisk,
    FailingDisk,
    KillingDisk,
    LinklessDisk,
    ShortWritingDisk,
    system_error,
)

pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

KEY = "0123456789abcdef"
CONTENT = random.Random(1).randbytes(40_000)  # noqa: S311 - any bytes will do
SIZE = len(CONTENT)
PIECES = [(0, 10_000), (20_000, 30_000), (10_000, 20_000), (30_000, SIZE)]
HEAD = JournalHead("https://example.org/vae", KEY, "vae", SIZE)
UNKNOWN_SIZE = JournalHead("https://example.org/vae", KEY, "vae")
OLD = b"an older file"


def fetch(final: Path, disk: Disk, head: JournalHead = HEAD, *, overwrite: bool = False) -> None:
    """Fetch what is missing and publish it, as a download does."""
    with PartialFile.open(final, KEY, disk) as partly:
        partly.check()
        if partly.was_published:
            return
        if partly.head is None:
            partly.begin(head)
        for start, end in PIECES:
            for gap in partly.held.missing(end, start):
                partly.write(gap.start, memoryview(CONTENT)[gap.start : gap.end])
        partly.publish(final, size=SIZE, overwrite=overwrite)


def fetch_of_unknown_size(final: Path, disk: Disk) -> None:
    fetch(final, disk, UNKNOWN_SIZE)


def replace(final: Path, disk: Disk) -> None:
    fetch(final, disk, overwrite=True)


def fetch_without_links(final: Path, disk: Disk) -> None:
    fetch(final, LinklessDisk(disk))


def fetch_twice(final: Path, disk: Disk) -> None:
    """Begin anew in the middle, as when a digest turned out to be another one."""
    with PartialFile.open(final, KEY, disk) as partly:
        partly.begin(HEAD)
        for start, end in PIECES:
            partly.write(start, memoryview(bytes(end - start)))
        partly.begin(HEAD)
    fetch(final, disk)


def fetch_at_once(final: Path, disk: Disk) -> None:
    publish_small(final, CONTENT, disk, key=KEY)


def replace_at_once(final: Path, disk: Disk) -> None:
    publish_small(final, CONTENT, disk, key=KEY, overwrite=True)


@dataclass(frozen=True)
class UseCase:
    """What is interrupted, and what stood at the final name before."""

    act: Callable[[Path, Disk], None]
    before: bytes | None = None
    least: int = 5
    """Operations that it has at least."""


USE_CASES = {
    "fetch": UseCase(fetch, least=11),
    "unknown size": UseCase(fetch_of_unknown_size, least=11),
    "replace": UseCase(replace, OLD, least=11),
    "without links": UseCase(fetch_without_links, least=11),
    "twice": UseCase(fetch_twice, least=20),
    "at once": UseCase(fetch_at_once),
    "replace at once": UseCase(replace_at_once, OLD),
}


def discard(final: Path, disk: Disk) -> None:
    PartialFile.open(final, KEY, disk).discard()


def opened(final: Path) -> PartialFile:
    return PartialFile.open(final, KEY, LocalDisk())


def in_child(act: Callable[[], object]) -> int:
    """Run in a process of its own; return how it ended, as `os.waitpid` tells."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def put_before(folder: Path, case: UseCase) -> Path:
    folder.mkdir()
    final = folder / "vae"
    if case.before is not None:
        final.write_bytes(case.before)
    return final


def names(final: Path) -> list[str]:
    return sorted(path.name for path in final.parent.iterdir())


def held_truly(final: Path) -> int:
    """Say how many bytes the next process has, after looking at each of them."""
    with opened(final) as partly:
        partly.check()
        if partly.was_published:
            assert final.read_bytes() == CONTENT
            return SIZE
        for start, end in partly.held:
            content = memoryview(bytearray(end - start))
            assert partly.read_into(content, start) == end - start
            assert bytes(content) in {CONTENT[start:end], bytes(end - start)}
        return partly.held.total


def operations(tmp_path: Path, case: UseCase) -> range:
    """Number the operations of a use case that goes well, from 1."""
    disk = CountingDisk(LocalDisk())
    case.act(put_before(tmp_path / "counted", case), disk)
    assert len(disk.operations) >= case.least
    return range(1, len(disk.operations) + 1)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", USE_CASES)
def test_a_kill_at_any_point_leaves_the_whole_file_or_a_partial_one(
    tmp_path: Path, name: str, *, after: bool
) -> None:
    """At its final name it is whole; otherwise the next process goes on, and leaves nothing else."""
    case = USE_CASES[name]
    held: list[int] = []
    for at in operations(tmp_path, case):
        final = put_before(tmp_path / str(at), case)
        disk = KillingDisk(LocalDisk(), at, after=after)
        status = in_child(partial(case.act, final, disk))
        # An operation that fails as it should, such as a look for a file, has no moment after it.
        assert status == signal.SIGKILL or after
        there = final.read_bytes() if final.exists() else None
        assert there in {case.before, CONTENT}
        if status == signal.SIGKILL:
            held.append(held_truly(final))
        if there != CONTENT:
            case.act(final, LocalDisk())
        assert final.read_bytes() == CONTENT
        opened(final).close()
        assert names(final) == [final.name]
        shutil.rmtree(final.parent)
    if name in {"fetch", "unknown size", "without links"}:
        # Each piece that was written stays, and in the end the file is known to be the one that was fetched.
        gained = held[: held.index(SIZE) + 1]
        assert gained == sorted(gained)
        assert set(gained) == {0, 10_000, 20_000, 30_000, SIZE}


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_removing_leaves_what_can_be_removed(tmp_path: Path, *, after: bool) -> None:
    """A cancelled download that is killed is cancelled by whoever comes next."""
    template = tmp_path / "template"
    template.mkdir()
    with opened(template / "vae") as partly:
        partly.begin(HEAD)
        partly.write(0, memoryview(CONTENT)[:10_000])
    for at in range(1, 6):
        folder = tmp_path / str(at)
        shutil.copytree(template, folder)
        disk = KillingDisk(LocalDisk(), at, after=after)
        status = in_child(partial(discard, folder / "vae", disk))
        assert status == signal.SIGKILL
        if find_partials(folder):
            assert held_truly(folder / "vae") in {0, 10_000}
        for found in find_partials(folder):
            discard(found.final, LocalDisk())
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EROFS]
)
@pytest.mark.parametrize("name", USE_CASES)
def test_a_failing_disk_is_told_and_costs_nothing_that_came(
    tmp_path: Path, name: str, number: int, *, lasting: bool
) -> None:
    """Whichever operation fails: a typed error, no half file; when the disk is well again, it goes on."""
    case = USE_CASES[name]
    full = number in {errno.ENOSPC, errno.EDQUOT}
    for at in operations(tmp_path, case):
        final = put_before(tmp_path / str(at), case)
        error = system_error(number)
        spared = SPACELESS if full else ()
        disk = FailingDisk(LocalDisk(), at, error, lasting=lasting, spared=spared)
        try:
            case.act(final, disk)
        except NotEnoughSpaceError:
            assert full
        except DestinationUnusableError:
            assert not full
        there = final.read_bytes() if final.exists() else None
        assert there in {case.before, CONTENT}
        held_truly(final)
        if there != CONTENT:
            case.act(final, LocalDisk())
        assert final.read_bytes() == CONTENT
        opened(final).close()
        assert names(final) == [final.name]
        shutil.rmtree(final.parent)


@pytest.mark.parametrize("name", USE_CASES)
def test_short_writes_write_everything(tmp_path: Path, name: str) -> None:
    """The system may take a hundred bytes at a time."""
    case = USE_CASES[name]
    final = put_before(tmp_path / "folder", case)
    case.act(final, ShortWritingDisk(LocalDisk(), 100))
    assert (names(final), final.read_bytes()) == ([final.name], CONTENT)


@pytest.mark.parametrize("name", ["fetch", "unknown size", "twice", "at once", "without links"])
def test_a_file_that_appears_at_any_point_is_kept(tmp_path: Path, name: str) -> None:
    """Whenever somebody puts a file there, it stays, or comes after ours."""
    case = USE_CASES[name]

    class Appearing(FailingDisk):
        """A disk on which somebody else writes a file before the k-th operation."""

        def __init__(self, final: Path, at: int) -> None:
            super().__init__(LocalDisk(), 10_000)
            self.final = final
            self.left = at

        def around(self, operation: str, act: Callable[[], object]) -> object:  # type: ignore[override]
            self.left -= 1
            if self.left == 0 and not self.final.exists():
                self.has_failed = True
                self.final.write_bytes(OLD)
            return super().around(operation, act)

    for at in operations(tmp_path, case):
        final = put_before(tmp_path / str(at), case)
        disk = Appearing(final, at)
        try:
            case.act(final, disk)
        except DestinationExistsError:
            assert final.read_bytes() == OLD
        else:
            assert not disk.has_failed
            assert final.read_bytes() == CONTENT


def test_who_dies_lets_go(tmp_path: Path) -> None:
    """While it lives nobody else gets the partial file; afterwards the next one goes on with it."""
    final = tmp_path / "vae"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        partly = opened(final)
        partly.begin(HEAD)
        partly.write(0, memoryview(CONTENT)[:10_000])
        os.write(writing, b"!")
        signal.pause()
    os.read(reading, 1)
    with pytest.raises(DownloadBusyError):
        PartialFile.open(final, KEY, LocalDisk())
    with pytest.raises(DownloadBusyError):
        publish_small(final, CONTENT, LocalDisk(), key=KEY)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert held_truly(final) == 10_000
    fetch(final, LocalDisk())
    assert (names(final), final.read_bytes()) == (["vae"], CONTENT)


def work(final: Path, number: int) -> None:
    """Fetch a file of one's own sixty times, in one way or another."""
    chance = random.Random(number)  # noqa: S311 - which turn to take, no secret
    mine = bytes([number]) * SIZE
    done = 0
    while done < 60:
        try:
            put_own(final, mine, chance)
        except DownloadBusyError:
            continue
        there = final.read_bytes()
        assert there == there[:1] * SIZE
        done += 1
        if chance.random() < 0.01:
            os.kill(os.getpid(), signal.SIGKILL)


def put_own(final: Path, mine: bytes, chance: random.Random) -> None:
    if chance.random() < 0.3:
        publish_small(final, mine, LocalDisk(), key=KEY, overwrite=True)
        return
    with opened(final) as partly:
        partly.begin(HEAD)
        for start, end in PIECES:
            partly.write(start, memoryview(mine)[start:end])
        if chance.random() < 0.2 and final.exists():
            partly.discard()
        else:
            partly.publish(final, size=SIZE, overwrite=True)


def test_processes_never_share_a_partial_file(tmp_path: Path) -> None:
    """Six that fetch, replace, cancel and die at will: what is published is always one's own and whole."""
    final = tmp_path / "vae"
    children = []
    for number in range(1, 7):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(final, number)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} <= {0, signal.SIGKILL}
    for found in find_partials(tmp_path):
        discard(found.final, LocalDisk())
    assert names(final) == ["vae"]
