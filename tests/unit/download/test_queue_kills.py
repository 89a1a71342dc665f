from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.content import payload
from tests.servers.nginx import Nginx, run_nginx

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

KILLS = 5
SIZES = [3_000, 300_000, 6_000_000]
"""Small files of one answer, files of one piece, and files of several."""


def files_of(nginx: Nginx) -> dict[str, bytes]:
    """Put nine files on the server."""
    files = {f"{number}.bin": payload(SIZES[number % 3], number) for number in range(9)}
    for name, content in files.items():
        (nginx.files / name).write_bytes(content)
    return files


def begin(tmp_path: Path, nginx: Nginx, names: list[str]) -> subprocess.Popen[str]:
    """Go on with what is in the state folder, or order all files where nothing is."""
    urls = [nginx.url(f"/limited/{name}") for name in names]
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path / "state"), str(tmp_path / "out"), *urls],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("seed", range(2))
def test_jobs_come_back_after_every_kill(tmp_path: Path, seed: int) -> None:
    """A job for many files and one for a single file, none with a digest, end whole and leave nothing else."""
    dice = random.Random(seed)  # noqa: S311 - instants, no secret
    (tmp_path / "server").mkdir()
    with run_nginx(tmp_path / "server", rate="8m") as nginx:
        files = files_of(nginx)
        for _ in range(KILLS):
            with begin(tmp_path, nginx, list(files)) as child:
                assert child.stdout is not None
                assert child.stdout.readline() == "going\n"
                time.sleep(dice.random() * 0.4)  # to die at any instant is the point
                child.kill()
        with begin(tmp_path, nginx, list(files)) as child:
            said, _ = child.communicate(timeout=120)
    assert not (tmp_path / "errors").exists(), (tmp_path / "errors").read_text()
    assert said == "going\n"
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert found == files
    assert {path.suffix for path in (tmp_path / "state").iterdir()} == {".lock"}


_CHILD = """
import sys
from pathlib import Path
from modelshelf.download import (
    DownloadJobRemoteSource, DownloadJobStatus, DownloadQueueService, MultiFileDownloadJob
)
state, out, *urls = sys.argv[1:]
def job(url, folder):
    return DownloadJobRemoteSource(source=url, destination=folder / url.rpartition("/")[2])
def tell(one):
    if one.errored:
        with (Path(state).parent / "errors").open("a") as file:
            print(type(one.error).__name__, one.error, file=file, flush=True)
queue = DownloadQueueService([tell], state_folder=Path(state))
if not Path(out).exists():
    queue.submit_download_job(
        MultiFileDownloadJob(
            source="acme/many",
            destination=Path(out) / "many",
            download_parts=[job(url, Path()) for url in urls[1:]],
        ),
        start=False,
    )
    queue.submit_download_job(job(urls[0], Path(out)), start=False)
    Path(out).mkdir()
queue.start_all_jobs()
print("going", flush=True)
queue.join()
"""
