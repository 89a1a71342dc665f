"""Faults 51 to 60: this machine, its disk, its clock, its user, and other programs on it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import (
    DestinationExistsError,
    DestinationUnusableError,
    DownloadBusyError,
    InvalidDownloadError,
    ModelshelfError,
    NotEnoughSpaceError,
    StoreWriteError,
    UnsafeFileNameError,
)
from modelshelf.schema.transfer import Downloaded, ExpectedContent, Stopped, TransferOrder
from modelshelf.testing.faults import WrappedDisk, flip_bit, system_error
from tests.fault.downloads import QUICK, Outcome, Place, expecting
from tests.fault.small_disk import small_file_system
from tests.servers.content import MEBIBYTE, Offered, payload
from tests.servers.scripted import Asked, Peer, Scripted, in_turn, serve

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
SIZE = len(OFFERED.content)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path).watched() as place:
        yield place


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def slowly(asked: Asked, peer: Peer) -> None:
    """Answer honestly, in small steps."""
    reply = OFFERED.answer(asked.range, asked.if_range)
    peer.head(reply)
    for start in range(0, len(reply.body), MEBIBYTE // 4):
        peer.body(reply.body[start : start + MEBIBYTE // 4])
        peer.delivered()


def paused(place: Place, order: TransferOrder, after: int = SIZE // 2) -> int:
    """Begin *order* and pause it; return how many bytes are kept."""
    stop = StopSignal()

    def watch(received: int, _total: int) -> None:
        if received >= after:
            stop.pause()

    outcome = place.fetch(order, stop=stop, on_progress=watch, connections=2)
    assert isinstance(outcome.result, Stopped), outcome
    return outcome.result.received


class FillingDisk(WrappedDisk):
    """A disk on which somebody else uses up all space: from the k-th write on, until room is made."""

    def __init__(self, after: int, number: int = errno.ENOSPC, operations: str = "write") -> None:
        super().__init__(LocalDisk())
        self._left = after
        self._number = number
        self._operations = operations

    def around(self, operation: str, act: Callable[[], object]) -> object:  # type: ignore[override]
        if operation.partition(" ")[0] == self._operations:
            self._left -= 1
            if self._left < 0:
                raise system_error(self._number)
        return act()


def test_51_not_enough_space_before_the_first_byte(place: Place, server: Scripted) -> None:
    """Fault 51: the announced size does not fit on the disk: no byte of the body is asked for."""
    free = os.statvfs(place.folder)
    # Others may free room meanwhile.
    size = 2 * free.f_bavail * free.f_frsize

    def huge(asked: Asked, peer: Peer) -> None:
        del asked
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        peer.body(payload(200_000))
        peer.hold()

    url = server.on("/x", huge)
    for expected in (None, ExpectedContent(size=size)):
        outcome = place.fetch(place.order(url, expected))
        error = place.failed(outcome, NotEnoughSpaceError)
        assert error.needed >= size > error.free
    assert server.count() <= 2


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
def test_51_disk_fills_up(place: Place, server: Scripted, after: int) -> None:
    """Fault 51: another program fills the disk in mid-download; with room again it goes on from there."""
    order = place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED), keep_partial=True)
    outcome = place.fetch(order, disk=FillingDisk(after))
    error = place.failed(outcome, NotEnoughSpaceError, left=True)
    assert str(place.folder) in str(error)
    downloaded = place.arrived(place.fetch(order), OFFERED)
    if after > 5:
        assert downloaded.fetched < SIZE
    assert server.count() < 20


def test_51_disk_fills_up_and_nothing_is_to_be_kept(place: Place, server: Scripted) -> None:
    """Fault 51: who wants nothing kept gets the space back."""
    order = place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED))
    place.failed(place.fetch(order, disk=FillingDisk(3)), NotEnoughSpaceError)


def test_51_no_room_to_reserve(place: Place, server: Scripted) -> None:
    """Fault 51: the system cannot promise the room for the whole file."""
    order = place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED))
    disk = FillingDisk(0, operations="reserve")
    place.failed(place.fetch(order, disk=disk), NotEnoughSpaceError)
    assert server.count() == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    with small_file_system(tmp_path / "small", megabytes=4) as folder:
        yield folder


@pytest.mark.parametrize("known", [True, False])
def test_51_disk_that_is_really_full(
    place: Place, server: Scripted, small_disk: Path, *, known: bool
) -> None:
    """Fault 51: four megabytes of disk for eight of file, announced or not; a smaller file then fits."""
    whole = Offered(OFFERED.content, ranges=False)

    def no_length(_asked: Asked, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        peer.body(whole.content)
        peer.hang_up()

    url = server.on("/x", serve(whole) if known else no_length)
    order = place.order(url, destination=small_disk / "model.bin")
    outcome = place.fetch(order)
    assert isinstance(outcome.error, NotEnoughSpaceError), outcome
    assert list(small_disk.iterdir()) == []
    fits = Offered(payload(2 * MEBIBYTE))
    order = place.order(server.on("/y", serve(fits)), destination=small_disk / "model.bin")
    assert place.fetch(order).downloaded.path.read_bytes() == fits.content


def test_52_folder_without_permission(place: Place, server: Scripted) -> None:
    """Fault 52: in this folder the user may read and not write."""
    theirs = place.folder / "theirs"
    theirs.mkdir(mode=0o555)
    url = server.on("/x", serve(OFFERED))
    with start(url, theirs / "model.bin", "as-user") as process:
        assert last_word(process)[0] in {"DestinationUnusableError", "StoreWriteError"}
    assert list(theirs.iterdir()) == []
    theirs.rmdir()
    assert server.count() <= 1


def test_52_folder_that_may_not_be_entered(place: Place, server: Scripted) -> None:
    """Fault 52: of this folder the user may not even know what is in it."""
    closed = place.folder / "closed"
    closed.mkdir(mode=0)
    url = server.on("/x", serve(OFFERED))
    with start(url, closed / "model.bin", "as-user") as process:
        assert last_word(process)[0] in {"DestinationUnusableError", "InvalidDownloadError"}
    assert list(closed.iterdir()) == []
    closed.rmdir()


@pytest.mark.parametrize("name", ["n" * 256, "é" * 128, "a\0b", "sub/" + "n" * 300])
def test_52_destination_that_no_system_takes(place: Place, server: Scripted, name: str) -> None:
    """Fault 52: the user's own name for the file is longer than names can be, or no name at all."""
    (place.folder / "sub").mkdir()
    url = server.on("/x", serve(OFFERED))
    outcome = place.fetch(place.order(url, destination=place.folder / name))
    assert isinstance(
        outcome.error, (DestinationUnusableError, InvalidDownloadError, UnsafeFileNameError)
    ), repr(outcome)
    assert outcome.error.advice
    assert place.names == ["sub"]


