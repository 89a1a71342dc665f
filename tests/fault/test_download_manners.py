"""What a queue owes to hosts, to its user and to its jobs among each other, against real servers."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

from modelshelf.download import (
    DownloadJobBase,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadQueueService,
    MultiFileDownloadJob,
)
from modelshelf.download.http_transport import HttpTransport
from modelshelf.errors import AccessDeniedError, DestinationExistsError, DownloadBusyError
from modelshelf.protocols import Answer, Request
from modelshelf.schema.transfer import Verification
from tests.fault.downloads import QUICK, expecting
from tests.fault.folder_witness import FolderWitness
from tests.hubs import TOKEN, hugging_face_hub
from tests.servers.content import MEBIBYTE, Offered, payload
from tests.servers.scripted import Asked, Peer, Script, Scripted, in_turn, redirect, serve, status

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
LARGE = Offered(payload(128 * MEBIBYTE))
SECRET = "hf_SeCrEtOfTheUser"  # noqa: S105 - it opens nothing
PATIENCE = 45.0


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to download into, watched."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    with FolderWitness(folder) as witness:
        yield folder
        assert witness.broken_promises() == []


def throttled(rate: int, offered: Offered = OFFERED) -> Script:
    """Serve *offered* at so many bytes a second and connection."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = offered.answer(asked.range, asked.if_range)
        peer.head(reply)
        began, never = time.monotonic(), Event()
        for start in range(0, len(reply.body), 32_768):
            peer.body(reply.body[start : start + 32_768])
            never.wait(max(0.0, began + start / rate - time.monotonic()))

    return script


def job_for(url: str, destination: Path, offered: Offered = OFFERED) -> DownloadJobRemoteSource:
    return DownloadJobRemoteSource(source=url, destination=destination, expected=expecting(offered))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_progress_is_told_about_a_hundred_times(server: Scripted, folder: Path) -> None:
    """A large file: at most 110 running events, numbers that rise, a total that is known from the first."""
    told: list[tuple[int, int]] = []

    def note(job: DownloadJobBase) -> None:
        assert isinstance(job, DownloadJobRemoteSource)
        if job.status is DownloadJobStatus.RUNNING:
            told.append((job.bytes, job.total_bytes))

    with DownloadQueueService([note], quiet=True) as queue:
        job = job_for(server.on("/x", serve(LARGE)), folder / "model.bin", LARGE)
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
    assert 50 <= len(told) <= 110
    assert told == sorted(told)
    assert {total for _, total in told} == {len(LARGE.content)}
    assert (job.bytes, job.total_bytes) == (len(LARGE.content), len(LARGE.content))


def test_equal_jobs_get_equal_shares(server: Scripted, folder: Path) -> None:
    """Five jobs share a limit: when the first one is done, the others are nearly so (Jain's index 0.95)."""
    shares: list[int] = []

    def look(job: DownloadJobBase) -> None:
        if job.status is DownloadJobStatus.COMPLETED and not shares:
            shares.extend(one.bytes for one in jobs)

    offered = Offered(payload(16 * MEBIBYTE))
    with DownloadQueueService([look], quiet=True, rate_limit=40 * MEBIBYTE) as queue:
        jobs = [
            job_for(server.on(f"/{number}", serve(offered)), folder / f"{number}.bin", offered)
            for number in range(5)
        ]
        for job in jobs:
            queue.submit_download_job(job, start=False)
        queue.start_all_jobs()
        queue.join()
    assert sum(shares) ** 2 / (5 * sum(share**2 for share in shares)) >= 0.95
    assert names(folder) == [f"{number}.bin" for number in range(5)]


