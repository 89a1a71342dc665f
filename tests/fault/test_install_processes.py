"""Several programs install into one library: at once, while one is halted, and when one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import StoreBusyError
from modelshelf.install.job_document import describe
from modelshelf.install.job_folder import JobFolders
from modelshelf.schema.model_source import HFModelSource
from modelshelf.testing import tiny
from tests.desks import Desk
from tests.hubs import HuggingFaceHub

pytestmark = pytest.mark.fault

PATIENCE = 60
SOURCE = HFModelSource(repo_id="acme/dream")
_HALTED = """
import os, signal, sys
from pathlib import Path
from modelshelf.disk import LocalDisk
from modelshelf.install.job_document import describe
from modelshelf.install.job_folder import JobFolders
from modelshelf.schema.model_source import HFModelSource

class HaltingDisk(LocalDisk):
    def create(self, path, mode=0o600):
        os.kill(os.getpid(), signal.SIGSTOP)
        return super().create(path, mode)

source = HFModelSource(repo_id="acme/dream")
with JobFolders(Path(sys.argv[1]), HaltingDisk()) as folders:
    print(folders.create(lambda number, owner: describe(source, {}, number, owner))[1].id)
"""
_CACHING = """
import sys
from modelshelf import ModelInstallService, Settings
from modelshelf.download import DownloadQueueService
from modelshelf.records.services import ModelRecordServiceBase
settings = Settings.load()
with (
    ModelRecordServiceBase.open(settings) as store,
    DownloadQueueService(quiet=True) as queue,
    ModelInstallService(settings, store, queue) as installer,
):
    for _ in range(3):
        for url in sys.argv[1:]:
            path = installer.download_and_cache(url, timeout=60)
            assert len(path.read_bytes()) > 1_000_000
"""


def halted(process: subprocess.Popen[str]) -> None:
    """Wait until a program is halted."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


def is_there_once(desk: Desk) -> None:
    """Check that the library has the model once, whole, and no job is left."""
    assert [model["name"] for model in desk.data("ls")] == ["dream"]
    assert desk.run("verify").exit_code == 0
    assert desk.data("job", "ls") == []
    assert list((desk.folder / "shelf" / "models" / ".cache" / "installs").glob("[0-9]*")) == []


def test_two_programs_that_add_the_same_at_once_have_one_model(
    desk: Desk, hub: HuggingFaceHub
) -> None:
    """Each has a job of its own, and what they store they share."""
    reached, go_on = hub.files.hold_after(500_000)
    running = [desk.start("add", "acme/dream") for _ in range(3)]
    assert reached.wait(PATIENCE)
    go_on.set()
    for each in running:
        told, said = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0, said
        assert told.startswith("added  dream")
    is_there_once(desk)


def test_one_that_takes_a_job_up_leaves_none_for_the_other(desk: Desk, hub: HuggingFaceHub) -> None:
    """Two that go on with the same job at once do not write into the same files."""
    reached, go_on = hub.files.hold_after(1_500_000)
    first = desk.start("add", "acme/dream")
    assert reached.wait(PATIENCE)
    first.kill()
    first.communicate(timeout=PATIENCE)
    go_on.set()
    running = [desk.start("add", "acme/dream") for _ in range(3)]
    said = []
    for each in running:
        said.append(each.communicate(timeout=PATIENCE)[1])
        assert each.returncode == 0, said
    assert sum("goes on with job 1" in text for text in said) == 1
    is_there_once(desk)


def test_a_halted_program_keeps_its_job(desk: Desk, hub: HuggingFaceHub) -> None:
    """Nobody can tell it from one that is slow; it goes on when it may, and others need not wait."""
    reached, go_on = hub.files.hold_after(1_500_000)
    running = desk.start("add", "acme/dream")
    assert reached.wait(PATIENCE)
    running.send_signal(signal.SIGSTOP)
    halted(running)
    go_on.set()
    assert "running" in desk.run("job", "ls").stdout
    asked = desk.run("job", "resume", "1")
    assert (asked.exit_code, asked.stdout) == (0, "")
    assert "asked the program that runs job 1" in asked.stderr
    assert desk.data("job", "prune")["pruned"] == []
    # Whoever wants the model now gets it, by a job of its own.
    assert desk.run("add", "acme/dream").exit_code == 0
    assert [job["id"] for job in desk.data("job", "ls")] == [1]
    running.send_signal(signal.SIGCONT)
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, said
    is_there_once(desk)


def test_a_program_that_is_killed_while_it_is_halted_leaves_its_job(
    desk: Desk, hub: HuggingFaceHub
) -> None:
    """The system drops its lock then, and the same command goes on."""
    reached, go_on = hub.files.hold_after(1_500_000)
    running = desk.start("add", "acme/dream")
    assert reached.wait(PATIENCE)
    running.send_signal(signal.SIGSTOP)
    halted(running)
    running.kill()
    running.communicate(timeout=PATIENCE)
    go_on.set()
    done = desk.run("add", "acme/dream")
    assert done.exit_code == 0, done.stderr
    assert "goes on with job 1" in done.stderr
    is_there_once(desk)


def test_a_program_halted_while_it_takes_a_number_keeps_nobody_waiting_for_ever(
    tmp_path: Path,
) -> None:
    """Others are told that it is busy; when it goes on, numbers are given out again."""
    place = tmp_path / "installs"
    with subprocess.Popen(
        [sys.executable, "-c", _HALTED, str(place)], stdout=subprocess.PIPE, text=True
    ) as halting:
        halted(halting)
        with JobFolders(place, LocalDisk(), patience=0.2) as folders:
            with pytest.raises(StoreBusyError):
                folders.create(lambda number, owner: describe(SOURCE, {}, number, owner))
            halting.send_signal(signal.SIGCONT)
            assert halting.communicate(timeout=PATIENCE)[0] == "1\n"
            made = folders.create(lambda number, owner: describe(SOURCE, {}, number, owner))
            assert made[1].id == 2


def test_programs_that_share_a_small_cache_never_lose_what_they_use(
    desk: Desk, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """What one has asked for stays while it runs, though all together are far more than there is room for."""
    desk.environ["MODELSHELF_DOWNLOAD__CACHE_SIZE"] = "1M"
    urls = []
    for number in range(4):
        path = tiny.lora(tmp_path / f"{number}.safetensors", base="sd-1", size=1_500_000)
        urls.append(hub.files.public_url(hub.files.publish(path, etag=str(number), is_public=True)))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _CACHING, *urls[number:], *urls[:number]],
            env=os.environ | desk.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for each in running:
        _, said = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0, said
    # When nobody uses anything any more, the next who comes makes room.
    last = [sys.executable, "-c", _CACHING, urls[0]]
    subprocess.run(last, env=os.environ | desk.environ, check=True)
    fetched = tmp_path / "shelf" / "models" / ".cache" / "fetched"
    assert len(list(fetched.glob("*/entry.json"))) == 1
