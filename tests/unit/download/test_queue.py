from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread, get_ident
from typing import Any

import pytest
from pydantic import AnyHttpUrl

from modelshelf.download.file_fetcher import Report
from modelshelf.download.job_work import JobWork
from modelshelf.download.queue import DownloadQueueService
from modelshelf.download.queue_base import DownloadQueueServiceBase
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import (
    ConnectionLostError,
    InvalidDownloadError,
    RemoteFileGoneError,
    UnknownJobIDException,
)
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadJobURL,
)
from modelshelf.schema.transfer import StopKind, Stopped
from tests.unit.download.queue_world import PATIENCE, Diary, Taps, opened, remote, url_of

MIB = 1024 * 1024
GONE = RemoteFileGoneError(url="https://files.example/a", status=404, reason="gone")


@pytest.fixture
def taps() -> Taps:
    """The remote hosts."""
    return Taps()


@pytest.fixture
def diary() -> Diary:
    """What happened."""
    return Diary()


@pytest.fixture
def queue(taps: Taps, diary: Diary) -> Iterator[DownloadQueueService]:
    """A queue for two jobs at a time."""
    with opened(lambda: DownloadQueueService([diary], max_parallel_dl=2, fetcher=taps)) as made:
        yield made


@pytest.fixture
def lane(taps: Taps, diary: Diary) -> Iterator[DownloadQueueService]:
    """A queue for one job at a time."""
    with opened(lambda: DownloadQueueService([diary], 1, fetcher=taps)) as made:
        yield made


