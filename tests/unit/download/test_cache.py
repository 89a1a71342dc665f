from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from modelshelf.download.cache import DownloadCache


class Fetches:
    """Brings a file of so many bytes, and counts how often."""

    def __init__(self, size: int = 100) -> None:
        self.size = size
        self.count = 0

    def __call__(self, content: Path) -> Path:
        self.count += 1
        path = content / "model.bin"
        path.write_bytes(bytes(self.size))
        return path


class Hours:
    """A clock that goes on by an hour each time somebody looks."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 3600
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def test_a_source_is_fetched_once(folder: Path) -> None:
    """Whoever asks again, in another program too, gets the same path."""
    fetch = Fetches()
    with DownloadCache(folder, 1_000) as cache, DownloadCache(folder, 1_000) as other:
        path = cache.use("a", fetch)
        assert (cache.use("a", fetch), other.use("a", fetch)) == (path, path)
        assert cache.use("b", fetch) != path
    assert fetch.count == 2
    assert path.stat().st_size == 100


def test_the_longest_unused_goes_first(folder: Path) -> None:
    """What was used again stays, although it came first."""
    now, fetch = Hours(), Fetches()
    for source in ("a", "b", "c", "a", "d"):
        with DownloadCache(folder, 300, now=now) as cache:
            cache.use(source, fetch)
    assert [entry.source for entry in cache.entries()] == ["c", "a", "d"]
    assert sorted(path.suffix for path in folder.iterdir()) == [
        "",
        "",
        "",
        ".lock",
        ".lock",
        ".lock",
    ]


def test_nothing_in_use_is_removed(folder: Path) -> None:
    """Neither by the program that uses it nor by another; it may be more than the limit then."""
    fetch = Fetches()
    with DownloadCache(folder, 150) as cache:
        paths = [cache.use(source, fetch) for source in ("a", "b", "c")]
        with DownloadCache(folder, 0) as other:
            assert other.shrink() == 0
        assert all(path.exists() for path in paths)
    assert other.shrink() == 300
    assert list(folder.iterdir()) == []


def test_a_killed_program_uses_nothing_any_more(folder: Path) -> None:
    """The system lets go for it."""
    script = f"""
import os, signal
from pathlib import Path
from modelshelf.download.cache import DownloadCache
def fetch(content):
    (content / "f").write_bytes(b"1234")
    return content / "f"
DownloadCache(Path({str(folder)!r}), 0).use("a", fetch)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode < 0
    cache = DownloadCache(folder, 0)
    assert [entry.size for entry in cache.entries()] == [4]
    assert cache.shrink() == 4


def test_what_failed_goes_on_where_it_was(folder: Path) -> None:
    """The next try finds what the last one left, and until then there is no entry."""

    def half(content: Path) -> Path:
        (content / ".model.part").write_bytes(b"half")
        raise TimeoutError

    def rest(content: Path) -> Path:
        (content / ".model.part").rename(content / "model")
        return content / "model"

    with DownloadCache(folder, 1_000) as cache:
        with pytest.raises(TimeoutError):
            cache.use("a", half)
        assert cache.entries() == []
        assert cache.use("a", rest).read_bytes() == b"half"


def test_what_nobody_goes_on_with_is_removed_after_a_week(folder: Path) -> None:
    """A download that was given up does not stay for ever."""

    def half(content: Path) -> Path:
        (content / ".model.part").write_bytes(b"half")
        raise TimeoutError

    cache = DownloadCache(folder, 1_000)
    with pytest.raises(TimeoutError):
        cache.use("a", half)
    assert cache.shrink() == 0
    (home,) = (path for path in folder.iterdir() if path.is_dir())
    week_ago = home.stat().st_mtime - 8 * 24 * 3600
    os.utime(home, (week_ago, week_ago))
    assert cache.shrink() >= 4
    assert list(folder.iterdir()) == []


def test_two_at_once_fetch_once(folder: Path) -> None:
    """The second waits for the first, and gets what it fetched."""
    begun, go_on, fetch = Event(), Event(), Fetches()

    def slow(content: Path) -> Path:
        begun.set()
        go_on.wait(30)
        return fetch(content)

    found: list[Path] = []

    def ask(cache: DownloadCache, how: Callable[[Path], Path]) -> None:
        found.append(cache.use("a", how))

    with DownloadCache(folder, 1_000) as first, DownloadCache(folder, 1_000) as second:
        threads = [Thread(target=ask, args=(first, slow))]
        threads[0].start()
        begun.wait(30)
        threads.append(Thread(target=ask, args=(second, fetch)))
        threads[1].start()
        go_on.set()
        for thread in threads:
            thread.join()
    assert fetch.count == 1
    assert found[0] == found[1]


def test_who_may_not_wait_forever_is_told(folder: Path) -> None:
    """A program that fetches may be stopped, and not end for as long as nobody looks."""
    fetch = Fetches()
    with DownloadCache(folder, 1_000) as first, DownloadCache(folder, 1_000) as second:

        def slow(content: Path) -> Path:
            with pytest.raises(TimeoutError):
                second.use("a", fetch, seconds=0.1)
            return fetch(content)

        path = first.use("a", slow)
        assert second.use("a", fetch, seconds=0.1) == path
    assert fetch.count == 1


def test_addresses_that_differ_in_a_secret_are_two(folder: Path) -> None:
    """And the secret is nowhere in the cache."""
    fetch = Fetches()
    with DownloadCache(folder, 1_000) as cache:
        one = cache.use("https://h.example/get", fetch, apart="https://h.example/get?key=3")
        two = cache.use("https://h.example/get", fetch, apart="https://h.example/get?key=4")
        assert one != two
        assert {entry.source for entry in cache.entries()} == {"https://h.example/get"}
    written = b"".join(path.read_bytes() for path in folder.rglob("*.json"))
    assert b"key=" not in written


@pytest.mark.parametrize("damage", ["", "[]", '{"path": "../../../etc/passwd", "source": "a"}'])
def test_a_damaged_entry_is_fetched_again(folder: Path, damage: str) -> None:
    """What it says is believed only as far as it stays inside."""
    fetch = Fetches()
    with DownloadCache(folder, 1_000) as cache:
        path = cache.use("a", fetch)
        (path.parent.parent / "entry.json").write_text(damage)
        assert cache.use("a", fetch) == path
    assert fetch.count == 2


def test_a_folder_of_files_is_an_entry_too(folder: Path) -> None:
    """Its size is that of all its files."""

    def fetch(content: Path) -> Path:
        (content / "vae").mkdir()
        (content / "vae" / "config.json").write_bytes(b"{}")
        (content / "model_index.json").write_bytes(b"{}")
        return content

    with DownloadCache(folder, 1_000) as cache:
        path = cache.use("org/name", fetch)
        assert sorted(each.name for each in path.iterdir()) == ["model_index.json", "vae"]
        assert [entry.size for entry in cache.entries()] == [4]
