"""Leases: how an operation in flight keeps others from removing what it works on.

A lease is a row that names what it protects, and a locked file that proves its owner alive. The system
drops the lock when the owner dies, however it dies, so a dead lease is known at once and without
waiting for a clock, across containers too.

The file decides, not the row. A row without a file comes out of a database that was put back from a
copy: what it names was finished long ago, and may be a model that a later database knew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes
from uuid import uuid4

from filelock import FileLock, Timeout

from modelshelf.blobs.trouble import store_trouble
from modelshelf.errors import ModelshelfError
from modelshelf.protocols import LeaseRecords

__all__ = ["LeaseKeeper", "item_path", "new_lease_id", "path_item"]

_GATE = "leases.lock"


class LeaseKeeper:
    """Hands out leases and ends those whose owner is dead.

    ::

        models/.cache/leases/
        ├─ leases.lock        held while a lease begins or dead ones are looked for
        └─ <lease id>.lock    held by the owner as long as it lives
    """

    def __init__(self, folder: Path, records: LeaseRecords, clean: Callable[[str], None]) -> None:
        """Hold what leases are kept with.

        Args:
            folder: Where the lock files are.
            records: Where the rows are.
            clean: Called with the id of each lease that is about to end: removes what its operation
                left and no record wants. While it fails, the lease stays.
        """
        self._folder = folder
        self._records = records
        self._clean = clean

    @property
    def are_possible(self) -> bool:
        """Whether a lease can be held: not where the library is read-only, as an image that is mounted so."""
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return os.access(folder, os.W_OK)

    @contextmanager
    def hold(self, lease_id: str, purpose: str, items: Iterable[tuple[str, str]]) -> Iterator[None]:
        """Protect *items* for the length of the block, then clean up whatever happened.

        Args:
            lease_id: A fresh id, from `new_lease_id`.
            purpose: A few words for whoever looks at the database.
            items: What to protect, as (kind, value).
        """
        with store_trouble(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(lease_id)
        lock = FileLock(path, thread_local=False)
        # Behind the gate, so that nobody finds the lock file before its row and takes it for debris.
        with store_trouble(path), FileLock(self._folder / _GATE):
            lock.acquire()
            # The row is durable when it is there, so its file has to be before it.
            _sync(self._folder)
            self._records.begin_lease(lease_id, purpose, items)
        try:
            yield
        finally:
            # What cannot be cleaned up now stays leased; the released lock lets anybody do it later.
            with suppress(ModelshelfError, OSError):
                self._clean(lease_id)
                self._records.end_lease(lease_id)
                path.unlink(missing_ok=True)
            lock.release()

    def end_dead(self) -> int:
        """Clean up after every lease whose owner is dead, and end it.

        A row without a lock file is ended and nothing is removed: see the module's own words.

        Returns:
            How many leases were ended.

        Raises:
            StorageError: Something could not be cleaned up; that lease stays.
        """
        if not self._folder.is_dir() and not self._records.leases():
            return 0
        if not self.are_possible:
            # Whoever may write there does it.
            return 0
        with store_trouble(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with store_trouble(self._folder), FileLock(self._folder / _GATE):
            rows = self._records.leases()
            files = {path.stem for path in self._folder.glob("*.lock") if path.name != _GATE}
            for lease_id in set(rows) - files:
                self._records.end_lease(lease_id)
            return len(set(rows) - files) + sum(map(self._end_if_dead, sorted(files)))

    def _end_if_dead(self, lease_id: str) -> bool:
        path = self._path(lease_id)
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        try:
            self._clean(lease_id)
            self._records.end_lease(lease_id)
            path.unlink(missing_ok=True)
        finally:
            lock.release()
        return True

    def _path(self, lease_id: str) -> Path:
        return self._folder / f"{lease_id}.lock"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def path_item(path: Path) -> tuple[str, str]:
    """Return a path as something that a lease protects; `item_path` takes it back."""
    return "path", quote_from_bytes(os.fsencode(path))


def item_path(value: str) -> Path:
    """Return the path in a lease's item: quoted, because file names need not be text."""
    return Path(os.fsdecode(unquote_to_bytes(value)))


def new_lease_id() -> str:
    """Return an id that no lease has had."""
    return uuid4().hex
