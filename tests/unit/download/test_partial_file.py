from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.journal import Journal, JournalHead, Piece
from modelshelf.download.owned_file import OwnedFile
from modelshelf.download.partial_file import (
    PartialFile,
    PartialFileShutError,
    find_partials,
    publish_small,
)
from modelshelf.download.partial_names import PartialNames
from modelshelf.download.room import can_promise_room, reserve_room
from modelshelf.download.spans import Spans
from modelshelf.errors import (
    DestinationExistsError,
    DestinationUnusableError,
    DownloadBusyError,
    NotEnoughSpaceError,
)
from modelshelf.protocols import Disk
from modelshelf.testing.faults import CountingDisk, LinklessDisk, ShortWritingDisk, WrappedDisk

KEY = "0123456789abcdef"
OTHER_KEY = "f" * 64
PIECE = 1024 * 1024
CONTENT = b"".join(number.to_bytes(4, "little") for number in range(3 * PIECE // 4)) + b"end"
SIZE = len(CONTENT)


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """Return a final name in a folder of its own."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder / "vae.safetensors"


@pytest.fixture
def umask() -> Iterator[None]:
    """Let others read, whatever the machine's habit is."""
    old = os.umask(0o022)
    yield
    os.umask(old)


def head(size: int | None = SIZE) -> JournalHead:
    return JournalHead("https://example.org/vae", KEY, "vae.safetensors", size)


def opened(final: Path, key: str = KEY, disk: Disk | None = None) -> PartialFile:
    return PartialFile.open(final, key, disk or LocalDisk())


def begun(final: Path, size: int | None = SIZE, disk: Disk | None = None) -> PartialFile:
    partial = opened(final, disk=disk)
    partial.begin(head(size))
    return partial


def put(partial: PartialFile, *spans: tuple[int, int]) -> None:
    for start, end in spans:
        partial.write(start, memoryview(CONTENT)[start:end])


def reopened(final: Path) -> PartialFile:
    partial = opened(final)
    partial.check()
    return partial


def part(final: Path) -> Path:
    (found,) = find_partials(final.parent)
    return found.part


def drawn(kind: type, final: Path) -> list[str]:
    found = re.findall(r"[├└]─ (\S+)", kind.__doc__ or "")
    return sorted(each.replace("<name>", final.name).replace("<key>", KEY) for each in found)


def names(final: Path) -> list[str]:
    return sorted(path.name for path in final.parent.iterdir())


class TestGoingOn:
    def test_pieces_are_held_by_whoever_opens_it_next(self, final: Path) -> None:
        """In whatever order they came."""
        with begun(final) as partial:
            put(partial, (2 * PIECE, SIZE), (100, PIECE))
            assert partial.held == Spans([(100, PIECE), (2 * PIECE, SIZE)])
        with opened(final) as partial:
            assert (partial.head, partial.held) == (head(), Spans())
            partial.check()
            assert partial.held == Spans([(100, PIECE), (2 * PIECE, SIZE)])

    def test_a_chunk_of_many_pieces_costs_one_of_them(self, final: Path) -> None:
        """The record of each MiB is its own."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        with part(final).open("r+b") as file:
            file.seek(PIECE + 5)
            file.write(b"\xff")
        with reopened(final) as partial:
            assert partial.held == Spans([(0, PIECE), (2 * PIECE, SIZE)])

    def test_a_bad_piece_is_forgotten_for_good(self, final: Path) -> None:
        """Even when what it was supposed to be comes back."""
        with begun(final) as partial:
            put(partial, (0, PIECE), (PIECE, 2 * PIECE))
        whole = part(final).read_bytes()
        part(final).write_bytes(whole[:PIECE] + bytes(SIZE - PIECE))
        with reopened(final) as partial:
            assert partial.held == Spans([(0, PIECE)])
        part(final).write_bytes(whole)
        with reopened(final) as partial:
            assert partial.held == Spans([(0, PIECE)])

    def test_a_file_that_was_cut_loses_what_is_cut(self, final: Path) -> None:
        """And gets its room back."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        os.truncate(part(final), PIECE + 1)
        with reopened(final) as partial:
            assert partial.held == Spans([(0, PIECE)])
        assert part(final).stat().st_size == SIZE

    def test_a_file_that_grew_is_cut(self, final: Path) -> None:
        """To the size that it is going to have."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        with part(final).open("ab") as file:
            file.write(b"more")
        with reopened(final) as partial:
            assert partial.held == Spans([(0, SIZE)])
        assert part(final).stat().st_size == SIZE

    def test_a_check_that_is_stopped_holds_what_it_has_seen(self, final: Path) -> None:
        """The rest is not forgotten."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        answers = iter([True, True, False])
        with opened(final) as partial:
            partial.check(lambda: next(answers))
            assert partial.held == Spans([(0, 2 * PIECE)])
        with reopened(final) as partial:
            assert partial.held == Spans([(0, SIZE)])

    def test_a_piece_that_came_twice_is_read_once(self, final: Path) -> None:
        """What is sound already needs no second look."""
        with begun(final) as partial:
            put(partial, (0, SIZE), (0, PIECE), (10, 20))
        with reopened(final) as partial:
            assert partial.held == Spans([(0, SIZE)])

    def test_a_piece_that_came_anew_with_other_bytes_is_told_by_its_last_record(
        self, final: Path
    ) -> None:
        """The first record is refuted, the second one is not."""
        with begun(final) as partial:
            put(partial, (0, PIECE))
            partial.write(0, memoryview(bytes(PIECE)))
        with reopened(final) as partial:
            assert partial.held == Spans([(0, PIECE)])

    def test_a_new_beginning_keeps_none_of_the_bytes(self, final: Path) -> None:
        """Nothing of the first attempt can come back."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
            partial.begin(head())
            assert (partial.head, partial.held) == (head(), Spans())
        with reopened(final) as partial:
            assert (partial.head, partial.held) == (head(), Spans())

    def test_a_new_beginning_may_be_another_file(self, final: Path) -> None:
        """Of another size, which it takes."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
            partial.begin(head(10))
            assert partial.held == Spans()
            assert part(final).stat().st_size == 10

    def test_a_file_of_unknown_size_grows(self, final: Path) -> None:
        """It is known when it is published."""
        with begun(final, size=None) as partial:
            put(partial, (0, PIECE), (PIECE, SIZE))
        with reopened(final) as partial:
            partial.publish(final, size=PIECE)
        assert final.read_bytes() == CONTENT[:PIECE]

    def test_a_part_without_a_journal_is_worth_nothing(self, final: Path) -> None:
        """Nobody knows what it is, so it is removed."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        (found,) = find_partials(final.parent)
        found.journal.unlink()
        with reopened(final) as partial:
            assert (partial.head, partial.held) == (None, Spans())
        assert names(final) == []

    def test_a_journal_without_a_part_is_worth_nothing(self, final: Path) -> None:
        """It would say of bytes that they are there."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        part(final).unlink()
        with reopened(final) as partial:
            assert (partial.head, partial.held) == (None, Spans())
            partial.begin(head())
            put(partial, (0, 5))
            assert partial.held == Spans([(0, 5)])

    def test_what_other_downloads_left_is_not_touched(self, final: Path) -> None:
        """Another key is another file."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
        with opened(final, OTHER_KEY) as other:
            assert other.head is None
            other.begin(head(5))
            other.discard()
        with reopened(final) as partial:
            assert partial.held == Spans([(0, SIZE)])

    def test_short_writes_write_everything(self, final: Path) -> None:
        """The system may take a few bytes at a time."""
        with begun(final, disk=ShortWritingDisk(LocalDisk(), 1000)) as partial:
            put(partial, (0, SIZE))
            partial.publish(final, size=SIZE)
        assert final.read_bytes() == CONTENT

    def test_many_threads_write_at_once(self, final: Path) -> None:
        """Every piece is there afterwards, and known."""
        barrier = Barrier(8)

        def work(number: int) -> None:
            barrier.wait()
            for start in range(number * 10_000, SIZE, 80_000):
                put(partial, (start, min(start + 10_000, SIZE)))

        with begun(final) as partial:
            threads = [Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert partial.held == Spans([(0, SIZE)])
        with reopened(final) as partial:
            assert partial.held == Spans([(0, SIZE)])
            assert part(final).read_bytes() == CONTENT

    def test_what_was_written_is_read_back(self, final: Path) -> None:
        """Less only at the end."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
            buffer = memoryview(bytearray(10))
            assert (partial.read_into(buffer, SIZE - 3), bytes(buffer[:3])) == (3, b"end")

    def test_nothing_is_read_before_the_beginning(self, final: Path) -> None:
        """There is no file yet."""
        with opened(final) as partial, pytest.raises(PartialFileShutError):
            partial.read_into(memoryview(bytearray(5)), 0)

    @pytest.mark.parametrize(
        "piece", [Piece(0, PIECE + 1, 0), Piece(SIZE, 5, 0), Piece(2**63, 5, 0), Piece(5, 5, 0)]
    )
    @pytest.mark.parametrize("size", [SIZE, None])
    def test_a_record_that_cannot_be_is_forgotten(
        self, final: Path, size: int | None, piece: Piece
    ) -> None:
        """Too long, beyond the end, or not what is there."""
        with begun(final, size) as partial:
            put(partial, (0, 5))
        (found,) = find_partials(final.parent)
        file = OwnedFile.take_or_make(found.journal, LocalDisk())
        Journal(file).append(piece)
        file.close()
        with reopened(final) as partial:
            assert partial.held == Spans([(0, 5)])
        file = OwnedFile.take_or_make(found.journal, LocalDisk())
        assert len(list(Journal(file).pieces())) == 1
        file.close()

    @pytest.mark.parametrize("offset", [SIZE - 2, SIZE, 2**40])
    def test_nothing_is_written_beyond_the_end(self, final: Path, offset: int) -> None:
        """Whoever sends more than was announced does not fill the disk."""
        with begun(final) as partial:
            with pytest.raises(ValueError, match=str(offset)):
                partial.write(offset, memoryview(b"abc"))
            assert part(final).stat().st_size == SIZE

    def test_nothing_is_written_before_the_beginning(self, final: Path) -> None:
        """Nobody would know what it is."""
        with opened(final) as partial, pytest.raises(ValueError, match="0"):
            partial.write(0, memoryview(b"abc"))


class TestEnding:
    @pytest.mark.usefixtures("umask")
    def test_a_whole_file_gets_its_name_and_nothing_else_is_left(self, final: Path) -> None:
        """Readable for those who may, and complete."""
        partial = begun(final)
        assert stat.S_IMODE(part(final).stat().st_mode) == 0o600
        put(partial, (0, SIZE))
        partial.publish(final, size=SIZE)
        assert (names(final), final.read_bytes()) == ([final.name], CONTENT)
        assert stat.S_IMODE(final.stat().st_mode) == 0o644

    def test_an_empty_file_is_a_file(self, final: Path) -> None:
        """No byte has to come."""
        begun(final, size=0).publish(final, size=0)
        assert (names(final), final.read_bytes()) == ([final.name], b"")

    def test_it_is_durable_before_it_has_its_name(self, final: Path) -> None:
        """Its bytes first, then its name, then the folder."""
        disk = CountingDisk(LocalDisk())
        partial = begun(final, disk=disk)
        put(partial, (0, SIZE))
        disk.operations.clear()
        partial.publish(final, size=SIZE)
        steps = [operation.partition(" ")[0] for operation in disk.operations]
        assert steps == [
            "sync_file",
            "write",
            "link",
            "remove_file",
            "sync_folder",
            "remove_file",
        ]

    def test_the_folder_may_be_flushed_by_the_caller(self, final: Path) -> None:
        """Once for many files."""
        disk = CountingDisk(LocalDisk())
        partial = begun(final, disk=disk)
        put(partial, (0, SIZE))
        partial.publish(final, size=SIZE, sync_folder=False)
        assert not [each for each in disk.operations if each.startswith("sync_folder")]

    @pytest.mark.parametrize("disk", [LocalDisk(), LinklessDisk(LocalDisk())])
    def test_a_file_that_appeared_meanwhile_is_kept(self, final: Path, disk: Disk) -> None:
        """And so is what was fetched: it can have another name."""
        with begun(final, disk=disk) as partial:
            put(partial, (0, SIZE))
            final.write_text("somebody's")
            with pytest.raises(DestinationExistsError):
                partial.publish(final, size=SIZE)
            assert final.read_text() == "somebody's"
            partial.publish(final.with_name("other"), size=SIZE)
        assert names(final) == ["other", final.name]
        assert final.with_name("other").read_bytes() == CONTENT

    @pytest.mark.parametrize("disk", [LocalDisk(), LinklessDisk(LocalDisk())])
    def test_a_file_is_replaced_when_that_is_asked_for(self, final: Path, disk: Disk) -> None:
        """At once, and only then."""
        final.write_text("old")
        with begun(final, disk=disk) as partial:
            put(partial, (0, SIZE))
            assert final.read_text() == "old"
            partial.publish(final, size=SIZE, overwrite=True)
        assert (names(final), final.read_bytes()) == ([final.name], CONTENT)

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize("there", [True, False])
    def test_a_link_at_the_final_name_is_not_followed(
        self, tmp_path: Path, final: Path, *, overwrite: bool, there: bool
    ) -> None:
        """It is kept or replaced, and what it points to is not touched, not even made."""
        target = tmp_path / "target"
        if there:
            target.write_text("somebody's")
        final.symlink_to(target)
        with begun(final) as partial:
            put(partial, (0, SIZE))
            if overwrite:
                partial.publish(final, size=SIZE, overwrite=True)
                assert not final.is_symlink()
                assert final.read_bytes() == CONTENT
            else:
                with pytest.raises(DestinationExistsError):
                    partial.publish(final, size=SIZE)
                assert final.is_symlink()
        assert target.exists() == there
        assert not there or target.read_text() == "somebody's"

    def test_a_system_without_links_publishes_too(self, final: Path) -> None:
        """By renaming."""
        with begun(final, disk=LinklessDisk(LocalDisk())) as partial:
            put(partial, (0, SIZE))
            partial.publish(final, size=SIZE)
        assert (names(final), final.read_bytes()) == ([final.name], CONTENT)

    def test_a_folder_that_cannot_be_flushed_is_good_enough(self, final: Path) -> None:
        """Some network shares know no such thing."""

        class Unflushable(WrappedDisk):
            def sync_folder(self, path: Path) -> None:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))

        with begun(final, disk=Unflushable(LocalDisk())) as partial:
            put(partial, (0, SIZE))
            partial.publish(final, size=SIZE)
        assert names(final) == [final.name]

    def test_a_file_with_gaps_is_not_published(self, final: Path) -> None:
        """That would be a mistake of ours, not of the world."""
        with begun(final) as partial:
            put(partial, (0, SIZE - 1))
            with pytest.raises(ValueError, match=str(SIZE)):
                partial.publish(final, size=SIZE)
        with opened(final, OTHER_KEY) as partial, pytest.raises(ValueError, match="0"):
            partial.publish(final, size=0)

    def test_a_part_that_somebody_moved_away_is_not_published(self, final: Path) -> None:
        """What has its name now may be anything."""
        with begun(final) as partial:
            put(partial, (0, SIZE))
            path = part(final)
            path.rename(path.with_name("mine"))
            path.write_text("something else")
            with pytest.raises(DestinationUnusableError, match="moved"):
                partial.publish(final, size=SIZE)
            assert not final.exists()
            partial.discard()
            assert path.read_text() == "something else"

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_file_whose_folder_cannot_be_flushed_is_whole_all_the_same(
        self, final: Path, *, overwrite: bool
    ) -> None:
        """It has its name by then, and cleaning up after the error does not take its bytes."""

        class Broken(WrappedDisk):
            def sync_folder(self, path: Path) -> None:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

        partial = begun(final, disk=Broken(LocalDisk()))
        put(partial, (0, SIZE))
        with pytest.raises(DestinationUnusableError):
            partial.publish(final, size=SIZE, overwrite=overwrite)
        partial.discard()
        assert (names(final), final.read_bytes()) == ([final.name], CONTENT)

    def test_discarding_leaves_nothing(self, final: Path) -> None:
        """And may be repeated."""
        partial = begun(final)
        put(partial, (0, SIZE))
        partial.discard()
        partial.discard()
        partial.close()
        assert names(final) == []

    def test_opening_alone_leaves_nothing(self, final: Path) -> None:
        """A download that fails at once is not to be seen."""
        opened(final).close()
        assert names(final) == []

    @pytest.mark.parametrize("end", ["shut", "close", "discard"])
    def test_a_thread_that_was_left_behind_writes_no_more(self, final: Path, end: str) -> None:
        """Neither writes nor reads."""
        partial = begun(final)
        getattr(partial, end)()
        with pytest.raises((PartialFileShutError, ValueError)):
            put(partial, (0, 5))
        with pytest.raises(PartialFileShutError):
            partial.read_into(memoryview(bytearray(5)), 0)
        partial.close()

    def test_shutting_waits_for_a_write_that_is_under_way(self, final: Path) -> None:
        """Afterwards the file does not change any more."""
        begins, goes_on = Event(), Event()

        class Waiting(WrappedDisk):
            def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
                if len(content) == 5:
                    begins.set()
                    goes_on.wait(60)
                return super().write(descriptor, content, offset)

        partial = begun(final, disk=Waiting(LocalDisk()))
        writer = Thread(target=put, args=(partial, (0, 5)))
        writer.start()
        begins.wait(60)
        shutter = Thread(target=partial.shut)
        shutter.start()
        goes_on.set()
        shutter.join()
        assert partial.held == Spans([(0, 5)])
        writer.join()
        partial.close()


