from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.cli.batch import Batch
from modelshelf.cli.installing import job_said, run_jobs, told_early
from modelshelf.cli.session import Session
from modelshelf.errors import OfflineError
from modelshelf.events import EventBus
from modelshelf.schema.install_job import InstallStatus, ModelInstallJob
from modelshelf.schema.model_source import HFModelSource, URLModelSource


def failed(number: int, error: Exception, code: str | None = None) -> ModelInstallJob:
    """Make a job that ended with *error*."""
    return ModelInstallJob(
        id=number,
        source=HFModelSource(repo_id=f"acme/{number}", variant=None),
        local_path=Path("/nowhere"),
        status=InstallStatus.ERROR,
        error_type=type(error).__name__,
        error=f"Traceback:\n  somewhere\n{type(error).__name__}: {error}\x1b[31m\n",
        error_code=code,
        exception=error,
    )


def test_an_error_that_nobody_foresaw_hides_no_other_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each job is told of; of the unforeseen one the traceback too, without what could harm a terminal."""
    session = Session()
    batch = Batch(session)
    jobs = [
        failed(1, ZeroDivisionError("no such thing")),
        failed(2, OfflineError(source="acme/2"), "offline"),
    ]
    with EventBus().subscribe() as events:
        run_jobs(session, batch, events, jobs)
    said = capsys.readouterr().err
    assert "installing `acme/1` failed: ZeroDivisionError: no such thing" in said
    assert "  somewhere\n" in said
    assert "`acme/2` needs the network" in said
    assert "\x1b[31m" not in said
    assert [each["item"] for each in batch.failed] == ["acme/1", "acme/2"]
    assert batch.status == 1


def test_programs_get_the_traceback_of_what_nobody_foresaw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the job, and not among the lines of stderr, each of which is JSON."""
    session = Session(json=True)
    batch = Batch(session)
    jobs = [failed(1, ZeroDivisionError("x")), failed(2, OfflineError(source="a"), "offline")]
    with EventBus().subscribe() as events:
        run_jobs(session, batch, events, jobs)
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["installation-failed", "offline"]
    assert "somewhere" in job_said(jobs[0])["error"]
    assert "error" not in job_said(jobs[1])


@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_of_an_address_are_shown_nowhere(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    """What a command prints ends up in logs."""
    session = Session(json=as_json)
    batch = Batch(session)
    job = failed(1, ZeroDivisionError("x"))
    job.source = URLModelSource(url="https://me:pass1@h.example/a.safetensors?token=pass2&id=7")
    with EventBus().subscribe() as events:
        run_jobs(session, batch, events, [job])
    told = json.dumps([job_said(job), batch.failed])
    assert told.count("https://h.example/a.safetensors?id=7") == 3
    assert "pass" not in told + "".join(capsys.readouterr())


def interrupt() -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def fail() -> None:
    """Fail as foreseen."""
    raise OfflineError(source="acme/dream")


@pytest.mark.parametrize(
    ("act", "kind", "done", "is_told"),
    [
        (interrupt, KeyboardInterrupt, ["a model"], True),
        (interrupt, KeyboardInterrupt, [], True),
        (fail, OfflineError, ["a model"], True),
        (fail, OfflineError, [], False),
    ],
)
def test_what_was_done_is_told_where_a_command_ends_early(
    act: Callable[[], None], kind: type[BaseException], done: list[str], *, is_told: bool
) -> None:
    """To programs, once; an error of a command that has done nothing is told on stderr alone."""
    told: list[str] = []
    with (
        pytest.raises(kind),
        told_early(Session(json=True), lambda: told.append("document"), [], done),
    ):
        act()
    assert told == ["document"] * is_told
    with pytest.raises(kind), told_early(Session(), lambda: told.append("document"), done):
        act()
    assert told == ["document"] * is_told
