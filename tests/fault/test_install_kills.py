"""Installs that are killed at any instant: nothing half done, nothing lost, little fetched again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf import Settings, normalized_model_manager
from modelshelf.testing import tiny
from tests.hubs import HuggingFaceHub, hugging_face_hub

KILLS = int(os.environ.get("MODELSHELF_TEST_KILLS", "3"))
"""How often; two hundred are what the installer is held to, and take ten minutes."""
PATIENCE = 120
_FETCHING = 0.6
"""Share of the kills that come while bytes are fetched; the others come from then on."""
_STORING = 0.4
"""Seconds from the last byte until a bit after the model is there."""
_PROGRAM = """
import sys
from modelshelf import ModelInstallService, Settings
from modelshelf.download import DownloadQueueService
from modelshelf.events import EventServiceBase
from modelshelf.records.services import ModelRecordServiceBase
class Told(EventServiceBase):
    def dispatch(self, event):
        if event.name == "model_install_running":
            print("running", flush=True)
settings = Settings.load()
with (
    ModelRecordServiceBase.open(settings) as store,
    DownloadQueueService(quiet=True) as queue,
    ModelInstallService(settings, store, queue, event_bus=Told()) as installer,
):
    installer.start()
    if sys.argv[1:] and not installer.list_jobs():
        installer.heuristic_import(sys.argv[1])
    print("begun", flush=True)
    for job in installer.wait_for_installs():
        print(job.status.value, job.error or "", flush=True)
"""

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HuggingFaceHub]:
    folder = tmp_path_factory.mktemp("hub")
    with hugging_face_hub() as hub:
        hub.add("acme/dream", tiny.pipeline(folder / "dream", base="sd-1", size=24_000_000))
        yield hub


def run(environ: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *words],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(60 + 30 * KILLS)
def test_a_killed_install_goes_on_when_the_program_starts_again(
    tmp_path: Path, hub: HuggingFaceHub
) -> None:
    """After each kill nothing half done is seen; the next start finishes, and the store is clean."""
    chance = random.Random(20)  # noqa: S311 - instants, no secrets
    (commit,) = hub.repositories["acme/dream"].commits.values()
    whole = sum(file.size for file in commit.values() if file.is_large)
    again = 0
    for number in range(KILLS):
        root = tmp_path / f"shelf-{number}"
        environ = {
            "MODELSHELF_ROOT": str(root),
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "hf"),
        }
        sent = hub.files.bytes_sent.total()
        killed = run(environ, "acme/dream")
        assert killed.stdout is not None
        assert killed.stdout.readline() == "begun\n"
        # An instant is a share of the bytes, or of the moment in which they become a model.
        reached, go_on = hub.files.hold_after(int(chance.uniform(0, 1.0) * whole))
        is_fetching = chance.random() < _FETCHING
        if is_fetching:
            reached.wait(10)
        else:
            go_on.set()
            assert killed.stdout.readline() == "running\n"
            time.sleep(chance.uniform(0, _STORING))  # to die at any instant is the point
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=PATIENCE)
        go_on.set()
        _nothing_is_half_done(root)
        until_killed = hub.files.bytes_sent.total()
        # Nobody names the source again: what there is to do is in what the killed one left.
        said, trouble = run(environ).communicate(timeout=PATIENCE)
        assert "error" not in said, said + trouble
        _is_whole(root)
        assert is_fetching or hub.files.bytes_sent.total() == until_killed
        again += hub.files.bytes_sent.total() - sent - whole
    # Of each connection, what was received and not yet written down.
    assert again <= KILLS * 8 * (1 << 20)


def _nothing_is_half_done(root: Path) -> None:
    with normalized_model_manager(Settings(root=root)) as library:
        for model in library.list_pipelines():
            assert {part.folder for part in model.parts} >= {"unet", "vae", "text_encoder"}
        assert library.verify().clean


def _is_whole(root: Path) -> None:
    with normalized_model_manager(Settings(root=root)) as library:
        assert [model.name for model in library.list_pipelines()] == ["dream"]
        assert library.verify().clean
        library.collect_garbage()
    installs = root / "models" / ".cache" / "installs"
    assert list(installs.glob("[0-9]*")) == []
