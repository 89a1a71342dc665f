from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.destination import Destination
from modelshelf.download.partial_names import PartialNames
from modelshelf.download.queue import DownloadQueueService
from modelshelf.download.saved_job import SavedJob
from modelshelf.download.saved_part import address_without_secrets
from modelshelf.errors import (
    DestinationExistsError,
    DestinationUnusableError,
    ForeignQueueError,
    InvalidDownloadError,
    UnknownJobIDException,
)
from modelshelf.schema.digest import Digest
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobURL,
    MultiFileDownloadJob,
)
from modelshelf.schema.transfer import (
    Downloaded,
    ExpectedContent,
    PrivateAddresses,
    TransferOrder,
    Verification,
)
from modelshelf.testing.faults import FailingDisk, WrappedDisk
from tests.unit.download.queue_world import PATIENCE, Diary, Taps, remote, url_of

SECRET = "hush" + "hush"
HEX = "0123456789abcdef" * 2


class Lives:
    """Queues of one folder, one after the other or side by side."""

    def __init__(self, folder: Path, taps: Taps, stack: ExitStack) -> None:
        self.folder = folder
        self._taps = taps
        self._stack = stack

    def begin(self, *, diary: Diary | None = None, parallel: int = 2) -> DownloadQueueService:
        """Make one more queue, which is stopped after the test."""
        queue = DownloadQueueService(
            [diary] if diary else [], parallel, fetcher=self._taps, state_folder=self.folder
        )
        self._stack.callback(queue.stop)
        return queue

    def documents(self) -> list[str]:
        """The names of the jobs' documents."""
        return sorted(path.name for path in self.folder.glob("*.json"))


@pytest.fixture
def taps() -> Taps:
    """The remote hosts."""
    return Taps()


@pytest.fixture
def lives(tmp_path: Path, taps: Taps) -> Iterator[Lives]:
    """A state folder."""
    with ExitStack() as stack:
        yield Lives(tmp_path / "state", taps, stack)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder for what is downloaded."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


class TestComingBack:
    """Unfinished jobs come back paused and resume where they were."""

    def test_unfinished_jobs_come_back_paused(self, lives: Lives, taps: Taps, models: Path) -> None:
        """Running, waiting and idle ones: with their ids, priorities and how far they were."""
        first = lives.begin(parallel=1)
        for number, start in enumerate([True, True, False]):
            first.submit_download_job(
                remote(f"{number}", models, priority=number, overwrite=number == 2), start=start
            )
        taps["0"].let(1000)
        taps["0"].await_bytes(1000)
        first.stop()
        jobs = lives.begin().list_jobs()
        assert [(job.id, job.status.value, job.priority, job.overwrite) for job in jobs] == [
            (0, "paused", 0, False),
            (1, "paused", 1, False),
            (2, "paused", 2, True),
        ]
        assert isinstance(jobs[0], DownloadJobRemoteSource)
        assert (jobs[0].bytes, jobs[0].total_bytes) == (1000, 1024 * 1024)
        assert jobs[0].destination == models / "0"

    def test_they_go_on_where_they_were(self, lives: Lives, taps: Taps, models: Path) -> None:
        """What came is not fetched again, and the second life sends no second `enqueued`."""
        first, diary = lives.begin(), Diary()
        first.submit_download_job(remote("a", models))
        taps["a"].let(1000)
        taps["a"].await_bytes(1000)
        first.stop()
        second = lives.begin(diary=diary)
        (job,) = second.list_jobs()
        taps["a"].finish()
        second.start_job(job)
        second.wait_for_job(job, PATIENCE)
        assert (models / "a").stat().st_size == 1024 * 1024
        assert diary.of(job) == ["running", "completed"]
        assert diary.bytes[job.id][0] == (1000, 1024 * 1024)

    def test_what_has_ended_does_not_come_back(
        self, lives: Lives, taps: Taps, models: Path
    ) -> None:
        """Completed, failed and cancelled jobs leave no document."""
        queue = lives.begin()
        taps["a"].finish()
        taps["b"].fail(ValueError("b"))
        jobs = [remote(name, models) for name in "abc"]
        for job in jobs:
            queue.submit_download_job(job)
        taps["c"].await_runs()
        queue.cancel_job(jobs[2])
        queue.join()
        assert lives.documents() == []
        queue.stop()
        assert lives.begin().list_jobs() == []

    def test_a_queue_that_is_started_again_has_its_own_jobs(
        self, lives: Lives, taps: Taps, models: Path
    ) -> None:
        """The same objects, not copies; also one that was submitted meanwhile."""
        queue = lives.begin()
        jobs = [remote("a", models), remote("b", models)]
        queue.submit_download_job(jobs[0], start=False)
        queue.stop()
        queue.submit_download_job(jobs[1], start=False)
        queue.start()
        assert queue.list_jobs() == jobs
        for name in "ab":
            taps[name].finish()
        queue.start_all_jobs()
        queue.join()
        assert {job.status.value for job in jobs} == {"completed"}

    def test_changes_of_priority_are_kept(self, lives: Lives, models: Path) -> None:
        """A job that was moved to the front is there after a crash."""
        queue = lives.begin()
        job = remote("a", models)
        queue.submit_download_job(job, start=False)
        queue.change_priority(job, -5)
        queue.stop()
        assert lives.begin().list_jobs()[0].priority == -5

    def test_new_ids_are_new(self, lives: Lives, models: Path) -> None:
        """A job of a later life gets no id that is taken."""
        queue = lives.begin()
        queue.submit_download_job(remote("a", models), start=False)
        queue.submit_download_job(remote("b", models), start=False)
        queue.stop()
        second = lives.begin()
        job = remote("c", models)
        second.submit_download_job(job, start=False)
        assert [one.id for one in second.list_jobs()] == [0, 1, 2]
        assert job.id == 2


