"""Where the file of an order goes, and by what name its unfinished parts are found again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from modelshelf.download.destination_trouble import destination_trouble
from modelshelf.download.file_name import safe_name
from modelshelf.download.origin import public_url
from modelshelf.download.partial_names import PartialNames, find_partials
from modelshelf.errors import InvalidDownloadError
from modelshelf.schema.transfer import ExpectedContent, TransferOrder

__all__ = ["Destination", "partial_key"]

_KEY_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Destination:
    """A folder, and a name in it as soon as one is known."""

    folder: Path
    """It exists."""
    name: str | None
    """Of the file to be; None while only the host knows it."""
    key: str
    """Digest of what is ordered: equal orders share unfinished parts, different ones never do."""

    @classmethod
    def of(cls, order: TransferOrder) -> Self:
        """Read an order.

        Raises:
            InvalidDownloadError: The folder does not exist, or the name is none.
            UnsafeFileNameError: The order's file name could leave the folder.
            DestinationUnusableError: The system cannot look there: no permission, or too long a name.
        """
        destination = order.destination
        if "\0" in str(destination):
            raise InvalidDownloadError(url=public_url(order.url), reason="NUL in the file's name")
        with destination_trouble(destination):
            is_folder, is_in_folder = destination.is_dir(), destination.parent.is_dir()
        if is_folder:
            name = None if order.file_name is None else safe_name(order.file_name)
            return cls(destination, name, _key_of(order))
        if not is_in_folder:
            reason = f"the folder `{destination.parent}` does not exist"
            raise InvalidDownloadError(url=public_url(order.url), reason=reason)
        return cls(destination.parent, destination.name, _key_of(order))

    def leftover(self) -> Path | None:
        """Return the final name of what an earlier run of the same order left unfinished; None: nothing.

        Raises:
            DestinationUnusableError: The system refused to look.
        """
        with destination_trouble(self.folder / (self.name or "")):
            partials = self._partials()
        # The name in the names of parts may be shortened; what is made of it is shortened likewise.
        return next((self.folder / (self.name or names.final.name) for names in partials), None)

    def _partials(self) -> list[PartialNames]:
        if self.name is None:
            # A folder may hold thousands of files, and is looked through for each of them.
            if not any(self.key in name for name in os.listdir(self.folder)):  # noqa: PTH208 - names
                return []
            return [names for names in find_partials(self.folder) if names.key == self.key]
        names = PartialNames.of(self.folder / self.name, self.key)
        return [names] if names.part.exists() or names.journal.exists() else []


def partial_key(url: str, expected: ExpectedContent) -> str:
    """Digest the address with its query, which may say which file is meant, and what is expected.

    Nobody learns a secret in the address from it, so it may lie on the disk.
    """
    content = [
        url.partition("#")[0],
        expected.size,
        str(expected.sha256),
        str(expected.blake3),
        expected.git_sha1,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_KEY_DIGITS]


def _key_of(order: TransferOrder) -> str:
    return order.partial_key or partial_key(order.url, order.expected)
