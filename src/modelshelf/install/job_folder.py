"""What is kept of each installation on disk, so that it survives the program that runs it.

::

    models/.cache/installs/
    ├─ gate.lock              held while a job gets its number or another owner
    ├─ owners/
    │  └─ <uuid>.lock         held by a running program, whose jobs name the uuid
    └─ <number>/
       ├─ job.json            the job; replaced at once, never written in place
       ├─ wish                what another program asks of the owner: one of `Wish`
       └─ files/              what is fetched, laid out as at the source

No secret is ever here. The lock decides whose a job is: the system drops it when its owner dies, however
it dies. A job whose owner is dead is nobody's, and whoever comes first may take it over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Self
from uuid import uuid4

from filelock import FileLock, Timeout

from modelshelf.blobs.trouble import store_trouble
from modelshelf.errors import DamagedJobError, ForeignJobError, StorageError, StoreBusyError
from modelshelf.install.job_document import FetchedFile, JobDocument
from modelshelf.install.kept_job import DOCUMENT, JobFolder, Wish
from modelshelf.protocols import Disk

__all__ = ["FetchedFile", "JobDocument", "JobFolder", "JobFolders", "Wish"]

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_GATE = "gate.lock"
_OWNERS = "owners"
_PATIENCE = 30.0
"""Seconds; what is done behind the gate takes a fraction of one, unless the program that does it is halted."""


class JobFolders:
    """All installations of one library, those of other programs too."""

    def __init__(self, folder: Path, disk: Disk, *, patience: float = _PATIENCE) -> None:
        """Name the folder; nothing is made or locked yet.

        Args:
            folder: `models/.cache/installs`.
            disk: What writes.
            patience: Seconds to wait at most for another program that gives out a number.
        """
        self._patience = patience
        self._folder = folder
        self._disk = disk
        self._owner: tuple[str, FileLock] | None = None
        self._last = 0
        self._opening = Lock()

    @property
    def owner(self) -> str:
        """The name of this program's lock; taken the first time that it is asked for.

        Raises:
            StorageError: The folder cannot be written to.
        """
        with self._opening:
            if self._owner is None:
                name = uuid4().hex
                with store_trouble(self._folder):
                    self._disk.make_folder(self._folder / _OWNERS)
                    lock = FileLock(self._lock_of(name), thread_local=False)
                    lock.acquire()
                self._owner = name, lock
            return self._owner[0]

    def create(
        self, make: Callable[[int, str], JobDocument], *, is_durable: bool = True
    ) -> tuple[JobFolder, JobDocument]:
        """Make a folder with a number of its own.

        Args:
            make: Given the number and this program's name, returns what to say of the job.
            is_durable: Whether the job is to survive a power cut, not only the end of this program.

        Raises:
            StorageError: It cannot be made.
            StoreBusyError: Another program has been giving out a number for too long.
        """
        owner = self.owner
        with self._gate():
            number = self._next_number()
            folder = JobFolder(self._folder / str(number), self._disk)
            with store_trouble(folder.path):
                self._disk.make_folder(folder.path)
            document = make(number, owner)
            folder.save(document, is_durable=is_durable)
        return folder, document

    def _next_number(self) -> int:
        # The whole folder is looked at once; from then on numbers that others took are stepped over.
        self._last = (self._last or max(self._numbers(), default=0)) + 1
        while (self._folder / str(self._last)).exists():
            self._last += 1
        return self._last

    def jobs(self) -> Iterator[tuple[JobFolder, JobDocument]]:
        """Yield every job with its folder, by number; `damaged` yields those that cannot be read."""
        for number in sorted(self._numbers()):
            folder = JobFolder(self._folder / str(number), self._disk)
            document = folder.read()
            if document is not None:
                yield folder, document

    def damaged(self) -> Iterator[tuple[int, JobFolder, DamagedJobError]]:
        """Yield every job that cannot be read, with its number and why, by number."""
        for number in sorted(self._numbers()):
            folder = JobFolder(self._folder / str(number), self._disk)
            damage = folder.damage
            if damage is not None:
                yield number, folder, damage

    def find_damaged(self, number: int) -> tuple[JobFolder, DamagedJobError] | None:
        """Return one job that cannot be read; None where it can, or there is none."""
        folder = JobFolder(self._folder / str(number), self._disk)
        damage = folder.damage
        return None if damage is None else (folder, damage)

    def remove_damaged(self, number: int) -> bool:
        """Remove a job that cannot be read, with what it fetched.

        Returns:
            Whether it is gone; not where it can be read, or a program that lives has it in hand: that one
            writes it down anew.

        Raises:
            ForeignJobError: It is another user's, whose program may live.
            StorageError: It cannot be removed.
        """
        found = self.find_damaged(number)
        if found is None:
            return False
        if isinstance(found[1], ForeignJobError):
            raise found[1]
        with self._gate():
            found = self.find_damaged(number)
            if found is None:
                return False
            owner = found[0].owner_of_damaged()
            if owner is not None and self._is_held(owner):
                return False
            found[0].remove()
        return True

    def find(self, number: int) -> tuple[JobFolder, JobDocument] | None:
        """Return one job; None where there is none."""
        folder = JobFolder(self._folder / str(number), self._disk)
        document = folder.read()
        return None if document is None else (folder, document)

    def is_alive(self, document: JobDocument) -> bool:
        """Say whether the program that runs a job still does."""
        return self._is_held(document.owner)

    def _is_held(self, owner: str) -> bool:
        if self._owner is not None and owner == self._owner[0]:
            return True
        lock = FileLock(self._lock_of(owner), thread_local=False)
        if not self._lock_of(owner).exists():
            return False
        try:
            lock.acquire(timeout=0)
        except (Timeout, PermissionError):
            # Another user's lock tells nobody else whether that one's program lives.
            return True
        except OSError:
            return False
        lock.release()
        return False

    def take_over(
        self, number: int, *, is_one_of_many: bool = False
    ) -> tuple[JobFolder, JobDocument] | None:
        """Make a job of a dead program one of this program.

        Args:
            number: Which.
            is_one_of_many: Whether the caller itself calls `forget_owners` after the last.

        Returns:
            The job; None where there is none, or its owner lives.
        """
        owner = self.owner
        with self._gate():
            found = self.find(number)
            if found is None or self.is_alive(found[1]):
                return None
            folder, document = found
            before = document.owner
            document = document.model_copy(update={"owner": owner})
            folder.save(document)
        if not is_one_of_many:
            self.forget_owners({before})
        return folder, document

    def forget_owners(self, owners: Collection[str]) -> None:
        """Remove the locks of dead programs of which there is no job any more."""
        if not owners:
            return
        with self._gate():
            left = set(owners) - {document.owner for _, document in self.jobs()}
            for owner in left:
                with suppress(OSError):
                    self._lock_of(owner).unlink()

    def clear_debris(self) -> None:
        """Remove folders without a job, which a crash left between making or removing and saying so."""
        if not self._folder.is_dir():
            return
        with self._gate():
            for number in self._numbers():
                folder = JobFolder(self._folder / str(number), self._disk)
                # What is not ours to remove is no reason not to go on with the jobs.
                with suppress(OSError, StorageError):
                    is_folder = folder.path.is_dir() and not folder.path.is_symlink()
                    if is_folder and not os.path.lexists(folder.path / DOCUMENT):
                        folder.remove()

    def close(self) -> None:
        """Let go of the jobs: whoever wants may take them over from here on."""
        with self._opening:
            if self._owner is None:
                return
            name, lock = self._owner
            self._owner = None
            if all(document.owner != name for _, document in self.jobs()):
                self._lock_of(name).unlink(missing_ok=True)
            lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _gate(self) -> Iterator[None]:
        with store_trouble(self._folder):
            lock = FileLock(self._folder / _GATE, thread_local=False)
            try:
                lock.acquire(timeout=self._patience)
            except Timeout:
                raise StoreBusyError(what=str(self._folder / _GATE)) from None
        try:
            yield
        finally:
            lock.release()

    def _numbers(self) -> list[int]:
        names: list[str] = []
        with store_trouble(self._folder), suppress(FileNotFoundError, NotADirectoryError):
            names = [path.name for path in self._folder.iterdir()]
        return [int(name) for name in names if _NUMBER.fullmatch(name)]

    def _lock_of(self, owner: str) -> Path:
        return self._folder / _OWNERS / f"{Path(owner).name}.lock"
