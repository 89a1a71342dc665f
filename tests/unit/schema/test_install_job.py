from __future__ import annotations

import copy

import pytest
from pydantic import ValidationError

from modelshelf.schema.config import parse_config
from modelshelf.schema.event import DownloadPart
from modelshelf.schema.install_job import InstallJobs, InstallStatus, ModelInstallJob
from modelshelf.schema.model_source import HFModelSource, LocalModelSource, URLModelSource

PATH = LocalModelSource(path="/models/LoWRA.safetensors")
REPO = HFModelSource(repo_id="author/model", access_token="hf_secret")  # noqa: S106


def test_each_status_has_its_property() -> None:
    """Exactly one of them is true at a time, and three are terminal."""
    job = ModelInstallJob(id=1, source=PATH)
    names = ("waiting", "downloading", "running", "paused", "complete", "errored", "cancelled")
    ended = []
    for status, name in zip(InstallStatus, names, strict=True):
        job.status = status
        assert [one for one in names if getattr(job, one)] == [name]
        ended += [status] if job.in_terminal_state else []
    assert ended == [InstallStatus.COMPLETED, InstallStatus.ERROR, InstallStatus.CANCELLED]


def test_a_job_tells_all_fields_of_its_record() -> None:
    """Those too that only the record's class has; the record itself is handed on as it is."""
    fields = {"name": "ink", "type": "main", "format": "checkpoint", "base": "sd-1"}
    record = parse_config({**fields, "path": "ink.ckpt", "config": "v1-inference.yaml"})
    job = ModelInstallJob(id=1, source=PATH)
    job.config_out = record
    assert job.config_out is record
    assert job.model_dump()["config_out"] == record.model_dump()
    assert job.model_dump(mode="json")["config_out"]["config"] == "v1-inference.yaml"


def test_a_job_that_was_written_is_read_with_its_record() -> None:
    """As the class that the record's type and format decide; what is none is refused."""
    fields = {"name": "ink", "type": "main", "format": "checkpoint", "base": "sd-1"}
    record = parse_config({**fields, "path": "ink.ckpt", "config": "v1-inference.yaml"})
    written = ModelInstallJob(id=1, source=PATH, config_out=record).model_dump_json()
    read = ModelInstallJob.model_validate_json(written).config_out
    assert type(read) is type(record)
    assert read == record
    with pytest.raises(ValidationError, match="laura"):
        ModelInstallJob(id=1, source=PATH, config_out={**fields, "type": "laura"})


def test_no_token_leaves_a_job() -> None:
    """Neither as JSON nor printed."""
    part = DownloadPart(source="https://h.example/a", local_path="/a", bytes=1, total_bytes=2)
    job = ModelInstallJob(id=1, source=REPO, parts=(part,))
    assert "hf_secret" not in f"{job!r} {job} {job.model_dump_json()} {job.model_dump()}"
    assert job.model_dump(mode="json")["parts"] == [
        {"source": "https://h.example/a", "local_path": "/a", "bytes": 1, "total_bytes": 2}
    ]


def test_jobs_are_found_by_place_and_by_source() -> None:
    """The newest job of a source is the one that counts."""
    first, second, third = (
        ModelInstallJob(id=number, source=source)
        for number, source in enumerate((PATH, REPO, PATH))
    )
    jobs = InstallJobs([first, second, third])
    assert (jobs[0], jobs[-1], jobs[PATH], jobs[REPO]) == (first, third, third, second)
    assert jobs[1:] == [second, third]
    assert jobs[1:][REPO] is second
    assert REPO in jobs
    assert second in jobs
    assert URLModelSource(url="https://h.example/a") not in jobs
    assert ModelInstallJob(id=0, source=PATH) not in jobs
    with pytest.raises(KeyError):
        jobs[URLModelSource(url="https://h.example/a")]
    with pytest.raises(IndexError):
        jobs[3]
    assert copy.copy(jobs)[REPO] is second


def test_jobs_are_what_the_document_calls_a_dict() -> None:
    """It says that `wait_for_installs` returns one that maps the requested source to its job."""
    first, second, third = (
        ModelInstallJob(id=number, source=source)
        for number, source in enumerate((PATH, REPO, PATH))
    )
    jobs = InstallJobs([first, second, third])
    as_dict = dict(jobs)  # type: ignore[misc] # typed as of a list, made as of a mapping
    assert as_dict == {PATH: third, REPO: second}
    assert list(jobs.items()) == [(PATH, third), (REPO, second)]
    assert list(jobs.keys()) == [PATH, REPO]
    assert list(jobs.values()) == [third, second]
    assert jobs.get(PATH) is third
    assert jobs.get(URLModelSource(url="https://h.example/a")) is None
    assert list(jobs) == [first, second, third]