class TestOwning:
    def test_nobody_else_gets_hold_of_it(self, final: Path) -> None:
        """Until it is let go."""
        with begun(final):
            with pytest.raises(DownloadBusyError) as busy:
                opened(final)
            assert busy.value.path == str(final)
        opened(final).close()

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    @pytest.mark.parametrize("closing", [True, False])
    def test_a_child_process_has_no_part_in_it(self, final: Path, *, closing: bool) -> None:
        """It lets go of nothing that its parent holds, and holds on to nothing that its parent let go."""
        with begun(final) as partial:
            put(partial, (0, 5))
            child_reads, parent_writes = os.pipe()
            parent_reads, child_writes = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(parent_writes)
                if closing:
                    partial.close()
                os.write(child_writes, b"!")
                os.read(child_reads, 1)
                os._exit(0)
            os.close(child_reads)
            os.read(parent_reads, 1)
            with pytest.raises(DownloadBusyError):
                opened(final)
        with reopened(final) as partial:
            assert partial.held == Spans([(0, 5)])
        os.close(parent_writes)
        assert os.waitpid(child, 0)[1] == 0
        os.close(parent_reads)
        os.close(child_writes)

    @pytest.mark.parametrize("name", ["part", "journal"])
    @pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe"])
    def test_what_is_no_file_of_ours_is_not_followed_and_not_removed(
        self, tmp_path: Path, final: Path, name: str, kind: str
    ) -> None:
        """A link may lead anywhere, a pipe may hang for ever."""
        begun(final).close()
        (found,) = find_partials(final.parent)
        opened(final).discard()
        path: Path = getattr(found, name)
        target = tmp_path / "target"
        if kind == "link":
            target.write_text("somebody's")
        if kind in {"link", "dangling"}:
            path.symlink_to(target)
        elif kind == "folder":
            path.mkdir()
        else:
            os.mkfifo(path)
        with pytest.raises(DestinationUnusableError):
            opened(final)
        if name == "part":
            with pytest.raises(DestinationUnusableError):
                publish_small(final, b"small", LocalDisk(), key=KEY)
        assert path.is_symlink() == (kind in {"link", "dangling"})
        assert target.exists() == (kind == "link")
        assert kind != "link" or target.read_text() == "somebody's"

    def test_a_part_with_a_second_name_is_not_written_to(self, final: Path) -> None:
        """Somebody's copy made of links keeps what it has."""
        with begun(final) as partial:
            put(partial, (0, 5))
        backup = final.with_name("backup")
        backup.hardlink_to(part(final))
        with reopened(final) as partial:
            assert partial.head is None
            assert not partial.was_published
            partial.begin(head())
            put(partial, (5, 10))
        assert backup.read_bytes() == CONTENT[:5] + bytes(SIZE - 5)

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """With the name of what could not be written."""
        with pytest.raises(DestinationUnusableError, match="no-folder"):
            opened(tmp_path / "no-folder" / "a")
        with pytest.raises(DestinationUnusableError, match="no-folder"):
            publish_small(tmp_path / "no-folder" / "a", b"", LocalDisk())

    def test_a_key_is_a_digest(self, final: Path) -> None:
        """It becomes part of a file name."""
        with pytest.raises(ValueError, match="key"):
            opened(final, "../key")


