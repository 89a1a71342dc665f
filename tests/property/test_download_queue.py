from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from modelshelf.download.queue import DownloadQueueService
from modelshelf.download.scheduling import WaitingLine
from modelshelf.errors import RemoteFileGoneError
from modelshelf.schema.download_job import DownloadJobRemoteSource
from tests.unit.download.queue_world import PATIENCE, Diary, Taps, remote

pytestmark = [pytest.mark.property, pytest.mark.timeout(3600)]

SLOTS = 2
PRIORITIES = st.integers(min_value=-3, max_value=3)


class Model:
    """What the document says of a queue, for somebody who has time."""

    def __init__(self) -> None:
        self.status: dict[int, str] = {}
        self.priority: dict[int, int] = {}
        self.events: dict[int, list[str]] = {}
        self.started: list[int] = []

    def put(self, number: int, status: str) -> None:
        self.status[number] = status
        self.events[number].append(status)

    def start(self, number: int) -> None:
        if self.status[number] == "idle":
            self.put(number, "enqueued")
        elif self.status[number] == "paused":
            self.status[number] = "enqueued"

    def fill(self) -> None:
        while len(self.running) < SLOTS and self.waiting:
            number = min(self.waiting, key=lambda one: (self.priority[one], one))
            self.put(number, "running")
            self.started.append(number)

    @property
    def running(self) -> list[int]:
        return [number for number, status in self.status.items() if status == "running"]

    @property
    def waiting(self) -> list[int]:
        return [number for number, status in self.status.items() if status == "enqueued"]

    @property
    def unfinished(self) -> list[int]:
        ended = {"completed", "error", "cancelled"}
        return [number for number, status in self.status.items() if status not in ended]


class QueueMachine(RuleBasedStateMachine):
    """Any sequence of submissions, pauses, starts, cancellations and changes of priority."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.taps, self.diary, self.model = Taps(), Diary(), Model()
        self.queue = DownloadQueueService([self.diary], SLOTS, fetcher=self.taps)
        self.jobs: list[DownloadJobRemoteSource] = []

    @rule(priority=PRIORITIES, start=st.booleans())
    def submit(self, priority: int, *, start: bool) -> None:
        """Take a job."""
        number = len(self.jobs)
        job = remote(f"{number}", Path(self.folder.name), priority=priority)
        self.jobs.append(job)
        self.model.status[number] = "idle"
        self.model.events[number] = []
        self.model.priority[number] = priority
        if start:
            self.model.start(number)
        self.model.fill()
        self.queue.submit_download_job(job, start=start)
        assert job.id == number

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        """Start any job."""
        number = data.draw(st.sampled_from(range(len(self.jobs))))
        self.model.start(number)
        self.model.fill()
        self.queue.start_job(self.jobs[number])

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def pause(self, data: st.DataObject) -> None:
        """Pause any job."""
        number = data.draw(st.sampled_from(range(len(self.jobs))))
        if self.model.status[number] in {"enqueued", "running"}:
            self.model.put(number, "paused")
        self.model.fill()
        self.queue.pause_job(self.jobs[number])

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel any job."""
        number = data.draw(st.sampled_from(range(len(self.jobs))))
        if number in self.model.unfinished:
            self.model.put(number, "cancelled")
        self.model.fill()
        self.queue.cancel_job(self.jobs[number])

    @precondition(lambda self: self.model.unfinished)
    @rule(data=st.data(), priority=PRIORITIES)
    def change_priority(self, data: st.DataObject, priority: int) -> None:
        """Move any job."""
        number = data.draw(st.sampled_from(self.model.unfinished))
        self.model.priority[number] = priority
        self.queue.change_priority(self.jobs[number], priority)

    @precondition(lambda self: self.model.running)
    @rule(data=st.data(), fails=st.booleans())
    def end(self, data: st.DataObject, *, fails: bool) -> None:
        """Let a running job come to its end."""
        number = data.draw(st.sampled_from(self.model.running))
        self.model.put(number, "error" if fails else "completed")
        self.model.fill()
        if fails:
            self.taps[f"{number}"].fail(RemoteFileGoneError(url="", status=404, reason=""))
        else:
            self.taps[f"{number}"].finish()
        self.queue.wait_for_job(self.jobs[number], PATIENCE)

    @rule()
    def pause_all(self) -> None:
        """Pause every job."""
        for number in self.model.running + self.model.waiting:
            self.model.put(number, "paused")
        self.queue.pause_all_jobs()

    @rule()
    def start_all(self) -> None:
        """Start every job."""
        for number in self.model.unfinished:
            self.model.start(number)
        self.model.fill()
        self.queue.start_all_jobs()

    @invariant()
    def agrees(self) -> None:
        """Every job is where the model has it, came there in the same way, and in the same order."""
        for number in self.model.running:
            times = self.model.events[number].count("running")
            self.diary.await_event(self.jobs[number], "running", times)
        assert [job.status.value for job in self.jobs] == [
            self.model.status[number] for number in range(len(self.jobs))
        ]
        for number, job in enumerate(self.jobs):
            assert self.diary.of(job) == self.model.events[number]
        drawn = sorted(
            (job.job_sequence, job.id) for job in self.jobs if job.job_sequence is not None
        )
        last = {number: at for at, number in enumerate(self.model.started)}
        assert [number for _, number in drawn] == sorted(last, key=last.__getitem__)

    def teardown(self) -> None:
        """Stop the queue."""
        self.queue.stop()
        self.folder.cleanup()


def test_a_queue_does_what_the_document_says_in_any_order() -> None:
    """Status, events and order of starts agree with a model, after each step of any sequence."""
    run_state_machine_as_test(QueueMachine, settings=settings(stateful_step_count=25))


class LineMachine(RuleBasedStateMachine):
    """Lower priorities run before higher priorities, in the order of submission."""

    def __init__(self) -> None:
        super().__init__()
        self.line, self.model = WaitingLine(), dict[int, int]()

    @rule(number=st.integers(0, 20), priority=PRIORITIES)
    def add(self, number: int, priority: int) -> None:
        """Let somebody wait, here or there."""
        self.line.add(number, priority)
        self.model[number] = priority

    @rule(number=st.integers(0, 20))
    def remove(self, number: int) -> None:
        """Let somebody go."""
        self.line.remove(number)
        self.model.pop(number, None)

    @rule()
    def next(self) -> None:
        """Serve whose turn it is."""
        expected = min(self.model, key=lambda one: (self.model[one], one), default=None)
        assert self.line.next() == expected
        if expected is not None:
            del self.model[expected]

    @invariant()
    def agrees(self) -> None:
        """The same are waiting."""
        assert [number in self.line for number in range(21)] == [
            number in self.model for number in range(21)
        ]
        assert bool(self.line) == bool(self.model)


def test_a_line_equals_a_sorted_list() -> None:
    """However jobs come, move and go."""
    run_state_machine_as_test(LineMachine)
