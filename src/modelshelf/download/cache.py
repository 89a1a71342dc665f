"""Files that were fetched to be used and not to be kept: by source, within a size, the longest unused go first.

::

    models/.cache/fetched/
    ├─ <32 digits>.lock      shared by whoever uses the entry, exclusive for whoever fetches or removes it
    └─ <32 digits>/          of the source's digest
       ├─ entry.json         source, name and size; there only when the content is whole
       └─ content/           one file, or the files of a repository

An entry was used last when its `entry.json` was modified last.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from blake3 import blake3

from modelshelf.download.destination_trouble import destination_trouble

__all__ = ["CachedEntry", "DownloadCache"]

_KEY_LENGTH = 16
"""Bytes of the digest that names an entry."""
_ENTRY = "entry.json"
_CONTENT = "content"
_TICK = 0.05
"""Seconds between two tries to take a lock that may not be waited for without end."""
_STALE = 7 * 24 * 3600.0
"""Seconds after which what nobody went on fetching goes."""


@dataclass(frozen=True, slots=True)
class CachedEntry:
    """Something in the cache."""

    source: str
    """What it was fetched from, secrets removed."""
    path: Path
    """The file, or the folder of files."""
    size: int
    """Bytes."""
    used: float
    """When it was asked for last, seconds since 1970."""


class DownloadCache:
    """A folder of fetched files that several programs share.

    What a program has asked for is in use until the program lets go of it or ends, however it ends, and
    nobody removes it meanwhile. Of the rest, the longest unused goes when more than *limit* bytes lie here.

    Example:
        >>> folder = getfixture("tmp_path") / "fetched"
        >>> def fetch(content):
        ...     _ = (content / "style.safetensors").write_bytes(b"weights")
        ...     return content / "style.safetensors"
        >>> with DownloadCache(folder, limit=1_000_000) as cache:
        ...     path = cache.use("https://h.example/style.safetensors", fetch)
        ...     again = cache.use("https://h.example/style.safetensors", fetch)
        >>> path.name, again == path, [entry.size for entry in cache.entries()]
        ('style.safetensors', True, [7])
    """

    def __init__(self, folder: Path, limit: int, *, now: Callable[[], float] = time.time) -> None:
        """Name the folder; nothing is made yet.

        Args:
            folder: `models/.cache/fetched`.
            limit: Bytes that entries may take together; what is in use may be more.
            now: Tells the time of day, in seconds since 1970.
        """
        self._folder = folder
        self._limit = limit
        self._now = now
        self._guard = Lock()
        self._held: dict[str, int] = {}

    def use(
        self,
        source: str,
        fetch: Callable[[Path], Path],
        *,
        apart: str = "",
        seconds: float | None = None,
    ) -> Path:
        """Return what *source* has, fetching it where it is not here yet.

        Two that ask for the same source at once fetch it once: the second waits.

        Args:
            source: What to fetch, as it may be shown to people.
            fetch: Given a folder that may hold what an earlier try left, brings the content there and
                returns the file in it, or the folder itself. What it raises is passed on, and what it
                has brought stays for the next try.
            apart: What else tells this source from others and is not to be read here, such as an address
                with its secrets: only a digest of it and *source* together is kept.
            seconds: How long to wait at most for another that fetches it; None as long as that takes.

        Raises:
            TimeoutError: Another is fetching it for longer.
            DestinationUnusableError: The cache cannot be written to.
            NotEnoughSpaceError: The disk is full.
        """
        key = blake3(f"{source}\0{apart}".encode()).hexdigest(_KEY_LENGTH)
        deadline = None if seconds is None else time.monotonic() + seconds
        with destination_trouble(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with self._guard:
            if key in self._held and (entry := self._read(key)) is not None:
                self._touch(key)
                return entry.path
            if key in self._held:
                # Somebody damaged it: our own lock must not keep us from fetching it again.
                os.close(self._held.pop(key))
        descriptor = self._lock(key, fcntl.LOCK_SH, deadline)
        entry = self._read(key)
        while entry is None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
            descriptor = self._lock(key, fcntl.LOCK_EX, deadline)
            try:
                if self._read(key) is None:
                    self._fill(key, source, fetch)
            except BaseException:
                os.close(descriptor)
                raise
            # Between the two locks somebody may remove it again, so it is looked for once more.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            entry = self._read(key)
        self._touch(key)
        with self._guard:
            if key in self._held:
                os.close(self._held[key])
            self._held[key] = descriptor
        self.shrink()
        return entry.path

    def entries(self) -> list[CachedEntry]:
        """Return what is here and whole, the longest unused first."""
        with suppress(FileNotFoundError):
            found = [self._read(path.name) for path in self._folder.iterdir() if path.is_dir()]
            return sorted(
                (entry for entry in found if entry is not None), key=lambda entry: entry.used
            )
        return []

    def shrink(self) -> int:
        """Remove what is too much and in nobody's use, and what nobody went on fetching for a week.

        Returns:
            Bytes that this freed.
        """
        freed = self._remove_stale()
        entries = self.entries()
        too_much = sum(entry.size for entry in entries) - self._limit
        for entry in entries:
            if too_much <= 0:
                break
            if self._remove(self._key_of(entry)):
                too_much -= entry.size
                freed += entry.size
        return freed

    def close(self) -> None:
        """Let go of everything that was asked for."""
        with self._guard:
            while self._held:
                os.close(self._held.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fill(self, key: str, source: str, fetch: Callable[[Path], Path]) -> None:
        content = self._folder / key / _CONTENT
        with destination_trouble(content):
            content.mkdir(parents=True, exist_ok=True)
        path = fetch(content)
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        said = {
            "source": source,
            "path": path.relative_to(content).as_posix(),
            "size": sum(file.stat().st_size for file in files),
        }
        unfinished = self._folder / key / f"{_ENTRY}.new"
        with destination_trouble(unfinished):
            with unfinished.open("w", encoding="utf-8") as stream:
                json.dump(said, stream)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.rename(unfinished.with_name(_ENTRY))

    def _read(self, key: str) -> CachedEntry | None:
        home = self._folder / key
        try:
            said = json.loads((home / _ENTRY).read_text(encoding="utf-8"))
            used = (home / _ENTRY).stat().st_mtime
            path = home / _CONTENT / str(said["path"])
            if not path.resolve().is_relative_to(home.resolve()) or not path.exists():
                return None
            return CachedEntry(str(said["source"]), path, int(said["size"]), used)
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _touch(self, key: str) -> None:
        now = self._now()
        with suppress(OSError):
            os.utime(self._folder / key / _ENTRY, (now, now))

    def _remove_stale(self) -> int:
        freed = 0
        with suppress(FileNotFoundError):
            for home in list(self._folder.iterdir()):
                if not home.is_dir() or (home / _ENTRY).exists():
                    continue
                with suppress(OSError):
                    if home.stat().st_mtime < self._now() - _STALE:
                        size = sum(file.lstat().st_size for file in home.rglob("*"))
                        freed += size if self._remove(home.name) else 0
        return freed

    def _remove(self, key: str) -> bool:
        """Remove an entry that nobody uses; say whether it is gone."""
        try:
            descriptor = self._lock(key, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            with destination_trouble(self._folder / key):
                # The word that it is whole goes first.
                (self._folder / key / _ENTRY).unlink(missing_ok=True)
                shutil.rmtree(self._folder / key, ignore_errors=True)
                self._lock_path(key).unlink(missing_ok=True)
        finally:
            os.close(descriptor)
        return True

    def _lock(self, key: str, kind: int, deadline: float | None = None) -> int:
        """Lock an entry.

        Raises:
            BlockingIOError: *kind* says not to wait, and somebody has it.
            TimeoutError: Somebody has it until *deadline*.
        """
        path = self._lock_path(key)
        while True:
            with destination_trouble(path):
                descriptor = os.open(
                    path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
                )
            try:
                _wait_for(descriptor, kind, deadline)
                # Whoever removed the entry meanwhile has removed the name of this lock, too.
                if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _lock_path(self, key: str) -> Path:
        return self._folder / f"{key}.lock"

    def _key_of(self, entry: CachedEntry) -> str:
        return entry.path.relative_to(self._folder).parts[0]


def _wait_for(descriptor: int, kind: int, deadline: float | None) -> None:
    """Take a lock; one that may not be waited for without end is tried again and again."""
    while deadline is not None:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                message = "another program or thread is fetching it"
                raise TimeoutError(message) from None
            time.sleep(_TICK)  # `flock(2)` waits without end or not at all: nothing to wait on
        else:
            return
    fcntl.flock(descriptor, kind)
