from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from modelshelf.errors import ConnectionLostError
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadJobURL,
    MultiFileDownloadJob,
)
from modelshelf.schema.transfer import ExpectedContent, Verification

SECRET = "hf_secret" + "secret"
ADDRESS = f"https://ann:{SECRET}@example.org/a/model.bin?token={SECRET}#{SECRET}"


def test_a_new_job_has_the_documented_fields_and_defaults() -> None:
    """The table of `DownloadJobBase`."""
    job = DownloadJobBase(source="here", destination=Path("there"))
    assert (job.priority, job.status, job.event_handlers) == (10, DownloadJobStatus.IDLE, [])
    assert (job.job_started, job.job_ended, job.job_sequence, job.error) == (None,) * 4
    assert job.preserve_partial_downloads is False


def test_a_remote_job_has_the_documented_fields_and_defaults() -> None:
    """The table of `DownloadJobRemoteSource`."""
    job = DownloadJobRemoteSource(source="http://a.example/b", destination=Path("there"))
    assert (job.bytes, job.total_bytes, job.access_token) == (0, 0, None)


def test_the_states_have_the_documented_texts() -> None:
    """The table of `DownloadJobStatus`."""
    texts = ["idle", "enqueued", "running", "paused", "completed", "error", "cancelled"]
    assert [status.value for status in DownloadJobStatus] == texts


def test_the_classes_specialize_each_other() -> None:
    """A job for an address is a job for a remote source, which is a job."""
    assert issubclass(DownloadJobURL, DownloadJobRemoteSource)
    assert all(
        issubclass(kind, DownloadJobBase)
        for kind in (DownloadJobPath, DownloadJobRemoteSource, MultiFileDownloadJob)
    )


@pytest.mark.parametrize("source", ["", "no address", "ftp://example.org/a", "http://", "/a/b"])
def test_an_address_is_checked(source: str) -> None:
    """`DownloadJobURL` takes http and https alone."""
    with pytest.raises(ValidationError):
        DownloadJobURL(source=source, destination=Path("there"))


def test_a_misspelt_field_is_refused() -> None:
    """A job that is not what was meant would be noticed hours later."""
    with pytest.raises(ValidationError):
        DownloadJobBase.model_validate({"source": "here", "destination": "there", "priorty": 1})


@pytest.mark.parametrize("kind", [DownloadJobRemoteSource, DownloadJobURL])
def test_nothing_secret_is_shown(kind: type[DownloadJobRemoteSource]) -> None:
    """Neither the token nor what an address may carry is in what a job says of itself."""
    job = kind(source=ADDRESS, destination=Path("there"), access_token=SECRET)
    assert SECRET not in f"{job} {job!r} {job.model_dump_json()}"
    assert "https://example.org/a/model.bin" in repr(job)
    assert json.loads(job.model_dump_json())["source"] == "https://example.org/a/model.bin"
    assert SECRET in str(job.source)
    assert job.model_dump()["source"] == job.source


def test_an_address_that_is_none_can_be_shown() -> None:
    """What cannot be taken apart is not shown beyond its first word."""
    job = DownloadJobRemoteSource(source=f"http://[{SECRET}", destination=Path("there"))
    assert SECRET not in repr(job)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            ConnectionLostError(url="https://example.org/a", reason="it rains"),
            "ConnectionLostError: lost the connection to `https://example.org/a`: it rains",
        ),
        (ValueError(SECRET), "ValueError"),
    ],
)
def test_its_json_form_tells_an_error_in_words(error: Exception, shown: str) -> None:
    """Those of our own errors; what others say could hold a secret."""
    job = DownloadJobBase(source="here", destination=Path("there"), error=error)
    assert json.loads(job.model_dump_json())["error"] == shown
    assert job.model_dump()["error"] is error
    assert SECRET not in repr(job)


def test_jobs_are_equal_when_they_are_the_same() -> None:
    """Two jobs for the same file are two jobs."""
    first, second = (DownloadJobBase(source="a", destination=Path("b")) for _ in range(2))
    assert first != second
    assert len({first, second, first}) == 2


def test_handlers_can_be_added_and_cleared() -> None:
    """A list that somebody goes through meanwhile does not change."""
    seen: list[str] = []
    job = DownloadJobBase(source="a", destination=Path("b"), event_handlers=[lambda _: None])
    before = job.event_handlers
    job.add_event_handler(lambda one: seen.append(one.status))
    assert (len(before), len(job.event_handlers)) == (1, 2)
    job.event_handlers[1](job)
    assert seen == ["idle"]
    job.clear_event_handlers()
    assert job.event_handlers == []


@pytest.mark.parametrize(("destination", "is_folder"), [("a/b/", True), ("a/b", False)])
def test_a_trailing_slash_means_a_folder(destination: str, *, is_folder: bool) -> None:
    """As in the document's `destination='/tmp/models/'`."""
    job = DownloadJobRemoteSource.model_validate(
        {"source": "http://a.example/b", "destination": destination}
    )
    assert (job.destination, job.destination_is_folder) == (Path("a/b"), is_folder)


@pytest.mark.parametrize("status", list(DownloadJobStatus))
def test_a_job_says_in_words_where_it_is(status: DownloadJobStatus) -> None:
    """One property each, and one for the three ends."""
    job = DownloadJobBase(source="a", destination=Path("b"), status=status)
    told = [job.waiting, job.running, job.paused, job.complete, job.errored, job.cancelled]
    assert sum(told) == (status is not DownloadJobStatus.IDLE)
    assert job.in_terminal_state is (status.value in {"completed", "error", "cancelled"})


@pytest.mark.parametrize(
    ("parts", "together"),
    [
        (["digest", "digest"], "digest"),
        (["digest", "size"], "size"),
        (["unverified", "size", "digest"], "unverified"),
        (["digest", None], None),
    ],
)
def test_many_files_are_as_sure_as_the_weakest(
    parts: list[str | None], together: str | None
) -> None:
    """One file that was not compared makes the whole model one that was not."""
    job = MultiFileDownloadJob(
        source="acme/vae",
        destination=Path("there"),
        download_parts=[
            DownloadJobRemoteSource(
                source="http://a.example/b",
                destination=Path(f"{number}"),
                verification=None if one is None else Verification(one),
            )
            for number, one in enumerate(parts)
        ],
    )
    assert job.verification == together


def test_what_is_expected_is_kept() -> None:
    """A listing's word travels with the job."""
    job = DownloadJobRemoteSource(
        source="http://a.example/b", destination=Path("c"), expected=ExpectedContent(size=7)
    )
    assert job.expected.size == 7
