from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
import requests
from requests.adapters import BaseAdapter

from modelshelf.download.destination import Destination
from modelshelf.download.partial_names import PartialNames
from modelshelf.download.patience import Patience
from modelshelf.download.queue import DownloadQueueService
from modelshelf.errors import DigestMismatchError, DownloadError, RemoteFileGoneError
from modelshelf.schema.digest import Digest
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    MeasuredDownloadJob,
    MultiFileDownloadJob,
)
from modelshelf.schema.transfer import ExpectedContent, TransferOrder, Verification
from tests.servers.content import MEBIBYTE, Offered, payload
from tests.servers.scripted import Asked, Peer, Script, Scripted, redirect, serve, status
from tests.unit.download.queue_world import PATIENCE, Diary

LARGE = Offered(payload(8 * MEBIBYTE))
SMALL = Offered(payload(20_000, seed=2))
QUICK = Patience(first_pause=0.01, longest_pause=0.05, attempts=3)


@pytest.fixture
def server() -> Iterator[Scripted]:
    """A host on loopback."""
    with Scripted() as made:
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is closed after the test."""
    with ExitStack() as made:
        yield made


def begin(stack: ExitStack, diary: Diary | None = None, **options: object) -> DownloadQueueService:
    """Make a queue that fetches over HTTP."""
    arguments: dict[str, object] = {"patience": QUICK} | options
    queue = DownloadQueueService([diary] if diary else [], **arguments)  # type: ignore[arg-type]
    stack.callback(queue.stop)
    return queue


def slow(offered: Offered, upto: int, go_on: Event) -> Script:
    """Serve, but keep all behind the byte *upto* back until *go_on*."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = offered.answer(asked.range, asked.if_range)
        first = max(0, upto - asked.start)
        peer.reply(reply, first)
        if first < len(reply.body):
            peer.wait(go_on)
            peer.body(memoryview(reply.body)[first:])

    return script


def listed(url: str, destination: Path, offered: Offered) -> DownloadJobRemoteSource:
    """A job for a file that was listed with size and digest."""
    return DownloadJobRemoteSource(
        source=url,
        destination=destination,
        expected=ExpectedContent(
            size=len(offered.content), sha256=Digest.parse(f"sha256:{offered.sha256}")
        ),
    )


def arrival(job: MeasuredDownloadJob, count: int) -> Event:
    """What is set when more than *count* bytes of *job* are there."""
    arrived = Event()

    def tell(_: DownloadJobBase) -> None:
        if job.running and job.bytes > count:
            arrived.set()

    job.add_event_handler(tell)
    return arrived


