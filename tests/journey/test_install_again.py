"""What `shelf add` and `shelf job` make of jobs that failed, were interrupted or were damaged."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from modelshelf.testing import tiny
from tests.desks import Desk
from tests.hubs import TOKEN, Answer, HuggingFaceHub, Request

PATIENCE = 60


def size_of(hub: HuggingFaceHub) -> int:
    (commit,) = hub.repositories["acme/dream"].commits.values()
    return sum(file.size for file in commit.values() if file.is_large)


def interrupt(desk: Desk, hub: HuggingFaceHub, *words: str, after: int = 1_500_000) -> str:
    """Let a command fetch *after* bytes, press Ctrl-C, and return what it said on stdout."""
    reached, go_on = hub.files.hold_after(after)
    running = desk.start(*words)
    try:
        assert reached.wait(PATIENCE)
        running.send_signal(signal.SIGINT)
        data, said = running.communicate(timeout=PATIENCE)
    finally:
        # The server waits for it, and the test for the server.
        go_on.set()
    assert running.returncode == 130, said
    return data


def document_of(desk: Desk, number: int = 1) -> Path:
    return desk.folder / "shelf" / "models" / ".cache" / "installs" / str(number) / "job.json"


def rewrite(path: Path, **facts: Any) -> None:  # noqa: ANN401 - JSON
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_adding_the_same_again_goes_on_with_the_job_that_was_interrupted(
    desk: Desk, hub: HuggingFaceHub
) -> None:
    """It says so; no second job is made, and nothing is fetched twice."""
    interrupt(desk, hub, "add", "acme/dream", "--tag", "mine")
    again = desk.run("add", "acme/dream", "--tag", "mine")
    assert again.exit_code == 0, again.stderr
    assert "goes on with job 1" in again.stderr
    assert "added  dream" in again.stdout
    assert desk.data("job", "ls") == []
    assert hub.files.bytes_sent.total() < 1.5 * size_of(hub)
    assert desk.data("show", "dream")["tags"] == ["mine"]


def test_a_source_that_is_named_twice_is_fetched_once(desk: Desk, hub: HuggingFaceHub) -> None:
    """Both words mean the same, so there is one job, and its bytes come once."""
    done = desk.data("add", "acme/dream", "hf://acme/dream")
    assert [job["status"] for job in done["installed"]] == ["completed"]
    assert hub.files.bytes_sent.total() == size_of(hub)


def test_adding_the_same_again_tries_a_failed_job_again(desk: Desk, hub: HuggingFaceHub) -> None:
    """Whatever made it fail; a failure that stays leaves one job and not two."""
    hub.repositories["acme/dream"].is_disabled = True
    for _ in range(3):
        assert desk.run("add", "acme/dream").exit_code != 0
        assert [job["id"] for job in desk.data("job", "ls")] == [1]
    hub.repositories["acme/dream"].is_disabled = False
    done = desk.data("add", "acme/dream")
    assert [(job["id"], job["status"]) for job in done["installed"]] == [(1, "completed")]
    assert desk.data("job", "ls") == []


def test_adding_the_same_with_another_wish_is_another_job(desk: Desk, hub: HuggingFaceHub) -> None:
    """What was asked for first is not forgotten because something else is asked for."""
    interrupt(desk, hub, "add", "acme/dream", "--name", "first")
    assert desk.run("add", "acme/dream", "--name", "second").exit_code == 0
    assert [job["id"] for job in desk.data("job", "ls")] == [1]
    assert desk.run("add", "acme/dream", "--name", "first").exit_code == 0
    assert sorted(model["name"] for model in desk.data("ls")) == ["first", "second"]


def test_a_source_that_changed_is_listed_afresh(desk: Desk, hub: HuggingFaceHub) -> None:
    """Else the command would fail for ever, of what was listed once and is there no more."""
    interrupt(desk, hub, "add", "acme/dream")
    rewrite(document_of(desk), status="error", error_code="remote-file-gone")
    done = desk.run("add", "acme/dream")
    assert done.exit_code == 0, done.stderr
    assert "goes on" not in done.stderr
    assert desk.data("job", "ls") == []


def test_an_address_with_a_secret_goes_on_with_the_one_that_is_given_again(
    desk: Desk, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """It is not on the disk, so a job alone could not go on."""
    path = tiny.lora(tmp_path / "ink.safetensors", base="sd-1", size=2_000_000)
    url = hub.files.public_url(hub.files.publish(path, etag="e", is_public=True)) + "?token=s3cret"
    answer, asked = hub.files.answer, []

    def check(request: Request) -> Answer:
        asked.append(request.query.get("token"))
        return answer(request)

    hub.files.answer = check  # type: ignore[method-assign]
    interrupt(desk, hub, "add", url, after=1_000_000)
    assert "s3cret" not in document_of(desk).read_text()
    asked.clear()
    done = desk.run("add", url)
    assert done.exit_code == 0, done.stderr
    assert "goes on with job 1" in done.stderr
    assert set(asked) == {"s3cret"}


@pytest.mark.parametrize("verb", ["resume", "retry"])
def test_a_job_is_given_its_token_again(desk: Desk, hub: HuggingFaceHub, verb: str) -> None:
    """No token is kept with it, and the settings need not have one."""
    hub.repositories["acme/dream"].is_private = True
    interrupt(desk, hub, "add", "acme/dream", "--token", TOKEN)
    refused = desk.run("job", verb, "1")
    assert refused.exit_code == 4
    assert "`shelf job retry 1` goes on with a token: SHELF_ADD_TOKEN" in refused.stderr
    done = desk.run("job", verb, "1", "--token", TOKEN)
    assert done.exit_code == 0, done.stderr
    assert "added  dream" in done.stdout
    assert hub.files.bytes_sent.total() < 1.5 * size_of(hub)


def test_a_token_of_the_environment_counts_for_jobs_too(desk: Desk, hub: HuggingFaceHub) -> None:
    """As it does for `shelf add`."""
    hub.repositories["acme/dream"].is_private = True
    assert desk.run("add", "acme/dream").exit_code == 4
    desk.environ["SHELF_ADD_TOKEN"] = TOKEN
    assert desk.run("job", "retry", "1").exit_code == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "makes no sense"),
        (b"{", "makes no sense"),
        (b'{"id": 1}', "`owner`: Field required"),
        (None, "cannot be read"),
    ],
)
def test_a_damaged_job_is_listed_with_what_is_wrong_and_can_be_removed(
    desk: Desk, hub: HuggingFaceHub, content: bytes | None, problem: str
) -> None:
    """It takes room, so it is not passed over."""
    interrupt(desk, hub, "add", "acme/dream")
    document = document_of(desk)
    document.unlink()
    if content is None:
        document.mkdir()
    else:
        document.write_bytes(content)
    (job,) = desk.data("job", "ls")
    assert (job["id"], job["status"], job["error_code"]) == (1, "damaged", "job-damaged")
    assert job["bytes"] > 0
    assert problem in job["problem"]
    shown = desk.run("job", "ls")
    assert "damaged" in shown.stdout
    assert "shelf job cancel 1" in shown.stdout
    assert problem in shown.stderr
    for verb in ("resume", "retry", "pause"):
        refused = desk.run("job", verb, "1")
        assert refused.exit_code == 7
        assert "is damaged" in refused.stderr
    # Nothing else is kept from being installed meanwhile, and no number is given twice.
    assert desk.run("add", "acme/dream").exit_code == 0
    removed = desk.run("job", "cancel", "1")
    assert removed.exit_code == 0, removed.stderr
    assert not document.parent.exists()
    assert desk.data("job", "ls") == []


def test_a_job_that_is_damaged_while_its_program_lives_is_that_programs(
    desk: Desk, hub: HuggingFaceHub
) -> None:
    """It writes it down anew; who wants it ended asks for that."""
    reached, go_on = hub.files.hold_after(1_500_000)
    running = desk.start("add", "acme/dream")
    assert reached.wait(PATIENCE)
    document = document_of(desk)
    document.write_text(document.read_text()[:200])
    assert [job["status"] for job in desk.data("job", "ls")] == ["damaged"]
    assert desk.data("job", "prune")["pruned"] == []
    asked = desk.run("job", "cancel", "1")
    assert (asked.exit_code, asked.stderr) == (0, "asked the program that runs job 1: cancel\n")
    _, said = running.communicate(timeout=PATIENCE)
    go_on.set()
    assert "cancelled  acme/dream" in said
    assert desk.data("job", "ls") == []


def test_damaged_jobs_are_pruned_with_the_failed_ones(desk: Desk, hub: HuggingFaceHub) -> None:
    """And their room is free again; a copy of another job's folder is a damaged job too."""
    interrupt(desk, hub, "add", "acme/dream")
    assert desk.run("add", "acme/nothing").exit_code == 4
    document_of(desk, 1).write_bytes(b"\0" * 100)
    third = document_of(desk, 3)
    third.parent.mkdir()
    third.write_bytes(document_of(desk, 2).read_bytes())
    assert [job["status"] for job in desk.data("job", "ls")] == ["damaged", "error", "damaged"]
    assert desk.data("job", "prune")["pruned"] == [1, 2, 3]
    assert desk.data("job", "ls") == []


