from __future__ import annotations

import errno
import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.protocols import Disk
from modelshelf.testing.faults import (
    SPACELESS,
    CountingDisk,
    FailingDisk,
    LinklessDisk,
    ShortWritingDisk,
    WrappedDisk,
    flip_bit,
    system_error,
)

OPERATIONS = [name for name in vars(Disk) if not name.startswith("_")]


def use(disk: Disk, folder: Path) -> None:
    """Do something with each operation, in a fixed order."""
    disk.make_folder(folder / "a")
    descriptor = disk.create(folder / "a" / "file")
    disk.write(descriptor, b"content", 0)
    disk.sync_file(descriptor)
    os.close(descriptor)
    descriptor = disk.reopen(folder / "a" / "file")
    disk.reserve(descriptor, 9)
    disk.truncate(descriptor, 7)
    disk.seal(descriptor)
    os.close(descriptor)
    disk.link(folder / "a" / "file", folder / "a" / "hard")
    disk.symlink(folder / "a" / "file", folder / "a" / "soft")
    disk.rename(folder / "a" / "hard", folder / "c")
    disk.rename_new(folder / "c", folder / "b")
    disk.exchange(folder / "a" / "soft", folder / "b")
    disk.sync_folder(folder)
    disk.remove_file(folder / "b")
    disk.remove_file(folder / "a" / "soft")
    disk.remove_file(folder / "a" / "file")
    disk.remove_folder(folder / "a")


def test_every_operation_is_wrapped() -> None:
    """A wrapper has each operation of the protocol, with the same arguments."""
    for name in OPERATIONS:
        expected = inspect.signature(getattr(Disk, name))
        assert inspect.signature(getattr(WrappedDisk, name)) == expected


def test_counts_in_order(tmp_path: Path) -> None:
    """Operations are named by their method and what they change."""
    disk = CountingDisk(LocalDisk())
    use(disk, tmp_path)
    assert len(disk.operations) == 18
    assert disk.operations[:3] == [
        f"make_folder {tmp_path / 'a'}",
        f"create {tmp_path / 'a' / 'file'}",
        "write",
    ]
    assert {one.partition(" ")[0] for one in disk.operations} == {*OPERATIONS} - {"clone"}
    assert list(tmp_path.iterdir()) == []


def test_fails_at_the_kth(tmp_path: Path) -> None:
    """Exactly that operation fails, with the error asked for; later ones work unless it lasts."""
    disk = FailingDisk(LocalDisk(), 2, system_error(errno.EIO))
    disk.make_folder(tmp_path / "a")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        disk.make_folder(tmp_path / "b")
    disk.make_folder(tmp_path / "c")
    assert disk.has_failed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_a_full_disk_stays_full_and_can_be_emptied(tmp_path: Path) -> None:
    """Nothing can be made from the k-th operation on, and everything can be removed."""
    disk = FailingDisk(LocalDisk(), 2, lasting=True, spared=SPACELESS)
    disk.make_folder(tmp_path / "a")
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            disk.make_folder(tmp_path / "b")
    disk.remove_folder(tmp_path / "a")


@pytest.mark.parametrize("after", [False, True])
def test_kills_before_or_after_the_kth(tmp_path: Path, *, after: bool) -> None:
    """The process is gone in the middle of things; the operation happened only with *after*."""
    script = f"""
from pathlib import Path
from modelshelf.disk import LocalDisk
from modelshelf.testing.faults import KillingDisk
disk = KillingDisk(LocalDisk(), 2, after={after})
for name in "abc":
    disk.make_folder(Path({str(tmp_path)!r}) / name)
"""
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], check=False, env=path)
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == (["a", "b"] if after else ["a"])


def test_writes_short(tmp_path: Path) -> None:
    """A write takes its beginning and says how much that was."""
    disk = ShortWritingDisk(LocalDisk(), at_most=3)
    descriptor = disk.create(tmp_path / "file")
    assert disk.write(descriptor, b"content", 0) == 3
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"con"


def test_lacks_links(tmp_path: Path) -> None:
    """Only the kinds asked for are refused, with the number asked for."""
    (tmp_path / "file").touch()
    disk = LinklessDisk(LocalDisk(), ("link",), errno.EMLINK)
    with pytest.raises(OSError, match=os.strerror(errno.EMLINK)):
        disk.link(tmp_path / "file", tmp_path / "hard")
    disk.symlink(tmp_path / "file", tmp_path / "soft")
    assert (tmp_path / "soft").is_symlink()


def test_flips_one_bit_and_nothing_else(tmp_path: Path) -> None:
    """One bit of the content changes under every name; mode and times stay; twice is not at all."""
    path = tmp_path / "file"
    path.write_bytes(bytes(4))
    (tmp_path / "other").hardlink_to(path)
    path.chmod(0o444)
    before = path.stat()
    flip_bit(path, 17)
    assert (tmp_path / "other").read_bytes() == b"\0\0\2\0"
    after = path.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert after.st_mtime_ns == before.st_mtime_ns
    flip_bit(path, 17)
    assert path.read_bytes() == bytes(4)