@pytest.mark.parametrize("operations", ["create", "write", "link", "sync_file", "reserve"])
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_52_system_refuses(place: Place, server: Scripted, operations: str, number: int) -> None:
    """Fault 52: the file system turns read-only, forbids, or fails, at each kind of step."""
    order = place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED))
    outcome = place.fetch(order, disk=FillingDisk(0, number, operations))
    if operations == "link" and outcome.error is None:
        # There is another way to give a file its name.
        place.arrived(outcome, OFFERED)
        return
    place.failed(outcome, DestinationUnusableError, StoreWriteError, left=True)
    assert place.visible == []
    assert server.count() < 20
    place.arrived(place.fetch(order), OFFERED)


@pytest.mark.parametrize("what", ["missing folder", "folder is a file", "name is a folder"])
def test_52_destination_that_cannot_be(place: Place, server: Scripted, what: str) -> None:
    """Fault 52: the folder is not there, or is a file; or a folder stands at the final name."""
    destination = place.folder / "a" / "model.bin"
    place.planted = frozenset({"a"})
    if what == "folder is a file":
        (place.folder / "a").write_text("mine")
    elif what == "name is a folder":
        destination.mkdir(parents=True)
        (destination / "mine").write_text("mine")
    order = place.order(
        server.on("/model.bin", serve(OFFERED)), destination=destination, overwrite=True
    )
    outcome = place.fetch(order)
    if what == "name is a folder" and outcome.error is None:
        assert (destination / "mine").read_text() == "mine"
        assert outcome.downloaded.path.parent == destination
    elif outcome.error is None:
        assert what == "missing folder"
        assert destination.read_bytes() == OFFERED.content
    else:
        assert isinstance(
            outcome.error,
            (DestinationUnusableError, DestinationExistsError, InvalidDownloadError),
        ), repr(outcome.error)
        assert outcome.error.advice