def test_a_job_whose_wish_is_damaged_is_refused(desk: Desk, hub: HuggingFaceHub) -> None:
    """Without it the model would be another than was asked for."""
    interrupt(desk, hub, "add", "acme/dream", "--name", "mine")
    rewrite(document_of(desk), config={"name": 5})
    for verb in ("resume", "retry"):
        refused = desk.run("--json", "job", verb, "1")
        assert refused.exit_code == 7
        assert json.loads(refused.stdout)["failed"][0]["code"] == "job-damaged"
    assert desk.data("ls") == []
    assert desk.run("job", "cancel", "1").exit_code == 0
    assert desk.data("job", "ls") == []


def test_a_job_whose_listing_is_damaged_is_refused_and_listed_afresh(
    desk: Desk, hub: HuggingFaceHub
) -> None:
    """By the command that began it; to resume it alone would be to guess."""
    interrupt(desk, hub, "add", "acme/dream")
    rewrite(document_of(desk), listing={"files": [{"x": 1}]})
    refused = desk.run("job", "resume", "1")
    assert refused.exit_code == 7
    assert "`listing`" in refused.stderr
    assert desk.data("job", "ls")[0]["error_code"] == "job-damaged"
    assert desk.run("add", "acme/dream").exit_code == 0
    assert desk.data("job", "ls") == []


def test_an_interrupted_add_tells_programs_what_is_done_and_what_goes_on(
    desk: Desk, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """One document, whatever happens; nothing is told twice."""
    lora = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    told = json.loads(interrupt(desk, hub, "--json", "add", str(lora), "acme/dream"))
    assert [model["info"]["name"] for model in told["added"]] == ["ink"]
    assert (told["interrupted"], told["resumable"]) == (True, [1])
    assert [job["id"] for job in told["installed"]] == [1]
    resumed = json.loads(interrupt(desk, hub, "--json", "job", "resume", "1", after=500_000))
    assert (resumed["interrupted"], resumed["resumable"]) == (True, [1])
    done = desk.data("job", "resume", "1")
    assert [job["status"] for job in done["installed"]] == ["completed"]
    assert "interrupted" not in done
