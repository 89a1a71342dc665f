"""What a queue keeps in a folder, so that another process can go on after this one died."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from modelshelf.download.job_log import QueueLogger
from modelshelf.download.saved_job import SavedJob
from modelshelf.errors import DestinationUnusableError
from modelshelf.protocols import Disk
from modelshelf.schema.download_job import DownloadJobBase

__all__ = ["QueueState"]

_LARGEST = 16 * 1024 * 1024
"""Bytes of a document; a job for ten thousand files has five million."""
_OWNER = re.compile(r"owner-(?P<id>[0-9a-f]{32})\.lock")
_UNFINISHED = re.compile(r"\.\d+\.json\.(?P<id>[0-9a-f]{32})\.[0-9a-f]{8}\.tmp")


class QueueState:
    """The unfinished jobs of the queues that share a folder, one document each.

    ::

        FOLDER/
        ├─ gate.lock               held while jobs get their numbers and their owners
        ├─ owner-<id>.lock         held by a queue as long as it lives
        ├─ <number>.json           a job, and who owns it
        └─ set-aside/              what claimed to be a job and was none

    Any number of queues, in any processes, may use one folder: each owns its jobs, and takes over those whose
    owner is dead. The system drops the lock of whoever dies, however it dies.

    The documents hold no access token, and of an address what `saved_part` says.
    """

    def __init__(self, folder: Path, disk: Disk, logger: QueueLogger) -> None:
        """Use *folder*, which is made when it is not there; own nothing yet.

        Args:
            folder: Where the documents are; readable for its owner alone.
            disk: Through which to write.
            logger: Where documents that are none are told.
        """
        self._folder = folder
        self._disk = disk
        self._logger = logger
        self._owner = secrets.token_hex(16)
        self._lock: int | None = None
        self._next = 0
        self._keys: dict[int, str] = {}
        self._writing = Lock()
        # A child that lived longer than this process would keep its jobs from everybody.
        drop = weakref.WeakMethod(self._drop_in_child)
        os.register_at_fork(after_in_child=lambda: (method := drop()) and method())

    def claim(self) -> tuple[list[DownloadJobBase], set[int]]:
        """Own the jobs whose queue is dead, and those of this one again.

        Returns:
            The jobs that are new to this queue, paused, in the order of their numbers; and the numbers of
            those that it has known and that another queue took over since `release`.

        Raises:
            DestinationUnusableError: The folder cannot be used.
        """
        with self._trouble():
            self._disk.make_folder(self._folder)
            with self._gate(), self._writing:
                return self._claim()

    def add(self, job: DownloadJobBase) -> None:
        """Give *job* a number that no other has, and keep it if it is of a class that can be kept.

        Raises:
            DestinationUnusableError: The folder cannot be written.
        """
        with self._trouble(), self._gate():
            while self._path(self._next).exists():
                self._next += 1
            job.id, self._next = self._next, self._next + 1
            key = secrets.token_hex(16)
            try:
                content = SavedJob.of(job, key=key, owner=self._owner).to_bytes()
            except (TypeError, ValueError):
                # A subclass's own class, or a name that is no text. It lives as long as the process.
                self._logger.warning("download %d cannot be kept in a document", job.id)
                return
            # After `release` too: until `claim`, it is as much this queue's as its other jobs.
            self._write(self._path(job.id), content, durable=True)
            self._keys[job.id] = key

    def save(self, job: DownloadJobBase, *, durable: bool = True) -> None:
        """Keep *job* as it is now; nothing happens for one that this queue does not own.

        Args:
            job: A job that was added.
            durable: Whether it has to survive a power cut, and not only the death of the process.

        Raises:
            OSError: The system refused. What was kept before is still there.
        """
        with self._writing:
            key = self._keys.get(job.id)
            # After `release` the document may be somebody else's.
            if key is not None and self._lock is not None:
                content = SavedJob.of(job, key=key, owner=self._owner).to_bytes()
                self._write(self._path(job.id), content, durable=durable)

    def forget(self, number: int) -> None:
        """Keep a job no longer that has ended.

        Raises:
            OSError: The system refused.
        """
        with self._writing:
            if self._keys.pop(number, None) is not None and self._lock is not None:
                self._disk.remove_file(self._path(number))

    def release(self) -> None:
        """Let others own the jobs; `claim` takes them back."""
        with self._writing:
            if self._lock is not None:
                with suppress(OSError):
                    self._disk.remove_file(self._folder / f"owner-{self._owner}.lock")
                # Closing is not enough where a child has the same open file.
                fcntl.flock(self._lock, fcntl.LOCK_UN)
                os.close(self._lock)
                self._lock = None

    def _claim(self) -> tuple[list[DownloadJobBase], set[int]]:
        self._own()
        mine, self._keys = self._keys, {}
        alive = self._living_owners()
        found: list[DownloadJobBase] = []
        for number, path in sorted(self._documents()):
            self._next = max(self._next, number + 1)
            saved = self._read(path)
            if saved is None or saved.owner in alive:
                continue
            known = mine.get(number) == saved.key
            self._keys[number] = saved.key
            saved.owner = self._owner
            # Should a power cut take that back, the owner that it names then is dead too.
            self._write(path, saved.to_bytes(), durable=False)
            if not known:
                found.append(saved.job(number))
        lost = {number for number, key in mine.items() if self._keys.get(number) != key}
        return found, lost

    def _own(self) -> None:
        if self._lock is None:
            self._owner = secrets.token_hex(16)
            lock = self._disk.create(self._folder / f"owner-{self._owner}.lock")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._lock = lock

    def _living_owners(self) -> set[str]:
        """Find the other queues that live, and sweep up after those that do not."""
        alive = {self._owner}
        names = list(self._folder.iterdir())
        for path in names:
            match = _OWNER.fullmatch(path.name)
            if match is None or match["id"] == self._owner:
                continue
            try:
                descriptor = self._disk.reopen(path)
            except OSError:
                # Let go of in this moment, or no lock at all.
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with suppress(FileNotFoundError):
                    self._disk.remove_file(path)
            except BlockingIOError:
                alive.add(match["id"])
            finally:
                os.close(descriptor)
        for path in names:
            match = _UNFINISHED.fullmatch(path.name)
            if match and match["id"] not in alive:
                with suppress(FileNotFoundError):
                    self._disk.remove_file(path)
        return alive - {self._owner}

    def _documents(self) -> Iterator[tuple[int, Path]]:
        for path in list(self._folder.glob("*.json")):
            if path.stem.isascii() and path.stem.isdecimal() and len(path.stem) <= 15:  # noqa: PLR2004
                yield int(path.stem), path
            else:
                self._set_aside(path, "its name is no number")

    def _read(self, path: Path) -> SavedJob | None:
        try:
            return SavedJob.parse(_content(path))
        except FileNotFoundError:
            # Its owner is done with it.
            return None
        except (OSError, ValueError) as error:
            # The first line: what a validator says of a value may hold the value.
            self._set_aside(path, str(error).partition("\n")[0])
            return None

    def _set_aside(self, path: Path, reason: str) -> None:
        aside = self._folder / "set-aside"
        self._disk.make_folder(aside)
        with suppress(FileNotFoundError):
            self._disk.rename(path, aside / f"{path.name}.{secrets.token_hex(4)}")
        self._logger.warning("%s is no download job (%s); moved to %s", path, reason, aside)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _write(self, path: Path, content: bytes, *, durable: bool) -> None:
        temporary = path.with_name(f".{path.name}.{self._owner}.{secrets.token_hex(4)}.tmp")
        descriptor = self._disk.create(temporary)
        try:
            offset = 0
            while offset < len(content):
                offset += self._disk.write(descriptor, content[offset:], offset)
            if durable:
                self._disk.sync_file(descriptor)
            self._disk.rename(temporary, path)
        except OSError:
            with suppress(OSError):
                self._disk.remove_file(temporary)
            raise
        finally:
            os.close(descriptor)
        if durable:
            self._disk.sync_folder(self._folder)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        gate = os.open(
            self._folder / "gate.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            fcntl.flock(gate, fcntl.LOCK_UN)
            os.close(gate)

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DestinationUnusableError(
                path=str(self._folder), reason=error.strerror or str(error)
            ) from error

    def _drop_in_child(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _content(path: Path) -> bytes:
    """Read a file that anybody may have put there.

    Raises:
        ValueError: It is no file, or too large.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        content = file.read(_LARGEST + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    if content is None or len(content) > _LARGEST:
        message = "it is no file, or too large"
        raise ValueError(message)
    return content