@pytest.mark.parametrize(
    "what", ["folder moved", "part removed", "part replaced", "journal removed"]
)
def test_52_somebody_tidies_up_meanwhile(place: Place, server: Scripted, what: str) -> None:
    """Fault 52: in mid-download the folder moves, or the hidden files are removed or replaced."""
    sub = place.folder / "sub"
    sub.mkdir()
    done: list[int] = []

    def tidy(received: int, _total: int) -> None:
        if received < SIZE // 3 or done:
            return
        done.append(received)
        (part,) = sub.glob(".*.part")
        (journal,) = sub.glob(".*.journal")
        if what == "folder moved":
            sub.rename(place.folder / "moved")
        elif what == "journal removed":
            journal.unlink()
        else:
            part.unlink()
        if what == "part replaced":
            part.write_bytes(payload(SIZE, seed=7))

    order = place.order(server.on("/x", slowly), expecting(OFFERED), destination=sub / "model.bin")
    outcome = place.fetch(order, on_progress=tidy)
    final = sub / "model.bin"
    if outcome.error is None:
        assert final.read_bytes() == OFFERED.content
    else:
        assert isinstance(outcome.error, DestinationUnusableError), repr(outcome.error)
        assert outcome.error.advice
        assert not final.exists()
        assert not (place.folder / "moved" / "model.bin").exists()
    sub.mkdir(exist_ok=True)
    place.fetch(order)
    assert final.read_bytes() == OFFERED.content


@pytest.mark.parametrize("loss", ["zeroed", "cut", "journal cut", "both"])
def test_54_power_goes(place: Place, server: Scripted, loss: str) -> None:
    """Fault 54: after a power cut pages are zeros, the file is shorter, the journal's end is missing."""
    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    kept = paused(place, order)
    content = bytearray(place.part.read_bytes())
    if loss in {"zeroed", "both"}:
        content[MEBIBYTE : MEBIBYTE + 4096 * 3] = bytes(4096 * 3)
        place.part.write_bytes(content)
    if loss in {"cut", "both"}:
        os.truncate(place.part, SIZE // 3)
    if loss in {"journal cut", "both"}:
        os.truncate(place.journal, place.journal.stat().st_size - 7)
    downloaded = place.arrived(place.fetch(order), OFFERED)
    if loss == "zeroed":
        assert downloaded.fetched <= SIZE - kept + 2 * MEBIBYTE
    else:
        assert downloaded.fetched <= SIZE


def test_54_power_goes_and_no_digest_is_known(place: Place, server: Scripted) -> None:
    """Fault 54: zeroed pages are found without a digest, too."""
    order = place.order(server.on("/x", slowly))
    paused(place, order)
    content = bytearray(place.part.read_bytes())
    content[:4096] = bytes(4096)
    place.part.write_bytes(content)
    place.arrived(place.fetch(order), OFFERED)


class DyingDisk(WrappedDisk):
    """A disk whose program dies right after the final name is given, before anything is tidied up."""

    def __init__(self) -> None:
        super().__init__(LocalDisk())
        self._is_dead = False

    def around(self, operation: str, act: Callable[[], object]) -> object:  # type: ignore[override]
        if self._is_dead:
            raise system_error(errno.EIO)
        result = act()
        self._is_dead = operation.endswith("/model.bin")
        return result


@pytest.mark.parametrize("meanwhile", ["nothing", "damage", "another file", "gone"])
def test_54_power_goes_just_after_the_final_name(
    place: Place, server: Scripted, meanwhile: str
) -> None:
    """Fault 54: the file is there and nothing was tidied up; what became of the file since is looked at."""
    order = place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED))
    final = order.destination
    place.fetch(order, disk=DyingDisk())
    assert final.read_bytes() == OFFERED.content
    place.planted = frozenset({"model.bin"})
    if meanwhile == "damage":
        flip_bit(final, 8 * 4_000_000)
    elif meanwhile == "another file":
        final.unlink()
        final.write_text("my own work")
    elif meanwhile == "gone":
        final.unlink()
    outcome = place.fetch(order)
    if outcome.error is None:
        assert outcome.downloaded.path.read_bytes() == OFFERED.content, (
            "a wrong file is called right"
        )
        assert place.names == ["model.bin"]
    else:
        assert meanwhile in {"damage", "another file"}
        assert isinstance(outcome.error, DestinationExistsError), repr(outcome.error)


