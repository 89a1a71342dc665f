"""Throwing away what came, whatever the disk is doing."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as all_threads

from modelshelf.disk import LocalDisk
from modelshelf.download.journal import JournalHead
from modelshelf.download.orphans import Orphans
from modelshelf.download.partial_file import PartialFile
from modelshelf.download.vanishing import vanish
from modelshelf.testing.faults import WrappedDisk

KEY = "0123456789abcdef"
SIZE = 3_000_000


class SlowDisk(WrappedDisk):
    """Lets nothing be written, or removed, before it may."""

    def __init__(self, *, writes: bool = False, removals: bool = False) -> None:
        super().__init__(LocalDisk())
        self._slow_writes, self._slow_removals = writes, removals
        self.begins, self.goes_on = Event(), Event()

    def write(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        if self._slow_writes and len(content) == SIZE // 3:
            self._wait()
        return super().write(descriptor, content, offset)

    def remove_file(self, path: Path) -> None:
        if self._slow_removals:
            self._wait()
        super().remove_file(path)

    def _wait(self) -> None:
        self.begins.set()
        self.goes_on.wait(60)


def begun(folder: Path, disk: SlowDisk) -> PartialFile:
    final = folder / "vae.safetensors"
    partial = PartialFile.open(final, KEY, disk)
    partial.begin(JournalHead("https://example.org/vae", KEY, final.name, size=SIZE))
    return partial


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def wait_for_discards() -> None:
    for thread in all_threads():
        if thread.name == "modelshelf-discard":
            thread.join(60)


def published_untold(folder: Path) -> PartialFile:
    """Publish a file, and leave the journal as a kill between that and the journal's removal does."""
    partial = begun(folder, SlowDisk())
    partial.write(0, memoryview(bytes(SIZE)))
    journal = folder / f".vae.safetensors.{KEY}.journal"
    kept = folder / "kept"
    kept.hardlink_to(journal)
    partial.publish(partial.final, size=SIZE)
    kept.rename(journal)
    return partial


def test_nothing_is_seen_although_a_write_is_under_way(tmp_path: Path) -> None:
    """Who cancels does not wait for it, and its file is closed only afterwards."""
    disk = SlowDisk(writes=True)
    partial = begun(tmp_path, disk)
    content = memoryview(bytes(SIZE // 3))
    writing = Thread(target=partial.write, args=(0, content))
    writing.start()
    disk.begins.wait(60)
    vanish(partial, 60)
    assert (names(tmp_path), writing.is_alive()) == ([], True)
    disk.goes_on.set()
    writing.join(60)
    wait_for_discards()
    assert names(tmp_path) == []


def test_who_cancels_waits_no_longer_than_it_likes_for_a_disk_that_hangs(tmp_path: Path) -> None:
    disk = SlowDisk(removals=True)
    partial = begun(tmp_path, disk)
    vanish(partial, 0.01)
    assert len(names(tmp_path)) == 2
    disk.goes_on.set()
    wait_for_discards()
    assert names(tmp_path) == []


def test_what_a_process_left_that_was_killed_while_it_removed_is_swept(tmp_path: Path) -> None:
    """Bytes whose journal was forgotten, bytes without one, and one without bytes."""
    begun(tmp_path, SlowDisk()).close()
    part, journal = (tmp_path / f".vae.safetensors.{KEY}.{end}" for end in ("part", "journal"))
    kept = journal.read_bytes()
    for is_there, content in ((True, b""), (True, None), (False, kept)):
        part.unlink(missing_ok=True)
        journal.unlink(missing_ok=True)
        if is_there:
            part.touch(0o600)
            part.write_bytes(bytes(10))
        if content is not None:
            journal.touch(0o600)
            journal.write_bytes(content)
        age(tmp_path)
        Orphans(LocalDisk()).sweep(tmp_path)
        assert names(tmp_path) == []


def test_a_journal_is_kept_that_says_that_its_file_was_published(tmp_path: Path) -> None:
    """A process died before it told anybody: who orders the file again hears of it, and not of a stranger's."""
    partial = published_untold(tmp_path)
    age(tmp_path)
    Orphans(LocalDisk()).sweep(tmp_path)
    with PartialFile.open(partial.final, KEY, LocalDisk()) as again:
        assert again.was_published
    assert names(tmp_path) == ["vae.safetensors"]


def test_a_journal_is_swept_whose_published_file_is_gone(tmp_path: Path) -> None:
    partial = published_untold(tmp_path)
    partial.final.rename(tmp_path / "moved")
    age(tmp_path)
    Orphans(LocalDisk()).sweep(tmp_path)
    assert names(tmp_path) == ["moved"]


def test_who_comes_while_a_folder_is_swept_finds_nothing_locked(tmp_path: Path) -> None:
    """What it goes on with may be just what is looked at."""
    disk = SlowDisk(removals=True)
    orphans = Orphans(disk)
    (tmp_path / f".vae.safetensors.{KEY}.part").touch(0o600)
    age(tmp_path)
    first = Thread(target=orphans.sweep, args=(tmp_path,))
    first.start()
    disk.begins.wait(60)
    found: list[PartialFile] = []

    def come() -> None:
        orphans.sweep(tmp_path)
        found.append(PartialFile.open(tmp_path / "vae.safetensors", KEY, LocalDisk()))

    second = Thread(target=come)
    second.start()
    disk.goes_on.set()
    first.join(60)
    second.join(60)
    assert [partial.head for partial in found] == [None]
    found[0].close()


def test_what_can_be_gone_on_with_is_not_swept(tmp_path: Path) -> None:
    """Nor what is being fetched, nor what may be from this very moment, nor anybody else's file."""
    partial = begun(tmp_path, SlowDisk())
    (tmp_path / "notes.part").touch()
    young = tmp_path / ".unet.safetensors.0123456789abcdef.part"
    age(tmp_path)
    young.touch()
    before = names(tmp_path)
    Orphans(LocalDisk()).sweep(tmp_path)
    partial.close()
    Orphans(LocalDisk()).sweep(tmp_path)
    assert names(tmp_path) == before


def test_a_file_is_not_swept_that_is_only_called_like_ours(tmp_path: Path) -> None:
    """What a download leaves nobody else can read; a link or a folder it never makes."""
    backup = tmp_path / f".backup.{KEY}.part"
    backup.write_text("mine")
    backup.chmod(0o644)
    (tmp_path / f".book.{KEY}.journal").touch(0o640)
    (tmp_path / f".link.{KEY}.part").symlink_to(backup)
    (tmp_path / f".folder.{KEY}.part").mkdir(0o700)
    age(tmp_path)
    before = names(tmp_path)
    Orphans(LocalDisk(), now=lambda: 2**40).sweep(tmp_path)
    assert names(tmp_path) == before


def test_a_folder_is_looked_through_once(tmp_path: Path) -> None:
    """It may hold thousands of files; and one that is not there is nobody's concern here."""
    orphans = Orphans(LocalDisk())
    orphans.sweep(tmp_path / "nowhere")
    orphans.sweep(tmp_path)
    left = tmp_path / f".vae.safetensors.{KEY}.part"
    left.touch(0o600)
    age(tmp_path)
    orphans.sweep(tmp_path)
    assert left.exists()


def age(folder: Path) -> None:
    """Make everything in *folder* an hour old."""
    for path in folder.iterdir():
        hour_ago = path.stat().st_mtime - 3600
        os.utime(path, (hour_ago, hour_ago))
