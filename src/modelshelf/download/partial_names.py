"""How the files of a download that is not complete are called, and how they are found again."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["PartialNames", "find_partials"]

_LONGEST = 255
"""Bytes that a file name may have."""
_KEY = re.compile(r"[0-9a-f]{16,64}")
_NAME = re.compile(r"\.(?P<name>.+)\.(?P<key>[0-9a-f]{16,64})\.(?:part|journal)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class PartialNames:
    """Two hidden files beside the file that is going to be.

    ::

        FOLDER/
        ├─ .<name>.<key>.part         the bytes, at their offsets
        ├─ .<name>.<key>.journal      which of them came; locked by who fetches them
        └─ <name>                     only once it is whole

    Example:
        >>> names = PartialNames.of(Path("models/vae.safetensors"), "0123456789abcdef")
        >>> names.part.name
        '.vae.safetensors.0123456789abcdef.part'
    """

    final: Path
    """What it is going to be; the beginning of that name, where it was too long."""
    part: Path
    """The bytes."""
    journal: Path
    """What is known of them."""
    key: str
    """Digest of what is fetched, 16 to 64 hexadecimal digits."""

    @classmethod
    def of(cls, final: Path, key: str) -> Self:
        """Name the two files for *final*; a name that becomes too long is shortened.

        Raises:
            ValueError: The key is no lower-case hexadecimal digest.
        """
        if not _KEY.fullmatch(key):
            raise ValueError(key)
        room = _LONGEST - len(f"..{key}.journal")
        name = final.name
        while len(os.fsencode(name)) > room:
            name = name[:-1]
        stem = f".{name}.{key}"
        return cls(final, final.with_name(f"{stem}.part"), final.with_name(f"{stem}.journal"), key)


def find_partials(folder: Path) -> list[PartialNames]:
    """List the downloads in *folder* that are not complete, whether somebody works on them or not.

    `PartialFile.open(found.final, found.key, disk).discard()` removes one that nobody works on.

    Returns:
        Sorted by name. Of each at least one of the two files is there.

    Raises:
        OSError: The folder cannot be read.
    """
    matches = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(
        {PartialNames.of(folder / match["name"], match["key"]) for match in matches if match}
    )