class TestDying:
    """A process dies between giving a file its name and saying so."""

    @pytest.mark.parametrize("kind", ["one", "many"])
    def test_the_file_is_known_for_its_own(
        self, lives: Lives, taps: Taps, models: Path, kind: str
    ) -> None:
        """It is fetched anew and replaced, rather than taken for somebody else's."""
        job: DownloadJobBase = remote("a", models)
        if kind == "many":
            part = remote("a", Path())
            job = MultiFileDownloadJob(source="acme", destination=models, download_parts=[part])
        first = lives.begin()
        first.submit_download_job(job)
        taps["a"].await_runs()
        first.stop()
        (models / "a").write_bytes(b"whole")
        second = lives.begin()
        (again,) = second.list_jobs()
        taps["a"].finish()
        second.start_job(again)
        second.wait_for_job(again, PATIENCE)
        assert (again.status, again.error) == ("completed", None)
        assert (models / "a").stat().st_size == 1024 * 1024

    def test_it_is_known_in_a_third_life_too(self, lives: Lives, taps: Taps, models: Path) -> None:
        """Although a part of the second attempt lies beside it then."""
        first = lives.begin()
        first.submit_download_job(remote("a", models))
        taps["a"].await_runs()
        first.stop()
        (models / "a").write_bytes(b"whole")
        second = lives.begin()
        second.start_all_jobs()
        taps["a"].await_runs(2)
        second.stop()
        (job,) = (third := lives.begin()).list_jobs()
        assert isinstance(job, DownloadJobRemoteSource)
        key = Destination.of(TransferOrder(url_of("a"), models / "a")).key
        PartialNames.of(models / "a", key).part.write_bytes(b"wh")
        taps["a"].finish()
        third.start_job(job)
        third.wait_for_job(job, PATIENCE)
        assert (job.status, job.error) == ("completed", None)

    def test_what_was_there_before_is_not(self, lives: Lives, taps: Taps, models: Path) -> None:
        """A file that stood at the final name before the first run is kept."""
        (models / "a").write_bytes(b"mine")
        first = lives.begin()
        first.submit_download_job(remote("a", models))
        taps["a"].await_runs()
        first.stop()
        second = lives.begin()
        (again,) = second.list_jobs()
        taps["a"].finish()
        second.start_job(again)
        second.wait_for_job(again, PATIENCE)
        assert isinstance(again.error, DestinationExistsError)
        assert (models / "a").read_bytes() == b"mine"

    def test_nor_what_appears_while_it_is_paused(
        self, lives: Lives, taps: Taps, models: Path
    ) -> None:
        """In the same process nothing can have been finished unnoticed (fault 56)."""
        queue = lives.begin()
        job = remote("a", models)
        queue.submit_download_job(job)
        taps["a"].await_runs()
        queue.pause_job(job)
        (models / "a").write_bytes(b"mine")
        taps["a"].finish()
        queue.start_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert isinstance(job.error, DestinationExistsError)
        assert (models / "a").read_bytes() == b"mine"