class TestRoom:
    def test_a_file_larger_than_the_disk_is_refused_before_its_first_byte(
        self, final: Path
    ) -> None:
        """Nothing is left of it."""
        with pytest.raises(NotEnoughSpaceError) as full:
            begun(final, size=2**55)
        assert (full.value.path, full.value.needed) == (str(final.parent), 2**55)
        assert names(final) == []

    def test_a_disk_that_is_full_all_the_same_is_told(self, final: Path) -> None:
        """A quota shows only when the room is reserved."""

        class Quota(WrappedDisk):
            def reserve(self, descriptor: int, size: int) -> None:
                super().reserve(descriptor, size // 2)
                raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

        with pytest.raises(NotEnoughSpaceError):
            begun(final, disk=Quota(LocalDisk()))
        assert names(final) == []

    def test_beginning_anew_does_not_give_its_room_away(self, final: Path) -> None:
        """Nor does it ask for more than it lacks."""
        disk = CountingDisk(LocalDisk())
        with begun(final, disk=disk) as partial:
            put(partial, (0, SIZE))
            disk.operations.clear()
            partial.begin(head())
            assert disk.operations == ["truncate", "write"]
            partial.begin(head(SIZE - 5))
            assert part(final).stat().st_size == SIZE - 5

    def test_room_that_was_reserved_is_not_asked_for_again(self, final: Path) -> None:
        """Going on with a file needs only what it does not have."""
        disk = CountingDisk(LocalDisk())
        begun(final).close()
        partial = opened(final, disk=disk)
        disk.operations.clear()
        partial.check()
        assert disk.operations == []
        partial.close()

    def test_a_system_that_would_write_to_reserve_room_is_not_asked_to(self, final: Path) -> None:
        """It would take minutes for a large file; files of `/proc` are on such a one."""
        with Path("/proc/self/comm").open("r+b") as unable, final.open("w+b") as able:
            assert not can_promise_room(unable.fileno())
            assert can_promise_room(able.fileno())
            disk = CountingDisk(LocalDisk())
            reserve_room(OwnedFile(final, unable.fileno(), disk), 100, final, disk)
            assert disk.operations == ["truncate"]

    def test_a_file_that_cannot_be_that_large_is_told(self, final: Path) -> None:
        """Some file systems end at four GiB."""

        class Fat(WrappedDisk):
            def reserve(self, descriptor: int, size: int) -> None:
                del descriptor, size
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

        with pytest.raises(DestinationUnusableError, match="large"):
            begun(final, disk=Fat(LocalDisk()))
        assert names(final) == []


class TestSmallFiles:
    @pytest.mark.usefixtures("umask")
    def test_a_small_file_is_written_at_once(self, final: Path) -> None:
        """And nothing else is left."""
        publish_small(final, b"{}", LocalDisk())
        assert (names(final), final.read_bytes()) == ([final.name], b"{}")
        assert stat.S_IMODE(final.stat().st_mode) == 0o644

    def test_a_small_file_replaces_nothing_unasked(self, final: Path) -> None:
        """Nothing is left of it then."""
        final.write_text("somebody's")
        with pytest.raises(DestinationExistsError):
            publish_small(final, b"{}", LocalDisk())
        assert (names(final), final.read_text()) == ([final.name], "somebody's")
        publish_small(final, b"{}", LocalDisk(), overwrite=True)
        assert (names(final), final.read_bytes()) == ([final.name], b"{}")

    def test_what_a_killed_process_left_is_replaced(self, final: Path) -> None:
        """Its part is nobody's."""
        begun(final).close()
        part(final).write_text("half")
        publish_small(final, b"{}", LocalDisk(), key=KEY)
        assert final.read_bytes() == b"{}"
        opened(final).close()
        assert names(final) == [final.name]

    def test_one_file_is_written_by_one(self, final: Path) -> None:
        """Who comes second is told so."""
        with begun(final), pytest.raises(DownloadBusyError):
            publish_small(final, b"{}", LocalDisk(), key=KEY)

    def test_a_disk_without_room_is_told(self, final: Path) -> None:
        """With nothing left behind."""

        class Full(WrappedDisk):
            def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
                del descriptor, content, offset
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with pytest.raises(NotEnoughSpaceError):
            publish_small(final, b"{}", Full(LocalDisk()))
        assert names(final) == []


class TestNames:
    def test_the_drawings_are_true(self, final: Path) -> None:
        """What the documentation draws is what lies there, before and after."""
        with begun(final) as partial:
            assert names(final) == drawn(PartialFile, final)[:2]
            put(partial, (0, SIZE))
            partial.publish(final, size=SIZE)
        assert names(final) == drawn(PartialNames, final)[2:]

    def test_a_long_name_is_shortened_and_found_again(self, final: Path) -> None:
        """The hidden names have to fit too, in whole characters."""
        long = final.with_name("ü" * 127)
        with begun(long) as partial:
            put(partial, (0, 5))
        (found,) = find_partials(final.parent)
        assert len(os.fsencode(found.journal.name)) <= 255
        with reopened(long) as partial:
            assert partial.held == Spans([(0, 5)])

    def test_partial_files_are_listed(self, final: Path) -> None:
        """Each once, and nothing else that lies there."""
        begun(final).close()
        begun(final.with_name("a.b.c")).close()
        opened(final, OTHER_KEY).close()
        for other in (".part", ".a.part", ".a.tar.part", "a.0123456789abcdef.part", final.name):
            final.with_name(other).write_text("somebody's")
        assert [found.part.name for found in find_partials(final.parent)] == [
            f".a.b.c.{KEY}.part",
            f".{final.name}.{KEY}.part",
        ]

    def test_what_is_found_can_be_removed(self, final: Path) -> None:
        """Whatever is left of it."""
        begun(final).close()
        begun(final.with_name("b")).close()
        found, other = find_partials(final.parent)
        found.journal.unlink()
        other.part.unlink()
        for each in (found, other):
            PartialFile.open(each.final, each.key, LocalDisk()).discard()
        assert names(final) == []
