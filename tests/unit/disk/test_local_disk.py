from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk

DISK = LocalDisk()


def test_creates_only_what_is_not_there(tmp_path: Path) -> None:
    """A file is made with its mode and is refused where something is."""
    descriptor = DISK.create(tmp_path / "file")
    assert DISK.write(descriptor, b"content", 3) == 7
    DISK.sync_file(descriptor)
    DISK.seal(descriptor)
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"\0\0\0content"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o444
    with pytest.raises(FileExistsError):
        DISK.create(tmp_path / "file")


def test_opens_again_only_regular_files(tmp_path: Path) -> None:
    """A link, a pipe or a folder in the place of the file is refused at once."""
    os.close(DISK.create(tmp_path / "file"))
    DISK.symlink(tmp_path / "file", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    descriptor = DISK.reopen(tmp_path / "file")
    DISK.reserve(descriptor, 0)
    DISK.reserve(descriptor, 5000)
    assert os.fstat(descriptor).st_size == 5000
    DISK.truncate(descriptor, 3)
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == bytes(3)
    for name, number in {"link": errno.ELOOP, "pipe": errno.EINVAL, "": errno.EISDIR}.items():
        with pytest.raises(OSError, match=os.strerror(number)) as raised:
            DISK.reopen(tmp_path / name)
        assert raised.value.errno == number


def test_takes_only_a_free_name(tmp_path: Path) -> None:
    """What stands there stays, and so does what was to be moved."""
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        DISK.rename_new(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"a", b"b"]
    DISK.rename_new(tmp_path / "a", tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_makes_and_removes_folders(tmp_path: Path) -> None:
    """Parents are made too, twice is once, and a filled folder is not removed."""
    for _ in range(2):
        DISK.make_folder(tmp_path / "a" / "b")
    DISK.sync_folder(tmp_path / "a")
    with pytest.raises(OSError, match="not empty"):
        DISK.remove_folder(tmp_path / "a")
    DISK.remove_folder(tmp_path / "a" / "b")
    DISK.remove_folder(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_links_do_not_follow_links(tmp_path: Path) -> None:
    """A hard link of a symbolic link is the link, not what it leads to."""
    (tmp_path / "file").write_bytes(b"content")
    DISK.symlink(Path("file"), tmp_path / "soft")
    DISK.link(tmp_path / "soft", tmp_path / "hard")
    assert (tmp_path / "hard").readlink() == Path("file")
    DISK.remove_file(tmp_path / "hard")
    assert (tmp_path / "file").exists()


def test_renames_over_a_file_but_not_a_filled_folder(tmp_path: Path) -> None:
    """A file is replaced at once; a folder with something in it never is."""
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    DISK.rename(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    (tmp_path / "other").mkdir()
    with pytest.raises(OSError, match="not empty"):
        DISK.rename(tmp_path / "other", tmp_path / "folder")


def test_exchanges_two_names(tmp_path: Path) -> None:
    """A file and a folder swap their names; with one missing nothing happens."""
    (tmp_path / "file").write_text("content")
    (tmp_path / "folder").mkdir()
    DISK.exchange(tmp_path / "file", tmp_path / "folder")
    assert (tmp_path / "file").is_dir()
    assert (tmp_path / "folder").read_text() == "content"
    with pytest.raises(OSError, match="No such file") as caught:
        DISK.exchange(tmp_path / "file", tmp_path / "gone")
    assert caught.value.errno == errno.ENOENT


def test_a_clone_is_a_file_of_its_own_or_nothing(tmp_path: Path) -> None:
    """Where blocks can be shared the clone has the content; where not, nothing is left."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"content" * 1000)
    try:
        DISK.clone(source, target)
    except OSError as error:
        assert error.errno in {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY}  # noqa: PT017 - either is right
        assert not target.exists()
    else:
        assert target.read_bytes() == source.read_bytes()
        assert target.stat().st_ino != source.stat().st_ino
