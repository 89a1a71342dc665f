from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import StorageError
from modelshelf.install.job_folder import FetchedFile, JobDocument, JobFolders, Wish
from modelshelf.schema.install_job import InstallStatus
from modelshelf.schema.model_source import HFModelSource

SOURCE = HFModelSource(repo_id="author/model", access_token="hf_secret")  # noqa: S106


@pytest.fixture
def folders(tmp_path: Path) -> JobFolders:
    return JobFolders(tmp_path / "installs", LocalDisk())


def saying(**facts: object) -> Callable[[int, str], JobDocument]:
    return lambda number, owner: JobDocument.model_validate(
        {"id": number, "owner": owner, "source": SOURCE, **facts}
    )


def test_looking_makes_nothing(tmp_path: Path, folders: JobFolders) -> None:
    """A library in which nothing was ever installed stays as it is."""
    assert list(folders.jobs()) == []
    assert folders.find(1) is None
    folders.clear_debris()
    folders.close()
    assert list(tmp_path.iterdir()) == []


def test_a_job_is_read_as_it_was_saved_without_its_token(folders: JobFolders) -> None:
    """Listing, overrides and whole files included."""
    fetched = FetchedFile(
        member="vae/config.json", size=3, modified_ns=4, inode=5, blake3="b" * 64, sha256="a" * 64
    )
    folder, document = folders.create(saying(config={"name": "x"}, listing={"files": []}))
    assert (document.id, folder.path.name) == (1, "1")
    changed = document.model_copy(
        update={"status": InstallStatus.DOWNLOADING, "fetched": (fetched,)}
    )
    folder.save(changed)
    found = folder.read()
    assert found is not None
    assert found.source == HFModelSource(repo_id="author/model")
    assert found.model_dump() == changed.model_dump()
    assert all(b"hf_secret" not in path.read_bytes() for path in folder.path.iterdir())
    assert folder.path.joinpath("job.json").stat().st_mode & 0o077 == 0


def test_numbers_rise_and_are_used_again_only_from_the_end(folders: JobFolders) -> None:
    """Two jobs that are there never share one."""
    first, second, third = (folders.create(saying())[0] for _ in range(3))
    second.remove()
    assert folders.create(saying())[1].id == 4
    assert [document.id for _, document in folders.jobs()] == [1, 3, 4]
    for folder in (first, third):
        folder.remove()
        folder.remove()
    assert [document.id for _, document in folders.jobs()] == [4]


def test_a_wish_is_read_once(folders: JobFolders) -> None:
    """The later of two takes the place of the earlier; garbage is no wish."""
    folder, _ = folders.create(saying())
    assert folder.wish() is None
    folder.ask(Wish.PAUSE)
    folder.ask(Wish.CANCEL)
    assert (folder.wish(), folder.wish()) == (Wish.CANCEL, None)
    (folder.path / "wish").write_bytes(b"\xff")
    assert (folder.wish(), folder.wish()) == (None, None)