def test_a_file_is_resolved_once(tmp_path: Path, folder: Path) -> None:
    """However many connections fetch it, the hub is asked for the address of a file one time."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(LARGE.content)
    with hugging_face_hub(dreamland=model) as hub, DownloadQueueService(quiet=True) as queue:
        url = f"{hub.url}/acme/dreamland/resolve/main/model.safetensors"
        job = DownloadJobRemoteSource(source=url, destination=folder, access_token=TOKEN)
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert job.complete, job.error
        assert len(hub.requests(path="/resolve/")) == 1
        assert {one.method for one in hub.log} == {"GET"}
        # A part that is divided at the very end may leave something on the wire.
        assert 0 <= hub.files.bytes_sent.total() - len(LARGE.content) <= 4 * MEBIBYTE
        assert job.downloaded is not None
        assert job.downloaded.fetched == len(LARGE.content)
        assert all(not one.credentials for one in hub.files.requests())
        assert hub.requests(path="/resolve/")[0].credentials == ("authorization",)
    # The digest came with the redirect, so it was compared though nobody had listed it.
    assert job.verification is Verification.DIGEST


class ListeningTransport:
    """Tells when the head of an answer has been read."""

    def __init__(self) -> None:
        self._inner = HttpTransport()
        self.has_read = Event()

    def open(self, request: Request) -> Answer:
        answer = self._inner.open(request)
        self.has_read.set()
        return answer

    def close(self) -> None:
        self._inner.close()


def test_a_rest_is_for_all_jobs(server: Scripted, folder: Path) -> None:
    """One job is told to wait a second: neither it nor any other job asks that host meanwhile."""
    server.on("/a", in_turn(status(429, retry_after="1"), serve(OFFERED)))
    server.on("/b", serve(OFFERED))
    transport = ListeningTransport()
    with DownloadQueueService(quiet=True, transport=transport) as queue:
        jobs = [job_for(server.url(f"/{name}"), folder / f"{name}.bin") for name in "ab"]
        queue.submit_download_job(jobs[0])
        assert transport.has_read.wait(PATIENCE)
        # The other job needs its own thread first; by then the first one has noted the rest.
        Event().wait(0.1)
        queue.submit_download_job(jobs[1])
        queue.join()
    assert all(job.complete for job in jobs), [job.error for job in jobs]
    first, *later = server.requests()
    assert all(one.at - first.at >= 1 for one in later)


def test_a_host_gets_no_more_connections_than_it_may(server: Scripted, folder: Path) -> None:
    """Four jobs that would like eight connections each share three, and all of them come to an end."""
    lock, open_now, most = Lock(), [0], [0]

    def counted(asked: Asked, peer: Peer) -> None:
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        try:
            throttled(8 * MEBIBYTE)(asked, peer)
        finally:
            with lock:
                open_now[0] -= 1

    with DownloadQueueService(quiet=True, connections_per_host=3) as queue:
        jobs = [
            job_for(server.on(f"/{number}", counted), folder / f"{number}.bin")
            for number in range(4)
        ]
        for job in jobs:
            queue.submit_download_job(job)
        queue.join()
    assert all(job.complete for job in jobs), [job.error for job in jobs]
    # A connection that its client has just left may still be there for the server.
    assert 2 <= most[0] <= 4


def test_nothing_comes_twice_after_pauses(server: Scripted, folder: Path) -> None:
    """Paused and started again five times: the parts that were fetched are the file, each byte once."""
    url = server.on("/x", throttled(24 * MEBIBYTE))
    with DownloadQueueService(quiet=True) as queue:
        job = job_for(url, folder / "model.bin")
        before, fetched = 0, 0
        for mark in range(1, 6):
            reached = Event()

            def watch(one: DownloadJobBase, mark: int = mark, reached: Event = reached) -> None:
                if job.bytes >= mark * MEBIBYTE or one.in_terminal_state:
                    reached.set()

            job.add_event_handler(watch)
            if mark == 1:
                queue.submit_download_job(job)
            else:
                queue.start_job(job)
            assert reached.wait(PATIENCE)
            queue.pause_job(job)
            assert job.bytes >= before, "progress went back"
            before = job.bytes
            job.clear_event_handlers()
        queue.start_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert job.downloaded is not None
        fetched = job.downloaded.fetched
    assert (folder / "model.bin").read_bytes() == OFFERED.content
    assert names(folder) == ["model.bin"]
    # Of its last run; the earlier ones brought the rest, and nothing of it came again.
    assert fetched <= len(OFFERED.content) - before + MEBIBYTE


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_of_wishes(server: Scripted, folder: Path, seed: int) -> None:
    """Threads pause, start and cancel four jobs at random: each ends whole, or cancelled without a trace."""
    with DownloadQueueService(quiet=True, max_parallel_dl=2) as queue:
        jobs = [
            job_for(server.on(f"/{number}", throttled(64 * MEBIBYTE)), folder / f"{number}.bin")
            for number in range(4)
        ]
        for job in jobs:
            queue.submit_download_job(job)

        def rage(number: int) -> None:
            dice = random.Random(seed * 10 + number)  # noqa: S311 - the same storm in every run
            pause = Event()
            for _ in range(25):
                job = dice.choice(jobs)
                act = dice.choice([queue.pause_job, queue.start_job] * 6 + [queue.cancel_job])
                act(job)
                pause.wait(dice.random() * 0.01)

        threads = [Thread(target=rage, args=(number,), daemon=True) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "hung"
        queue.start_all_jobs()
        for job in jobs:
            queue.wait_for_job(job, PATIENCE)
    assert {job.status for job in jobs} <= {
        DownloadJobStatus.COMPLETED,
        DownloadJobStatus.CANCELLED,
    }
    assert names(folder) == sorted(job.destination.name for job in jobs if job.complete)
    assert all(job.destination.read_bytes() == OFFERED.content for job in jobs if job.complete)


def test_the_same_file_is_ordered_twice(server: Scripted, folder: Path) -> None:
    """Two jobs for one file: one of them fetches it, the other one has it too or says why not; no mixture."""
    url = server.on("/x", throttled(32 * MEBIBYTE))
    with DownloadQueueService(quiet=True) as queue:
        jobs = [job_for(url, folder / "model.bin") for _ in range(3)]
        for job in jobs:
            queue.submit_download_job(job)
        queue.join()
    assert any(job.complete for job in jobs)
    for job in jobs:
        assert job.complete or isinstance(job.error, DownloadBusyError | DestinationExistsError), (
            job.error
        )
    assert (folder / "model.bin").read_bytes() == OFFERED.content
    assert names(folder) == ["model.bin"]


def test_files_of_one_model_share_their_fate(server: Scripted, folder: Path) -> None:
    """One of three files is refused: the job fails with that, and no file of it is left."""
    server.on("/a", serve(OFFERED))
    server.on("/b", serve(Offered(payload(1000))))
    server.on("/c", in_turn(status(503), status(403)))
    parts = [
        DownloadJobRemoteSource(source=server.url(f"/{name}"), destination=Path(f"sub/{name}.bin"))
        for name in "abc"
    ]
    job = MultiFileDownloadJob(
        source="acme/model", destination=folder / "model", download_parts=parts
    )
    with DownloadQueueService(quiet=True, patience=QUICK) as queue:
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
    assert isinstance(job.error, AccessDeniedError)
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert server.count("/c") <= 3


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_queue_comes_back(
    server: Scripted, tmp_path: Path, folder: Path, seed: int
) -> None:
    """Faults 53 and 59: `kill -9` of a queue with three jobs; the next one has them, paused, and ends them."""
    chance = random.Random(seed)  # noqa: S311 - the same instants in every run
    offered = [Offered(payload(8 * MEBIBYTE, seed=number)) for number in range(3)]
    urls = [
        server.on(f"/{number}", throttled(12 * MEBIBYTE, one)) for number, one in enumerate(offered)
    ]
    state = tmp_path / "state"
    command = [sys.executable, "-m", "tests.fault.queue_process", str(state), str(folder), *urls]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        until = chance.random() * 20 * MEBIBYTE
        for line in process.stdout:
            if line.startswith("at") and int(line.split()[1]) >= until:
                break
        process.kill()
    whole = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    with DownloadQueueService(quiet=True, state_folder=state) as queue:
        jobs = queue.list_jobs()
        assert {job.status for job in jobs} <= {DownloadJobStatus.PAUSED}
        assert len(jobs) >= 3 - len(whole)
        queue.start_all_jobs()
        queue.join()
        assert all(job.complete for job in jobs), [job.error for job in jobs]
    assert names(folder) == ["0.bin", "1.bin", "2.bin"]
    for number, one in enumerate(offered):
        assert (folder / f"{number}.bin").read_bytes() == one.content
    total = sum(len(one.content) for one in offered)
    assert server.sent() - total <= 3 * 4 * MEBIBYTE


def test_a_token_is_kept_by_nobody(
    server: Scripted, tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault 50: neither events nor logs nor the state on the disk have the token, whatever happens."""
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    state = tmp_path / "state"

    def note(job: DownloadJobBase) -> None:
        seen.extend([repr(job), str(job), job.model_dump_json(), f"{job.error!r} {job.error}"])
        kept = [path for place in (state, folder) for path in place.rglob("*") if path.is_file()]
        seen.extend(path.name + path.read_bytes().decode("latin-1") for path in kept)

    with Scripted() as store, DownloadQueueService([note], state_folder=state) as queue:
        store.on("/y", in_turn(serve(OFFERED), status(403, SECRET.encode())))
        url = server.on("/x", redirect(f"{store.url('/y')}?Signature={SECRET}"))
        url = url.replace("://", f"://me:{SECRET}@") + f"?token={SECRET}"
        for name in ("a", "b"):
            job = DownloadJobRemoteSource(
                source=url, destination=folder / name, access_token=SECRET
            )
            queue.submit_download_job(job)
            queue.wait_for_job(job, PATIENCE)
            seen.append(repr(job))
    assert names(folder) == ["a"]
    assert len(seen) > 10
    assert all(SECRET not in one for one in seen)
    assert SECRET not in caplog.text
