"""Where the files of a job for many go: inside its folder, each in a place of its own."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from modelshelf.download.file_name import checked_name
from modelshelf.errors import (
    DestinationUnusableError,
    InvalidDownloadError,
    UnsafeFileNameError,
)
from modelshelf.schema.download_job import DownloadJobRemoteSource, MultiFileDownloadJob

__all__ = ["Place", "places_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A part, and where it goes."""

    part: DownloadJobRemoteSource
    """The part."""
    final: Path
    """Absolute, below the folder of the job."""


def places_of(job: MultiFileDownloadJob) -> list[Place]:
    """Decide where each part goes. The names come from strangers, who list what is in their repositories.

    Returns:
        One place for each part, in their order.

    Raises:
        InvalidDownloadError: A name is absolute, empty, leaves the folder, or is one that some system cannot
            hold; or two parts would be one file, also where upper and lower case are the same.
        DestinationUnusableError: On the way stands a link, which may lead anywhere, or a file.
    """
    root = job.destination.absolute()
    taken: dict[str, Path] = {}
    places = []
    for part in job.download_parts:
        final = root.joinpath(*_names(job, part))
        _check_way(root, final)
        spelt = _spelt(final)
        if spelt in taken:
            raise InvalidDownloadError(
                url=job.source, reason=f"`{final}` and `{taken[spelt]}` would be one file"
            )
        taken[spelt] = final
        places.append(Place(part, final))
    for final in taken.values():
        for folder in final.parents:
            if _spelt(folder) in taken:
                raise InvalidDownloadError(
                    url=job.source, reason=f"`{folder}` would be a file and a folder"
                )
    return places


def _spelt(path: Path) -> str:
    """Return what two paths have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _names(job: MultiFileDownloadJob, part: DownloadJobRemoteSource) -> list[str]:
    names = part.destination.parts
    if not names or part.destination.is_absolute():
        raise InvalidDownloadError(
            url=job.source, reason=f"`{part.destination}` is no name inside its folder"
        )
    try:
        return [checked_name(name) for name in names]
    except UnsafeFileNameError as error:
        raise InvalidDownloadError(
            url=job.source, reason=f"`{part.destination}` is no usable file name"
        ) from error


def _check_way(root: Path, final: Path) -> None:
    for folder in final.parents:
        if folder == root:
            return
        if folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()):
            raise DestinationUnusableError(
                path=str(folder), reason="something other than a folder is there"
            )