@pytest.mark.parametrize("name", ["job.json", "wish"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_plain_files_are_read(
    tmp_path: Path, folders: JobFolders, name: str, kind: str
) -> None:
    """Nobody waits for a pipe that nobody writes to, and no link leads elsewhere."""
    folder, _ = folders.create(saying())
    path = folder.path / name
    target = tmp_path / "elsewhere"
    target.write_bytes((folder.path / "job.json").read_bytes() if name == "job.json" else b"pause")
    path.unlink(missing_ok=True)
    match kind:
        case "link":
            path.symlink_to(target)
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()
    assert folder.wish() is None
    assert (folder.read() is None) == (name == "job.json")


def test_strange_things_beside_jobs_stay(tmp_path: Path, folders: JobFolders) -> None:
    """Only folders of ours are tidied up, and a copy under another number is no second job."""
    folder, _ = folders.create(saying())
    home = folder.path.parent
    (home / "7").write_text("no folder")
    (home / "8").symlink_to(tmp_path)
    (home / "\u0669").mkdir()
    shutil.copytree(folder.path, home / "9")
    folders.clear_debris()
    assert [document.id for _, document in folders.jobs()] == [1]
    assert (home / "7").exists()
    assert tmp_path.exists()


def test_a_job_stays_with_an_owner_that_lives(tmp_path: Path, folders: JobFolders) -> None:
    """In this process or another one; nobody takes it away."""
    _, document = folders.create(saying())
    others = JobFolders(tmp_path / "installs", LocalDisk())
    assert others.is_alive(document)
    assert others.take_over(1) is None
    assert folders.take_over(1) is None
    folders.close()
    assert not others.is_alive(document)
    taken = others.take_over(1)
    assert taken is not None
    assert taken[1].owner == others.owner
    assert folders.take_over(1) is None


def test_a_killed_program_leaves_its_jobs_to_others(tmp_path: Path, folders: JobFolders) -> None:
    """And its lock does not stay behind."""
    script = f"""
import os, signal
from pathlib import Path
from modelshelf.disk import LocalDisk
from modelshelf.errors import StorageError
from modelshelf.install.job_folder import JobDocument, JobFolders
from modelshelf.schema.model_source import HFModelSource
folders = JobFolders(Path({str(tmp_path / "installs")!r}), LocalDisk())
source = HFModelSource(repo_id="author/model")
for _ in range(2):
    folders.create(lambda number, owner: JobDocument(id=number, owner=owner, source=source))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode < 0
    assert [folders.take_over(number) is not None for number in (1, 2, 3)] == [True, True, False]
    locks = list((tmp_path / "installs" / "owners").iterdir())
    assert [lock.stem for lock in locks] == [folders.owner]


def test_many_jobs_are_taken_over_in_time_for_each(tmp_path: Path) -> None:
    """Not all others are read again for each; the lock of whoever left them goes with the last."""
    with JobFolders(tmp_path / "installs", LocalDisk()) as left:
        owner = left.owner
        for _ in range(20):
            left.create(saying(), is_durable=False)
    folders = JobFolders(tmp_path / "installs", LocalDisk())
    lock = tmp_path / "installs" / "owners" / f"{owner}.lock"
    for number in range(1, 20):
        assert folders.take_over(number, is_one_of_many=True)
        folders.forget_owners(())
    folders.forget_owners({owner})
    assert lock.exists()
    assert folders.take_over(20)
    assert not lock.exists()
    folders.close()


def test_what_cannot_be_read_is_passed_over(folders: JobFolders) -> None:
    """Damage in one job does not hide the others, and debris without a document is removed."""
    damaged, _ = folders.create(saying())
    folders.create(saying())
    begun, _ = folders.create(saying())
    (damaged.path / "job.json").write_bytes(b'{"version": 99}')
    (begun.path / "job.json").unlink()
    assert [document.id for _, document in folders.jobs()] == [2]
    folders.clear_debris()
    assert [damaged.path.exists(), begun.path.exists()] == [True, False]


def test_many_programs_number_their_jobs_apart(tmp_path: Path) -> None:
    """Four at once, ten jobs each."""
    script = f"""
from pathlib import Path
from modelshelf.disk import LocalDisk
from modelshelf.errors import StorageError
from modelshelf.install.job_folder import JobDocument, JobFolders
from modelshelf.schema.model_source import HFModelSource
folders = JobFolders(Path({str(tmp_path / "installs")!r}), LocalDisk())
source = HFModelSource(repo_id="author/model")
for _ in range(10):
    print(folders.create(lambda number, owner: JobDocument(id=number, owner=owner, source=source))[1].id)
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    numbers = [int(line) for one in running for line in one.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, 41))


def test_a_file_where_the_folder_should_be_holds_no_jobs(tmp_path: Path) -> None:
    """Looking says so in an empty list; making a job says why it cannot be."""
    (tmp_path / "installs").write_text("no folder")
    folders = JobFolders(tmp_path / "installs", LocalDisk())
    assert list(folders.jobs()) == []
    with pytest.raises(StorageError):
        folders.create(saying())
