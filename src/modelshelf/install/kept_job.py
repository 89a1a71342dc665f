"""What is kept of one installation: the folder, the document in it, and what others ask of its owner."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from threading import Lock
from uuid import uuid4

from modelshelf.blobs.removal import remove_tree
from modelshelf.blobs.trouble import store_trouble
from modelshelf.errors import DamagedJobError
from modelshelf.install.job_document import JobDocument, read_document, read_own
from modelshelf.protocols import Disk

__all__ = ["DOCUMENT", "JobFolder", "Wish"]

DOCUMENT = "job.json"
"""Name of the file that says what the job is."""
_WISH = "wish"
_LONGEST_WISH = 16
_LONGEST_HEAD = 4096
_OWNER_OF = re.compile(rb'"owner":\s*"([0-9a-f]{32})"')
"""Whose a job is, in a document that cannot be read any more."""


class Wish(StrEnum):
    """What another program may ask of the one that runs a job."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class JobFolder:
    """One job's folder. Made by `JobFolders`."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path = path
        """The folder itself."""
        self.files = path / "files"
        """Where fetched files go."""
        self._disk = disk
        self._saving = Lock()

    def read(self) -> JobDocument | None:
        """Return the job; None where the folder holds none that can be read."""
        with suppress(DamagedJobError):
            return read_document(self.path / DOCUMENT)
        return None

    @property
    def damage(self) -> DamagedJobError | None:
        """Why the job cannot be read; None where it can, and where the folder holds none."""
        with suppress(OSError):
            # Whoever may not look at it may not look into it either, and is told so below.
            if not stat.S_ISDIR(self.path.lstat().st_mode):
                return None
        try:
            read_document(self.path / DOCUMENT)
        except DamagedJobError as error:
            return error
        return None

    def damaged(self, reason: str) -> DamagedJobError:
        """Return the error to raise where what stands there makes no sense."""
        path = self.path / DOCUMENT
        return DamagedJobError(job=self.path.name, path=str(path), reason=reason)

    def owner_of_damaged(self) -> str | None:
        """Return whose a job was that cannot be read; None where not even that can be."""
        try:
            head = read_own(self.path / DOCUMENT, _LONGEST_HEAD)
        except OSError:
            return None
        found = _OWNER_OF.search(head)
        return found[1].decode("ascii") if found else None

    def save(self, document: JobDocument, *, is_durable: bool = True) -> None:
        """Replace what is said of the job, at once; and so that it survives a power cut, if *is_durable*.

        Raises:
            StorageError: It cannot be written.
        """
        target = self.path / DOCUMENT
        unfinished = target.with_suffix(".new")
        content = document.model_dump_json(indent=1).encode()
        with self._saving, store_trouble(target, len(content)):
            with suppress(FileNotFoundError):
                self._disk.remove_file(unfinished)
            descriptor = self._disk.create(unfinished)
            try:
                written = 0
                while written < len(content):
                    written += self._disk.write(descriptor, content[written:], written)
                if is_durable:
                    self._disk.sync_file(descriptor)
            finally:
                os.close(descriptor)
            self._disk.rename(unfinished, target)
            if is_durable:
                self._disk.sync_folder(self.path)

    def ask(self, wish: Wish) -> None:
        """Leave a wish for the owner; a later one takes the place of one that is still unread."""
        path = self.path / _WISH
        with store_trouble(path):
            unfinished = path.with_suffix(f".{uuid4().hex}")
            unfinished.write_text(wish.value, encoding="ascii")
            self._disk.rename(unfinished, path)

    def wish(self) -> Wish | None:
        """Take what another program asked for; None where nothing was."""
        path = self.path / _WISH
        try:
            text = read_own(path, _LONGEST_WISH).decode("ascii", "replace")
            path.unlink()
        except OSError:
            return None
        return Wish(text) if text in Wish.__members__.values() else None

    def remove(self) -> None:
        """Remove the job and whatever was fetched for it; what is not there is no matter.

        Raises:
            StorageError: Something cannot be removed.
        """
        with store_trouble(self.path), suppress(FileNotFoundError):
            # The document goes first: without it the rest is debris, whatever happens now.
            # Where a folder stands in its place there is no document.
            with suppress(FileNotFoundError, IsADirectoryError):
                self._disk.remove_file(self.path / DOCUMENT)
            remove_tree(self.path, self._disk)