class TestLife:
    """A typical series of events (MM2, "Event handlers")."""

    def test_a_small_file_gives_three_events(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """Enqueued, running, completed, and nothing else."""
        taps["a"].finish()
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        queue.join()
        assert diary.of(job) == ["enqueued", "running", "completed"]
        assert (tmp_path / "a").stat().st_size == MIB
        assert (job.bytes, job.total_bytes, job.downloaded_path) == (MIB, MIB, tmp_path / "a")

    def test_a_paused_job_goes_on_where_it_stopped(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """The document's second series: no second `enqueued`."""
        taps["a"].let(1000)
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        taps["a"].await_runs()
        queue.pause_job(job)
        assert (job.status, diary.of(job)[-1]) == (DownloadJobStatus.PAUSED, "paused")
        queue.join()
        taps["a"].finish()
        queue.start_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert diary.of(job) == ["enqueued", "running", "paused", "running", "completed"]
        assert taps["a"].runs == 2

    def test_an_error_is_kept_in_the_job(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """The exception, the status, and nothing of the partial file."""
        taps["a"].let(1000)
        taps["a"].fail(GONE)
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert (job.status, job.error) == (DownloadJobStatus.ERROR, GONE)
        assert diary.of(job) == ["enqueued", "running", "error"]
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("when", ["before", "while it runs"])
    def test_partial_files_can_be_preserved(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path, when: str
    ) -> None:
        """The flag counts at the time of the error."""
        taps["a"].let(1000)
        job = remote("a", tmp_path, preserve_partial_downloads=when == "before")
        queue.submit_download_job(job)
        taps["a"].await_bytes(1000)
        job.preserve_partial_downloads = True
        taps["a"].fail(GONE)
        queue.wait_for_job(job, PATIENCE)
        assert [path.name for path in tmp_path.iterdir()] == [".a.part"]

    def test_a_job_that_failed_does_not_run_again(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """A job that encountered an error will not run again, as the table says."""
        taps["a"].fail(GONE)
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        queue.start_job(job)
        queue.pause_job(job)
        queue.cancel_job(job)
        assert (job.status, taps["a"].runs) == (DownloadJobStatus.ERROR, 1)

    def test_cancelling_removes_what_came(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """While it runs; the file is gone when `cancel_job` returns."""
        taps["a"].let(1000)
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        taps["a"].await_bytes(1000)
        queue.cancel_job(job)
        assert job.status is DownloadJobStatus.CANCELLED
        assert diary.of(job) == ["enqueued", "running", "cancelled"]
        assert list(tmp_path.iterdir()) == []

    def test_cancelling_a_paused_job_removes_what_came(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Nobody fetches it any more, and its partial file goes all the same."""
        taps["a"].let(1000)
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        taps["a"].await_bytes(1000)
        queue.pause_job(job)
        assert [path.name for path in tmp_path.iterdir()] == [".a.part"]
        queue.cancel_job(job)
        assert list(tmp_path.iterdir()) == []

    def test_times_and_sequence_are_noted(
        self, lane: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """When it started and ended, and as the how-manieth it was taken from the queue."""
        jobs = [remote(name, tmp_path) for name in "abc"]
        for job in jobs:
            taps[job.destination.name].finish()
            lane.submit_download_job(job)
        lane.join()
        assert [job.job_sequence for job in jobs] == [0, 1, 2]
        for job in jobs:
            assert job.job_started is not None
            assert job.job_ended is not None
            assert job.job_ended >= job.job_started

    def test_a_clock_that_is_set_back_does_not_let_jobs_end_before_they_began(
        self, taps: Taps, tmp_path: Path
    ) -> None:
        """The time of day is asked once; how long it took is measured (fault 58)."""
        days = iter([1000.0, -5000.0, -9000.0])
        ticks = iter(float(number) for number in range(1000))
        taps["a"].finish()
        with opened(
            lambda: DownloadQueueService(
                fetcher=taps, now=lambda: next(days), clock=lambda: next(ticks)
            )
        ) as queue:
            job = remote("a", tmp_path)
            queue.submit_download_job(job)
            queue.wait_for_job(job, PATIENCE)
        assert job.job_started == 1000.0
        assert job.job_ended is not None
        assert job.job_ended > job.job_started

    @pytest.mark.parametrize("told", [True, False], ids=["listed", "unknown"])
    def test_the_total_is_known_before_the_first_byte_where_it_was_listed(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path, *, told: bool
    ) -> None:
        """Progress bars have their end from the start."""
        expected = {"expected": {"size": MIB}} if told else {}
        job = remote("a", tmp_path, **expected)
        queue.submit_download_job(job)
        taps["a"].await_runs()
        assert diary.bytes[job.id][1] == (0, MIB if told else 0)

    def test_about_one_event_for_each_hundredth(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """At most 110 of a large file, with numbers that only rise."""
        tap = taps.add("a", 300 * MIB)
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        tap.await_runs()
        for step in range(600):
            tap.let(MIB // 2)
            if step % 100 == 0:
                diary.await_event(job, "running", 1)
        queue.wait_for_job(job, PATIENCE)
        assert diary.of(job).count("running") <= 110
        numbers = diary.bytes[job.id]
        assert numbers == sorted(numbers)
        assert numbers[-1] == (300 * MIB, 300 * MIB)


class TestHandlers:
    """Executed in the same thread that the job is running in (MM2)."""

    def test_the_jobs_own_come_first(self, taps: Taps, tmp_path: Path) -> None:
        """Then those of the queue, each in its order."""
        called: list[str] = []
        taps["a"].finish()
        with opened(
            lambda: DownloadQueueService(
                [lambda _: called.append("q1"), lambda _: called.append("q2")], fetcher=taps
            )
        ) as queue:
            job = remote(
                "a",
                tmp_path,
                event_handlers=[lambda _: called.append("j1"), lambda _: called.append("j2")],
            )
            queue.submit_download_job(job)
            queue.join()
        assert called == ["j1", "j2", "q1", "q2"] * 3

    def test_they_run_in_the_thread_of_the_job(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """From `running` on; the queue's caller has sent `enqueued`."""
        taps["a"].finish()
        queue.submit_download_job(remote("a", tmp_path))
        queue.join()
        assert diary.threads[0] == get_ident()
        assert len(set(diary.threads[1:])) == 1
        assert diary.threads[1] != get_ident()

    @pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), GeneratorExit()])
    def test_a_broken_one_hurts_nobody(
        self,
        queue: DownloadQueueService,
        taps: Taps,
        diary: Diary,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        error: BaseException,
    ) -> None:
        """The job completes, the other handlers hear of it, and the log has it once."""

        def broken(_: DownloadJobBase) -> None:
            raise error

        taps["a"].finish()
        job = remote("a", tmp_path, event_handlers=[broken])
        queue.submit_download_job(job)
        queue.join()
        assert diary.of(job) == ["enqueued", "running", "completed"]
        assert [record.levelname for record in caplog.records].count("WARNING") == 1

    @pytest.mark.parametrize("status", ["enqueued", "running"])
    @pytest.mark.parametrize("what", ["pause", "cancel"])
    def test_one_may_control_its_own_job(
        self,
        queue: DownloadQueueService,
        diary: Diary,
        tmp_path: Path,
        status: str,
        what: str,
    ) -> None:
        """Whatever its job is doing, at once and without a deadlock."""

        def control(job: DownloadJobBase) -> None:
            if job.status == status:
                (queue.pause_job if what == "pause" else queue.cancel_job)(job)

        job = remote("a", tmp_path, event_handlers=[control])
        queue.submit_download_job(job)
        queue.join()
        end = "paused" if what == "pause" else "cancelled"
        assert job.status == end
        assert diary.of(job)[-1] == end

    def test_one_may_start_a_paused_job_again(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """From the very event that tells of the pause."""

        def start(job: DownloadJobBase) -> None:
            if job.paused:
                queue.start_job(job)

        job = remote("a", tmp_path, event_handlers=[start])
        queue.submit_download_job(job)
        taps["a"].await_runs()
        queue.pause_job(job)
        taps["a"].finish()
        queue.wait_for_job(job, PATIENCE)
        assert diary.of(job) == ["enqueued", "running", "paused", "running", "completed"]

    def test_one_may_submit_and_await_another_job(
        self, lane: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """Even where only one may run: whoever waits in a handler lends its place."""
        for name in "ab":
            taps[name].finish()
        second = remote("b", tmp_path)

        def chain(job: DownloadJobBase) -> None:
            if job.complete:
                lane.submit_download_job(second)
                lane.wait_for_job(second, PATIENCE)

        first = remote("a", tmp_path, event_handlers=[chain])
        lane.submit_download_job(first)
        lane.join()
        assert (first.status, second.status) == ("completed", "completed")
        assert diary.order("completed") == [second.id, first.id]

    def test_all_may_join_at_once(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Handlers that wait for all other jobs do not wait for each other."""

        def join(job: DownloadJobBase) -> None:
            if not job.running:
                queue.join()

        jobs = [remote(f"{number}", tmp_path, event_handlers=[join]) for number in range(6)]
        for job in jobs:
            taps[job.destination.name].finish()
            queue.submit_download_job(job)
        queue.join()
        assert {job.status.value for job in jobs} == {"completed"}

    def test_one_that_waits_for_its_own_job_is_told_so(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Not a deadlock but a `TimeoutError`, until the job has ended."""
        seen: list[str] = []

        def wait(job: DownloadJobBase) -> None:
            try:
                queue.wait_for_job(job)
                seen.append("ended")
            except TimeoutError:
                seen.append("in vain")

        taps["a"].finish()
        queue.submit_download_job(remote("a", tmp_path, event_handlers=[wait]))
        queue.join()
        assert seen == ["in vain", "in vain", "ended"]

    def test_ctrl_c_in_one_leaves_a_job_that_goes_on(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """The interrupt reaches whoever submits, and the job is not lost (fault 59)."""

        def interrupted(job: DownloadJobBase) -> None:
            if job.waiting:
                raise KeyboardInterrupt

        taps["a"].finish()
        job = remote("a", tmp_path, event_handlers=[interrupted])
        with pytest.raises(KeyboardInterrupt):
            queue.submit_download_job(job)
        queue.wait_for_job(job, PATIENCE)
        assert job.complete


class TestOrder:
    """Lower priorities run before higher priorities (MM2)."""

    def test_lower_priorities_run_first_then_earlier_submissions(
        self, lane: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """Exactly."""
        first = remote("first", tmp_path)
        lane.submit_download_job(first)
        taps["first"].await_runs()
        jobs = {}
        for name, priority in [("a", 10), ("b", 3), ("c", 10), ("d", -1), ("e", 3)]:
            taps[name].finish()
            jobs[name] = remote(name, tmp_path, priority=priority)
            lane.submit_download_job(jobs[name])
        taps["first"].finish()
        lane.join()
        assert diary.order("completed") == [first.id, *(jobs[name].id for name in "dbeac")]

    def test_a_priority_can_be_changed_while_a_job_waits(
        self, lane: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """Up and down."""
        first = remote("first", tmp_path)
        lane.submit_download_job(first)
        taps["first"].await_runs()
        jobs = {}
        for name in "abc":
            taps[name].finish()
            jobs[name] = remote(name, tmp_path)
            lane.submit_download_job(jobs[name])
        lane.change_priority(jobs["c"], 1)
        lane.change_priority(jobs["a"], 20)
        taps["first"].finish()
        lane.join()
        assert jobs["c"].priority == 1
        assert diary.order("completed") == [first.id, *(jobs[name].id for name in "cba")]

    def test_no_more_run_than_may(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Two of ten at a time."""
        for number in range(10):
            queue.submit_download_job(remote(f"{number}", tmp_path))
        for number in range(10):
            taps[f"{number}"].await_runs()
            taps[f"{number}"].finish()
        queue.join()
        assert taps.most == 2

    def test_start_all_takes_the_first_in_line_first(
        self, lane: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """Whatever the order of submission."""
        jobs = {}
        for name, priority in [("a", 10), ("b", 3), ("c", 1)]:
            taps[name].finish()
            jobs[name] = remote(name, tmp_path, priority=priority)
            lane.submit_download_job(jobs[name], start=False)
        assert diary.events == []
        lane.start_all_jobs()
        lane.join()
        assert diary.order("completed") == [jobs[name].id for name in "cba"]


class TestControl:
    """Job control (MM2)."""

    def test_a_job_that_is_not_started_waits_for_its_start(
        self, queue: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """It is listed, it is idle, and `join` does not wait for it."""
        taps["a"].finish()
        job = remote("a", tmp_path)
        queue.submit_download_job(job, start=False)
        queue.join()
        assert (job.status, queue.list_jobs(), diary.events) == ("idle", [job], [])
        queue.start_job(job)
        queue.join()
        assert diary.of(job) == ["enqueued", "running", "completed"]

    def test_waiting_jobs_can_be_paused_and_cancelled(
        self, lane: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """They never run."""
        for name in "abc":
            taps[name].let(10)
        jobs = [remote(name, tmp_path) for name in "abc"]
        for job in jobs:
            lane.submit_download_job(job)
        lane.pause_job(jobs[1])
        lane.cancel_job(jobs[2])
        taps["a"].finish()
        lane.join()
        assert [job.status.value for job in jobs] == ["completed", "paused", "cancelled"]
        assert [diary.of(job) for job in jobs[1:]] == [
            ["enqueued", "paused"],
            ["enqueued", "cancelled"],
        ]
        assert (taps["b"].runs, taps["c"].runs) == (0, 0)

    def test_all_can_be_paused_started_and_cancelled(
        self, lane: DownloadQueueService, taps: Taps, diary: Diary, tmp_path: Path
    ) -> None:
        """No waiting job slips into the place of one that was paused."""
        jobs = [remote(name, tmp_path) for name in "abcd"]
        for job in jobs:
            lane.submit_download_job(job)
        taps["a"].await_runs()
        lane.pause_all_jobs()
        assert {job.status.value for job in jobs} == {"paused"}
        assert diary.order("running") == [jobs[0].id]
        lane.start_all_jobs()
        taps["a"].await_runs(2)
        lane.cancel_all_jobs()
        assert {job.status.value for job in jobs} == {"cancelled"}
        assert list(tmp_path.iterdir()) == []

    def test_waiting_for_a_job_ends_after_the_timeout(
        self, queue: DownloadQueueService, tmp_path: Path
    ) -> None:
        """With a `TimeoutError`; the job goes on."""
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        with pytest.raises(TimeoutError):
            queue.wait_for_job(job, 0.01)
        assert not job.in_terminal_state

    def test_jobs_are_found_by_their_ids(self, queue: DownloadQueueService, tmp_path: Path) -> None:
        """Ids are numbers from 0 on."""
        jobs = [remote(name, tmp_path) for name in "abc"]
        for job in jobs:
            queue.submit_download_job(job, start=False)
        assert [job.id for job in jobs] == [0, 1, 2]
        assert queue.id_to_job(1) is jobs[1]
        with pytest.raises(UnknownJobIDException):
            queue.id_to_job(7)

    def test_pruning_forgets_what_has_ended(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Completed, failed and cancelled jobs; the others stay."""
        taps["a"].finish()
        taps["b"].fail(GONE)
        jobs = [remote(name, tmp_path) for name in "abcd"]
        for job in jobs:
            queue.submit_download_job(job, start=job.destination.name in "ab")
        queue.join()
        queue.cancel_job(jobs[2])
        queue.prune_jobs()
        assert queue.list_jobs() == [jobs[3]]
        with pytest.raises(UnknownJobIDException):
            queue.wait_for_job(jobs[0])

    @pytest.mark.parametrize("method", ["start_job", "pause_job", "cancel_job", "wait_for_job"])
    def test_a_job_of_nobody_is_unknown(
        self, queue: DownloadQueueService, tmp_path: Path, method: str
    ) -> None:
        """One that was not submitted, or submitted elsewhere, though it has the id of one that was."""
        queue.submit_download_job(remote("a", tmp_path), start=False)
        for stranger in (remote("b", tmp_path), remote("b", tmp_path, id=0)):
            with pytest.raises(UnknownJobIDException):
                getattr(queue, method)(stranger)
            with pytest.raises(UnknownJobIDException):
                queue.change_priority(stranger, 1)

    def test_a_job_is_submitted_once(self, queue: DownloadQueueService, tmp_path: Path) -> None:
        """A second time is a mistake, whatever became of it."""
        job = remote("a", tmp_path)
        queue.submit_download_job(job, start=False)
        with pytest.raises(InvalidDownloadError):
            queue.submit_download_job(job)
        queue.cancel_job(job)
        queue.prune_jobs()
        with pytest.raises(InvalidDownloadError):
            queue.submit_download_job(job)

    def test_a_job_of_unknown_class_is_refused(
        self, queue: DownloadQueueService, tmp_path: Path
    ) -> None:
        """The base class says nothing about what to do."""
        with pytest.raises(InvalidDownloadError, match="DownloadJobBase"):
            queue.submit_download_job(DownloadJobBase(source="a", destination=tmp_path))


class TestStopping:
    """What is stopped can go on."""

    def test_stop_pauses_everything_and_start_lets_it_go_on(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Those that ran and those that waited."""
        jobs = [remote(name, tmp_path) for name in "abc"]
        for job in jobs:
            queue.submit_download_job(job)
        taps["a"].await_runs()
        queue.stop()
        assert {job.status.value for job in jobs} == {"paused"}
        assert taps.running == 0
        queue.start_all_jobs()
        assert {job.status.value for job in jobs} == {"enqueued"}
        for name in "abc":
            taps[name].finish()
        queue.start()
        queue.join()
        assert {job.status.value for job in jobs} == {"completed"}

    def test_starting_a_queue_that_works_changes_nothing(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """The installer's sample calls `start`, the queue's own does not."""
        queue.start()
        taps["a"].finish()
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        queue.start()
        queue.join()
        assert job.complete

    def test_stop_does_not_wait_for_a_handler_that_hangs(self, taps: Taps, tmp_path: Path) -> None:
        """It returns, and the job pauses when its handler lets it."""
        hanging = Event()
        queue = DownloadQueueService(fetcher=taps)
        job = remote(
            "a", tmp_path, event_handlers=[lambda one: one.running and hanging.wait(PATIENCE)]
        )
        queue.submit_download_job(job)
        stopping = Thread(target=queue.stop)
        stopping.start()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
        hanging.set()
        queue.join()
        assert job.paused


class TestMaking:
    """`create_download_job` looks at the type of the source and selects the right subclass (MM2)."""

    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            ("http://files.example/a", DownloadJobURL),
            (AnyHttpUrl("https://files.example/a"), DownloadJobURL),
            ("HTTPS://files.example/a", DownloadJobURL),
            ("/some/where", DownloadJobPath),
            ("some/where", DownloadJobPath),
            (Path("some/where"), DownloadJobPath),
            ("file:///some/where", DownloadJobPath),
            ("file://localhost/some/where", DownloadJobPath),
        ],
    )
    def test_the_class_fits_the_source(
        self,
        queue: DownloadQueueService,
        tmp_path: Path,
        source: str | Path | AnyHttpUrl,
        kind: type[DownloadJobBase],
    ) -> None:
        """Addresses are fetched, paths are moved."""
        job = queue.create_download_job(source, tmp_path, start=False, priority=3)
        assert (type(job), job.status, job.priority) == (kind, "idle", 3)
        assert queue.list_jobs() == [job]

    @pytest.mark.parametrize(
        "source",
        ["ftp://a.example/b", "file://other.example/b", "http://", "http://[", "https://a b/"],
    )
    def test_other_sources_are_refused(
        self, queue: DownloadQueueService, tmp_path: Path, source: str
    ) -> None:
        """With a typed error, and no job is made."""
        with pytest.raises(InvalidDownloadError):
            queue.create_download_job(source, tmp_path)
        assert queue.list_jobs() == []

    def test_a_file_name_is_forced(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """In place of the remote's; the folder is made."""
        taps["a"].finish()
        job = queue.create_download_job(
            url_of("a"), destdir=tmp_path / "new" / "models", filename="my_model.safetensors"
        )
        queue.wait_for_job(job, PATIENCE)
        assert (tmp_path / "new/models/my_model.safetensors").stat().st_size == MIB

    def test_without_one_the_remote_names_the_file(
        self, queue: DownloadQueueService, taps: Taps, tmp_path: Path
    ) -> None:
        """Inside the folder, which is made."""
        taps["a"].finish()
        job = queue.create_download_job(url_of("a"), destdir=str(tmp_path / "models"))
        queue.wait_for_job(job, PATIENCE)
        assert job.downloaded_path == tmp_path / "models" / "a"

    @pytest.mark.parametrize("name", ["../a", "/a", "b/../../a", ""])
    def test_a_file_name_stays_in_its_folder(
        self, queue: DownloadQueueService, tmp_path: Path, name: str
    ) -> None:
        """Whoever names a file names it inside the folder."""
        with pytest.raises(InvalidDownloadError):
            queue.create_download_job(url_of("a"), tmp_path, filename=name)

    def test_a_subclass_decides_otherwise(self, taps: Taps, tmp_path: Path) -> None:
        """The document's TODO: the choice is a method of its own."""

        class Mirrored(DownloadQueueService):
            def make_job(
                self,
                source: str | Path | AnyHttpUrl,
                folder: Path,
                **fields: Any,  # noqa: ANN401
            ) -> DownloadJobBase:
                return super().make_job(
                    str(source).replace("mirror:", "https://files.example/"), folder, **fields
                )

        taps["a"].finish()
        with opened(lambda: Mirrored(fetcher=taps)) as queue:
            job = queue.create_download_job("mirror:a", tmp_path)
            queue.wait_for_job(job, PATIENCE)
        assert job.complete

    def test_a_subclass_has_jobs_of_its_own(self, taps: Taps, tmp_path: Path) -> None:
        """Of a class that this package does not know, with work of their own; kept they are not."""

        class Wait:
            def run(self, job: DownloadJobBase, stop: StopSignal, report: Report) -> Stopped | None:
                report(1, 1)
                return (
                    None if job.source == "short" else Stopped(StopKind.CANCEL, stop.kind is None)
                )

            def discard(self, job: DownloadJobBase) -> None:
                """There is nothing."""

        class Waiting(DownloadQueueService):
            def work_for(self, job: DownloadJobBase) -> JobWork[DownloadJobBase]:
                return Wait() if type(job) is DownloadJobBase else super().work_for(job)

        with opened(lambda: Waiting(fetcher=taps, state_folder=tmp_path / "state")) as queue:
            jobs = [DownloadJobBase(source=one, destination=tmp_path) for one in ("short", "long")]
            for job in jobs:
                queue.submit_download_job(job)
            queue.join()
            assert list((tmp_path / "state").glob("*.json")) == []
        assert [(job.id, job.status.value) for job in jobs] == [(0, "completed"), (1, "cancelled")]

    def test_a_job_for_which_the_system_has_no_thread_fails(
        self, queue: DownloadQueueService, tmp_path: Path
    ) -> None:
        """And is not left waiting for ever."""
        job = remote("a", tmp_path)
        before = threading.stack_size(1 << 45)
        try:
            queue.submit_download_job(job)
        finally:
            threading.stack_size(before)
        assert (job.status, type(job.error)) == ("error", RuntimeError)
        queue.join()

    def test_limits_can_be_changed(self, queue: DownloadQueueService) -> None:
        """While it works; what they do is shown where they are kept."""
        queue.change_rate_limit(1_000_000, per_host=500_000)
        queue.change_rate_limit(None)
        queue.change_connections_per_host(2)

    def test_tokens_are_presented(self, taps: Taps, tmp_path: Path) -> None:
        """The job's own, or the one that is known for its address."""
        with opened(
            lambda: DownloadQueueService(
                fetcher=taps, token_for=lambda url: f"for {url.rpartition('/')[2]}"
            )
        ) as queue:
            for name, token in [("a", "own"), ("b", None)]:
                taps[name].finish()
                queue.create_download_job(url_of(name), tmp_path, access_token=token)
            queue.join()
        assert (taps["a"].tokens, taps["b"].tokens) == (["own"], ["for b"])

    def test_it_is_a_queue(self) -> None:
        """The base class names what every queue can do."""
        assert issubclass(DownloadQueueService, DownloadQueueServiceBase)


class TestLog:
    """The download queue logs when downloads start and end, unless `quiet` is set (MM2)."""

    @pytest.mark.parametrize("quiet", [False, True])
    def test_starts_and_ends_are_logged_without_secrets(
        self, taps: Taps, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, quiet: bool
    ) -> None:
        """At INFO, by the address that is public."""
        caplog.set_level(logging.INFO, "modelshelf.download")
        taps["a?token=hush"].finish()
        with opened(lambda: DownloadQueueService(quiet=quiet, fetcher=taps)) as queue:
            job = DownloadJobRemoteSource(
                source="https://ann:hush@files.example/a?token=hush",
                destination=tmp_path / "a",
                access_token="hu" + "sh",
            )
            queue.submit_download_job(job)
            queue.join()
        said = [record.getMessage() for record in caplog.records]
        assert "hush" not in " ".join(said)
        assert said == (
            []
            if quiet
            else [
                "download 0 began: https://files.example/a",
                f"download 0 completed: https://files.example/a, {MIB} bytes",
            ]
        )

    def test_a_quiet_queue_says_nothing_at_info_or_above(
        self, taps: Taps, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not of a broken handler, of a failure or of a state that cannot be read either (MM2)."""

        def broken(_: DownloadJobBase) -> None:
            message = "broken"
            raise ValueError(message)

        caplog.set_level(logging.DEBUG, "modelshelf.download")
        state = tmp_path / "state"
        state.mkdir()
        (state / "3.json").write_text("no job")
        taps["a"].fail(ConnectionLostError(url="https://files.example/a", reason="it rains"))
        with opened(
            lambda: DownloadQueueService([broken], quiet=True, fetcher=taps, state_folder=state)
        ) as queue:
            queue.submit_download_job(remote("a", tmp_path))
            queue.join()
        assert {record.levelname for record in caplog.records} == {"DEBUG"}
        assert any("broken" in record.getMessage() for record in caplog.records)
        assert any("no download job" in record.getMessage() for record in caplog.records)

    def test_failures_are_logged(
        self, taps: Taps, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With what went wrong."""
        caplog.set_level(logging.INFO, "modelshelf.download")
        taps["a"].fail(ConnectionLostError(url="https://files.example/a", reason="it rains"))
        with opened(lambda: DownloadQueueService(fetcher=taps)) as queue:
            queue.submit_download_job(remote("a", tmp_path))
            queue.join()
        assert "it rains" in caplog.records[-1].getMessage()

    def test_an_error_of_somebody_else_is_logged_by_its_kind(
        self, taps: Taps, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What it says could hold a secret."""
        caplog.set_level(logging.INFO, "modelshelf.download")
        taps["a"].fail(ValueError("https://files.example/a?token=hush"))
        with opened(lambda: DownloadQueueService(fetcher=taps)) as queue:
            queue.submit_download_job(remote("a", tmp_path))
            queue.join()
        assert caplog.records[-1].getMessage().endswith(": ValueError")
