"""Libraries that are another user's, or can only be read: said in words, and nobody's jobs are touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.desks import SHELF, Desk
from tests.fault.small_disk import small_file_system
from tests.hubs import HuggingFaceHub

pytestmark = pytest.mark.fault

ANYBODY = 65_534
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
"""Lets a command of root's be held to permissions as any user's is."""


@pytest.fixture
def desk(tmp_path: Path, hub: HuggingFaceHub) -> Desk:
    """A library with one model and one job that failed."""
    desk = Desk(tmp_path, hub)
    assert desk.run("add", tiny.lora(tmp_path / "ink.safetensors", base="sd-1")).exit_code == 0
    hub.repositories["acme/dream"].is_disabled = True
    assert desk.run("add", "acme/dream").exit_code == 4
    hub.repositories["acme/dream"].is_disabled = False
    return desk


@pytest.fixture
def anybody() -> None:
    """Skip where nobody can give files away, or be less than root."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root gives files away, and needs setpriv to be held to permissions")


def give(path: Path) -> None:
    """Make everything below *path* another user's."""
    for each in [path, *path.rglob("*")]:
        os.chown(each, ANYBODY, ANYBODY, follow_symlinks=False)


def run(desk: Desk, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user to whom permissions mean something."""
    done = subprocess.run(
        [*POWERLESS, SHELF, *words],
        env=os.environ | desk.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.usefixtures("anybody")
def test_jobs_of_another_user_are_shown_and_left_alone(desk: Desk) -> None:
    """Their program may live, and what cannot be read is not damaged for that."""
    installs = desk.folder / "shelf" / "models" / ".cache" / "installs"
    give(installs / "1")
    installs.chmod(0o777)
    listed = run(desk, "--json", "job", "ls")
    (job,) = json.loads(listed.stdout)
    assert (job["id"], job["status"], job["error_code"]) == (1, "foreign", "job-foreign")
    for verb in ("resume", "retry", "pause", "cancel"):
        refused = run(desk, "job", verb, "1")
        assert refused.returncode == 9, refused.stderr
        assert "another user's" in refused.stderr
    assert run(desk, "job", "prune").stderr == "forgot 0 jobs\n"
    # One's own command works beside it, with a number of its own.
    assert run(desk, "add", "acme/dream").returncode == 0
    assert (installs / "1" / "job.json").exists()
    assert [each["name"] for each in desk.data("ls")] == ["dream", "ink"]


@pytest.mark.usefixtures("anybody")
@pytest.mark.parametrize("place", ["installs", ".cache", "models", "shelf"])
@pytest.mark.parametrize("mode", [0o755, 0o000])
def test_a_folder_that_is_another_users_is_said_in_words(desk: Desk, place: str, mode: int) -> None:
    """Whichever it is; nothing is changed, and there is no traceback."""
    root = desk.folder / "shelf"
    folder = {
        "installs": root / "models" / ".cache" / "installs",
        ".cache": root / "models" / ".cache",
        "models": root / "models",
        "shelf": root,
    }[place]
    give(folder)
    folder.chmod(mode)
    for words in (["job", "ls"], ["job", "retry", "1"], ["job", "prune"], ["add", "acme/dream"]):
        done = run(desk, *words)
        if done.returncode:
            assert done.stderr.startswith("error: "), done.stderr
            assert "hint: " in done.stderr
        assert words[0] != "add" or done.returncode != 0
    folder.chmod(0o755)
    assert [each["name"] for each in desk.data("ls")] == ["ink"]
    assert [each["id"] for each in desk.data("job", "ls")] == [1]
    assert desk.run("add", "acme/dream").exit_code == 0
    assert desk.run("verify").exit_code == 0


def test_a_library_that_can_only_be_read_takes_nothing_and_says_so(
    tmp_path: Path, hub: HuggingFaceHub
) -> None:
    """As a disk that the system has found broken; when it is sound again everything goes on."""
    with small_file_system(tmp_path / "small", megabytes=40) as small:
        desk = Desk(tmp_path, hub)
        desk.environ["MODELSHELF_ROOT"] = str(small / "shelf")
        hub.repositories["acme/dream"].is_disabled = True
        assert desk.run("add", "acme/dream").exit_code == 4
        hub.repositories["acme/dream"].is_disabled = False
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        try:
            assert [each["status"] for each in desk.data("job", "ls")] == ["error"]
            for words in (
                ["add", "acme/dream"],
                ["job", "retry", "1"],
                ["job", "cancel", "1"],
                ["job", "prune"],
                ["adopt", str(tmp_path / "dream")],
            ):
                done = desk.run(*words)
                assert done.exit_code == 1, done.stderr
                assert done.stderr.startswith("error: ")
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
        done = desk.run("add", "acme/dream")
        assert done.exit_code == 0, done.stderr
        assert "goes on with job 1" in done.stderr
        assert desk.run("verify").exit_code == 0
