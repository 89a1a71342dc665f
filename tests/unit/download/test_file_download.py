"""Whole downloads from a real server on loopback, without faults; the faults are in `tests/fault`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock

import pytest
from blake3 import blake3

from modelshelf.disk import LocalDisk
from modelshelf.download.file_download import FileDownload
from modelshelf.download.hosts import Hosts
from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.pace import Pace
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import (
    DestinationExistsError,
    DownloadBusyError,
    InvalidDownloadError,
    NotEnoughSpaceError,
    SizeMismatchError,
)
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import (
    Downloaded,
    ExpectedContent,
    StopKind,
    Stopped,
    TransferOrder,
    Verification,
)
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.scripted import Asked, Peer, Scripted, redirect, serve, status

LARGE = Offered(payload(40 * MEBIBYTE, seed=40))
SMALL = Offered(payload(20_000, seed=2))
QUICK = Patience(connect=2, silence=5, attempts=3, first_pause=0.01, longest_pause=0.05)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture
def download() -> Iterator[FileDownload]:
    transport = HttpTransport()
    yield make(transport)
    transport.close()


def make(
    transport: HttpTransport,
    *,
    hosts: Hosts | None = None,
    pace: Pace | None = None,
    connections: int = 8,
) -> FileDownload:
    """Put a downloader together as the queue does."""
    return FileDownload(
        transport,
        LocalDisk(),
        hosts or Hosts(),
        pace or Pace(),
        patience=QUICK,
        connections=connections,
    )


def fetch(download: FileDownload, order: TransferOrder) -> Downloaded:
    """Carry *order* out to its end."""
    result = download.run(order, StopSignal(), lambda *_: None)
    assert isinstance(result, Downloaded)
    return result


def digest_of(offered: Offered) -> ExpectedContent:
    return ExpectedContent(sha256=Digest.parse(f"sha256:{offered.sha256}"))


def names(folder: Path) -> list[str]:
    """Return everything in *folder*, hidden names too."""
    return sorted(path.name for path in folder.iterdir())


class Capped:
    """A host that gives each connection so many bytes and then makes it wait, and counts its guests."""

    def __init__(self, offered: Offered, piece: int = 64 * 1024, pause: float = 0.01) -> None:
        self._offered = offered
        self._piece = piece
        self._pause = pause
        self._lock = Lock()
        self._guests = 0
        self.most_guests = 0
        """How many were served at once."""

    def __call__(self, asked: Asked, peer: Peer) -> None:
        with self._lock:
            self._guests += 1
            self.most_guests = max(self.most_guests, self._guests)
        try:
            reply = self._offered.answer(asked.range, asked.if_range)
            peer.head(reply)
            for start in range(0, len(reply.body), self._piece):
                peer.body(reply.body[start : start + self._piece])
                Event().wait(self._pause)
        finally:
            with self._lock:
                self._guests -= 1


def test_a_small_file_is_one_exchange(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    progress: list[tuple[int, int]] = []
    order = TransferOrder(server.on("/config.json", serve(SMALL)), tmp_path)
    result = download.run(order, StopSignal(), lambda *both: progress.append(both))
    assert result == Downloaded(
        path=tmp_path / "config.json",
        size=20_000,
        verification=Verification.SIZE,
        sha256=None,
        blake3=None,
        fetched=20_000,
        etag='"one"',
        content_type="application/octet-stream",
    )
    assert (tmp_path / "config.json").read_bytes() == SMALL.content
    assert (server.count(), names(tmp_path)) == (1, ["config.json"])
    assert progress == [(20_000, 20_000)]


def test_an_empty_file_is_a_file(server: Scripted, download: FileDownload, tmp_path: Path) -> None:
    order = TransferOrder(server.on("/empty.bin", serve(Offered(b""))), tmp_path)
    assert (fetch(download, order).size, names(tmp_path)) == (0, ["empty.bin"])


def test_the_first_request_is_for_a_range(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    fetch(download, TransferOrder(server.on("/x.bin", serve(SMALL)), tmp_path))
    assert server.requests()[0].range == "bytes=0-8388607"


def test_a_host_that_caps_each_connection_is_met_with_several(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    host = Capped(LARGE)
    result = fetch(download, TransferOrder(server.on("/x.bin", host), tmp_path))
    assert result.path.read_bytes() == LARGE.content
    assert host.most_guests == 8
    assert result.fetched == len(LARGE.content)
    assert names(tmp_path) == ["x.bin"]


def test_a_rate_limit_that_is_not_reached_asks_for_no_fewer_connections(
    server: Scripted, tmp_path: Path
) -> None:
    host = Capped(LARGE)
    transport = HttpTransport()
    order = TransferOrder(server.on("/x.bin", host), tmp_path)
    fetch(make(transport, pace=Pace(10**10)), order)
    transport.close()
    assert host.most_guests > 1


def test_a_rate_limit_that_holds_back_asks_for_one_connection(
    server: Scripted, tmp_path: Path
) -> None:
    host = Capped(Offered(payload(12 * MEBIBYTE)))
    transport = HttpTransport()
    order = TransferOrder(server.on("/x.bin", host), tmp_path)
    fetch(make(transport, pace=Pace(4 * MEBIBYTE)), order)
    transport.close()
    assert host.most_guests == 1


def test_all_ranges_are_of_one_version(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    fetch(download, TransferOrder(server.on("/x.bin", Capped(LARGE)), tmp_path))
    later = [asked.if_range for asked in server.requests() if asked.start > 0]
    assert set(later) == {'"one"'}


def test_a_host_gets_no_more_connections_than_it_may(server: Scripted, tmp_path: Path) -> None:
    host = Capped(LARGE, pause=0.002)
    transport = HttpTransport()
    fetch(make(transport, hosts=Hosts(2)), TransferOrder(server.on("/x.bin", host), tmp_path))
    transport.close()
    assert host.most_guests == 2


def test_one_connection_serves_all_ranges(server: Scripted, tmp_path: Path) -> None:
    transport = HttpTransport()
    order = TransferOrder(server.on("/x.bin", serve(LARGE)), tmp_path)
    fetch(make(transport, connections=1), order)
    transport.close()
    assert server.count() > 1
    assert server.connections == 1


def test_a_digest_that_is_expected_is_compared(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    expected = replace(
        digest_of(LARGE), blake3=Digest.parse(f"blake3:{blake3(LARGE.content).hexdigest()}")
    )
    url = server.on("/x.bin", Capped(LARGE, pause=0.001))
    result = fetch(download, TransferOrder(url, tmp_path, expected))
    assert result.verification is Verification.DIGEST
    assert (result.sha256, result.blake3) == (expected.sha256, expected.blake3)


def test_a_digest_that_is_asked_for_is_worked_out(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    url = server.on("/x.bin", serve(SMALL))
    result = fetch(download, TransferOrder(url, tmp_path, digests=frozenset({"sha256"})))
    assert result.sha256 == Digest.parse(f"sha256:{SMALL.sha256}")
    assert result.verification is Verification.SIZE


def test_what_a_hub_says_of_the_file_is_compared_too(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    server.on("/storage", serve(replace(SMALL, etag='"of the storage"')))
    url = server.on(
        "/x.bin",
        redirect("/storage", x_linked_etag=f'"{SMALL.sha256}"', x_linked_size="20000"),
    )
    result = fetch(download, TransferOrder(url, tmp_path))
    assert (result.verification, result.path.name) == (Verification.DIGEST, "x.bin")


def test_another_size_than_announced_is_refused(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    order = TransferOrder(server.on("/x.bin", serve(SMALL)), tmp_path, ExpectedContent(size=1))
    with pytest.raises(SizeMismatchError):
        fetch(download, order)
    assert names(tmp_path) == []


def test_a_file_that_is_there_needs_no_request(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    (tmp_path / "x.bin").write_bytes(LARGE.content)
    order = TransferOrder(server.url("/x.bin"), tmp_path / "x.bin", digest_of(LARGE))
    result = fetch(download, order)
    assert (result.fetched, result.verification) == (0, Verification.DIGEST)
    assert server.count() == 0


def test_another_file_under_the_name_is_kept_before_anything_is_asked(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    (tmp_path / "x.bin").write_bytes(b"mine")
    order = TransferOrder(server.url("/x.bin"), tmp_path / "x.bin", digest_of(LARGE))
    with pytest.raises(DestinationExistsError):
        fetch(download, order)
    assert server.count() == 0
    assert (tmp_path / "x.bin").read_bytes() == b"mine"


def test_another_file_under_the_hosts_name_is_kept(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    (tmp_path / "x.bin").write_bytes(b"mine")
    with pytest.raises(DestinationExistsError):
        fetch(download, TransferOrder(server.on("/x.bin", serve(LARGE)), tmp_path))
    assert (tmp_path / "x.bin").read_bytes() == b"mine"
    assert names(tmp_path) == ["x.bin"]


def test_another_file_is_replaced_when_that_is_wanted(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    (tmp_path / "x.bin").write_bytes(b"mine")
    fetch(download, TransferOrder(server.on("/x.bin", serve(SMALL)), tmp_path, overwrite=True))
    assert (tmp_path / "x.bin").read_bytes() == SMALL.content


def test_a_folder_that_is_not_there_is_not_made(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    with pytest.raises(InvalidDownloadError):
        fetch(download, TransferOrder(server.url("/x.bin"), tmp_path / "no" / "x.bin"))


def stop_at(
    download: FileDownload, order: TransferOrder, received: int, kind: StopKind
) -> tuple[Stopped, int]:
    """Begin *order* and stop it; return the result and the last number that was reported."""
    stop = StopSignal()
    last = 0

    def watch(count: int, _total: int) -> None:
        nonlocal last
        last = count
        if count >= received:
            stop.pause() if kind is StopKind.PAUSE else stop.cancel()

    result = download.run(order, stop, watch)
    assert isinstance(result, Stopped)
    assert result.kind is kind
    return result, last


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "named by the host"])
def test_what_came_before_a_pause_is_not_fetched_again(
    server: Scripted, download: FileDownload, tmp_path: Path, *, is_named: bool
) -> None:
    url = server.on("/x.bin", Capped(LARGE))
    order = TransferOrder(url, tmp_path / "x.bin" if is_named else tmp_path)
    stopped, reported = stop_at(download, order, 15 * MEBIBYTE, StopKind.PAUSE)
    assert reported <= stopped.received < len(LARGE.content)
    again: list[tuple[int, int]] = []
    result = download.run(order, StopSignal(), lambda *both: again.append(both))
    assert isinstance(result, Downloaded)
    assert result.path.read_bytes() == LARGE.content
    assert result.fetched == len(LARGE.content) - stopped.received
    assert again[0][0] >= stopped.received
    assert names(tmp_path) == ["x.bin"]


def test_a_download_may_pause_many_times(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    order = TransferOrder(server.on("/x.bin", Capped(LARGE)), tmp_path, digest_of(LARGE))
    kept = 0
    for part in range(1, 5):
        stopped, _ = stop_at(download, order, part * 6 * MEBIBYTE, StopKind.PAUSE)
        assert stopped.received > kept
        kept = stopped.received
    result = fetch(download, order)
    assert result.fetched == len(LARGE.content) - kept
    assert result.verification is Verification.DIGEST


def test_what_a_hub_says_counts_after_a_pause_too(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    server.on("/storage", Capped(LARGE))
    url = server.on("/x.bin", redirect("/storage", x_linked_etag=f'"{LARGE.sha256}"'))
    order = TransferOrder(url, tmp_path)
    stop_at(download, order, 15 * MEBIBYTE, StopKind.PAUSE)
    result = fetch(download, order)
    assert result.verification is Verification.DIGEST
    assert result.fetched < len(LARGE.content)


def test_a_damaged_beginning_costs_its_pieces_and_no_more(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    order = TransferOrder(server.on("/x.bin", Capped(LARGE)), tmp_path)
    stopped, _ = stop_at(download, order, 15 * MEBIBYTE, StopKind.PAUSE)
    (part,) = tmp_path.glob(".*.part")
    with part.open("r+b") as file:
        file.write(b"damaged")
    result = fetch(download, order)
    assert result.path.read_bytes() == LARGE.content
    missing = len(LARGE.content) - stopped.received
    assert missing < result.fetched <= missing + MEBIBYTE


def test_a_cancellation_leaves_nothing(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    order = TransferOrder(server.on("/x.bin", Capped(LARGE)), tmp_path)
    stopped, _ = stop_at(download, order, 10 * MEBIBYTE, StopKind.CANCEL)
    assert (stopped.received, names(tmp_path)) == (0, [])


@pytest.mark.parametrize("kind", list(StopKind))
def test_a_host_that_says_nothing_does_not_hold_up_a_stop(
    server: Scripted, download: FileDownload, tmp_path: Path, kind: StopKind
) -> None:
    stop = StopSignal()

    def hold(_asked: Asked, peer: Peer) -> None:
        stop.pause() if kind is StopKind.PAUSE else stop.cancel()
        peer.hold()

    order = TransferOrder(server.on("/x.bin", hold), tmp_path)
    result = download.run(order, stop, lambda *_: None)
    assert result == Stopped(kind, 0)
    assert names(tmp_path) == []


def test_a_body_that_stands_still_does_not_hold_up_a_pause(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    stop = StopSignal()

    def stand_still(asked: Asked, peer: Peer) -> None:
        peer.reply(LARGE.answer(asked.range), MEBIBYTE)
        peer.delivered()
        stop.pause()
        peer.hold()

    order = TransferOrder(server.on("/x.bin", stand_still), tmp_path)
    result = download.run(order, stop, lambda *_: None)
    assert result == Stopped(StopKind.PAUSE, MEBIBYTE)


def test_a_stop_that_was_said_before_asks_nobody(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    stop = StopSignal()
    stop.pause()
    order = TransferOrder(server.on("/x.bin", serve(SMALL)), tmp_path)
    assert download.run(order, stop, lambda *_: None) == Stopped(StopKind.PAUSE, 0)
    assert server.count() == 0


def test_what_an_earlier_run_left_can_be_discarded(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    order = TransferOrder(server.on("/x.bin", Capped(LARGE)), tmp_path)
    stop_at(download, order, 10 * MEBIBYTE, StopKind.PAUSE)
    assert names(tmp_path) != []
    download.discard(order)
    download.discard(order)
    assert names(tmp_path) == []


def test_an_address_that_expires_is_resolved_once_more_and_nothing_comes_twice(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    with Scripted() as storage:

        def guarded(asked: Asked, peer: Peer) -> None:
            resolved = server.count("/x.bin")
            has_expired = resolved == 1 and storage.sent() > 16 * MEBIBYTE
            is_valid = asked.query["signature"] == str(resolved) and not has_expired
            (Capped(LARGE) if is_valid else status(403))(asked, peer)

        def origin(asked: Asked, peer: Peer) -> None:
            target = f"{storage.url('/x.bin')}?signature={asked.number}"
            redirect(target)(asked, peer)

        storage.on("/x.bin", guarded)
        result = fetch(download, TransferOrder(server.on("/x.bin", origin), tmp_path))
    assert result.path.read_bytes() == LARGE.content
    assert result.fetched == len(LARGE.content)
    assert server.count("/x.bin") == 2


def test_two_orders_of_one_file_do_not_mix(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    order = TransferOrder(server.on("/x.bin", Capped(LARGE)), tmp_path / "x.bin")
    errors: list[Exception] = []

    def meanwhile(_received: int, _total: int) -> None:
        if not errors:
            try:
                fetch(download, order)
            except DownloadBusyError as error:
                errors.append(error)

    result = download.run(order, StopSignal(), meanwhile)
    assert isinstance(result, Downloaded)
    assert result.path.read_bytes() == LARGE.content
    assert len(errors) == 1


def test_a_disk_without_room_is_told_before_the_first_byte(
    server: Scripted, download: FileDownload, tmp_path: Path
) -> None:
    def vast(_asked: Asked, peer: Peer) -> None:
        size = 1 << 60
        headers = {"content-length": str(8 * MEBIBYTE), "etag": '"vast"'}
        headers["content-range"] = f"bytes 0-{8 * MEBIBYTE - 1}/{size}"
        peer.reply(Reply(206, headers, bytes(MEBIBYTE)))

    with pytest.raises(NotEnoughSpaceError):
        fetch(download, TransferOrder(server.on("/x.bin", vast), tmp_path))
    assert names(tmp_path) == []


def test_downloads_of_one_host_take_turns(server: Scripted, tmp_path: Path) -> None:
    """A download that has every connection gives one to another that comes later."""
    first_host, second_host = Capped(LARGE), Capped(SMALL)
    first = server.on("/first.bin", first_host)
    second = server.on("/second.bin", second_host)
    transport = HttpTransport()
    download = make(transport, hosts=Hosts(2))
    sizes: list[int] = []

    def meanwhile(received: int, _total: int) -> None:
        if received > 20 * MEBIBYTE and not sizes:
            sizes.append(fetch(download, TransferOrder(second, tmp_path)).size)

    result = download.run(TransferOrder(first, tmp_path), StopSignal(), meanwhile)
    transport.close()
    assert isinstance(result, Downloaded)
    assert (sizes, result.size) == ([20_000], len(LARGE.content))