class TestSharing:
    """Two processes on one state folder never both own a job."""

    def test_a_second_queue_has_the_jobs_of_nobody(self, lives: Lives, models: Path) -> None:
        """It works beside the first, with ids of its own."""
        first, second = lives.begin(), lives.begin()
        jobs = [remote("a", models), remote("b", models)]
        first.submit_download_job(jobs[0], start=False)
        second.submit_download_job(jobs[1], start=False)
        assert (first.list_jobs(), second.list_jobs()) == ([jobs[0]], [jobs[1]])
        assert [job.id for job in jobs] == [0, 1]

    def test_a_job_that_another_queue_took_over_is_unknown(
        self, lives: Lives, models: Path
    ) -> None:
        """To a queue that was stopped meanwhile and starts again."""
        first = lives.begin()
        job = remote("a", models)
        first.submit_download_job(job, start=False)
        first.stop()
        second = lives.begin()
        assert [one.id for one in second.list_jobs()] == [0]
        first.start()
        assert first.list_jobs() == []
        with pytest.raises(UnknownJobIDException):
            first.start_job(job)

    def test_a_process_that_dies_leaves_its_jobs_to_the_next(
        self, lives: Lives, models: Path
    ) -> None:
        """However it dies; as long as it lives, nobody else has them."""
        child = subprocess.Popen(
            [sys.executable, "-c", _OWNER, str(lives.folder), str(models)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline().strip() == "0"
        assert lives.begin().list_jobs() == []
        child.kill()
        child.wait(PATIENCE)
        child.stdout.close()
        child.stdin.close()
        (job,) = lives.begin().list_jobs()
        assert (job.id, job.status.value, str(job.source)) == (
            0,
            "paused",
            "https://files.example/a",
        )

    def test_a_forked_child_uses_nothing_and_holds_nothing(
        self, lives: Lives, taps: Taps, models: Path
    ) -> None:
        """The parent's queue goes on, and its jobs come back although the child lives (fault 60)."""
        queue = lives.begin()
        job = remote("a", models)
        queue.submit_download_job(job)
        taps["a"].let(1000)
        taps["a"].await_bytes(1000)
        outcome, told = os.pipe()
        living, ended = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - in the child
            os.close(ended)
            try:
                queue.start_job(job)
                os.write(told, b"used")
            except ForeignQueueError:
                os.write(told, b"refused")
            os.read(living, 1)
            os._exit(0)
        os.close(living)
        try:
            assert os.read(outcome, 10) == b"refused"
            queue.stop()
            second = lives.begin()
            (again,) = second.list_jobs()
            taps["a"].finish()
            second.start_job(again)
            second.wait_for_job(again, PATIENCE)
            assert again.complete
        finally:
            os.close(ended)
            os.waitpid(child, 0)
            os.close(outcome)
            os.close(told)


class TestDocuments:
    """One JSON document a job, without a secret."""

    def test_no_secret_is_kept(self, lives: Lives, tmp_path: Path, models: Path) -> None:
        """Neither token, nor user, nor what may be a signature."""
        queue = lives.begin()
        queue.submit_download_job(
            DownloadJobURL(
                source=f"https://u:{SECRET}@files.example/a?type=Model&token={SECRET}#{SECRET}",
                destination=models,
                access_token=SECRET,
            ),
            start=False,
        )
        part = DownloadJobRemoteSource(
            source=f"https://files.example/b?X-Amz-Signature={SECRET}",
            destination=Path("b"),
            access_token=SECRET,
        )
        queue.submit_download_job(
            MultiFileDownloadJob(
                source="acme/b", destination=models, download_parts=[part], access_token=SECRET
            ),
            start=False,
        )
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert SECRET.encode() not in kept
        queue.stop()
        again, _ = lives.begin().list_jobs()
        assert str(again.source) == "https://files.example/a?type=Model"
        assert again.preserve_partial_downloads

    def test_an_address_that_misses_a_part_is_not_asked(
        self, lives: Lives, taps: Taps, models: Path
    ) -> None:
        """Another file might answer. The whole address goes on with what came."""
        url = f"https://files.example/a?sign={SECRET}"
        first = lives.begin()
        job = first.create_download_job(url, models, filename="a")
        tap = taps[f"a?sign={SECRET}"]
        tap.let(1000)
        tap.await_bytes(1000)
        first.stop()
        second = lives.begin()
        (again,) = second.list_jobs()
        second.start_job(again)
        second.wait_for_job(again, PATIENCE)
        assert isinstance(again.error, InvalidDownloadError)
        assert (taps["a"].runs, [path.name for path in models.iterdir()]) == (0, [".a.part"])
        tap.finish()
        anew = second.create_download_job(url, models, filename="a")
        second.wait_for_job(anew, PATIENCE)
        assert anew.complete
        assert job.paused

    @pytest.mark.parametrize(
        ("url", "kept", "is_whole"),
        [
            ("https://a.example/b", "https://a.example/b", True),
            ("https://a.example/b#c", "https://a.example/b", True),
            ("https://a.example/b?download=true", "https://a.example/b?download=true", True),
            ("https://a.example/b?key=c", "https://a.example/b", False),
            ("https://u@a.example/b", "https://a.example/b", False),
            ("https://a.example/b?id=" + "c" * 500, "https://a.example/b", False),
            ("https://[", "", False),
            ("/a/b?c", "/a/b?c", True),
        ],
    )
    def test_an_address_keeps_what_chooses_the_file(
        self, url: str, kept: str, *, is_whole: bool
    ) -> None:
        """Whatever is not known to be harmless stays away."""
        assert address_without_secrets(url) == (kept, is_whole)

    @pytest.mark.parametrize(
        "job",
        [
            DownloadJobPath(source=Path("/a"), destination=Path("/b"), keep_source=True),
            DownloadJobURL(source="https://a.example/b", destination=Path("/c")),
            DownloadJobRemoteSource(
                source="https://a.example/b",
                destination=Path("/c"),
                destination_is_folder=True,
                priority=-3,
                overwrite=True,
                preserve_partial_downloads=True,
                digests=frozenset({"sha256"}),
                private_addresses=PrivateAddresses.REFUSE,
                expected=ExpectedContent(
                    9, Digest.sha256(bytes(32)), Digest.blake3(bytes(32)), "0" * 40
                ),
            ),
            MultiFileDownloadJob(
                source="acme/b",
                destination=Path("/c"),
                download_parts=[
                    DownloadJobRemoteSource(
                        source="https://a.example/b",
                        destination=Path("d/e"),
                        bytes=3,
                        total_bytes=4,
                        private_addresses=PrivateAddresses.REFUSE,
                    ),
                    DownloadJobRemoteSource(
                        source="https://a.example/f",
                        destination=Path("f"),
                        downloaded=Downloaded(
                            Path("/c/f"), 7, Verification.SIZE, None, None, 7, None, None
                        ),
                    ),
                ],
            ),
        ],
        ids=lambda job: type(job).__name__,
    )
    def test_a_job_comes_back_as_it_was(self, job: DownloadJobBase) -> None:
        """Field for field, and paused."""
        saved = SavedJob.of(job, key=HEX, owner=HEX)
        again = SavedJob.parse(saved.model_dump_json().encode()).job(7)
        assert type(again) is type(job)
        assert (again.id, again.status.value) == (7, "paused")
        left_out = {"id", "status", "download_parts"}
        assert again.model_dump(exclude=left_out) == job.model_dump(exclude=left_out)
        if isinstance(job, MultiFileDownloadJob) and isinstance(again, MultiFileDownloadJob):
            first, second = again.download_parts
            assert (first.bytes, first.total_bytes, first.downloaded) == (3, 4, None)
            assert first.private_addresses is PrivateAddresses.REFUSE
            assert second.downloaded == job.download_parts[1].downloaded
            assert second.verification is Verification.SIZE

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("0.json", b""),
            ("0.json", b"{}"),
            ("0.json", b"\x00\xff"),
            ("0.json", b"[" * 100_000),
            ("0.json", b'{"format": 2}'),
            ("0.json", None),
            ("other.json", b"{}"),
            ("package.json", b'{"name": "somebody else\'s"}'),
            ("99999999999999999999.json", b"{}"),
        ],
    )
    def test_what_is_no_job_is_set_aside(
        self,
        lives: Lives,
        taps: Taps,
        models: Path,
        caplog: pytest.LogCaptureFixture,
        name: str,
        content: bytes | None,
    ) -> None:
        """With a warning; the queue works."""
        lives.folder.mkdir()
        if content is None:
            (lives.folder / name).mkdir()
        else:
            (lives.folder / name).write_bytes(content)
        queue = lives.begin()
        assert queue.list_jobs() == []
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert len(list((lives.folder / "set-aside").iterdir())) == 1
        taps["a"].finish()
        job = remote("a", models)
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert job.complete

    @pytest.mark.parametrize(
        "change",
        [
            {"destination": "relative"},
            {"kind": "other"},
            {"owner": "../../etc"},
            {"received": -1},
            {"more": 1},
            {"kind": "url", "source": "ftp://a"},
            {"expected": {"sha256": "md5:00"}},
            {"priority": "high"},
        ],
    )
    def test_a_document_that_was_tampered_with_is_none(self, change: dict[str, object]) -> None:
        """Each field is checked before it is used."""
        job = DownloadJobURL(source="https://a.example/b", destination=Path("/c"))
        document = json.loads(SavedJob.of(job, key=HEX, owner=HEX).model_dump_json())
        with pytest.raises(ValueError, match=r"."):
            SavedJob.parse(json.dumps(document | change).encode())

    def test_a_job_whose_name_is_no_text_is_done_all_the_same(
        self, lives: Lives, models: Path
    ) -> None:
        """It is not kept, for no JSON can hold its name."""
        source = models / os.fsdecode(b"old-\xff.ckpt")
        source.write_bytes(b"model")
        queue = lives.begin()
        job = queue.create_download_job(source, models / "moved")
        queue.wait_for_job(job, PATIENCE)
        assert (job.status, job.error) == ("completed", None)
        assert lives.documents() == []

    def test_the_documents_are_for_their_owner_alone(self, lives: Lives, models: Path) -> None:
        """Which files somebody fetches is nobody else's business."""
        queue = lives.begin()
        queue.submit_download_job(remote("a", models), start=False)
        assert {path.stat().st_mode & 0o077 for path in lives.folder.iterdir()} == {0}

    def test_the_disk_looks_as_it_is_drawn(self, lives: Lives, models: Path) -> None:
        """Gate, owner, documents; after the end, only the gate."""
        queue = lives.begin()
        queue.submit_download_job(remote("a", models), start=False)
        names = sorted(path.name for path in lives.folder.iterdir())
        assert names[:2] == ["0.json", "gate.lock"]
        assert names[2].startswith("owner-")
        assert len(names) == 3
        queue.cancel_all_jobs()
        queue.stop()
        assert [path.name for path in lives.folder.iterdir()] == ["gate.lock"]

    def test_a_job_that_cannot_be_kept_is_not_taken(
        self, tmp_path: Path, taps: Taps, models: Path
    ) -> None:
        """A full disk is told at once, and leaves no half document."""

        class FullDisk(WrappedDisk):
            def sync_file(self, descriptor: int) -> None:  # noqa: ARG002 - every one
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        queue = DownloadQueueService(
            fetcher=taps, disk=FullDisk(LocalDisk()), state_folder=tmp_path / "state"
        )
        with pytest.raises(DestinationUnusableError):
            queue.submit_download_job(remote("a", models))
        assert queue.list_jobs() == []
        queue.stop()
        assert [path.name for path in (tmp_path / "state").iterdir()] == ["gate.lock"]

    @pytest.mark.parametrize("at", range(1, 30))
    def test_a_disk_that_fails_leaves_the_old_state_or_the_new(
        self, tmp_path: Path, taps: Taps, models: Path, at: int
    ) -> None:
        """Whatever operation it is that fails: never a document that is none, never a job of nobody."""
        disk = FailingDisk(LocalDisk(), at)
        folder = tmp_path / "state"
        taps["a"].finish()
        jobs = [remote("a", models), remote("b", models)]
        queue = None
        with suppress(DestinationUnusableError):
            queue = DownloadQueueService(fetcher=taps, disk=disk, state_folder=folder)
            queue.submit_download_job(jobs[0])
            queue.submit_download_job(jobs[1], start=False)
            queue.change_priority(jobs[1], 3)
            queue.join()
        jobs_left = queue.list_jobs() if queue else []
        if queue is not None:
            queue.stop()
        with DownloadQueueService(fetcher=taps, state_folder=folder) as second:
            known = [job.id for job in second.list_jobs()]
        assert {job.id for job in jobs_left if not job.in_terminal_state} <= set(known)
        assert not (folder / "set-aside").exists()
        assert {path.suffix for path in folder.iterdir()} <= {".json", ".lock"}

    def test_a_folder_that_cannot_be_is_told(self, tmp_path: Path, taps: Taps) -> None:
        """When the queue is made."""
        (tmp_path / "file").touch()
        with pytest.raises(DestinationUnusableError):
            DownloadQueueService(fetcher=taps, state_folder=tmp_path / "file" / "state")


_OWNER = """
import sys
from pathlib import Path
from modelshelf.download.queue import DownloadQueueService
from modelshelf.schema.download_job import DownloadJobURL
queue = DownloadQueueService(state_folder=Path(sys.argv[1]))
job = DownloadJobURL(source="https://files.example/a", destination=Path(sys.argv[2]))
queue.submit_download_job(job, start=False)
print(job.id, flush=True)
sys.stdin.read()
"""
