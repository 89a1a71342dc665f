"""Days with `shelf add` from hubs, `shelf job`, `shelf adopt` and `shelf download`, as a user has them."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.desks import Desk
from tests.hubs import HuggingFaceHub


def test_a_repository_is_added_by_its_name(desk: Desk) -> None:
    """What the line says is what `ls` shows, and adding it again fetches nothing."""
    added = desk.run("add", "acme/dream")
    assert added.exit_code == 0, added.stderr
    assert re.fullmatch(r"added  dream  main  sd-1  [0-9a-f]{32}\n", added.stdout)
    listed = desk.data("ls")
    assert [model["name"] for model in listed] == ["dream"]
    assert listed[0]["source"].startswith("acme/dream")
    again = desk.data("add", "acme/dream")
    assert [job["status"] for job in again["installed"]] == ["completed"]
    assert desk.data("job", "ls") == []


def test_one_failure_does_not_stop_the_others(desk: Desk, tmp_path: Path) -> None:
    """Each says what is wrong and what to do; the status says that some failed."""
    lora = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    done = desk.run("add", lora, "acme/nothing", "acme/dream")
    assert done.exit_code == 3
    assert "added  ink" in done.stdout
    assert "added  dream" in done.stdout
    assert "acme/nothing" in done.stderr
    alone = desk.run("add", "acme/absent")
    assert alone.exit_code == 4
    assert "hint:" in alone.stderr


def test_what_nobody_knows_is_said_of_what_was_fetched_too(desk: Desk) -> None:
    """Of a page in place of the model as of a model that is new; with the way to be rid of it."""
    done = desk.run("add", "acme/dream::README.md")
    assert done.exit_code == 0, done.stderr
    (model,) = desk.data("ls")
    assert model["type"] == "unknown"
    assert "nobody knows what this model is" in done.stderr
    assert f"`shelf rm {model['key']}`" in done.stderr
    assert "nobody knows" not in desk.run("add", "acme/dream").stderr


def test_offline_asks_nobody(desk: Desk, hub: HuggingFaceHub) -> None:
    """And says so, with the status of a network that is down."""
    desk.environ["HF_HUB_OFFLINE"] = "1"
    done = desk.run("add", "acme/dream")
    assert done.exit_code == 10
    assert hub.requests() == []


def test_an_interrupted_add_goes_on(desk: Desk, hub: HuggingFaceHub) -> None:
    """Ctrl-C says how; the job is listed meanwhile, and nothing is fetched twice."""
    whole = sum(
        file.size
        for file in next(iter(hub.repositories["acme/dream"].commits.values())).values()
        if file.is_large
    )
    reached, go_on = hub.files.hold_after(1_000_000)
    running = desk.start("add", "acme/dream")
    try:
        assert reached.wait(60)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        # The server waits for it, and the test for the server.
        go_on.set()
    assert running.returncode == 130
    assert "shelf job resume 1" in said
    (job,) = desk.data("job", "ls")
    assert job["id"] == 1
    done = desk.run("job", "resume", "1")
    assert done.exit_code == 0, done.stderr
    assert "added  dream" in done.stdout
    assert desk.data("job", "ls") == []
    assert sum(hub.files.bytes_sent.values()) < 1.5 * whole
    assert desk.run("verify").exit_code == 0


def test_a_failed_job_can_be_retried_or_forgotten(desk: Desk, hub: HuggingFaceHub) -> None:
    """It stays listed with its hint until then."""
    hub.repositories["acme/dream"].is_disabled = True
    assert desk.run("add", "acme/dream").exit_code != 0
    (job,) = desk.data("job", "ls")
    assert (job["status"], job["error_code"]) == ("error", "repository-disabled")
    assert "look for the model elsewhere" in desk.run("job", "ls").stdout
    hub.repositories["acme/dream"].is_disabled = False
    assert desk.run("job", "retry", job["id"]).exit_code == 0
    assert desk.data("job", "ls") == []
    assert desk.run("add", "acme/nothing").exit_code == 4
    assert desk.data("job", "prune") == {"pruned": [1], "failed": []}
    assert desk.data("job", "ls") == []
    assert desk.run("job", "cancel", "7").exit_code == 4


def test_models_are_adopted_lost_and_found(desk: Desk, tmp_path: Path) -> None:
    """Where another program has them; nothing is copied."""
    mine = tmp_path / "mine"
    lora = tiny.lora(mine / "loras" / "ink.safetensors", base="sd-1")
    adopted = desk.run("adopt", mine)
    assert adopted.exit_code == 0, adopted.stderr
    assert adopted.stdout.startswith("adopted  ink  lora  sd-1  ")
    assert desk.run("missing").stdout == ""
    assert [model["name"] for model in desk.data("ls")] == ["ink"]
    shutil.move(lora, tmp_path / "moved.safetensors")
    assert [each["name"] for each in desk.data("missing")] == ["ink"]
    found = desk.data("relink", tmp_path / "dream", mine)
    assert (found["relinked"], found["missing"]) == ([], 1)
    (tmp_path / "new").mkdir()
    shutil.move(tmp_path / "moved.safetensors", tmp_path / "new")
    relinked = desk.run("relink", tmp_path / "new")
    assert relinked.exit_code == 0, relinked.stderr
    assert relinked.stdout.startswith("found  ink  ")
    assert desk.data("missing") == []


def test_a_scan_says_what_it_found_before_anything_is_added(desk: Desk, tmp_path: Path) -> None:
    """Without a terminal it needs `-y`, with it everything is added."""
    mine = tmp_path / "mine"
    tiny.lora(mine / "ink.safetensors", base="sd-1")
    tiny.vae(mine / "vae.safetensors", base="sd-1")
    looked = desk.run("add", "--scan", mine)
    assert looked.exit_code == 5
    assert "ink" in looked.stdout
    assert desk.data("ls") == []
    assert desk.run("add", "--scan", "-y", mine).exit_code == 0
    assert [model["name"] for model in desk.data("ls")] == ["ink", "vae"]
    again = desk.run("add", "--scan", "--dry-run", mine)
    assert again.exit_code == 0
    assert "would store 0 B" in again.stderr


def test_a_file_is_downloaded_and_checked(desk: Desk, hub: HuggingFaceHub, tmp_path: Path) -> None:
    """With its digest; another digest leaves nothing behind."""
    path = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    url = f"{hub.files.url}/{hub.files.publish(path, etag='e', is_public=True)}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "to").mkdir()
    done = desk.data("download", url, "--to", tmp_path / "to", "--sha256", digest)
    assert [each["verification"] for each in done["downloaded"]] == ["digest"]
    assert (tmp_path / "to" / "ink.safetensors").read_bytes() == path.read_bytes()
    other = tmp_path / "other.safetensors"
    wrong = desk.run("download", url, "--to", other, "--sha256", "0" * 64)
    assert wrong.exit_code == 7
    assert not other.exists()
    assert desk.run("download", url, "--rate", "fast").exit_code == 2
    assert desk.run("download", url, url, "--sha256", digest).exit_code == 2


@pytest.mark.parametrize(("to", "count"), [("new/", 1), ("new", 2), ("a/new", 2)])
def test_files_are_downloaded_to_a_folder_that_is_not_there_yet(
    desk: Desk, hub: HuggingFaceHub, tmp_path: Path, to: str, count: int
) -> None:
    """Several URLs, or a slash at the end, can only mean a folder."""
    paths = [tiny.lora(tmp_path / f"{n}.safetensors", base="sd-1", seed=n) for n in range(count)]
    urls = [hub.files.public_url(hub.files.publish(p, etag=p.name, is_public=True)) for p in paths]
    done = desk.run("download", *urls, "--to", f"{tmp_path}/{to}")
    assert done.exit_code == 0, done.stderr
    for path in paths:
        assert (tmp_path / to / path.name).read_bytes() == path.read_bytes()


def test_an_address_inside_is_not_asked_until_the_settings_allow_it(
    desk: Desk, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """Neither to add nor to download; what is said names the setting, and that works."""
    url = hub.files.public_url(
        hub.files.publish(
            tiny.lora(tmp_path / "ink.safetensors", base="sd-1"), etag="ink", is_public=True
        )
    )
    del desk.environ["MODELSHELF_DOWNLOAD__PRIVATE_ADDRESSES"]
    for words in (("download", url, "--to", tmp_path / "to.safetensors"), ("add", url)):
        refused = desk.run(*words)
        assert refused.exit_code == 9
        assert "shelf config set download.private_addresses as-named" in refused.stderr
    assert not hub.files.bytes_sent.total()
    assert desk.run("config", "set", "download.private_addresses", "as-named").exit_code == 0
    assert desk.run("add", url).exit_code == 0


def test_others_see_how_far_a_job_is(desk: Desk, hub: HuggingFaceHub) -> None:
    """From what lies on the disk; the program that runs it is asked to end it."""
    reached, go_on = hub.files.hold_after(2_000_000)
    running = desk.start("add", "acme/dream")
    assert reached.wait(60)
    (job,) = desk.data("job", "ls")
    assert 0 < job["bytes"] < job["total_bytes"]
    line = desk.run("job", "ls").stdout.splitlines()[1]
    assert re.match(r" +1  running +\S+ [kM]B of 3\.\d MB  acme/dream", line)
    assert desk.run("job", "cancel", "1").exit_code == 0
    _, said = running.communicate(timeout=60)
    go_on.set()
    assert "cancelled  acme/dream" in said
    # Whoever waited for the model must not take this for success.
    assert running.returncode == 1
    assert desk.data("job", "ls") == []
    assert desk.data("ls") == []


def test_what_is_said_of_a_model_is_kept_with_it(desk: Desk, tmp_path: Path) -> None:
    """Name, description and tags, from a hub as from a path."""
    lora = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    words = ("--tag", "mine", "--tag", "line art", "--description", "for proofs")
    for source, name in (("acme/dream", "Night"), (lora, "Ink")):
        done = desk.run("add", source, "--name", name, *words)
        assert done.exit_code == 0, done.stderr
        shown = desk.data("show", name)
        assert shown["description"] == "for proofs"
        assert name in {each["name"] for each in desk.data("ls", "tag:mine", 'tag:"line art"')}
    refused = desk.run("add", "acme/dream", lora, "--name", "both")
    assert refused.exit_code == 2
    for option in (["--whole"], ["--convert"], ["--move"], ["--scan"], ["--source", "elsewhere"]):
        refused = desk.run("add", "acme/dream", *option)
        assert refused.exit_code == 2
        assert f"leave out `{option[0]}`" in refused.stderr


def test_a_scan_tells_of_each_model_what_it_adds(desk: Desk, tmp_path: Path) -> None:
    """What is owned adds nothing; what two of them share is added once."""
    mine = tmp_path / "mine"
    first = tiny.pipeline(mine / "a", base="sd-1", seed=1)
    tiny.pipeline(mine / "b", base="sd-1", seed=2)
    looked = desk.data("add", "--scan", "--dry-run", mine)
    needs = [each["bytes_stored"] for each in looked["would_add"]]
    assert needs[0] > 3 * needs[1] > 0
    assert sum(needs) == looked["bytes_stored"]
    assert desk.run("add", first).exit_code == 0
    lines = desk.run("add", "--scan", "--dry-run", mine).stdout.splitlines()
    assert lines[0].split()[-1] == "ADDS"
    assert lines[1].split()[-1] == "owned"
    assert lines[2].split()[-1] == "kB"


def test_an_interrupted_download_goes_on_with_the_same_command(
    desk: Desk, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """Ctrl-C says what was kept; nothing stands at the final name until all of it is there."""
    path = tiny.lora(tmp_path / "large.safetensors", base="sd-1", size=24_000_000)
    url = hub.files.public_url(hub.files.publish(path, etag="large", is_public=True))
    target = tmp_path / "to" / "large.safetensors"
    target.parent.mkdir()
    reached, go_on = hub.files.hold_after(12_000_000)
    running = desk.start("download", url, "--to", target)
    try:
        assert reached.wait(60)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        # The server waits for it, and the test for the server.
        go_on.set()
    assert running.returncode == 130
    assert "the same command goes on from there" in said
    assert not target.exists()
    assert desk.run("download", url, "--to", target).exit_code == 0
    assert target.read_bytes() == path.read_bytes()
    assert [each.name for each in target.parent.iterdir()] == [target.name]
    assert hub.files.bytes_sent.total() < 24_000_000 + 9 * (1 << 20)