def test_a_small_file_gives_exactly_three_events(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Enqueued, running, completed; one request; whole."""
    diary = Diary()
    queue = begin(stack, diary)
    job = queue.create_download_job(server.on("/vae.bin", serve(SMALL)), tmp_path / "models")
    queue.join()
    assert diary.of(job) == ["enqueued", "running", "completed"]
    assert (tmp_path / "models" / "vae.bin").read_bytes() == SMALL.content
    assert server.count() == 1


def test_the_host_names_the_file(server: Scripted, stack: ExitStack, tmp_path: Path) -> None:
    """By its `Content-Disposition`, inside the folder."""

    def script(asked: Asked, peer: Peer) -> None:
        reply = SMALL.answer(asked.range, asked.if_range)
        reply.headers["content-disposition"] = 'attachment; filename="lora.safetensors"'
        peer.reply(reply)

    queue = begin(stack)
    job = queue.create_download_job(server.on("/api/download/7", script), tmp_path)
    queue.wait_for_job(job, PATIENCE)
    assert job.downloaded_path == tmp_path / "lora.safetensors"


def test_a_large_file_tells_how_far_it_is(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Numbers only rise, the total is known from the first on, the last says all."""
    diary = Diary()
    queue = begin(stack, diary)
    job = listed(server.on("/a", serve(LARGE)), tmp_path / "a", LARGE)
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    numbers = diary.bytes[job.id]
    assert numbers == sorted(numbers)
    assert {total for _, total in numbers} == {8 * MEBIBYTE}
    assert numbers[-1] == (8 * MEBIBYTE, 8 * MEBIBYTE)
    assert 1 <= diary.of(job).count("running") <= 9
    assert (job.verification, job.error) == (Verification.DIGEST, None)
    assert job.downloaded is not None
    assert job.downloaded.fetched == 8 * MEBIBYTE


def test_the_session_that_was_given_is_used(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """With its own headers; the document gives it for simulated hosts."""
    with requests.Session() as session:
        session.headers["x-lab"] = "7"
        queue = begin(stack, requests_session=session)
        job = queue.create_download_job(server.on("/a", serve(SMALL)), tmp_path)
        queue.wait_for_job(job, PATIENCE)
        queue.stop()
    assert job.complete
    assert [asked.headers["x-lab"] for asked in server.requests()] == ["7"]


class Simulated(BaseAdapter):
    """A host inside a session, as tests of programs like to have them: bytes, and hardly a header."""

    def __init__(self, content: bytes, headers: dict[str, str], code: int = 200) -> None:
        super().__init__()
        self._content = content
        self._headers = headers
        self._code = code

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
        """Answer everything alike, ranges too."""
        answer = requests.Response()
        answer.status_code = self._code
        answer.headers.update(self._headers)
        answer.raw = BytesIO(self._content)
        answer.url = str(request.url)
        answer.request = request
        return answer

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"Content-Length": "20000"}, "12345"),
        ({}, "12345"),
        (
            {"Content-Length": "20000", "Content-Disposition": 'filename="mock1.safetensors"'},
            "mock1.safetensors",
        ),
    ],
)
def test_a_simulated_host_is_enough(
    stack: ExitStack, tmp_path: Path, headers: dict[str, str], name: str
) -> None:
    """`requests_session` was added for use in unit tests to simulate a remote web server (MM2)."""
    diary = Diary()
    with requests.Session() as session:
        session.mount("http://www.civitai.com/", Simulated(SMALL.content, headers))
        session.mount("http://www.civitai.com/models/broken", Simulated(b"", {}, 404))
        queue = begin(stack, diary, requests_session=session)
        job = queue.create_download_job("http://www.civitai.com/models/12345", tmp_path)
        broken = queue.create_download_job("http://www.civitai.com/models/broken", tmp_path)
        queue.join()
        queue.stop()
    assert (job.status, job.error) == ("completed", None)
    assert diary.of(job) == ["enqueued", "running", "completed"]
    assert (tmp_path / name).read_bytes() == SMALL.content
    assert isinstance(broken.error, RemoteFileGoneError)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_token_goes_to_the_host_of_the_source_alone(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Not to the one that it leads to."""
    with Scripted() as storage:
        target = storage.on("/stored", serve(SMALL))
        queue = begin(stack)
        job = queue.create_download_job(
            server.on("/a", redirect(target)), tmp_path, access_token="hf_" + "x"
        )
        queue.wait_for_job(job, PATIENCE)
        assert job.complete
        assert [asked.headers.get("authorization") for asked in server.requests()] == [
            "Bearer hf_x"
        ]
        assert [asked.credentials for asked in storage.requests()] == [()]


def test_an_error_is_typed_and_leaves_nothing(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Nothing at the final name and nothing beside it."""
    queue = begin(stack)
    wrong = listed(server.on("/wrong", serve(SMALL)), tmp_path / "wrong", SMALL)
    wrong.expected = ExpectedContent(
        size=len(SMALL.content), sha256=Digest.parse("sha256:" + "0" * 64)
    )
    gone = DownloadJobRemoteSource(
        source=server.on("/gone", status(410)), destination=tmp_path / "gone"
    )
    for job, kind in [(wrong, DigestMismatchError), (gone, RemoteFileGoneError)]:
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert job.status is DownloadJobStatus.ERROR
        assert isinstance(job.error, kind)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("preserve", [False, True])
def test_what_came_before_an_error_is_kept_when_the_job_says_so(
    server: Scripted, stack: ExitStack, tmp_path: Path, *, preserve: bool
) -> None:
    """And an equal job goes on with it."""
    is_over = Event()

    def script(asked: Asked, peer: Peer) -> None:
        if is_over.is_set():
            serve(LARGE)(asked, peer)
            return
        reply = LARGE.answer(asked.range, asked.if_range)
        peer.reply(reply, max(0, 4 * MEBIBYTE - asked.start))
        peer.reset()

    queue = begin(stack)
    url = server.on("/a", script)
    job = listed(url, tmp_path / "a", LARGE)
    job.preserve_partial_downloads = preserve
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert isinstance(job.error, DownloadError)
    assert bool(list(tmp_path.iterdir())) is preserve
    is_over.set()
    again = listed(url, tmp_path / "a", LARGE)
    queue.submit_download_job(again)
    queue.wait_for_job(again, PATIENCE)
    assert again.complete
    assert again.downloaded is not None
    assert (again.downloaded.fetched < 5 * MEBIBYTE) is preserve
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_nothing_is_fetched_twice_after_a_pause(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Bytes that came before and after make the file."""
    go_on = Event()
    queue = begin(stack, Diary())
    job = listed(server.on("/a", slow(LARGE, 5 * MEBIBYTE, go_on)), tmp_path / "a", LARGE)
    arrived = arrival(job, 4 * MEBIBYTE)
    queue.submit_download_job(job)
    assert arrived.wait(PATIENCE)
    queue.pause_job(job)
    assert job.paused
    held = job.bytes
    assert held <= 5 * MEBIBYTE
    go_on.set()
    queue.start_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert job.complete
    assert job.downloaded is not None
    assert job.downloaded.fetched <= 8 * MEBIBYTE - held
    assert (tmp_path / "a").read_bytes() == LARGE.content


def test_a_repository_comes_over_few_connections(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Forty small files, one request each, connections used again; nothing else in the folder."""
    files = {
        f"part-{number}/{number}.json": Offered(payload(5_000, number)) for number in range(40)
    }
    parts = [
        listed(server.on(f"/{name}", serve(offered)), Path(name), offered)
        for name, offered in files.items()
    ]
    diary = Diary()
    queue = begin(stack, diary)
    job = MultiFileDownloadJob(
        source="acme/many", destination=tmp_path / "many", download_parts=parts
    )
    queue.submit_download_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert (job.status, job.error) == ("completed", None)
    assert diary.of(job) == ["enqueued", "running", "completed"]
    found = {
        str(path.relative_to(tmp_path / "many")): path.read_bytes()
        for path in (tmp_path / "many").rglob("*")
        if path.is_file()
    }
    assert found == {name: offered.content for name, offered in files.items()}
    assert server.count() == 40
    assert server.connections <= 16
    assert job.verification is Verification.DIGEST


def test_cancelling_a_repository_leaves_no_file(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """Neither of the one that was whole nor of the one that was on its way."""
    queue = begin(stack)
    whole = listed(server.on("/a", serve(SMALL)), Path("a"), SMALL)
    half = listed(server.on("/b", slow(LARGE, 3 * MEBIBYTE, Event())), Path("deep/b"), LARGE)
    job = MultiFileDownloadJob(
        source="acme/two", destination=tmp_path / "two", download_parts=[whole, half]
    )
    arrived = arrival(job, 2 * MEBIBYTE)
    queue.submit_download_job(job)
    assert arrived.wait(PATIENCE)
    queue.cancel_job(job)
    assert job.cancelled
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_one_of_many", [False, True])
def test_cancelling_a_job_that_came_back_without_its_secret_leaves_no_file(
    server: Scripted, stack: ExitStack, tmp_path: Path, *, is_one_of_many: bool
) -> None:
    """What came lies under a name that was made of the whole address, which nobody knows any more."""
    server.on("/a", slow(LARGE, 5 * MEBIBYTE, Event()))
    state, models = tmp_path / "state", tmp_path / "models"
    part = listed(
        server.url("/a?signature=hidden"), Path("a") if is_one_of_many else models / "a", LARGE
    )
    job: MeasuredDownloadJob = part
    if is_one_of_many:
        job = MultiFileDownloadJob(source="acme/a", destination=models, download_parts=[part])
    first = begin(stack, state_folder=state)
    arrived = arrival(job, 4 * MEBIBYTE)
    first.submit_download_job(job)
    assert arrived.wait(PATIENCE)
    first.stop()
    # And once more: what is kept is kept of a job, too, that never had the whole address.
    begin(stack, state_folder=state).stop()
    (again,) = (second := begin(stack, state_folder=state)).list_jobs()
    assert len(list(models.iterdir())) == 2
    second.cancel_job(again)
    assert again.cancelled
    assert not models.exists() or list(models.iterdir()) == []
    assert b"hidden" not in b"".join(path.read_bytes() for path in state.iterdir())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_another_process_goes_on(
    server: Scripted, stack: ExitStack, tmp_path: Path, how: signal.Signals
) -> None:
    """After Ctrl-C and `stop`, and after a kill (fault 59)."""
    go_on = Event()
    url = server.on("/a", slow(LARGE, 5 * MEBIBYTE, go_on))
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path / "state"), url, str(tmp_path / "models")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "far"
    child.send_signal(how)
    said, _ = child.communicate(timeout=PATIENCE)
    if how is signal.SIGINT:
        assert (said.split(), child.returncode) == (["stopped", "paused"], 0)
    go_on.set()
    queue = begin(stack, state_folder=tmp_path / "state")
    (job,) = queue.list_jobs()
    assert isinstance(job, DownloadJobRemoteSource)
    queue.start_job(job)
    queue.wait_for_job(job, PATIENCE)
    assert (job.status, job.error) == ("completed", None)
    assert job.downloaded is not None
    assert job.downloaded.fetched < 5 * MEBIBYTE
    assert (tmp_path / "models" / "a").read_bytes() == LARGE.content
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["a"]


def test_a_kill_between_two_names_is_no_stranger(
    server: Scripted, stack: ExitStack, tmp_path: Path
) -> None:
    """A small file that has its final name, and its hidden one still, is this job's own."""
    go_on = Event()
    url = server.on("/a", slow(SMALL, 10_000, go_on))
    first = begin(stack, state_folder=tmp_path / "state")
    job = first.create_download_job(url, tmp_path, filename="a")
    while not server.sent("/a"):
        go_on.wait(0.01)
    first.stop()
    second = begin(stack, state_folder=tmp_path / "state")
    (again,) = second.list_jobs()
    for part in tmp_path.glob(".a.*"):
        part.unlink()
    key = Destination.of(TransferOrder(str(job.source), tmp_path / "a")).key
    part = PartialNames.of(tmp_path / "a", key).part
    part.write_bytes(SMALL.content)
    (tmp_path / "a").hardlink_to(part)
    go_on.set()
    second.start_job(again)
    second.wait_for_job(again, PATIENCE)
    assert (again.status, again.error) == ("completed", None)
    assert (tmp_path / "a").read_bytes() == SMALL.content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "state"]


_CHILD = """
import sys
from pathlib import Path
from modelshelf.download.queue import DownloadQueueService

def tell(job):
    if job.running and job.bytes > 4 * 1024 * 1024:
        print("far", flush=True)
        job.clear_event_handlers()

queue = DownloadQueueService(state_folder=Path(sys.argv[1]))
job = queue.create_download_job(sys.argv[2], Path(sys.argv[3]), event_handlers=[tell])
try:
    queue.join()
except KeyboardInterrupt:
    queue.stop()
    print("stopped", job.status)
"""
