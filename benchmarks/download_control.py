"""How exactly a download queue obeys: pauses, limits, shares and stops, against a server of our own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from threading import Event

from benchmarks.row import Row
from benchmarks.scale import TINY, Scale
from modelshelf.download import (
    DownloadJobBase,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadQueueService,
)
from modelshelf.schema.transfer import Downloaded
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.scripted import Asked, Peer, Scripted, status

__all__ = ["download_control"]

_PAUSE_GOAL, _STOP_GOAL = 0.25, 2.0
_FAIR_GOAL = 0.95
_RATE_GOAL = 0.05
_EVENTS_GOAL = 110
_RATE = 20 * MEBIBYTE
_PATIENCE = 120.0
_NAMES = count()


def download_control(scale: Scale, folder: Path) -> list[Row]:
    """Pause, cancel and stop downloads that run, stall or rest; share and limit the rate."""
    small = scale.download <= TINY.download
    tries = scale.rounds if small else 4 * scale.rounds
    with Scripted() as server:
        server.on("/endless", _endless)
        server.on("/silent", _silent)
        server.on("/busy", status(429, retry_after="100"))
        return [
            *_promptness(server, folder, tries),
            _stopping(server, folder, scale.rounds),
            _nothing_twice(server, folder, 2 * scale.rounds),
            _fairness(server, folder, (4 if small else 32) * MEBIBYTE),
            _rate(server, folder, window=0.5 if small else 5.0),
            _events(server, folder, scale.download),
        ]


# ---------------------------------------------------------------- hosts


def _endless(_asked: Asked, peer: Peer) -> None:
    """Send a file so large that nobody sees its end, as fast as it is read."""
    size = 1 << 31
    portion = payload(MEBIBYTE)
    headers = {"content-length": str(size), "etag": '"endless"'}
    peer.head(Reply(200, headers, b""))
    for _ in range(size // MEBIBYTE):
        peer.body(portion)


def _silent(_asked: Asked, peer: Peer) -> None:
    """Send a little, then nothing more."""
    peer.head(Reply(200, {"content-length": str(1 << 24)}, b""))
    peer.body(payload(100_000))
    peer.hold()


def _file(offered: Offered) -> Callable[[Asked, Peer], None]:
    return lambda asked, peer: peer.reply(offered.answer(asked.range, asked.if_range))


# ---------------------------------------------------------------- what is measured


def _promptness(server: Scripted, folder: Path, tries: int) -> list[Row]:
    """Say pause, and cancel, at some moment; how long until it is so?"""
    rows = []
    for word, path in (
        ("that runs", "/endless"),
        ("whose host is silent", "/silent"),
        ("whose host wants a rest", "/busy"),
    ):
        for act in ("pause", "cancel"):
            times, left, late = [], 0, 0
            for number in range(tries):
                place = folder / f"prompt-{next(_NAMES)}"
                with _queue() as queue:
                    job = _job(server.url(path), place)
                    queue.submit_download_job(job)
                    _await(lambda: job.running)  # noqa: B023 - waited for within the loop
                    time.sleep(0.1 + 0.4 * number / tries)
                    before = time.perf_counter()
                    (queue.pause_job if act == "pause" else queue.cancel_job)(job)
                    times.append(time.perf_counter() - before)
                    late += not (job.paused if act == "pause" else job.cancelled)
                    queue.cancel_job(job)
                left += sum(1 for _ in place.iterdir())
            worst = max(times)
            rows.append(
                Row(
                    task=f"{act} a download {word}, {tries} times",
                    ours=f"{worst * 1000:.0f} ms at most, {median(times) * 1000:.0f} ms usually, "
                    f"{left} files left",
                    goal="≤ 250 ms, none left",
                    is_met=worst <= _PAUSE_GOAL and left == late == 0,
                )
            )
    return rows


def _stopping(server: Scripted, folder: Path, tries: int) -> Row:
    """Stop a queue in which everything happens."""
    times = []
    for _ in range(tries):
        place = folder / f"stop-{next(_NAMES)}"
        with _queue() as queue:
            for number, path in enumerate(("/endless", "/silent", "/busy", "/endless", "/silent")):
                queue.submit_download_job(_job(server.url(path), place, f"{number}.bin"))
            _await(lambda: all(job.running for job in queue.list_jobs()))
            time.sleep(0.5)
            before = time.perf_counter()
            queue.stop()
            times.append(time.perf_counter() - before)
            queue.start()
            queue.cancel_all_jobs()
    return Row(
        task=f"stop a queue of five such downloads, {tries} times",
        ours=f"{max(times) * 1000:.0f} ms at most",
        goal="≤ 2 s",
        is_met=max(times) <= _STOP_GOAL,
    )


def _nothing_twice(server: Scripted, folder: Path, pauses: int) -> Row:
    """Pause often; add up what each run took from the network."""
    offered = Offered(payload(64 * MEBIBYTE))
    url = server.on("/paused", _file(offered))
    place = folder / f"paused-{next(_NAMES)}"
    with _queue(rate_limit=100 * MEBIBYTE) as queue:
        job = _job(url, place)
        for number in range(pauses):
            reached = (number + 1) * len(offered.content) // (pauses + 1)
            queue.submit_download_job(job) if number == 0 else queue.start_job(job)
            _await(lambda: job.bytes >= reached or job.in_terminal_state)  # noqa: B023
            queue.pause_job(job)
        kept = job.bytes
        queue.start_job(job)
        queue.wait_for_job(job, _PATIENCE)
        fetched = _whole(job).fetched
    again = fetched - (len(offered.content) - kept)
    return Row(
        task=f"bytes fetched again after {pauses} pauses of 64 MiB",
        ours=f"{max(0, again)}",
        goal="0",
        is_met=again <= 0,
    )


def _fairness(server: Scripted, folder: Path, size: int) -> Row:
    """Let five equal jobs share a limit; look when the first one is done."""
    offered = Offered(payload(size))
    url = server.on("/equal", _file(offered))
    place = folder / f"equal-{next(_NAMES)}"
    shares: list[int] = []

    def look(job: DownloadJobBase) -> None:
        if job.status is DownloadJobStatus.COMPLETED and not shares:
            shares.extend(one.bytes for one in jobs)

    with _queue(look, rate_limit=60 * MEBIBYTE) as queue:
        jobs = [_job(url, place, f"{number}.bin") for number in range(5)]
        for job in jobs:
            queue.submit_download_job(job, start=False)
        queue.start_all_jobs()
        queue.join()
    jain = sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
    return Row(
        task="fairness among five equal downloads (Jain's index)",
        ours=f"{jain:.4f}",
        goal="≥ 0.95",
        is_met=jain >= _FAIR_GOAL,
    )


def _rate(server: Scripted, folder: Path, *, window: float) -> Row:
    """Limit the rate, and look at what the server could send in each window of so many seconds."""
    place = folder / f"rate-{next(_NAMES)}"
    samples: list[tuple[float, int]] = []
    with _queue(rate_limit=_RATE) as queue:
        jobs = [_job(server.url("/endless"), place, f"{number}.bin") for number in range(3)]
        before = server.sent("/endless")
        for job in jobs:
            queue.submit_download_job(job)
        # The buffers of the system between here and there fill first.
        time.sleep(0.4 * window)
        until = time.perf_counter() + 2.4 * window
        while time.perf_counter() < until:
            samples.append((time.perf_counter(), server.sent("/endless") - before))
            time.sleep(0.02)
        queue.cancel_all_jobs()
    ratios = [
        (later_bytes - bytes_) / (later - then) / _RATE
        for at, (then, bytes_) in enumerate(samples)
        for later, later_bytes in [
            next((one for one in samples[at:] if one[0] >= then + window), (0.0, 0))
        ]
        if later
    ]
    off = max(abs(ratio - 1) for ratio in ratios)
    return Row(
        task=f"three downloads limited to 20 MiB/s, over any {window:g} s",
        ours=f"{min(ratios):.3f} to {max(ratios):.3f} of it",
        goal="within 5 %",
        is_met=off <= _RATE_GOAL,
    )


def _events(server: Scripted, folder: Path, size: int) -> Row:
    """Count what a handler is told during one large file."""
    portion = payload(MEBIBYTE)
    told = []

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(200, {"content-length": str(size)}, b""))
        for start in range(0, size, MEBIBYTE):
            peer.body(portion[: min(MEBIBYTE, size - start)])

    def note(job: DownloadJobBase) -> None:
        if job.running:
            told.append(job)

    with _queue(note) as queue:
        job = _job(server.on("/large", script), folder / f"events-{next(_NAMES)}")
        queue.submit_download_job(job)
        queue.wait_for_job(job, _PATIENCE)
        _whole(job)
    return Row(
        task=f"running events for {size / 1e9:.2f} GB",
        ours=f"{len(told)}",
        goal="≤ 110",
        is_met=len(told) <= _EVENTS_GOAL,
    )


# ---------------------------------------------------------------- the queue


@contextmanager
def _queue(
    handler: Callable[[DownloadJobBase], None] | None = None, *, rate_limit: int | None = None
) -> Iterator[DownloadQueueService]:
    handlers = [] if handler is None else [handler]
    with DownloadQueueService(handlers, quiet=True, rate_limit=rate_limit) as queue:
        yield queue


def _job(url: str, folder: Path, name: str = "model.bin") -> DownloadJobRemoteSource:
    folder.mkdir(parents=True, exist_ok=True)
    return DownloadJobRemoteSource(source=url, destination=folder / name)


def _whole(job: DownloadJobRemoteSource) -> Downloaded:
    """Return what came; a download that failed is no figure."""
    if job.downloaded is None:
        raise job.error or RuntimeError(job.status)
    return job.downloaded


def _await(condition: Callable[[], bool]) -> None:
    until, never = time.monotonic() + _PATIENCE, Event()
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        never.wait(0.005)
