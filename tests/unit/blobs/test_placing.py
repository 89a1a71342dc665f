from __future__ import annotations

import errno
from pathlib import Path

import pytest

from modelshelf.blobs.placing import Placement, Placer, is_same_file
from modelshelf.disk import LocalDisk
from modelshelf.testing.faults import CountingDisk, LinklessDisk

ALL = (Placement.REFLINK, Placement.HARDLINK, Placement.SYMLINK)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A stored file."""
    path = tmp_path / "stored"
    path.write_bytes(b"content")
    path.chmod(0o444)
    return path


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        (("clone",), Placement.HARDLINK),
        (("clone", "link"), Placement.SYMLINK),
        (("clone", "link", "symlink"), None),
    ],
)
@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS])
def test_takes_the_cheapest_link_there_is(
    stored: Path, lacking: tuple[str, ...], expected: Placement | None, number: int
) -> None:
    """Kinds that the file system refuses are passed over; without any, nothing is made."""
    placer = Placer(LinklessDisk(LocalDisk(), lacking, number), ALL)
    target = stored.with_name("target")
    assert placer.place(stored, target) == expected
    assert target.exists() == (expected is not None)
    if expected is not None:
        assert target.read_bytes() == b"content"
        assert is_same_file(stored, target, 7)


def test_remembers_what_is_refused(stored: Path) -> None:
    """A kind that was refused is not tried again; one that ran out for one file is."""
    for number, tries in ((errno.EPERM, 1), (errno.EMLINK, 2)):
        disk = LinklessDisk(counting := CountingDisk(LocalDisk()), ("clone",), errno.EOPNOTSUPP)
        placer = Placer(asking := CountingDisk(LinklessDisk(disk, ("link",), number)), ALL[1:])
        for name in ("one", "two"):
            target = stored.with_name(f"{number}-{name}")
            assert placer.place(stored, target) is Placement.SYMLINK
        assert sum(one.startswith("link") for one in asking.operations) == tries
        assert len(counting.operations) == 2


def test_only_what_is_allowed(stored: Path) -> None:
    """A kind that is not in the list is not made, however cheap."""
    assert Placer(LocalDisk(), ()).place(stored, stored.with_name("target")) is None
    placed = Placer(LocalDisk(), (Placement.SYMLINK,)).place(stored, stored.with_name("target"))
    assert placed is Placement.SYMLINK


@pytest.mark.parametrize("kind", [Placement.HARDLINK, Placement.SYMLINK])
def test_never_replaces(stored: Path, kind: Placement) -> None:
    """What is at the target stays, and the caller is told."""
    target = stored.with_name("target")
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        Placer(LocalDisk(), (kind,)).place(stored, target)
    assert target.read_bytes() == b"mine"


class TestIsSameFile:
    def test_links_are(self, stored: Path) -> None:
        """A hard link, and a symbolic link with exactly that target, show the file."""
        hard, soft = stored.with_name("hard"), stored.with_name("soft")
        hard.hardlink_to(stored)
        soft.symlink_to(stored)
        assert is_same_file(stored, hard, 7) is True
        assert is_same_file(stored, soft, 7) is True
        assert is_same_file(hard, soft, 7) is False

    def test_content_decides_about_a_sealed_copy(self, stored: Path) -> None:
        """A read-only file of that length may be a reflink; a writable or longer one is not."""
        copy = stored.with_name("copy")
        copy.write_bytes(b"content")
        assert is_same_file(stored, copy, 7) is False
        copy.chmod(0o444)
        assert is_same_file(stored, copy, 7) is None
        assert is_same_file(stored, copy, 8) is False
        assert is_same_file(stored.with_name("gone"), copy, 7) is None

    def test_nothing_else_is(self, stored: Path) -> None:
        """A folder, a place below a file, and nothing at all do not show it."""
        folder = stored.with_name("folder")
        folder.mkdir()
        for placed in (folder, stored / "below", stored.with_name("gone")):
            assert is_same_file(stored, placed, 7) is False
