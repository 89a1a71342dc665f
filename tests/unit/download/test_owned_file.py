from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.owned_file import OwnedFile
from modelshelf.testing.faults import WrappedDisk


class Crowd(WrappedDisk):
    """A disk on which others come and go between our calls."""

    def __init__(self, *, vanishing: int = 0, appearing: int = 0) -> None:
        super().__init__(LocalDisk())
        self._vanishing = vanishing
        self._appearing = appearing

    def reopen(self, path: Path) -> int:
        descriptor = super().reopen(path)
        self._vanish(path)
        return descriptor

    def create(self, path: Path, mode: int = 0o600) -> int:
        if self._appearing:
            self._appearing -= 1
            path.touch()
        descriptor = super().create(path, mode)
        self._vanish(path)
        return descriptor

    def _vanish(self, path: Path) -> None:
        if self._vanishing:
            self._vanishing -= 1
            path.unlink()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the name of a file that is not there."""
    return tmp_path / "part"


def test_what_is_not_there_is_not_taken(path: Path) -> None:
    """It can be made."""
    assert OwnedFile.take(path, LocalDisk()) is None
    OwnedFile.take_or_make(path, LocalDisk()).close()
    assert path.exists()


def test_what_vanishes_while_it_is_taken_is_not_taken(path: Path) -> None:
    """Its last owner was just done with it."""
    path.write_text("old")
    assert OwnedFile.take(path, Crowd(vanishing=1)) is None


def test_a_new_file_that_somebody_removes_is_made_again(path: Path) -> None:
    """Before it was locked it could be taken for a leftover."""
    for make in (OwnedFile.make, OwnedFile.take_or_make):
        owned = make(path, Crowd(vanishing=3))
        assert owned.has_its_name
        owned.remove()
        owned.close()


def test_what_appears_meanwhile_is_taken_or_replaced(path: Path) -> None:
    """Whichever was asked for."""
    owned = OwnedFile.take_or_make(path, Crowd(appearing=1))
    owned.write(b"old", 0)
    owned.close()
    owned = OwnedFile.make(path, LocalDisk())
    assert owned.status.st_size == 0
    owned.close()


def test_a_crowd_that_never_ends_is_told(path: Path) -> None:
    """Instead of trying for ever."""
    for make in (OwnedFile.make, OwnedFile.take_or_make):
        with pytest.raises(BlockingIOError):
            make(path, Crowd(vanishing=10**6))


class Restless(WrappedDisk):
    """A disk on which there is always another file by the same name."""

    def reopen(self, path: Path) -> int:
        descriptor = super().reopen(path)
        path.unlink()
        path.touch()
        return descriptor


def test_a_name_that_means_another_file_each_time_is_told(path: Path) -> None:
    """Nothing there is anybody's for long enough."""
    path.touch()
    with pytest.raises(BlockingIOError):
        OwnedFile.take(path, Restless(LocalDisk()))


def test_a_system_without_locks_is_told(path: Path) -> None:
    """Nobody could be sure to be alone."""

    class Lockless(WrappedDisk):
        def create(self, path: Path, mode: int = 0o600) -> int:
            descriptor = super().create(path, mode)
            os.close(descriptor)
            return os.open(path, os.O_PATH)

    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        OwnedFile.make(path, Lockless(LocalDisk()))


def test_who_does_not_have_the_name_does_not_remove_it(path: Path) -> None:
    """It is another one's by now."""
    owned = OwnedFile.make(path, LocalDisk())
    path.unlink()
    path.write_text("another one's")
    assert not owned.has_its_name
    owned.remove()
    owned.close()
    assert path.read_text() == "another one's"


def test_a_file_with_another_name_is_not_its_owners_alone(path: Path) -> None:
    """Another name is somebody's file, and so is the only one, once it is not the one that was taken."""
    owned = OwnedFile.make(path, LocalDisk())
    seen = [owned.has_only_its_name]
    path.with_name("other").hardlink_to(path)
    seen.append(owned.has_only_its_name)
    path.unlink()
    seen.append(owned.has_only_its_name)
    assert seen == [True, False, False]
    owned.close()


def test_a_lock_ends_with_its_file(path: Path) -> None:
    """Also for those who wait."""
    owned = OwnedFile.make(path, LocalDisk())
    with path.open() as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owned.close()
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
