from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Barrier, Thread

import pytest

from modelshelf.download.queue import DownloadQueueService
from modelshelf.errors import InvalidDownloadError, RemoteFileGoneError
from modelshelf.schema.download_job import DownloadJobBase, DownloadJobRemoteSource
from tests.unit.download.queue_world import PATIENCE, Diary, Taps, opened, remote

TERMINAL = {"completed", "error", "cancelled"}
MAY_FOLLOW = {
    "": {"enqueued"},
    "enqueued": {"running", "paused", "cancelled"},
    "running": {"running", "paused", "completed", "error", "cancelled"},
    # What was paused waits again without an event, and may be paused or cancelled in the line.
    "paused": {"running", "paused", "cancelled"},
    "completed": set(),
    "error": set(),
    "cancelled": set(),
}
GONE = RemoteFileGoneError(url="https://files.example/a", status=404, reason="gone")


def together(*deeds: Callable[[], object]) -> None:
    """Do all of it at the same time, and wait until it is done."""
    barrier = Barrier(len(deeds))

    failures: list[BaseException] = []

    def do(deed: Callable[[], object]) -> None:
        barrier.wait()
        try:
            deed()
        except Exception as error:  # noqa: BLE001 - it is told where it is waited for
            failures.append(error)

    threads = [Thread(target=do, args=(deed,), daemon=True) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert failures == []


def check_histories(diary: Diary, jobs: list[DownloadJobRemoteSource]) -> None:
    """Every event may follow the one before, there is one end at most, and numbers only rise."""
    for job in jobs:
        events = diary.of(job)
        for before, after in zip(["", *events], events, strict=False):
            assert after in MAY_FOLLOW[before], events
        assert sum(event in TERMINAL for event in events) <= 1
        assert events.count("enqueued") == 1
        assert events[-1] == job.status
        assert diary.bytes[job.id] == sorted(diary.bytes[job.id])


def end_all(queue: DownloadQueueService, taps: Taps, jobs: list[DownloadJobRemoteSource]) -> None:
    """Let every job come to its end, however often it is paused on the way."""
    for job in jobs:
        taps[job.destination.name].finish()
    queue.join()
    assert {job.status.value for job in jobs} <= TERMINAL | {"paused"}
    while not all(job.in_terminal_state for job in jobs):
        queue.start_all_jobs()
        queue.join()


def deeds_of(
    queue: DownloadQueueService, taps: Taps
) -> list[Callable[[DownloadJobRemoteSource], object]]:
    """What one can do to a job, the frequent deeds several times."""
    return [
        *[queue.pause_job] * 10,
        *[queue.start_job] * 10,
        *[lambda job: taps[job.destination.name].let(30_000)] * 8,
        *[lambda job: queue.change_priority(job, job.id % 3)] * 2,
        lambda job: taps[job.destination.name].fail(GONE),
        queue.cancel_job,
        lambda _: queue.pause_all_jobs(),
        lambda _: queue.start_all_jobs(),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_state_is_exact_whatever_many_threads_want(tmp_path: Path, seed: int) -> None:
    """Pauses, starts, cancellations and broken handlers from ten threads at once (fault 57)."""
    taps, diary = Taps(), Diary()

    def broken(job: DownloadJobBase) -> None:
        raise ValueError(job.id)

    with opened(lambda: DownloadQueueService([diary, broken], 3, fetcher=taps)) as queue:

        def meddle(job: DownloadJobBase) -> None:
            chance = random.Random(f"{seed} {job.id} {len(diary.events)}").random()  # noqa: S311
            if chance < 0.1:
                queue.pause_job(job)
            elif chance < 0.15:
                queue.start_job(job)

        jobs = [remote(f"{number}", tmp_path, event_handlers=[meddle]) for number in range(12)]
        for job in jobs:
            queue.submit_download_job(job)
        deeds = deeds_of(queue, taps)

        def bother(which: int) -> None:
            dice = random.Random(1000 * seed + which)  # noqa: S311
            for _ in range(60):
                dice.choice(deeds)(dice.choice(jobs))

        together(*(partial(bother, which) for which in range(10)))
        queue.pause_all_jobs()
        # A handler may have started a job again in the very moment of its pause.
        end_all(queue, taps, jobs)
    check_histories(diary, jobs)
    assert {path.name for path in tmp_path.iterdir()} == {
        job.destination.name for job in jobs if job.complete
    }
    assert taps.most <= 3


@pytest.mark.parametrize("attempt", range(10))
def test_a_cancellation_is_never_lost(tmp_path: Path, attempt: int) -> None:
    """Although others pause and start the job in the same moment."""
    taps = Taps()
    with opened(lambda: DownloadQueueService(fetcher=taps)) as queue:
        job = remote("a", tmp_path)
        queue.submit_download_job(job)
        taps["a"].let(attempt * 1000)

        def waver() -> None:
            for _ in range(20):
                queue.pause_job(job)
                queue.start_job(job)

        together(waver, waver, lambda: queue.cancel_job(job), waver)
        queue.join()
        assert job.cancelled
    assert list(tmp_path.iterdir()) == []


def test_a_job_is_submitted_once_by_whoever_is_first(tmp_path: Path) -> None:
    """The others are told so, and there is one `enqueued` event."""
    taps, diary, refused = Taps(), Diary(), []
    taps["a"].finish()
    job = remote("a", tmp_path)
    with opened(lambda: DownloadQueueService([diary], fetcher=taps)) as queue:

        def submit() -> None:
            try:
                queue.submit_download_job(job)
            except InvalidDownloadError:
                refused.append(True)

        together(*[submit] * 8)
        queue.join()
    assert len(refused) == 7
    assert diary.of(job) == ["enqueued", "running", "completed"]


def test_many_threads_submit_and_prune(tmp_path: Path) -> None:
    """Every job gets an id of its own, runs once and can be forgotten meanwhile."""
    taps, diary = Taps(), Diary()
    with opened(lambda: DownloadQueueService([diary], 4, fetcher=taps)) as queue:

        def submit(which: int) -> None:
            for number in range(25):
                taps[f"{which}-{number}"].finish()
                queue.submit_download_job(remote(f"{which}-{number}", tmp_path))
                queue.prune_jobs()

        together(*(partial(submit, which) for which in range(6)))
        queue.join()
        queue.prune_jobs()
        assert queue.list_jobs() == []
    assert sorted(diary.order("completed")) == list(range(150))
    assert len(list(tmp_path.iterdir())) == 150


def test_stop_and_start_while_jobs_come(tmp_path: Path) -> None:
    """Nothing is lost by a queue that is stopped again and again."""
    taps = Taps()
    with opened(lambda: DownloadQueueService(max_parallel_dl=2, fetcher=taps)) as queue:
        jobs = [remote(f"{number}", tmp_path) for number in range(30)]

        def submit() -> None:
            for job in jobs:
                taps[job.destination.name].finish()
                queue.submit_download_job(job)

        def interrupt() -> None:
            for _ in range(10):
                queue.stop()
                queue.start()

        together(submit, interrupt)
        queue.start_all_jobs()
        queue.join()
        assert {job.status.value for job in jobs} == {"completed"}


def test_queues_of_one_folder_come_and_go(tmp_path: Path) -> None:
    """One works while others look for the jobs of the dead; nobody trips over what vanishes meanwhile."""
    taps = Taps()
    state = tmp_path / "state"
    jobs = [remote(f"{number}", tmp_path / "out") for number in range(60)]

    def work() -> None:
        with DownloadQueueService(fetcher=taps, state_folder=state) as queue:
            for job in jobs:
                taps[job.destination.name].finish()
                queue.submit_download_job(job)
            queue.join()

    def look() -> None:
        for _ in range(25):
            with DownloadQueueService(fetcher=taps, state_folder=state) as queue:
                assert queue.list_jobs() == []

    together(work, look, look)
    assert {job.status.value for job in jobs} == {"completed"}
    assert [path.name for path in state.iterdir()] == ["gate.lock"]