def start(url: str, file: Path, *words: str) -> subprocess.Popen[str]:
    """Start a download in a process of its own."""
    known = [OFFERED.sha256, str(SIZE)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.download_process", url, str(file), *known, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def last_word(process: subprocess.Popen[str], seconds: float = 45) -> list[str]:
    """Wait for the end; return the last line's words."""
    output, errors = process.communicate(timeout=seconds)
    assert output.split(), errors
    assert process.returncode == 0, errors
    return output.splitlines()[-1].split()


def test_55_two_processes_want_one_file(place: Place, server: Scripted) -> None:
    """Fault 55: while one process fetches the file, another one is told to wait, and mixes nothing in."""
    go_on = Event()

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.head(reply)
        peer.body(reply.body[: len(reply.body) // 2])
        peer.wait(go_on)
        peer.body(reply.body[len(reply.body) // 2 :])

    order = place.order(server.on("/x", script), expecting(OFFERED))
    with start(order.url, order.destination) as other:
        assert other.stdout is not None
        while not other.stdout.readline().startswith("at"):
            pass
        outcome = place.fetch(order)
        assert isinstance(outcome.error, DownloadBusyError)
        assert outcome.error.advice
        go_on.set()
        assert last_word(other)[0] == "done"
    assert order.destination.read_bytes() == OFFERED.content
    assert place.names == ["model.bin"]


def test_55_two_processes_race(place: Place, server: Scripted) -> None:
    """Fault 55: four processes begin at the same moment; one wins, the others say why they did not."""
    url = server.on("/x", slowly)
    processes = [start(url, place.folder / "model.bin") for _ in range(4)]
    words = [last_word(process)[0] for process in processes]
    assert "done" in words
    assert set(words) <= {"done", "DownloadBusyError", "DestinationExistsError"}
    assert (place.folder / "model.bin").read_bytes() == OFFERED.content
    assert place.names == ["model.bin"]


def test_55_two_files_under_one_name(place: Place, server: Scripted) -> None:
    """Fault 55: two downloads of different files want the same name: never a mixture, never both."""
    other = Offered(payload(seed=3), etag='"three"')
    # One of them stands there while the other one still comes.
    place.planted = frozenset({"model.bin"})
    go_on = Event()

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.head(reply)
        peer.body(reply.body[: len(reply.body) // 2])
        peer.wait(go_on)
        peer.body(reply.body[len(reply.body) // 2 :])

    with start(server.on("/x", script), place.folder / "model.bin") as first:
        assert first.stdout is not None
        while not first.stdout.readline().startswith("at"):
            pass
        outcome = place.fetch(place.order(server.on("/y", serve(other)), expecting(other)))
        go_on.set()
        word = last_word(first)[0]
    if outcome.error is None:
        assert word == "DestinationExistsError"
        assert (place.folder / "model.bin").read_bytes() == other.content
    else:
        assert isinstance(outcome.error, DownloadBusyError)
        assert (place.folder / "model.bin").read_bytes() == OFFERED.content


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_56_destination_appears_meanwhile(place: Place, server: Scripted, what: str) -> None:
    """Fault 56: the user saves something under that name while the download runs: it is kept."""
    final = place.folder / "model.bin"
    place.planted = frozenset({"model.bin"})
    done: list[int] = []

    def appear(received: int, _total: int) -> None:
        if received > SIZE // 2 and not done:
            done.append(received)
            if what == "file":
                final.symlink_to("elsewhere")
                final.unlink()
                (place.home / "mine").write_text("my own work")
                (place.home / "mine").rename(final)
            elif what == "folder":
                final.mkdir()
            else:
                final.symlink_to("elsewhere")

    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    outcome = place.fetch(order, on_progress=appear)
    assert isinstance(outcome.error, (DestinationExistsError, DestinationUnusableError))
    assert outcome.error.advice
    assert place.visible == ["model.bin"]
    if what == "file":
        assert final.read_text() == "my own work"
    else:
        assert final.is_dir() if what == "folder" else final.is_symlink()


def test_56_destination_is_there_from_the_beginning(place: Place, server: Scripted) -> None:
    """Fault 56: something else stands there already: nothing is fetched, and it is kept."""
    final = place.folder / "model.bin"
    (place.home / "mine").write_text("my own work")
    (place.home / "mine").rename(final)
    outcome = place.fetch(place.order(server.on("/x", serve(OFFERED)), expecting(OFFERED)))
    assert isinstance(outcome.error, DestinationExistsError)
    assert final.read_text() == "my own work"
    assert place.names == ["model.bin"]
    assert server.sent() <= MEBIBYTE


def test_56_the_same_file_is_there_already(place: Place, server: Scripted) -> None:
    """Fault 56, the other way round: the very file stands there: it is taken as it is, without a byte."""
    (place.home / "mine").write_bytes(OFFERED.content)
    (place.home / "mine").rename(place.folder / "model.bin")
    url = server.on("/x", serve(OFFERED))
    downloaded = place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED)
    assert (downloaded.fetched, server.sent()) == (0, 0)


def test_57_pause_and_cancel_at_every_step(place: Place, server: Scripted) -> None:
    """Fault 57: paused at each mark in turn, then cancelled: nothing comes twice, and nothing is left."""
    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    kept = 0
    for mark in range(1, 7):
        stop = StopSignal()

        def watch(received: int, _total: int, stop: StopSignal = stop, mark: int = mark) -> None:
            if received >= mark * MEBIBYTE:
                stop.pause()

        outcome = place.fetch(order, stop=stop, on_progress=watch)
        if isinstance(outcome.result, Downloaded):
            break
        assert isinstance(outcome.result, Stopped), outcome
        assert outcome.result.received >= kept
        kept = outcome.result.received
    stop = StopSignal()
    stop.cancel()
    if place.visible == []:
        outcome = place.fetch(order, stop=stop)
        assert outcome.result == Stopped(kind=stop.kind, received=0)  # type: ignore[arg-type]
        assert place.names == []


def test_57_nothing_comes_twice_after_pauses(place: Place, server: Scripted) -> None:
    """Fault 57: paused seven times, the runs together take each byte from the network once."""
    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    before = 0
    for mark in range(1, 8):
        stop = StopSignal()

        def watch(received: int, _total: int, stop: StopSignal = stop, mark: int = mark) -> None:
            if received >= mark * MEBIBYTE:
                stop.pause()

        outcome = place.fetch(order, stop=stop, on_progress=watch)
        if isinstance(outcome.result, Downloaded):
            break
        assert isinstance(outcome.result, Stopped), outcome
        assert outcome.progress[0][0] >= before, "bytes that were there are counted again"
        before = outcome.result.received
    else:
        outcome = place.fetch(order)
    downloaded = place.arrived(outcome, OFFERED)
    assert downloaded.fetched == SIZE - before


def test_57_cancelled_in_mid_file(place: Place, server: Scripted) -> None:
    """Fault 57: cancelled, and cancelled again after a pause: no file of any name is left."""
    stop = StopSignal()

    def watch(received: int, _total: int) -> None:
        if received > SIZE // 3:
            stop.pause()
            stop.cancel()

    order = place.order(server.on("/x", slowly), expecting(OFFERED))
    outcome = place.fetch(order, stop=stop, on_progress=watch)
    assert isinstance(outcome.result, Stopped)
    assert (outcome.result.received, place.names) == (0, [])


@pytest.mark.parametrize("sent", [None, 0, 1000, 3 * MEBIBYTE])
def test_57_stopped_while_the_host_is_silent(
    place: Place, server: Scripted, sent: int | None
) -> None:
    """Fault 57: cancelled before a head has come, or while a body stalls: it does not wait for the host."""
    stop = StopSignal()

    def script(asked: Asked, peer: Peer) -> None:
        if sent is not None:
            peer.reply(OFFERED.answer(asked.range), sent)
            peer.delivered()
        stop.cancel()
        peer.hold()

    order = place.order(server.on("/x", script), expecting(OFFERED))
    outcome = place.fetch(order, stop=stop, patience=replace(QUICK, silence=30))
    assert isinstance(outcome.result, Stopped)
    assert (server.count(), place.names) == (1, [])


SMALL = Offered(payload(40_000))


@pytest.mark.parametrize("operations", ["create", "write", "link", "sync_file"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_52_system_refuses_a_small_file(
    place: Place, server: Scripted, operations: str, number: int
) -> None:
    """Faults 51 and 52: the same troubles for a file that comes in one piece."""
    order = place.order(server.on("/x", serve(SMALL)), expecting(SMALL))
    outcome = place.fetch(order, disk=FillingDisk(0, number, operations))
    if outcome.error is not None:
        kinds = (DestinationUnusableError, NotEnoughSpaceError, StoreWriteError)
        place.failed(outcome, *kinds, left=True)
        outcome = place.fetch(order)
    place.arrived(outcome, SMALL)
    assert server.count() <= 4


@pytest.mark.parametrize("overwrite", [False, True])
def test_56_a_small_file_finds_its_place_taken(
    place: Place, server: Scripted, *, overwrite: bool
) -> None:
    """Fault 56: while the answer is on its way, the user saves something under that name."""
    final = place.folder / "model.bin"
    place.planted = frozenset({"model.bin"})

    def script(asked: Asked, peer: Peer) -> None:
        (place.home / "mine").write_text("my own work")
        (place.home / "mine").rename(final)
        serve(SMALL)(asked, peer)

    order = place.order(server.on("/x", script), expecting(SMALL), overwrite=overwrite)
    outcome = place.fetch(order)
    if overwrite:
        place.arrived(outcome, SMALL)
    else:
        assert isinstance(outcome.error, DestinationExistsError)
        assert (final.read_text(), place.names) == ("my own work", ["model.bin"])


def test_57_stopped_during_a_rest(place: Place, server: Scripted) -> None:
    """Fault 57: cancelled while the host wants to be left alone for seconds."""
    stop = StopSignal()

    def script(_asked: Asked, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 429 No\r\nretry-after: 4\r\ncontent-length: 0\r\n\r\n")
        stop.cancel()

    outcome = place.fetch(place.order(server.on("/x", script)), stop=stop)
    assert isinstance(outcome.result, Stopped)
    assert (server.count(), place.names) == (1, [])


def test_57_broken_callback(place: Place, server: Scripted) -> None:
    """Fault 57: whoever listens to the progress fails: that is told, and leaves no thread and no file."""

    def broken(received: int, _total: int) -> None:
        if received > SIZE // 4:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        place.fetch(place.order(server.on("/x", slowly), expecting(OFFERED)), on_progress=broken)
    assert place.visible == []
    order = place.order(server.url("/x"), expecting(OFFERED))
    place.arrived(place.fetch(order), OFFERED)


def test_58_clock_jumps(place: Place, server: Scripted) -> None:
    """Fault 58: the wall clock jumps by days, forwards and back; timeouts and rests go by another clock."""

    def busy(_asked: Asked, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 503 No\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n")

    url = server.on("/x", in_turn(busy, slowly))
    with start(url, place.folder / "model.bin", "jumping") as process:
        assert last_word(process) == ["done", str(SIZE)]
    assert (place.folder / "model.bin").read_bytes() == OFFERED.content
    first, then = server.requests()[:2]
    assert then.at - first.at >= 1


def test_59_interrupted_by_the_user(place: Place, server: Scripted) -> None:
    """Fault 59: Ctrl-C in mid-download ends the process, and the next one goes on where it was."""
    go_on = Event()

    def script(asked: Asked, peer: Peer) -> None:
        reply = OFFERED.answer(asked.range)
        peer.head(reply)
        peer.body(reply.body[: len(reply.body) // 2])
        peer.wait(go_on)
        peer.body(reply.body[len(reply.body) // 2 :])

    order = place.order(server.on("/x", script), expecting(OFFERED))
    with start(order.url, order.destination, "pausing") as process:
        assert process.stdout is not None
        while process.stdout.readline() in {"at 0\n", ""}:
            pass
        process.send_signal(signal.SIGINT)
        assert last_word(process, 20) == ["stopped"]
    assert place.visible == []
    kept = sum(1 for _ in place.folder.glob(".*.part"))
    assert kept == 1
    go_on.set()
    downloaded = place.arrived(place.fetch(order), OFFERED)
    assert 0 < downloaded.fetched < SIZE


@pytest.mark.parametrize("how", ["forking", "multiprocessing"])
def test_60_fork_in_mid_download(place: Place, server: Scripted, how: str) -> None:
    """Fault 60: a handler forks, and the child leaves as any program does: the parent is not disturbed."""
    url = server.on("/x", slowly)
    with start(url, place.folder / "model.bin", how) as process:
        assert last_word(process) == ["done", str(SIZE)]
    assert (place.folder / "model.bin").read_bytes() == OFFERED.content
    assert place.names == ["model.bin"]
    assert server.count() < 10


def test_outcomes_are_told_in_words() -> None:
    """Every error of downloads has a hint that stands by itself."""
    from modelshelf.errors import download  # noqa: PLC0415 - only here

    for name in download.__all__:
        kind = getattr(download, name)
        assert issubclass(kind, ModelshelfError)
        if kind is not download.DownloadError:
            assert kind.hint or kind.__mro__[1].hint
    assert Outcome().result is None
